#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/pool/supervision_limits.h"

namespace polyptych::pool {

/// When a worker that died is started again. Back-off grows with deaths in a row; too many deaths within a time set the device
/// aside, whatever succeeded between them.
class RestartPolicy {
 public:
  explicit RestartPolicy(const SupervisionLimits& limits) : m_limits(limits) {}

  struct Decision {
    bool isSetAside = false;
    std::chrono::milliseconds delay{0};  ///< before the start; meaningless if set aside
    std::string sentence;                ///< for the device's card
  };

  /// @param now   of any clock that never goes back
  /// @param unit  what it died on, if anything, for excuse()
  Decision noteDeath(std::chrono::milliseconds now, const base::Error& error, std::optional<std::uint64_t> unit = std::nullopt);
  /// A unit was finished: the next back-off begins small again.
  void noteSuccess() { m_deathsInRow = 0; }
  /// The unit turned out to be what kills (it was parked): its deaths are not the device's.
  void excuse(std::uint64_t unit);
  /// The user starts the device again: as new.
  void reset();
  bool isSetAside() const { return m_isSetAside; }

 private:
  struct Death {
    std::chrono::milliseconds time;
    std::optional<std::uint64_t> unit;
  };

  SupervisionLimits m_limits;
  std::deque<Death> m_deaths;  ///< within the window
  int m_deathsInRow = 0;
  bool m_isSetAside = false;
};

}  // namespace polyptych::pool
