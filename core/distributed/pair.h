#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "core/domain/engine.h"
#include "core/domain/pair_link.h"

namespace polyptych::diffusion {
class ExchangeSource;
}

namespace polyptych::distributed {

struct PairOptions {
  domain::DeviceKind device = domain::DeviceKind::Cpu;  ///< of both
  std::string version;                                  ///< of the program
  std::chrono::milliseconds joinTimeout{10'000};        ///< until both are there, in the first unit: both run and have loaded
  /// How much later than the other one may be with a step. Shorter than any limit of the pool's watchdog.
  std::chrono::milliseconds stepTimeout{60'000};
};

/// The first process of a pair: one object seen from the worker and from the engine. Both meet at a store that this process keeps
/// on the loopback, at a free port, with every key behind a secret.
struct PairLeader {
  std::shared_ptr<domain::PairLink> link;
  std::shared_ptr<diffusion::ExchangeSource> source;
};

/// @param begin  gives the partner a unit, on the engine's thread. False: it cannot take it now, and the unit is made alone
PairLeader makePairLeader(const PairOptions& options, std::function<bool(const domain::UnitOfWork&)> begin);

/// The second process of a pair. @param token  what the first one's link gave. Units fail with Timeout, InvalidArgument (no
/// token of a link) and so on if they do not meet; nothing is made alone
std::shared_ptr<diffusion::ExchangeSource> makePairHelper(const PairOptions& options, const std::string& token);

}  // namespace polyptych::distributed
