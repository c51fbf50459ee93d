#pragma once

#include <QElapsedTimer>
#include <QThreadPool>
#include <QTimer>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "core/backend/backend.h"
#include "core/backend/recorder.h"
#include "core/backend/run.h"
#include "core/base/shared_pages.h"
#include "core/devices/device_list.h"
#include "core/library/location.h"
#include "core/library/writer.h"
#include "core/pool/breaker.h"
#include "core/pool/consequences.h"
#include "core/pool/out_of_memory_ladder.h"
#include "core/pool/worker.h"
#include "core/queue/changes.h"
#include "core/queue/dispatcher.h"
#include "core/queue/jobs.h"
#include "core/queue/runs.h"
#include "core/queue/speed_meter.h"

namespace polyptych::backend {

/// Memory of this machine that programs can have without swapping; 0: not known.
std::uint64_t freeHostBytes();

/// Limits and sources that a test sets to its own.
struct LocalBackendTuning {
  pool::Deadlines deadlines;
  qint64 maxPendingBytes = qint64(512) << 20;     ///< of pictures that are not on the disk yet; above it no unit is begun
  std::chrono::milliseconds diskPatience{20000};  ///< a disk that takes nothing for so long is told of
  devices::DeviceSources sources;
  std::function<std::uint64_t()> freeHostBytes = backend::freeHostBytes;
};

/// The backend of one library, in the process that holds its lock: queue, workers and files behind the Backend interface. Rows
/// and files are written, and models are read, on threads of their own; nothing here waits.
class LocalBackend : public Backend {
  Q_OBJECT
 public:
  /// Opens the library's index, gives back what an earlier backend had in work, and goes on with it, or asks first.
  /// @return errors of library::Database::open()
  static base::Result<std::unique_ptr<LocalBackend>> open(const library::Location& location, LocalBackendOptions options,
                                                          LocalBackendTuning tuning = {});
  /// Ends the workers; units in work are given back. What is finished is written.
  ~LocalBackend() override;

  quint64 submit(RunSpec spec) override;
  void cancelRun(quint64 runId) override;
  quint64 control(Command command) override;
  void listDevices() override;
  void refresh() override;
  void await(const std::vector<quint64>& runIds) override;
  void watchDevices(bool isWanted) override;

  /// True if nothing is in work and nothing waits that may begin.
  bool isIdle() const { return m_isIdle; }
  /// True if the library has no run at all.
  bool isEmpty() const { return m_isEmpty; }

 Q_SIGNALS:
  void idleChanged(bool isIdle);
  /// The index is damaged: nothing more is begun. The next backend makes it again from its files.
  void damaged(const polyptych::base::Error& error);

 private:
  struct Run;
  struct Slot;
  struct Unit;
  struct Taken;
  struct Index;
  using RunPointer = std::shared_ptr<Run>;
  using SlotPointer = std::shared_ptr<Slot>;

  LocalBackend(library::Location location, LocalBackendOptions options, LocalBackendTuning tuning);
  base::Result<void> start();
  bool isFlat() const { return m_location.layout == library::Location::Layout::Flat; }

  // Opening
  base::Result<Index> openIndex();
  base::Result<void> useKeptLimits(library::Database& database);
  void startWriting();
  void pauseAtFirst(const Index& index);

  // Runs
  void beginRun(const std::shared_ptr<RunSpec>& shared);
  void chooseBatch(const std::shared_ptr<RunSpec>& shared);
  void tellIfOver(std::vector<quint64> runIds, bool isSubmit, std::function<void(bool)> then);
  void takePrepared(RunSpec spec, base::Result<PreparedRun> prepared);
  void place(const std::shared_ptr<RunSpec>& shared);
  void attach(const std::shared_ptr<RunSpec>& shared, const RunPointer& active);
  void addRun(queue::RunRow row, std::shared_ptr<RunFiles> files);
  /// With its folder as its row says.
  void addRun(queue::RunRow row);
  void tellKnown(quint64 id, const queue::RunRow& row);
  void refuseRun(const RunSpec& spec, base::Error error);
  void tellStarted(const RunPointer& run);
  void tellRun(const Run& run);
  /// An error that every worker and unit of the run would meet in the same way.
  void failRun(const RunPointer& run, const base::Error& error);
  void finishIfOver(const RunPointer& run);
  RunPointer runOf(quint64 id) const;
  RunStatus statusOf(const Run& run) const;

