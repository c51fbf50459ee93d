#pragma once

#include <atomic>

namespace polyptych::base {

/// Called between the steps of what has to survive a sudden end, with the name of the step that comes next. A program of the
/// tests sets one and ends there; nobody else does. May be called on any thread.
using FailPoint = void (*)(const char* step);

namespace detail {
inline std::atomic<FailPoint> failPoint{nullptr};
}

/// Before other threads start.
inline void setFailPoint(FailPoint function) { detail::failPoint.store(function, std::memory_order_release); }

inline void failPoint(const char* step) {
  if (const FailPoint function = detail::failPoint.load(std::memory_order_acquire)) {
    function(step);
  }
}

}  // namespace polyptych::base
