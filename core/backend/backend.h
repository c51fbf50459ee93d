#pragma once

#include <QObject>
#include <QString>
#include <QStringList>
#include <QVector>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/devices/device_meter.h"
#include "core/domain/device_choice.h"
#include "core/domain/engine.h"
#include "core/domain/request.h"
#include "core/gallery/picture_marks.h"
#include "core/pool/supervision_limits.h"

namespace polyptych::backend {

/// A run as a face asks for it. Empty request list is refused.
struct RunSpec {
  /// Chosen by the face (newRunId()) so that a run which is sent twice, because a connection broke, is still one run. 0: submit()
  /// chooses.
  quint64 id = 0;
  std::vector<domain::GenerationRequest> requests;  ///< by index, upwards; a flat library wants all from 0
  /// computeType may be Auto, threads and batch 0: all three are fixed at submit (queue::chooseBatch()). A flat library wants a
  /// batch.
  domain::RunPlan plan;
  std::vector<domain::DeviceSlot> slots;  ///< the devices to work on from now on; empty: those that are ticked already
  bool wantsTrace = false;
  bool wantsPreviews = false;
  std::vector<std::byte> initialLatents;
};

enum class SlotState { Stopped, Starting, Handshaking, LoadingModel, Idle, Busy, Stopping, Failed };

/// What one device does, at any moment; every change is an event.
struct SlotStatus {
  QString slotId;
  QString deviceName;
  SlotState state = SlotState::Stopped;
  QString reason;                          ///< in words: why idle or failed
  std::optional<base::ErrorCode> failure;  ///< of state Failed: what kind of thing went wrong
  bool willRestart = false;                ///< of state Failed: the worker is started again after a while
  std::uint64_t loadedBytes = 0;
  std::uint64_t totalBytes = 0;
  std::int64_t index = -1;  ///< first picture of the unit in work, -1 if none
  domain::StepProgress progress;
  int picturesDone = 0;
};

struct PictureEvent {
  quint64 runId = 0;
  std::int64_t index = 0;
  QString path;  ///< absolute
  QString slotId;
  double seconds = 0;            ///< of its unit
  bool wasAlreadyThere = false;  ///< found finished by a run that goes on
};

struct FailureEvent {
  quint64 runId = 0;
  std::int64_t index = 0;
  QString slotId;
  base::Error error;
};

struct RunSummary {
  quint64 runId = 0;
  std::int64_t total = 0;
  std::int64_t made = 0;
  std::int64_t alreadyThere = 0;
  std::int64_t failed = 0;
  bool wasCancelled = false;
  std::optional<base::Error> error;  ///< what ended the run as a whole, e.g. a model that cannot be used
};

/// Why nothing is begun.
enum class PauseReason {
  None,
  User,        ///< somebody paused the queue
  UncleanEnd,  ///< the backend before this one ended in the middle of its work: a face asks whether to go on
  Storage,     ///< the library cannot be written; goes on by itself when it can
  Breaker,     ///< too many failures in a row, on every device
};

/// The queue as a whole. Counts are pictures.
struct QueueStatus {
  PauseReason pause = PauseReason::None;
  QString sentence;  ///< why, and what to do
  qint64 waiting = 0;
  qint64 inWork = 0;
  qint64 failed = 0;  ///< of runs that are not finished; parked ones too
};

enum class RunState { Open, Finished, Cancelled, Failed };

/// One run. Counts are pictures.
struct RunStatus {
  quint64 runId = 0;
  qint64 number = 0;     ///< for people: 1, 2, 3...
  qint64 createdMs = 0;  ///< since 1970, UTC
  QString title;         ///< the first prompt's beginning
  QString folder;        ///< absolute
  RunState state = RunState::Open;
  bool isPaused = false;
  int batch = 1;  ///< pictures of a unit
  qint64 total = 0;
  qint64 made = 0;  ///< with those that were there already
  qint64 alreadyThere = 0;
  qint64 failed = 0;
  qint64 cancelled = 0;
};

/// Which jobs a command means: all of the given ids, or else those of a run, or else those of the queue.
struct JobSelection {
  std::vector<qint64> jobIds;
  quint64 runId = 0;  ///< 0: every run
};

using gallery::MarkChange;

using devices::DeviceReading;

/// What a face can have done. One struct, so that it can travel and be repeated.
struct Command {
  enum class Kind {
    PauseQueue,
    ResumeQueue,    ///< also the answer "go on" to an unclean end
    PauseRun,       ///< jobs.runId
    ResumeRun,      ///< jobs.runId
    CancelInWork,   ///< what is being made now, of the selection
    CancelWaiting,  ///< what has not begun, of the selection
    CancelAll,      ///< both
    Dismiss,        ///< failed and parked jobs of the selection count as cancelled: they are asked for in another way
    Retry,          ///< failed, parked and cancelled jobs of the selection wait again, with all their attempts
    MoveToFront,    ///< waiting jobs of the selection; can be undone
    MoveBefore,     ///< waiting jobs of the selection, before the job `before`; 0: behind all others; can be undone
    Undo,           ///< takes back the command that gave `undoId`
    SetDevices,     ///< `slots`: added ones start, missing ones finish their unit and end
    RestartDevice,  ///< `slotId`: also one that was set aside
    Mark,           ///< `marks`; can be undone
    SetLimits,      ///< `limits`: kept in the library for the backends to come
  };
  Kind kind = Kind::PauseQueue;
  JobSelection jobs;
  qint64 before = 0;
  qint64 undoId = 0;
  std::vector<domain::DeviceSlot> slots;
  QString slotId;
  MarkChange marks;
  std::optional<pool::SupervisionLimits> limits;
};

struct CommandResult {
  quint64 commandId = 0;
  std::optional<base::Error> error;
  qint64 changed = 0;  ///< pictures, runs or devices that are different now
  qint64 undoId = 0;   ///< for Command::Undo; 0: cannot be taken back
};

/// Submit, control, events of one library. Lives on the thread that made it; calls return at once; everything is told by signals
/// on that thread. Several faces may be at one library: each hears everything.
class Backend : public QObject {
  Q_OBJECT
 public:
  using QObject::QObject;

