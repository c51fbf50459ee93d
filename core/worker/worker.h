#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/domain/engine.h"

namespace polyptych::worker {

/// Exit codes of a worker process (core/protocol/PROTOCOL.md).
inline constexpr int kExitOk = 0;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitSocketClosed = 3;
inline constexpr int kExitFatal = 4;

/// The second device of a pair.
struct PartnerOptions {
  std::string uuid;        ///< of its GPU; empty for the CPU
  std::vector<int> cores;  ///< as those of the worker

  friend bool operator==(const PartnerOptions&, const PartnerOptions&) = default;
};

/// Workers of other ranks that load the same model at the same time (core/distributed/group_weight_feed.h).
struct SharedLoadOptions {
  bool isMeasured = true;  ///< false: one reads and sends, whatever is faster
  std::string host;        ///< of the ranks' store
  std::uint16_t port = 0;
  std::string prefix;  ///< of the keys
  int rank = 0;
  int size = 1;

  friend bool operator==(const SharedLoadOptions&, const SharedLoadOptions&) = default;
};

struct WorkerOptions {
  std::string socketPath;  ///< connected to if `socketFd` is negative
  int socketFd = -1;       ///< a connected stream socket, owned by runWorker()
  std::string token;
  domain::DeviceKind kind = domain::DeviceKind::Cpu;
  int threads = 1;
  std::vector<int> cores;                       ///< pinned to these; empty: all that the process may use
  std::optional<PartnerOptions> partner;        ///< this worker is the first of a pair
  int sharedMemoryFd = -1;                      ///< a file of base::SharedPages; the engine factory's to take
  std::optional<SharedLoadOptions> sharedLoad;  ///< of the first load
  bool isPartner = false;                       ///< this worker is the second of a pair: it has no pictures
  std::chrono::milliseconds heartbeatInterval{1000};
  /// How long a step may go on after the socket closed, before the process is ended hard.
  std::chrono::milliseconds closeGrace{1000};
};

/// Makes the engine, after the process was pinned. May take a while (CUDA); the socket is watched meanwhile.
using EngineFactory = std::function<base::Result<std::unique_ptr<domain::Engine>>(const WorkerOptions& options)>;

/// Reads the arguments of PROTOCOL.md (without the program's name). The token is not among them.
/// @return InvalidArgument with a sentence that names the argument
base::Result<WorkerOptions> parseArguments(std::span<const std::string> arguments);

/// Reads the token line from a file descriptor. @return InvalidArgument if it is empty, too long or not printable ASCII; Timeout;
/// Io
base::Result<std::string> readToken(int fd, std::chrono::milliseconds timeout = std::chrono::seconds(10));

/// Serves one backend until it says Shutdown, closes the socket or breaks the protocol. The engine is called on the calling
/// thread; two more threads watch the socket and send heartbeats. If the socket closes and the engine does not come back within
/// `closeGrace`, the process ends by _exit.
/// @return the process's exit code
int runWorker(const WorkerOptions& options, const EngineFactory& makeEngine);

/// The whole of a worker's main(): parseArguments, readToken from standard input, runWorker, errors on standard error. Ends the
/// process without destructors of static objects.
int workerMain(int argc, char** argv, const EngineFactory& makeEngine);

}  // namespace polyptych::worker
