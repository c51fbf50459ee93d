#include "core/devices/device_list.h"

#include <sched.h>

#include <QList>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "core/devices/host.h"
#include "core/devices/nvml.h"

namespace polyptych::devices {
namespace {

constexpr int kFirstMaskCores = 1024;
constexpr int kMaxMaskCores = 1 << 20;

/// CUDA takes numbers and beginnings of UUIDs, and nothing that stands behind a negative number.
bool isVisible(const domain::DeviceInfo& gpu, const QByteArray& visible) {
  for (const QByteArray& entry : visible.split(',')) {
    const QByteArray word = entry.trimmed();
    bool isNumber = false;
    const int number = word.toInt(&isNumber);
    if (word.isEmpty() || (isNumber && number < 0)) {
      return false;
    }
    if (isNumber ? gpu.id == "cuda:" + std::to_string(number) : QByteArray::fromStdString(gpu.uuid).startsWith(word)) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::optional<QByteArray> DeviceSources::variableOf(const char* name) {
  return qEnvironmentVariableIsSet(name) ? std::optional<QByteArray>(qgetenv(name)) : std::nullopt;
}

std::vector<domain::DeviceInfo> listDevices(const DeviceSources& sources) {
  std::vector<domain::DeviceInfo> devices{describeHost(sources.procFolder, sources.cgroupFolder)};
  devices.front().cores = static_cast<int>(usableCores().size());
  for (domain::DeviceInfo& gpu : listGpus(sources.nvmlLibrary)) {
    if (!sources.visibleDevices || isVisible(gpu, *sources.visibleDevices)) {
      devices.push_back(std::move(gpu));
    }
  }
  return devices;
}

std::vector<int> usableCores() {
  std::vector<int> cores;
  for (int size = kFirstMaskCores; cores.empty() && size <= kMaxMaskCores; size *= 2) {
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(static_cast<std::size_t>(size)),
                                                               [](cpu_set_t* allocated) { CPU_FREE(allocated); });
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(size));
    CPU_ZERO_S(bytes, set.get());
    if (::sched_getaffinity(0, bytes, set.get()) != 0) {
      if (errno == EINVAL) {
        continue;
      }
      break;
    }
    for (int core = 0; core < size; ++core) {
      if (CPU_ISSET_S(static_cast<std::size_t>(core), bytes, set.get())) {
        cores.push_back(core);
      }
    }
  }
  return cores.empty() ? std::vector<int>{0} : cores;
}

}  // namespace polyptych::devices
