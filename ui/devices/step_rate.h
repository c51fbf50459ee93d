#pragma once

#include <chrono>
#include <deque>
#include <optional>

#include "core/domain/engine.h"

namespace polyptych::ui {

/// Denoising steps a second of one worker, from the last steps of the unit in work; the last known rate while it does anything
/// else.
class StepRate {
 public:
  using Clock = std::chrono::steady_clock;

  void add(const domain::StepProgress& progress, Clock::time_point now);
  void reset() { *this = StepRate(); }
  /// Nothing before two steps of one unit.
  std::optional<double> perSecond() const { return m_rate; }

 private:
  struct Step {
    Clock::time_point at;
    int number = 0;
  };
  std::deque<Step> m_steps;
  std::optional<double> m_rate;
};

}  // namespace polyptych::ui
