#pragma once

#include <QString>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/devices/device_list.h"

namespace polyptych::devices {

/// How a device does at a moment. What is not known is negative, or 0 for bytes.
struct DeviceReading {
  QString deviceId;  ///< domain::DeviceInfo::id
  std::uint64_t totalBytes = 0;
  std::uint64_t usedBytes = 0;  ///< by every program
  std::uint64_t oursBytes = 0;  ///< of those: by this library's workers
  double utilisation = -1;      ///< 0 to 1
  int temperatureCelsius = -1;
  double powerWatts = -1;
  double powerLimitWatts = -1;
  /// False: the driver does not say what (all of) ours take; the difference to usedBytes is then not that of others.
  bool isOursKnown = true;
};

/// Processes of ours, by where they work.
struct OwnProcesses {
  std::vector<qint64> onCpu;
  std::map<std::string, std::vector<qint64>> onGpu;  ///< by the GPU's UUID
};

/// Measures the CPU and the GPUs again and again: NVML is kept open, and what the CPU did is told since the time before. For one
/// thread, which may have to wait for the driver.
class DeviceMeter {
 public:
  explicit DeviceMeter(DeviceSources sources);
  ~DeviceMeter();
  DeviceMeter(const DeviceMeter&) = delete;
  DeviceMeter& operator=(const DeviceMeter&) = delete;

  /// In the order of listDevices().
  std::vector<DeviceReading> measure(const OwnProcesses& own);

 private:
  struct Gpus;
  struct CpuTimes {
    std::uint64_t busy = 0;
    std::uint64_t all = 0;
  };
  CpuTimes readCpuTimes() const;
  DeviceReading measureCpu(const OwnProcesses& own);

  const DeviceSources m_sources;
  std::unique_ptr<Gpus> m_gpus;
  const bool m_isInContainer;
  CpuTimes m_before;
};

}  // namespace polyptych::devices
