#pragma once

#include "core/backend/local_backend.h"
#include "core/pool/restart_policy.h"

namespace polyptych::backend {

// What the parts of LocalBackend share: its runs, units and slots.

/// Why a worker is idle that has no model any more.
inline constexpr char kReleased[] = "idle for a while; its memory was given back";

inline bool isEnded(pool::WorkerState state) { return state == pool::WorkerState::Stopped || state == pool::WorkerState::Failed; }

inline qint64 nowMs() { return QDateTime::currentMSecsSinceEpoch(); }

/// Names a model in a compute type: what a worker has loaded.
std::uint64_t loadKeyOf(const domain::RunPlan& plan);

/// Everything that decides over memory but is not in a rung.
inline std::uint64_t memoryKeyOf(std::uint64_t loadKey, bool isGuided) { return 2 * loadKey + (isGuided ? 1 : 0); }

struct LocalBackend::Run {
  queue::RunRow row;
  std::shared_ptr<RunFiles> files;
  std::vector<std::byte> latents;
  std::uint64_t weightBytes = 0;
  int unitsInWork = 0;    ///< leased, or on their way to the disk
  qint64 cancelUndo = 0;  ///< not 0: units in work are being cancelled
  std::optional<base::Error> error;
  qint64 failedBeforeEnd = 0;
  std::optional<base::Error> endError;  ///< for a run that fails picture by picture
  bool isFailing = false;               ///< its rows are being ended
  bool isTold = false;                  ///< runFinished is on its way
};

struct LocalBackend::Unit {
  bool isChangedNow = false;  ///< by the ladder, and not on the disk yet
  RunPointer run;
  queue::Lease lease;
  std::vector<bool> isPresent;
  domain::RunPlan plan;   ///< the run's, changed by the job's
  qint64 cancelUndo = 0;  ///< not 0: somebody cancelled it
  /// What the worker gets one after another: one part, or several after a change to a smaller batch.
  std::vector<domain::UnitOfWork> parts;
  std::size_t part = 0;
  bool waitsForPart = false;  ///< the next part is to be given
  pool::UnitResult result;    ///< of the parts before

  double work() const {
    const domain::GenerationRequest& first = lease.requests.front();
    return 1.0 * first.width * first.height * first.steps * static_cast<double>(lease.requests.size());
  }
  std::uint64_t shapeKey() const { return qHashMulti(0, lease.settingsRows.front(), static_cast<int>(lease.requests.size())); }
  std::uint64_t memoryKey() const { return memoryKeyOf(loadKeyOf(plan), lease.requests.front().guidanceScale > 1); }
  std::int64_t firstIndex() const { return lease.requests.front().index; }
  std::vector<domain::PictureMetadata> metadata() const {
    std::vector<domain::PictureMetadata> pictures;
    for (const domain::UnitOfWork& one : parts) {
      for (std::size_t i = 0; i < one.requests.size(); ++i) {
        pictures.push_back(domain::metadataOf(one, i));
      }
    }
    return pictures;
  }
};

/// A lease on its way from the rows.
struct LocalBackend::Taken {
  std::optional<queue::Lease> lease;
  std::vector<bool> isPresent;
};

/// A worker and what it is doing.
struct LocalBackend::Slot {
  int number = 0;  ///< for dispatcher and speeds
  domain::DeviceSlot device;
  SlotStatus status;
  std::unique_ptr<pool::Worker> worker;
  std::optional<std::uint64_t> loadKey;  ///< of the model that the worker has or gets
  std::optional<std::uint64_t> lastShape;
  QElapsedTimer sinceUnit;
  QElapsedTimer sinceLoad;
  double loadSeconds = 0;  ///< of the last load
  pool::RestartPolicy restarts{{}};
  pool::WorkerState stateBefore = pool::WorkerState::Stopped;  ///< that it failed from
  domain::Stage lastStage = domain::Stage::Encoding;           ///< of the unit in work, or the last one
  bool isReleased = false;                                     ///< idle for long: its model was unloaded
  QElapsedTimer sinceIdle;
  QTimer idle;
  std::optional<Unit> reserved;  ///< leased for when the unit in work is done
  qint64 plannedJob = 0;         ///< the waiting job that it gets ready for
  quint64 plannedRun = 0;
  bool isLeasing = false;
  std::optional<Unit> unit;
  bool isWaitingToRestart = false;
  bool isGivenUp = false;
  bool isLeaving = false;  ///< not chosen any more: ends after its unit
  QTimer restart;
};

/// What steps of the ladder make of a job.
queue::Change changeBy(const std::vector<pool::LadderStep>& steps, const pool::Rung& from,
                       const std::optional<queue::Change>& before);

template <typename Job, typename Done>
void LocalBackend::onDisk(Job job, Done done) {
  // A function object of the thread pool must be copyable; results and folders are not.
  auto shared = std::make_shared<std::pair<Job, Done>>(std::move(job), std::move(done));
  m_disk.start([this, shared] {
    auto result = std::make_shared<decltype(shared->first())>(shared->first());
    QMetaObject::invokeMethod(
        this, [shared, result] { shared->second(std::move(*result)); }, Qt::QueuedConnection);
  });
}

}  // namespace polyptych::backend
