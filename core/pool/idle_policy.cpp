#include "core/pool/idle_policy.h"

namespace polyptych::pool {

IdleAction IdlePolicy::actionAfter(std::chrono::milliseconds idle) const {
  if (m_limits.stopAfter && idle >= *m_limits.stopAfter) {
    return IdleAction::StopWorker;
  }
  return m_limits.releaseAfter && idle >= *m_limits.releaseAfter ? IdleAction::ReleaseMemory : IdleAction::Keep;
}

std::optional<std::chrono::milliseconds> IdlePolicy::untilNext(std::chrono::milliseconds idle) const {
  std::optional<std::chrono::milliseconds> next;
  if (m_limits.stopAfter && idle < *m_limits.stopAfter) {
    next = *m_limits.stopAfter - idle;
  }
  const bool isStopped = m_limits.stopAfter && idle >= *m_limits.stopAfter;
  if (!isStopped && m_limits.releaseAfter && idle < *m_limits.releaseAfter && (!next || *m_limits.releaseAfter - idle < *next)) {
    next = *m_limits.releaseAfter - idle;
  }
  return next;
}

}  // namespace polyptych::pool
