#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QPointer>
#include <QProcess>
#include <QString>
#include <QTimer>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/domain/engine.h"
#include "core/domain/request.h"
#include "core/pool/deadlines.h"
#include "core/pool/step_watchdog.h"
#include "core/pool/worker_process.h"

namespace polyptych::protocol {
struct Hello;
struct UnitKey;
}  // namespace polyptych::protocol

namespace polyptych::pool {

class WorkerSocket;
struct WorkerWire;

enum class WorkerState { Stopped, Starting, Handshaking, LoadingModel, Idle, Busy, Stopping, Failed };

/// "loading model" and so on, for logs.
const char* nameOf(WorkerState state);

/// What a worker made of one unit; pictures are PNG files in the order of the requests.
struct UnitResult {
  std::vector<std::vector<std::byte>> pictures;
  double seconds = 0;
  std::vector<domain::Warning> warnings;
  std::vector<std::byte> trace;
};

/// One worker process and what is known of it. Starts, watches and ends it; believes nothing that it says without a check. Lives
/// on one thread with an event loop; nothing waits but the destructor. A worker that failed or stopped can be started again. It
/// must not be destroyed in a slot of its own signals.
///
///   Stopped -> Starting -> Handshaking -> LoadingModel -> Idle <-> Busy -> Stopping -> Stopped; Failed from anywhere.
///   Idle -> LoadingModel for another model.
class Worker : public QObject {
  Q_OBJECT
 public:
  explicit Worker(WorkerSpec spec, Deadlines deadlines = {}, QObject* parent = nullptr);
  /// Ends the process; waits for that at most as long as the deadlines of an end.
  ~Worker() override;

  const WorkerSpec& spec() const { return m_spec; }
  WorkerState state() const { return m_state; }
  /// 0 if there is none.
  qint64 processId() const { return m_process != nullptr ? m_process->processId() : 0; }
  /// Name of the device that the worker really got; the slot's until it said so.
  QString deviceName() const { return m_deviceName; }
  /// True if it is idle and listening.
  bool isReady() const;
  /// True if a unit of this plan can be given to it at once.
  bool hasLoaded(const domain::RunPlan& plan) const;

  /// True if the worker is well and its model is this plan's, busy or not.
  bool hasModelFor(const domain::RunPlan& plan) const;

  /// Required state: Stopped or Failed. Loads the plan's model as soon as the worker has greeted.
  void start(const domain::RunPlan& plan);
  /// Required: isReady(). Replaces the model.
  void load(const domain::RunPlan& plan);
  /// Required: isReady(). The model leaves the device's memory and the process stays; unloaded follows. Not ready until then.
  void unload();
  /// Required: isReady() with the unit's model. Ends in exactly one of unitFinished, unitCancelled, unitFailed, or failed.
  void generate(const domain::UnitOfWork& unit);
  /// Asks the worker to leave its unit; unitCancelled follows, or unitFinished if it was done first. Asked, then enforced.
  void cancelUnit();
  /// Asks the worker to end, then terminates, then kills it. A unit in work counts as cancelled.
  void stop();

 Q_SIGNALS:
  void stateChanged(polyptych::pool::WorkerState state, const QString& reason);
  void loadProgressed(quint64 doneBytes, quint64 totalBytes);
  void unloaded();
  void stepped(const polyptych::domain::StepProgress& progress);
  void previewMade(std::size_t requestInUnit, const polyptych::domain::Image& preview);
  void unitFinished(const polyptych::pool::UnitResult& result);
  void unitCancelled();
  /// The worker is well and Idle.
  void unitFailed(const polyptych::base::Error& error);
  /// The worker is of no more use (state Failed) and its process is ended; a unit in work is lost.
  void failed(const polyptych::base::Error& error);
  void warned(const polyptych::domain::Warning& warning);

 private:
  struct Unit;

  void transition(WorkerState next, const QString& reason = {});
  void fail(base::Error error);
  void finishUnit();
  void sendLoad();
  void endProcess();
  void killSoon(std::chrono::milliseconds after, bool byForce);
  void onHello(const protocol::Hello& hello);
  void onMessage(WorkerWire& wire);
  void onProcessFinished(int exitCode, QProcess::ExitStatus status);
  void onDeadline();
  bool isOfUnit(const protocol::UnitKey& key) const;
  void onProgress(const domain::StepProgress& progress);
  void refuse(const std::string& detail);

  const WorkerSpec m_spec;
  const Deadlines m_deadlines;
  StepWatchdog m_watchdog;
  WorkerState m_state = WorkerState::Stopped;
  QString m_deviceName;
  std::unique_ptr<QProcess> m_process;
  std::unique_ptr<WorkerSocket> m_socket;
  QString m_logFile;
  QTimer m_deadline;   ///< of the edge that leaves the present state
  QTimer m_heartbeat;  ///< restarted by every message
  QTimer m_cancelDeadline;
  QElapsedTimer m_sinceStop;
  std::optional<domain::RunPlan> m_wanted;
  bool m_isLoaded = false;
  bool m_isUnloading = false;
  std::uint64_t m_loadId = 0;
  std::uint64_t m_loadedBytes = 0;
  std::uint64_t m_lease = 0;
  std::unique_ptr<Unit> m_unit;
};

}  // namespace polyptych::pool
