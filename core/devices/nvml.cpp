#include "core/devices/nvml.h"

#include <dlfcn.h>

#include <QFile>
#include <algorithm>
#include <array>
#include <memory>
#include <tuple>

namespace polyptych::devices {
namespace {

// Declarations of the few functions of NVIDIA's management library that are used, from its public reference manual.
using NvmlDevice = void*;
using NvmlReturn = int;
constexpr NvmlReturn kNvmlSuccess = 0;
constexpr unsigned kNvmlTemperatureGpu = 0;
constexpr unsigned kMaxGpus = 256;

struct NvmlMemory {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};
struct NvmlPciInfo {
  char busIdLegacy[16];
  unsigned domain;
  unsigned bus;
  unsigned device;
  unsigned pciDeviceId;
  unsigned pciSubSystemId;
  char busId[32];
};

struct Nvml {
  NvmlReturn (*init)();
  NvmlReturn (*shutdown)();
  NvmlReturn (*count)(unsigned*);
  NvmlReturn (*handle)(unsigned, NvmlDevice*);
  NvmlReturn (*name)(NvmlDevice, char*, unsigned);
  NvmlReturn (*uuid)(NvmlDevice, char*, unsigned);
  NvmlReturn (*pciInfo)(NvmlDevice, NvmlPciInfo*);
  NvmlReturn (*memory)(NvmlDevice, NvmlMemory*);
  NvmlReturn (*temperature)(NvmlDevice, unsigned, unsigned*);
  NvmlReturn (*power)(NvmlDevice, unsigned*);
};

template <typename Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

bool findAll(void* library, Nvml& nvml) {
  return find(library, "nvmlInit_v2", nvml.init) && find(library, "nvmlShutdown", nvml.shutdown) &&
         find(library, "nvmlDeviceGetCount_v2", nvml.count) && find(library, "nvmlDeviceGetHandleByIndex_v2", nvml.handle) &&
         find(library, "nvmlDeviceGetName", nvml.name) && find(library, "nvmlDeviceGetUUID", nvml.uuid) &&
         find(library, "nvmlDeviceGetPciInfo_v3", nvml.pciInfo) && find(library, "nvmlDeviceGetMemoryInfo", nvml.memory) &&
         find(library, "nvmlDeviceGetTemperature", nvml.temperature) && find(library, "nvmlDeviceGetPowerUsage", nvml.power);
}

using PciPlace = std::tuple<unsigned, unsigned, unsigned>;

struct FoundGpu {
  PciPlace place;
  domain::DeviceInfo info;
};

template <typename Getter>
std::string textOf(Getter getter, NvmlDevice device) {
  std::array<char, 128> buffer{};
  if (getter(device, buffer.data(), static_cast<unsigned>(buffer.size() - 1)) != kNvmlSuccess) {
    return {};
  }
  return buffer.data();
}

FoundGpu describe(const Nvml& nvml, NvmlDevice device, unsigned index) {
  FoundGpu gpu;
  gpu.info.kind = domain::DeviceKind::Cuda;
  gpu.info.name = textOf(nvml.name, device);
  gpu.info.uuid = textOf(nvml.uuid, device);
  NvmlPciInfo pci{};
  gpu.place = nvml.pciInfo(device, &pci) == kNvmlSuccess ? PciPlace{pci.domain, pci.bus, pci.device} : PciPlace{~0U, ~0U, index};
  NvmlMemory memory{};
  if (nvml.memory(device, &memory) == kNvmlSuccess) {
    gpu.info.totalBytes = memory.total;
    gpu.info.freeBytes = memory.free;
  }
  unsigned celsius = 0;
  if (nvml.temperature(device, kNvmlTemperatureGpu, &celsius) == kNvmlSuccess) {
    gpu.info.temperatureCelsius = static_cast<int>(celsius);
  }
  unsigned milliwatts = 0;
  if (nvml.power(device, &milliwatts) == kNvmlSuccess) {
    gpu.info.powerWatts = milliwatts / 1000.0;
  }
  return gpu;
}

}  // namespace

std::vector<domain::DeviceInfo> listGpus(const QString& library) {
  const std::unique_ptr<void, int (*)(void*)> opened(::dlopen(QFile::encodeName(library).constData(), RTLD_NOW | RTLD_LOCAL),
                                                     ::dlclose);
  if (opened == nullptr) {
    // No driver is a normal state. The first call hands the reason out, the second frees the thread's memory of it.
    ::dlerror();
    ::dlerror();
    return {};
  }
  Nvml nvml{};
  if (!findAll(opened.get(), nvml) || nvml.init() != kNvmlSuccess) {
    return {};
  }
  std::vector<FoundGpu> found;
  unsigned count = 0;
  if (nvml.count(&count) == kNvmlSuccess) {
    for (unsigned index = 0; index < std::min(count, kMaxGpus); ++index) {
      NvmlDevice device = nullptr;
      if (nvml.handle(index, &device) == kNvmlSuccess) {
        found.push_back(describe(nvml, device, index));
      }
    }
  }
  nvml.shutdown();
  std::stable_sort(found.begin(), found.end(), [](const FoundGpu& a, const FoundGpu& b) { return a.place < b.place; });
  std::vector<domain::DeviceInfo> gpus;
  for (std::size_t i = 0; i < found.size(); ++i) {
    found[i].info.id = "cuda:" + std::to_string(i);
    if (!found[i].info.uuid.empty()) {
      gpus.push_back(std::move(found[i].info));
    }
  }
  return gpus;
}

}  // namespace polyptych::devices
