#pragma once

#include <string>

#include "core/base/result.h"
#include "core/pool/out_of_memory_ladder.h"
#include "core/pool/supervision_limits.h"

namespace polyptych::pool {

/// When a unit is held to be what ends its workers. Deaths are counted on disk, so that a unit that takes the machine down with
/// it is found out too.
class PoisonRule {
 public:
  explicit PoisonRule(const SupervisionLimits& limits) : m_limits(limits) {}

  /// True if a worker that ended with this error while it had the unit is one more death of the unit.
  static bool isDeath(base::ErrorCode code);
  /// A backend that ended uncleanly is a death of every unit that was in work.
  static constexpr bool isDeathByUncleanEnd() { return true; }

  /// @param deaths  of the unit, the last one included
  bool isParked(int deaths) const { return m_limits.maxDeathsPerUnit > 0 && deaths >= m_limits.maxDeathsPerUnit; }
  /// Why it is parked and what the user may try: smaller batch, tiled VAE, smaller size, whatever of it is left to try.
  std::string sentenceFor(int deaths, const base::Error& last, const Rung& rung) const;

 private:
  SupervisionLimits m_limits;
};

}  // namespace polyptych::pool
