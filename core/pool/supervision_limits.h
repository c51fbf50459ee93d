#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/base/result.h"

namespace polyptych::pool {

/// How patient the backend is with units, workers and devices. Settings of the user; a test that kills on purpose switches the
/// limits off. "0: never" means that the limit does not exist.
struct SupervisionLimits {
  int maxDeathsPerUnit = 2;       ///< workers that ended while they made it; then it is parked. 0: never
  int maxOutOfMemoryPerUnit = 2;  ///< refusals of the same unit with the same settings before the settings change. 1 or more

  std::chrono::milliseconds restartBase{250};
  double restartFactor = 2;
  std::chrono::milliseconds restartMax{std::chrono::seconds(60)};
  int maxRestartsInWindow = 5;  ///< one more and the device is set aside. 0: never
  std::chrono::milliseconds restartWindow{std::chrono::minutes(10)};

  int deviceBreaker = 5;    ///< failures in a row on one device; then it is set aside. 0: never
  int overallBreaker = 10;  ///< failures in a row on all devices; then the queue pauses. 0: never

  bool allowsSmallerSize = false;  ///< the last rung of the ladder: another picture than was asked for
  int smallestSide = 256;          ///< pixels; the ladder does not go below

  std::optional<std::chrono::milliseconds> releaseAfter;  ///< idle for so long: the model leaves the device's memory
  std::optional<std::chrono::milliseconds> stopAfter;     ///< idle for so long: the worker ends

  std::uint64_t hostReserveBytes = 1ull << 30;  ///< of free host memory, not for loads
};

/// @return InvalidArgument with the field and what is allowed
base::Result<void> validate(const SupervisionLimits& limits);

}  // namespace polyptych::pool
