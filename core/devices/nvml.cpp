#include "core/devices/nvml.h"

#include <dlfcn.h>

#include <QFile>
#include <algorithm>
#include <array>
#include <memory>
#include <tuple>
#include <utility>

namespace polyptych::devices {
namespace {

// Declarations of the few functions of NVIDIA's management library that are used, from its public reference manual.
using NvmlDevice = void*;
using NvmlReturn = int;
constexpr NvmlReturn kNvmlSuccess = 0;
constexpr unsigned kNvmlTemperatureGpu = 0;
constexpr unsigned kMaxGpus = 256;
constexpr unsigned kMaxProcesses = 256;
constexpr unsigned long long kNvmlNotAvailable = ~0ULL;

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

struct NvmlUtilisation {
  unsigned gpu;  ///< per cent of the last period in which a kernel ran
  unsigned memory;
};
struct NvmlProcess {
  unsigned pid;
  unsigned long long usedBytes;
  unsigned gpuInstance;
  unsigned computeInstance;
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
  // Not in every driver; nullptr then.
  NvmlReturn (*utilisation)(NvmlDevice, NvmlUtilisation*) = nullptr;
  NvmlReturn (*powerLimit)(NvmlDevice, unsigned*) = nullptr;
  NvmlReturn (*processes)(NvmlDevice, unsigned*, NvmlProcess*) = nullptr;
};

template <typename Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

bool findAll(void* library, Nvml& nvml) {
  find(library, "nvmlDeviceGetUtilizationRates", nvml.utilisation);
  find(library, "nvmlDeviceGetEnforcedPowerLimit", nvml.powerLimit);
  find(library, "nvmlDeviceGetComputeRunningProcesses_v3", nvml.processes);
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

struct NvmlSession::Library {
  std::unique_ptr<void, int (*)(void*)> handle{nullptr, ::dlclose};
  Nvml nvml{};
  std::vector<std::pair<NvmlDevice, domain::DeviceInfo>> gpus;  ///< in PCI order
};

NvmlSession::NvmlSession(const QString& library) {
  auto opened = std::make_unique<Library>();
  opened->handle.reset(::dlopen(QFile::encodeName(library).constData(), RTLD_NOW | RTLD_LOCAL));
  if (opened->handle == nullptr) {
    // No driver is a normal state. The first call hands the reason out, the second frees the thread's memory of it.
    ::dlerror();
    ::dlerror();
    return;
  }
  Nvml& nvml = opened->nvml;
  if (!findAll(opened->handle.get(), nvml) || nvml.init() != kNvmlSuccess) {
    return;
  }
  struct Found {
    FoundGpu gpu;
    NvmlDevice device;
  };
  std::vector<Found> found;
  unsigned count = 0;
  if (nvml.count(&count) == kNvmlSuccess) {
    for (unsigned index = 0; index < std::min(count, kMaxGpus); ++index) {
      NvmlDevice device = nullptr;
      if (nvml.handle(index, &device) == kNvmlSuccess) {
        found.push_back({describe(nvml, device, index), device});
      }
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.gpu.place < b.gpu.place; });
  for (std::size_t i = 0; i < found.size(); ++i) {
    domain::DeviceInfo& info = found[i].gpu.info;
    info.id = "cuda:" + std::to_string(i);
    if (!info.uuid.empty()) {
      opened->gpus.emplace_back(found[i].device, std::move(info));
    }
  }
  m_library = std::move(opened);
}

NvmlSession::~NvmlSession() {
  if (m_library != nullptr) {
    m_library->nvml.shutdown();
  }
}

std::vector<domain::DeviceInfo> NvmlSession::gpus() const {
  std::vector<domain::DeviceInfo> list;
  for (std::size_t i = 0; m_library != nullptr && i < m_library->gpus.size(); ++i) {
    list.push_back(m_library->gpus[i].second);
  }
  return list;
}

std::vector<NvmlReading> NvmlSession::measure() const {
  std::vector<NvmlReading> readings;
  if (m_library == nullptr) {
    return readings;
  }
  const Nvml& nvml = m_library->nvml;
  for (const auto& [device, info] : m_library->gpus) {
    NvmlReading reading;
    NvmlMemory memory{};
    if (nvml.memory(device, &memory) == kNvmlSuccess) {
      reading.totalBytes = memory.total;
      reading.usedBytes = memory.total - std::min(memory.free, memory.total);
    }
    unsigned number = 0;
    if (nvml.temperature(device, kNvmlTemperatureGpu, &number) == kNvmlSuccess) {
      reading.temperatureCelsius = static_cast<int>(number);
    }
    if (nvml.power(device, &number) == kNvmlSuccess) {
      reading.powerWatts = number / 1000.0;
    }
    if (nvml.powerLimit != nullptr && nvml.powerLimit(device, &number) == kNvmlSuccess) {
      reading.powerLimitWatts = number / 1000.0;
    }
    NvmlUtilisation utilisation{};
    if (nvml.utilisation != nullptr && nvml.utilisation(device, &utilisation) == kNvmlSuccess) {
      reading.utilisation = std::min(utilisation.gpu, 100U) / 100.0;
    }
    std::array<NvmlProcess, kMaxProcesses> processes{};
    unsigned processCount = static_cast<unsigned>(processes.size());
    if (nvml.processes != nullptr && nvml.processes(device, &processCount, processes.data()) == kNvmlSuccess) {
      reading.areProcessesKnown = true;
      for (unsigned i = 0; i < std::min<unsigned>(processCount, kMaxProcesses); ++i) {
        const auto [entry, isNew] = reading.bytesOfProcess.try_emplace(processes[i].pid, 0);
        if (processes[i].usedBytes == kNvmlNotAvailable || !entry->second) {
          entry->second.reset();
        } else {
          *entry->second += processes[i].usedBytes;
        }
      }
    }
    readings.push_back(std::move(reading));
  }
  return readings;
}

std::vector<domain::DeviceInfo> listGpus(const QString& library) { return NvmlSession(library).gpus(); }

}  // namespace polyptych::devices