  // Queue
  void schedule();
  void pump();
  void refill();
  /// Reads the head of the queue again: its order or members changed.
  void reloadWindow();
  void assignWork();
  std::vector<queue::WaitingUnit> unitsInSight() const;
  queue::SlotView viewOf(const Slot& slot, std::uint64_t nextShape) const;
  void tellWhyIdle(Slot& slot, queue::WhyIdle why);
  void goOn(const SlotPointer& slot);
  void noteLoad(Slot& slot, const domain::RunPlan& plan);
  void leaseFor(const SlotPointer& slot, bool isBegun);
  void begin(const SlotPointer& slot, Unit unit);
  void noteBegun(const queue::Lease& lease);
  void release(Unit unit);
  /// Fails a job for which no worker is left.
  void leaseToFail(qint64 job, const base::Error& error);
  static base::Result<void> takeLease(library::Database& database, qint64 job, const QString& device, bool isBegun, Taken& taken);
  static Unit unitOf(const RunPointer& run, Taken taken);
  void giveBack(const queue::Lease& lease);
  void setPause(PauseReason reason, const QString& sentence);
  bool isHeld() const;
  /// @param trouble  m_indexTrouble or m_filesTrouble
  void setStorageTrouble(std::optional<base::Error>& trouble, std::optional<base::Error> error);
  void tellQueue();
  void updateIdle();
  void applyChanges(quint64 commandId, const std::function<base::Result<queue::Changed>(library::Database&)>& change,
                    const std::function<void(const queue::Changed&)>& then = {});
  void cancel(quint64 commandId, const Command& command);
  void undo(quint64 commandId, qint64 undoId);
  void mark(quint64 commandId, const MarkChange& change);
  void tellMarked(const std::vector<qint64>& pictures);
  void writeSidecars();
  void useLimits(const pool::SupervisionLimits& limits);
  void setLimits(quint64 commandId, const pool::SupervisionLimits& limits);
  void refuseCommand(quint64 commandId, const base::Error& error);
  void measureDevices();

  // Workers
  base::Result<QString> programFor(domain::DeviceKind kind) const;
  void shareMemoryOf(const std::vector<domain::DeviceSlot>& wanted);
  base::Result<void> setSlots(const std::vector<domain::DeviceSlot>& wanted);
  void retire(std::unique_ptr<pool::Worker> worker);
  void equip(const SlotPointer& slot, int threads);
  void renew(Slot& slot);
  void publish(Slot& slot);
  void onStateChanged(const SlotPointer& slot, pool::WorkerState state, const QString& reason);
  void onStepped(const SlotPointer& slot, const domain::StepProgress& progress);
  void onUnitFinished(const SlotPointer& slot, const pool::UnitResult& result);
  void onUnitCancelled(const SlotPointer& slot);
  void onUnitFailed(const SlotPointer& slot, const base::Error& error);
  void onWorkerFailed(const SlotPointer& slot, const base::Error& error);
  /// Does what an error means, for the unit (if it had one), the slot and the queue.
  void follow(const SlotPointer& slot, std::optional<Unit> unit, const base::Error& error, pool::FailureContext::Where where,
              bool isWorkerAlive, const RunPointer& planned);
  void askLadder(const SlotPointer& slot, const Unit& unit, const base::Error& error);
  void park(const Unit& unit, queue::AttemptOutcome outcome, const base::Error& error, const gallery::PictureOrigin& origin);
  void setAside(Slot& slot, const std::string& sentence);
  void restartSoon(const SlotPointer& slot, const base::Error& error, std::optional<std::uint64_t> unit);
  bool hasOther(const Slot& slot) const;
  std::vector<std::string> devicesInUse() const;
  void watchIdle(const SlotPointer& slot);
  bool mayLoad(Slot& slot, const Run& run);
  void endUnit(const Unit& unit, queue::AttemptOutcome outcome, queue::JobState next, std::optional<base::Error> error,
               const gallery::PictureOrigin& origin);
  void takeEnded(const RunPointer& run, const Unit& unit, queue::JobState next, const std::optional<base::Error>& error,
                 const QString& slotId, const base::Result<Recorded>& recorded);
  void takeSaved(const RunPointer& run, const Unit& unit, const pool::UnitResult& result, const gallery::PictureOrigin& origin,
                 const base::Result<Recorded>& recorded);
  void checkForSurvivors();

