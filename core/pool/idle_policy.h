#pragma once

#include <chrono>
#include <optional>

#include "core/pool/supervision_limits.h"

namespace polyptych::pool {

enum class IdleAction {
  Keep,
  ReleaseMemory,  ///< the model leaves the device; the process stays
  StopWorker,
};

/// What to do with a worker that has had nothing to do for a while and for which nothing waits.
class IdlePolicy {
 public:
  explicit IdlePolicy(const SupervisionLimits& limits) : m_limits(limits) {}

  IdleAction actionAfter(std::chrono::milliseconds idle) const;
  /// Time until actionAfter() changes; nothing if it does not.
  std::optional<std::chrono::milliseconds> untilNext(std::chrono::milliseconds idle) const;

 private:
  SupervisionLimits m_limits;
};

}  // namespace polyptych::pool
