#pragma once

#include <QObject>
#include <QString>
#include <QStringList>
#include <QVector>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/domain/device_choice.h"
#include "core/domain/engine.h"
#include "core/domain/request.h"

namespace polyptych::backend {

/// A run as a face asks for it. Empty request list is refused.
struct RunSpec {
  std::vector<domain::GenerationRequest> requests;  ///< index i at position i
  domain::RunPlan plan;                             ///< computeType may be Auto, threads 0: both are fixed at submit
  QString outputFolder;
  std::vector<domain::DeviceSlot> slots;  ///< one worker each
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

/// Submit, control, events. Lives on the thread that made it; calls return at once; everything is told by signals on that thread.
class Backend : public QObject {
  Q_OBJECT
 public:
  using QObject::QObject;

  /// Checks and starts a run: runStarted follows, or runFinished with RunSummary::error. @return the run's id, unique in this
  /// backend
  virtual quint64 submit(RunSpec spec) = 0;
  /// Cancels within a step; runFinished follows with wasCancelled. An unknown id is ignored.
  virtual void cancelRun(quint64 runId) = 0;
  /// Asks for the machine's devices; devicesListed follows.
  virtual void listDevices() = 0;

 Q_SIGNALS:
  void devicesListed(const std::vector<polyptych::domain::DeviceInfo>& devices);
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
};

/// Makes the types of the signals above known to Qt, for queued connections and QSignalSpy. May be called more than once.
void registerMetaTypes();

/// Numbers of the CPU cores that this process may run on, for domain::chooseDevices(); never empty.
std::vector<int> usableCores();

/// Where the in-process backend finds its workers. Empty: beside the running program.
struct LocalBackendOptions {
  QString cpuWorker;   ///< path of polyptych-worker
  QString cudaWorker;  ///< path of polyptych-worker-cuda
  QStringList extraWorkerArguments;
  int maxAttemptsPerUnit = 2;  ///< a unit whose worker died so often fails
};

/// The backend in the face's own process: pool, dispatcher and output folder behind the Backend interface.
std::unique_ptr<Backend> makeLocalBackend(LocalBackendOptions options, QObject* parent = nullptr);

}  // namespace polyptych::backend
