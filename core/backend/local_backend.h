#pragma once

#include <QThreadPool>
#include <QTimer>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "core/backend/backend.h"
#include "core/backend/run.h"
#include "core/devices/device_list.h"
#include "core/pool/worker.h"

namespace polyptych::backend {

/// Limits and sources that a test sets to its own.
struct LocalBackendTuning {
  pool::Deadlines deadlines;
  std::chrono::milliseconds restartDelay{250};  ///< before a dead worker is started again; doubled each time
  int maxDeathsInRow = 4;                       ///< without a finished unit between; then the slot is given up for the run
  devices::DeviceSources sources;
};

/// The backend in the face's process. Runs go one after another. Workers stay between runs as long as the next run has their slot
/// with the same number of threads. Disk and model files are read and written on a thread of their own.
class LocalBackend : public Backend {
  Q_OBJECT
 public:
  LocalBackend(LocalBackendOptions options, LocalBackendTuning tuning, QObject* parent = nullptr);
  /// Ends the workers. Work that is not written yet is lost; the folder's next run makes it again.
  ~LocalBackend() override;

  quint64 submit(RunSpec spec) override;
  void cancelRun(quint64 runId) override;
  void listDevices() override;

 private:
  /// A worker and what it is doing for the run.
  struct Slot {
    SlotStatus status;
    std::unique_ptr<pool::Worker> worker;
    std::optional<PlannedUnit> unit;
    int deathsInRow = 0;
    bool isWaitingToRestart = false;
    bool isGivenUp = false;
    QTimer restart;
  };
  struct Run {
    quint64 id = 0;
    RunSpec spec;
    RunSummary summary;
    bool isPreparing = false;
    bool isStarted = false;
    bool isCancelled = false;
    domain::RunPlan plan;
    std::unique_ptr<gallery::OutputFolder> folder;
    std::vector<bool> isFinished;
    std::deque<PlannedUnit> waiting;
    int jobsOnDisk = 0;
    std::optional<base::Error> lastDeath;
  };
  struct SavedUnit {
    std::vector<base::Result<gallery::OutputFolder::Saved>> pictures;
  };

  void schedule();
  void pump();
  void startNextRun();
  void takePrepared(quint64 runId, base::Result<PreparedRun> prepared);
  void finishRun();
  void endRun(base::Error error);
  void stopWork();

  base::Result<QString> programFor(domain::DeviceKind kind) const;
  base::Result<void> makeSlots();
  void retire(std::unique_ptr<pool::Worker> worker);
  void wire(Slot& slot);
  void giveWork(Slot& slot);
  void startWorkers();
  void publish(Slot& slot);

  void onStateChanged(Slot& slot, pool::WorkerState state, const QString& reason);
  void onStepped(Slot& slot, const domain::StepProgress& progress);
  void onUnitFinished(Slot& slot, const pool::UnitResult& result);
  void onUnitCancelled(Slot& slot);
  void onUnitFailed(Slot& slot, const base::Error& error);
  void onWorkerFailed(Slot& slot, const base::Error& error);
  void takeSaved(quint64 runId, const PlannedUnit& unit, const SavedUnit& saved, const gallery::PictureOrigin& origin,
                 const pool::UnitResult& result);
  /// Gives the unit back to be made again, or fails its pictures if it was tried often enough.
  void retryOrFail(const PlannedUnit& unit, const base::Error& error, const gallery::PictureOrigin& origin);
  void failUnit(const PlannedUnit& unit, const base::Error& error, const gallery::PictureOrigin& origin);

  /// Runs `job` on the disk thread and then `done` with its result here.
  template <typename Job, typename Done>
  void onDisk(Job job, Done done);

  const LocalBackendOptions m_options;
  const LocalBackendTuning m_tuning;
  quint64 m_lastRunId = 0;
  std::deque<std::unique_ptr<Run>> m_queue;
  std::unique_ptr<Run> m_run;
  std::vector<std::unique_ptr<Slot>> m_slots;
  std::vector<std::unique_ptr<pool::Worker>> m_retired;
  bool m_isScheduled = false;
  QThreadPool m_disk;
  QThreadPool m_lookUp;
};

}  // namespace polyptych::backend
