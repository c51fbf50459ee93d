#pragma once

#include <QString>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/domain/device_choice.h"

namespace polyptych::devices {

/// What the driver tells of a GPU at a moment; negative or 0 bytes: it does not.
struct NvmlReading {
  std::uint64_t totalBytes = 0;
  std::uint64_t usedBytes = 0;
  double utilisation = -1;  ///< 0 to 1
  int temperatureCelsius = -1;
  double powerWatts = -1;
  double powerLimitWatts = -1;
  bool areProcessesKnown = false;
  std::map<qint64, std::optional<std::uint64_t>> bytesOfProcess;  ///< nothing: the driver names the process alone
};

/// The driver's management library, opened and ready; or without any GPU. Every call may wait for the driver.
class NvmlSession {
 public:
  explicit NvmlSession(const QString& library);
  ~NvmlSession();
  NvmlSession(const NvmlSession&) = delete;
  NvmlSession& operator=(const NvmlSession&) = delete;

  /// In PCI order, as they were when the session began.
  std::vector<domain::DeviceInfo> gpus() const;
  /// Of the same GPUs.
  std::vector<NvmlReading> measure() const;

 private:
  struct Library;
  std::unique_ptr<Library> m_library;
};

/// GPUs that the driver's management library tells of, in PCI order. Empty without the library, the driver or a GPU. Values that
/// the driver does not give keep DeviceInfo's defaults; a GPU without UUID is left out, since no worker could be bound to it.
std::vector<domain::DeviceInfo> listGpus(const QString& library);

}  // namespace polyptych::devices