  /// Runs `job` on the disk thread and then `done` with its result here.
  template <typename Job, typename Done>
  void onDisk(Job job, Done done);

  const library::Location m_location;
  const LocalBackendOptions m_options;
  const LocalBackendTuning m_tuning;
  std::unique_ptr<library::Writer> m_writer;
  std::unique_ptr<Recorder> m_recorder;
  std::map<quint64, RunPointer> m_runs;  ///< open ones
  std::map<quint64, quint64> m_renamed;  ///< runs that a newer face asked for again: old to new
  qint64 m_nextRunNumber = 1;
  std::map<quint64, bool> m_unborn;  ///< submitted runs without rows yet; true: cancelled
  std::vector<SlotPointer> m_slots;
  std::vector<std::unique_ptr<pool::Worker>> m_retired;

  std::deque<queue::WaitingJob> m_window;
  std::optional<qint64> m_windowEnd;  ///< rank of the last job that was read
  bool m_isWindowWhole = false;       ///< nothing waits behind it
  bool m_isRefilling = false;
  quint64 m_windowAge = 0;

  const queue::DispatchRules m_rules;
  queue::FairnessBook m_fairness{m_rules};
  queue::SpeedMeter m_speeds;
  QElapsedTimer m_clock;
  int m_lastSlotNumber = 0;

  QString m_opening;  ///< what was mended when the library was opened
  PauseReason m_pause = PauseReason::None;
  QString m_pauseSentence;
  std::optional<base::Error> m_indexTrouble;  ///< the disk does not take rows
  std::optional<base::Error> m_filesTrouble;  ///< the disk does not take pictures
  std::optional<base::Error> m_lastDeath;
  pool::SupervisionLimits m_limits;
  pool::Breaker m_breaker;
  std::unique_ptr<base::SharedPages> m_sharedPages;  ///< of CPU workers, once there were several
  pool::OutOfMemoryLadder m_ladder;
  std::map<qint64, int> m_refusals;                         ///< for lack of memory, by job
  std::map<qint64, std::set<int>> m_avoidedByJob;           ///< numbers of slots
  std::map<std::uint64_t, std::set<int>> m_avoidedByModel;  ///< by load key
  quint64 m_lastCommandId = 0;
  int m_changesInWork = 0;
  bool m_isScheduled = false;
  bool m_isWritingSidecars = false;
  QTimer m_measuring;
  bool m_isMeasuring = false;
  std::unique_ptr<devices::DeviceMeter> m_meter;  ///< of the look-up thread
  bool m_isIdle = true;
  bool m_isEmpty = true;
  bool m_isEnding = false;
  bool m_isDamaged = false;
  QThreadPool m_disk;
  QThreadPool m_lookUp;
};

/// LocalBackend::open() for composition.
base::Result<std::unique_ptr<LocalBackend>> openLocalBackend(const library::Location& location, LocalBackendOptions options);

}  // namespace polyptych::backend
