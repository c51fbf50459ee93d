#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/domain/engine.h"

namespace polyptych::domain {

/// A GPU of the machine, or its CPU, as `polyptych-cli devices` lists them.
struct DeviceInfo {
  std::string id;  ///< "cpu", "cuda:0" (driver's PCI order)
  DeviceKind kind = DeviceKind::Cpu;
  std::string name;
  std::string uuid;  ///< "GPU-..." or empty
  std::uint64_t totalBytes = 0;
  std::uint64_t freeBytes = 0;
  int cores = 0;  ///< CPU only: cores this process may use
  int temperatureCelsius = -1;
  double powerWatts = -1;
};

/// The second device of a pair, of the same kind as the first.
struct PartnerDevice {
  std::string name;
  std::string uuid;        ///< of a GPU: never empty; a CPU has none
  std::vector<int> cores;  ///< CPU: the cores it may use, as those of a slot; empty for a GPU

  friend bool operator==(const PartnerDevice&, const PartnerDevice&) = default;
};

/// One worker to start: a device, and which of its slots. A pair is one slot, too: its worker makes each picture together with
/// a process of its own on the second device, and nobody else sees more than one worker.
struct DeviceSlot {
  /// Unique in a run: "cpu:0", "cuda:0", "cuda:0#2" for the second worker on one GPU, "cuda:0+cuda:1" for a pair.
  std::string id;
  DeviceKind kind = DeviceKind::Cpu;
  std::string name;
  std::string uuid;
  std::vector<int> cores;  ///< CPU: the cores it may use (disjoint while they last, then shared); empty for a GPU
  std::optional<PartnerDevice> partner = std::nullopt;

  friend bool operator==(const DeviceSlot&, const DeviceSlot&) = default;
};

/// Turns a user's list ("cpu", "cpu:4" = 4 CPU slots, "cuda:1", "GPU-<uuid>" or a unique beginning of it, "all"; commas between;
/// repeats mean several workers; "cuda:0+cuda:1" or "cpu+cpu" = a pair that makes each picture together) into worker slots. Empty
/// list: all GPUs, or else one CPU slot with all cores.
/// @param present  what this machine has; exactly one entry is the CPU
/// @param cpuCores core numbers this process may use, not empty
/// @return InvalidArgument for words that cannot be meant, NotFound for a device that is not here (the message lists those that
/// are)
base::Result<std::vector<DeviceSlot>> chooseDevices(std::string_view list, const std::vector<DeviceInfo>& present,
                                                    const std::vector<int>& cpuCores);

}  // namespace polyptych::domain