  /// Stores a run and answers runStarted when it is on disk; or refuses it with runFinished and RunSummary::error.
  /// @return the run's id: the spec's, or a new one
  virtual quint64 submit(RunSpec spec) = 0;
  /// Cancels within a step; runFinished follows with wasCancelled. An unknown id is ignored.
  virtual void cancelRun(quint64 runId) = 0;
  /// commandDone follows, after the change is on disk. @return its number
  virtual quint64 control(Command command) = 0;
  /// Asks for the machine's devices; devicesListed follows.
  virtual void listDevices() = 0;
  /// Tells all there is once more: queueChanged, runChanged of every open run, slotChanged of every device.
  virtual void refresh() = 0;
  /// Tells runFinished once more for those of the runs that are over: a face was away when it was told.
  virtual void await(const std::vector<quint64>& runIds) { Q_UNUSED(runIds); }
  /// devicesMeasured follows about once a second while somebody wants it. A face that is hidden wants nothing.
  virtual void watchDevices(bool isWanted) { Q_UNUSED(isWanted); }

 Q_SIGNALS:
  void devicesListed(const std::vector<polyptych::domain::DeviceInfo>& devices);
  void devicesMeasured(const std::vector<polyptych::backend::DeviceReading>& readings);
  /// Marks of pictures of the library are different, or pictures were deleted. @param pictures  gallery::PictureRow::id
  void picturesMarked(const std::vector<qint64>& pictures);
  void limitsChanged(const polyptych::pool::SupervisionLimits& limits);
  void queueChanged(const polyptych::backend::QueueStatus& status);
  void runChanged(const polyptych::backend::RunStatus& status);
  void commandDone(const polyptych::backend::CommandResult& result);
  void runStarted(quint64 runId, qint64 total, qint64 alreadyThere);
  void slotChanged(const polyptych::backend::SlotStatus& status);
  /// Every denoising step of every unit, in order per slot.
  void stepFinished(quint64 runId, const polyptych::backend::SlotStatus& status);
  void previewMade(quint64 runId, qint64 index, const QString& slotId, const polyptych::domain::Image& preview);
  void pictureFinished(const polyptych::backend::PictureEvent& picture);
  void pictureFailed(const polyptych::backend::FailureEvent& failure);
  void traceMade(quint64 runId, const QByteArray& safetensors);
  void warned(quint64 runId, const polyptych::domain::Warning& warning);
  void runFinished(const polyptych::backend::RunSummary& summary);
  /// The backend process is gone or of no use, in words; nothing more comes. Work that it had acknowledged is in the library.
  void lost(const polyptych::base::Error& error);
};

/// A random number for RunSpec::id, 1 to 2^48 - 1: exact in JSON and in SQL.
quint64 newRunId();

/// Makes the types of the signals above known to Qt, for queued connections and QSignalSpy. May be called more than once.
void registerMetaTypes();

/// Numbers of the CPU cores that this process may run on, for domain::chooseDevices(); never empty.
std::vector<int> usableCores();

/// Where workers are found, and limits. Empty program: beside the running one.
struct LocalBackendOptions {
  QString cpuWorker;   ///< path of polyptych-worker
  QString cudaWorker;  ///< path of polyptych-worker-cuda
  QStringList extraWorkerArguments;
  pool::SupervisionLimits limits;
  bool areLimitsFixed = false;          ///< those above count; false: those that the library keeps, if it does
  bool resumesAfterUncleanEnd = false;  ///< false: the queue is paused then, PauseReason::UncleanEnd
  /// Called while the library is opened and that takes long: what is done, in words, and how much of it.
  std::function<void(const QString& doing, qint64 done)> onOpening;
};

}  // namespace polyptych::backend
