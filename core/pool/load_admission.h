#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/pool/supervision_limits.h"

namespace polyptych::pool {

/// A load of a model that is going on, by the host memory that it takes: private memory, not pages of mapped files.
struct LoadInProgress {
  std::optional<std::uint64_t> neededBytes;
  std::uint64_t takenBytes = 0;  ///< of them already; the free bytes are without these
};

/// Staggers loads by free host memory, so that many workers do not drive the machine into its swap. One load may always go.
class LoadAdmission {
 public:
  explicit LoadAdmission(const SupervisionLimits& limits) : m_limits(limits) {}

  struct Decision {
    bool mayStart = false;
    std::string reason;  ///< for the device's card while it waits; empty if it may start
  };

  /// @param neededBytes  nothing: not known, then loads go one at a time
  Decision decide(std::uint64_t freeBytes, std::optional<std::uint64_t> neededBytes, std::span<const LoadInProgress> loads) const;

 private:
  SupervisionLimits m_limits;
};

}  // namespace polyptych::pool
