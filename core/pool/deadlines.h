#pragma once

#include <chrono>

namespace polyptych::pool {

/// How long a worker may take for each edge between its states. None is without a limit.
struct Deadlines {
  std::chrono::milliseconds start{std::chrono::seconds(20)};      ///< until the system has started the process
  std::chrono::milliseconds handshake{std::chrono::minutes(2)};   ///< until Hello; the CUDA runtime starts before it
  std::chrono::milliseconds loadBeat{std::chrono::minutes(5)};    ///< between two byte counts of a load
  std::chrono::milliseconds firstBeat{std::chrono::minutes(30)};  ///< for a beat of work whose length nobody knows, a megapixel
  std::chrono::milliseconds stepFloor{std::chrono::minutes(2)};   ///< least limit of a step
  int stepFactor = 20;                                            ///< limit of a step: the longest of its unit times this
  std::chrono::milliseconds heartbeat{std::chrono::seconds(30)};  ///< silence after which a process is given up
  std::chrono::milliseconds cancel{std::chrono::seconds(20)};     ///< until a cancelled unit is answered; then it is enforced
  std::chrono::milliseconds shutdown{1000};                       ///< until the process is gone after Shutdown
  std::chrono::milliseconds terminate{400};                       ///< the same after SIGTERM; then SIGKILL
};

}  // namespace polyptych::pool
