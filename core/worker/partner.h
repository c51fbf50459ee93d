#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/base/result.h"
#include "core/domain/engine.h"
#include "core/protocol/messages.h"
#include "core/worker/worker.h"

namespace polyptych::worker {

class Connection;

/// The second process of a pair, as the first one sees it: this program again, with the other device in sight, spoken to in the
/// wire's own protocol over a socket pair (PROTOCOL.md, "A pair"). All methods are for the engine's thread, which starts it and
/// with which it ends.
class Partner {
 public:
  /// @param first  the worker's own options, with a partner
  explicit Partner(const WorkerOptions& first);
  ~Partner();
  Partner(const Partner&) = delete;
  Partner& operator=(const Partner&) = delete;

  /// Starts the process; the one before is ended. @param token  given to it as its own. @param onGone  called once, from another
  /// thread, as soon as the process is gone, mute for too long or ended. @return Io
  base::Result<void> start(const std::string& token, std::function<void()> onGone);
  bool isThere() const;
  /// Why the process is not there, or what was wrong last: "it ended by signal 9". Empty if nothing was.
  std::string trouble() const;

  /// Asks it to load. Required: isThere(); no unit.
  void load(const domain::ModelSpec& model, domain::ComputeType type);
  enum class Load { None, UnderWay, Done, Failed };
  Load loadState() const;
  /// Waits at most so long for the end of the load.
  Load waitForLoad(std::chrono::milliseconds limit);
  /// Asks it to unload; nothing waits for the answer.
  void unload();

  /// Gives it a unit, of which it has no pictures. False: it is not there, has not loaded this unit's model, or is at another
  /// unit.
  bool begin(const domain::UnitOfWork& unit);
  /// Waits at most so long until it has left its unit. @return whether there was one; what it failed with, Timeout, or WorkerDied
  base::Result<bool> finish(std::chrono::milliseconds limit);

  /// Ends the process at once: it keeps nothing that is worth a farewell. @param why  for trouble(), if there was none before
  void end(const std::string& why);

 private:
  void readLoop(const std::function<void()>& onGone);
  void take(const protocol::Message& message);
  void reap();
  void send(const protocol::Message& message);
  void note(const std::string& trouble);

  const domain::DeviceKind m_kind;
  const int m_threads;
  const PartnerOptions m_options;
  const int m_sharedMemoryFd;

  std::unique_ptr<Connection> m_connection;
  std::thread m_reader;

  mutable std::mutex m_mutex;
  std::condition_variable m_changed;
  pid_t m_pid = 0;  ///< 0: none, or reaped
  bool m_isThere = false;
  std::string m_trouble;
  std::uint64_t m_loadId = 0;
  Load m_load = Load::None;
  std::optional<protocol::LoadModel> m_model;
  std::uint64_t m_lease = 0;
  std::optional<protocol::UnitKey> m_unit;
  bool m_hasUnit = false;  ///< since begin(), until finish()
  std::optional<base::Error> m_unitError;
};

}  // namespace polyptych::worker
