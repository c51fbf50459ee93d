#include "core/backend/local_backend.h"

#include <QCoreApplication>
#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QFileInfo>
#include <algorithm>
#include <set>
#include <utility>

#include "core/backend/device_slots.h"
#include "core/backend/recovery.h"
#include "core/base/fail_point.h"
#include "core/gallery/output_folder.h"
#include "core/gallery/picture_rows.h"
#include "core/gallery/upkeep/opening.h"
#include "core/pool/idle_policy.h"
#include "core/pool/load_admission.h"
#include "core/pool/poison_rule.h"
#include "core/pool/restart_policy.h"
#include "core/queue/units.h"

namespace polyptych::backend {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;
using library::Location;
using pool::WorkerState;
using queue::AttemptOutcome;
using queue::JobState;

/// Units that may wait for the disk, a slot. Above it no new unit is begun: pictures are big.
constexpr int kUnitsOnDiskPerSlot = 2;
/// Between two looks at a run that is about to be told.
constexpr std::chrono::milliseconds kUntilRunIsOver{20};
/// Jobs whose order is known here; the rest of the queue stays on the disk.
constexpr int kWindow = 512;
constexpr std::size_t kWindowLow = 256;
/// Of those, what the dispatcher is shown.
constexpr std::size_t kUnitsInSight = 256;

SlotState stateOf(WorkerState state) {
  switch (state) {
    case WorkerState::Stopped:
      return SlotState::Stopped;
    case WorkerState::Starting:
      return SlotState::Starting;
    case WorkerState::Handshaking:
      return SlotState::Handshaking;
    case WorkerState::LoadingModel:
      return SlotState::LoadingModel;
    case WorkerState::Idle:
      return SlotState::Idle;
    case WorkerState::Busy:
      return SlotState::Busy;
    case WorkerState::Stopping:
      return SlotState::Stopping;
    case WorkerState::Failed:
      return SlotState::Failed;
  }
  return SlotState::Failed;
}

bool isEnded(WorkerState state) { return state == WorkerState::Stopped || state == WorkerState::Failed; }

/// Everything that decides over memory but is not in a rung.
std::uint64_t memoryKeyOf(std::uint64_t loadKey, bool isGuided) { return 2 * loadKey + (isGuided ? 1 : 0); }

/// Of this machine, without what swapping would give. 0: not known.
std::uint64_t freeHostBytes() {
  QFile file(QStringLiteral("/proc/meminfo"));
  if (!file.open(QIODevice::ReadOnly)) {
    return 0;
  }
  for (const QByteArray& line : file.readAll().split('\n')) {
    if (line.startsWith("MemAvailable:")) {
      return line.mid(13).trimmed().split(' ').front().toULongLong() * 1024;
    }
  }
  return 0;
}

/// Of a model's weight files. 0: none are there.
std::uint64_t weightBytesOf(const QString& folder) {
  std::uint64_t bytes = 0;
  for (QDirIterator files(folder, {QStringLiteral("*.safetensors")}, QDir::Files, QDirIterator::Subdirectories);
       files.hasNext();) {
    files.next();
    bytes += static_cast<std::uint64_t>(files.fileInfo().size());
  }
  return bytes;
}

std::uint64_t loadKeyOf(const domain::RunPlan& plan) {
  const std::string text =
      plan.model.folder + '\n' + plan.model.hash + '\n' + plan.model.variant + '\n' + domain::toString(plan.computeType);
  return qHash(QByteArrayView(text.data(), static_cast<qsizetype>(text.size())));
}

qint64 nowMs() { return QDateTime::currentMSecsSinceEpoch(); }

RunSummary summaryOf(const queue::RunRow& row) {
  RunSummary summary;
  summary.runId = row.id;
  summary.total = row.total;
  summary.made = row.made - row.alreadyThere;
  summary.alreadyThere = row.alreadyThere;
  summary.failed = row.failed;
  summary.error = row.error;
  summary.wasCancelled = !row.error && row.cancelled > 0;
  return summary;
}

Error endedUncleanly() {
  return {ErrorCode::WorkerDied,
          "Polyptych or the machine ended in the middle of its work. Nothing is lost; the queue waits for your word to go on.",
          {}};
}

}  // namespace

struct LocalBackend::Run {
  queue::RunRow row;
  std::shared_ptr<RunFiles> files;
  std::vector<std::byte> latents;
  std::uint64_t weightBytes = 0;
  int unitsInWork = 0;    ///< leased, or on their way to the disk
  qint64 cancelUndo = 0;  ///< not 0: units in work are being cancelled
  std::optional<Error> error;
  qint64 failedBeforeEnd = 0;
  std::optional<Error> endError;  ///< for a run that fails picture by picture
  bool isFailing = false;         ///< its rows are being ended
  bool isTold = false;            ///< runFinished is on its way
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

/// On the writer's thread.
Result<void> LocalBackend::takeLease(Database& database, qint64 job, const QString& device, bool isBegun, Taken& taken) {
  Result<std::optional<queue::Lease>> lease = queue::lease(database, job, device, isBegun, nowMs());
  if (!lease) {
    return lease.error();
  }
  taken = {std::move(*lease), {}};
  for (std::size_t i = 0; taken.lease && i < taken.lease->requests.size(); ++i) {
    const Result<QVariant> row = database.value("SELECT 1 FROM pictures WHERE run = ? AND idx = ?",
                                                {taken.lease->runId, qint64(taken.lease->requests[i].index)});
    if (!row) {
      return row.error();
    }
    taken.isPresent.push_back(!row->isNull());
  }
  return {};
}

LocalBackend::Unit LocalBackend::unitOf(const RunPointer& run, Taken taken) {
  Unit unit;
  unit.run = run;
  unit.lease = std::move(*taken.lease);
  unit.isPresent = std::move(taken.isPresent);
  unit.plan = run->row.plan;
  domain::UnitOfWork whole;
  whole.id = static_cast<std::uint64_t>(unit.lease.jobId);
  whole.plan = run->row.plan;
  whole.requests = unit.lease.requests;
  whole.wantsTrace = run->row.wantsTrace;
  whole.wantsPreviews = run->row.wantsPreviews;
  whole.initialLatents = run->latents;
  if (const auto& change = unit.lease.change) {
    pool::Rung rung = pool::rungOf(whole);
    rung.pictures = std::min(rung.pictures, change->batch);
    rung.vaeSlicing = change->vaeSlicing;
    rung.vaeTiling = change->vaeTiling;
    rung.width = change->width > 0 ? change->width : rung.width;
    rung.height = change->height > 0 ? change->height : rung.height;
    unit.parts = pool::splitToRung(whole, rung);
  }
  if (unit.parts.empty()) {
    unit.parts = {std::move(whole)};
  }
  unit.plan = unit.parts.front().plan;
  return unit;
}

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
  WorkerState stateBefore = WorkerState::Stopped;  ///< that it failed from
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

namespace {

/// What steps of the ladder make of a job.
queue::Change changeBy(const std::vector<pool::LadderStep>& steps, const pool::Rung& from,
                       const std::optional<queue::Change>& before) {
  queue::Change change = before.value_or(queue::Change{});
  for (const pool::LadderStep& step : steps) {
    change.words += (change.words.isEmpty() ? QString() : QStringLiteral(" ")) + QString::fromStdString(step.sentence);
  }
  const pool::Rung& to = steps.back().to;
  change.batch = to.pictures;
  change.vaeSlicing = to.vaeSlicing;
  change.vaeTiling = to.vaeTiling;
  if (to.width != from.width || to.height != from.height) {
    change.width = to.width;
    change.height = to.height;
  }
  return change;
}

}  // namespace

Result<std::unique_ptr<LocalBackend>> LocalBackend::open(const Location& location, LocalBackendOptions options,
                                                         LocalBackendTuning tuning) {
  std::unique_ptr<LocalBackend> backend(new LocalBackend(location, std::move(options), std::move(tuning)));
  if (const Result<void> started = backend->start(); !started) {
    return started.error();
  }
  return backend;
}

Result<std::unique_ptr<LocalBackend>> openLocalBackend(const Location& location, LocalBackendOptions options) {
  return LocalBackend::open(location, std::move(options));
}

LocalBackend::LocalBackend(Location location, LocalBackendOptions options, LocalBackendTuning tuning)
    : m_location(std::move(location)),
      m_options(std::move(options)),
      m_tuning(std::move(tuning)),
      m_breaker(m_options.limits),
      m_ladder(m_options.limits) {
  registerMetaTypes();
  m_clock.start();
  for (QThreadPool* threads : {&m_disk, &m_lookUp}) {
    threads->setMaxThreadCount(1);
    threads->setExpiryTimeout(-1);
  }
}

Result<void> LocalBackend::start() {
  if (QFileInfo(m_location.root).exists() && !QFileInfo(m_location.root).isDir()) {
    return Error{
        ErrorCode::AlreadyExists, "'" + m_location.root.toStdString() + "' is a file; give a folder for the pictures.", {}};
  }
  if (!QDir().mkpath(m_location.homeFolder())) {
    return Error{ErrorCode::Io,
                 "The library's folder '" + m_location.homeFolder().toStdString() + "' cannot be made; choose another one.",
                 {}};
  }
  const bool isFlat = m_location.layout == Location::Layout::Flat;
  if (!isFlat) {
    gallery::RebuildOptions rebuilding;
    rebuilding.insertRun = queue::insertRun;
    rebuilding.mends = false;
    const Result<gallery::Opening> opening = gallery::openOrRebuild(m_location, rebuilding);
    if (!opening) {
      return opening.error();
    }
    m_opening = opening->sentence;
  }
  auto file = Database::open(m_location.databaseFile(), Database::Mode::ReadWrite);
  if (!file && isFlat && file.error().code == ErrorCode::Corrupt) {
    // The folder itself tells what of its run is there, as soon as the run is asked for.
    if (const Result<QString> moved = library::setAside(m_location.databaseFile()); !moved) {
      return moved.error();
    }
    file = Database::open(m_location.databaseFile(), Database::Mode::ReadWrite);
  }
  if (!file) {
    return file.error();
  }
  Database& database = **file;
  const Result<QVariant> wasClean = database.meta(QStringLiteral("clean"));
  const Result<QVariant> paused = database.meta(QStringLiteral("paused"));
  const Result<QVariant> opened = database.meta(QStringLiteral("opened"));
  const Result<std::vector<domain::DeviceSlot>> slots = readSlots(database);
  if (!wasClean || !paused || !opened || !slots) {
    return !wasClean ? wasClean.error() : !paused ? paused.error() : !opened ? opened.error() : slots.error();
  }
  // A new index may stand beside the pictures of one that is gone.
  const bool mayNeedMending = wasClean->toInt() == 0;
  if (mayNeedMending) {
    if (auto whole = database.check(); !whole) {
      return whole;
    }
  }
  if (auto begun = database.run(QStringLiteral("BEGIN IMMEDIATE")); !begun) {
    return begun;
  }
  const Result<queue::Recovery> recovery = queue::recover(database, m_options.limits.maxDeathsPerUnit, nowMs());
  if (!recovery) {
    return recovery.error();
  }
  if (mayNeedMending) {
    if (auto adopted = adoptRuns(database, m_location); !adopted) {
      return adopted;
    }
  }
  Result<std::vector<queue::RunRow>> runs = queue::openRuns(database);
  if (!runs) {
    return runs.error();
  }
  for (const queue::RunRow& run : *runs) {
    const Result<bool> closed = queue::closeRunIfDone(database, run.id);
    if (!closed) {
      return closed.error();
    }
  }
  runs = queue::openRuns(database);
  const Result<qint64> number = queue::nextRunNumber(database);
  if (!runs || !number) {
    return !runs ? runs.error() : number.error();
  }
  base::failPoint("recovery-commit");
  if (auto committed = database.run(QStringLiteral("COMMIT")); !committed) {
    return committed;
  }
  if (mayNeedMending) {
    const Result<std::vector<queue::RunRow>> touched = runsToMend(database, opened->toLongLong());
    if (!touched) {
      return touched.error();
    }
    for (const queue::RunRow& run : *touched) {
      if (auto mended = mendFolder(database, m_location, run); !mended) {
        qWarning("The folder of run %lld is not mended: %s", static_cast<long long>(run.number), mended.error().message.c_str());
      }
    }
  }
  for (const auto& set : {database.setMeta(QStringLiteral("opened"), nowMs()), database.setMeta(QStringLiteral("clean"), 0)}) {
    if (!set) {
      return set;
    }
  }
  m_nextRunNumber = *number;
  m_isEmpty = m_nextRunNumber == 1 && runs->empty();
  file->reset();

  m_writer = std::make_unique<library::Writer>(m_location.databaseFile());
  m_recorder = std::make_unique<Recorder>(*m_writer);
  const auto trouble = [this](const Error& error) {
    m_storageTrouble = error;
    tellQueue();
  };
  const auto relief = [this] {
    m_storageTrouble.reset();
    tellQueue();
    schedule();
  };
  connect(m_writer.get(), &library::Writer::troubled, this, trouble);
  connect(m_recorder.get(), &Recorder::troubled, this, trouble);
  connect(m_writer.get(), &library::Writer::recovered, this, relief);
  connect(m_recorder.get(), &Recorder::recovered, this, relief);

  if (isFlat) {
    runs->clear();  // goes on when it is asked for again, and the folder was compared
  }
  for (queue::RunRow& row : *runs) {
    auto files = std::make_shared<RunFiles>();
    files->path = QDir::cleanPath(m_location.picturesFolder() + QLatin1Char('/') + row.folder);
    files->fingerprint = row.fingerprint;
    addRun(std::move(row), std::move(files));
  }
  if (paused->toInt() != 0) {
    m_pause = PauseReason::User;
    m_pauseSentence = QStringLiteral("The queue is paused.");
  } else if (mayNeedMending && !m_runs.empty() && !m_options.resumesAfterUncleanEnd) {
    m_pause = PauseReason::UncleanEnd;
    m_pauseSentence = QString::fromStdString(endedUncleanly().message);
  }
  m_isIdle = m_runs.empty() || isHeld();
  if (const Result<void> set = setSlots(*slots); !set) {
    qWarning("The devices that were chosen last are not used: %s", set.error().message.c_str());
  }
  schedule();
  return {};
}

LocalBackend::~LocalBackend() {
  disconnect();
  m_isEnding = true;
  for (const SlotPointer& slot : m_slots) {
    slot->restart.stop();
    if (slot->worker != nullptr) {
      slot->worker->disconnect(this);
      slot->worker->stop();
    }
    for (std::optional<Unit>* unit : {&slot->unit, &slot->reserved}) {
      if (*unit) {
        giveBack((*unit)->lease);
        unit->reset();
      }
    }
  }
  m_retired.clear();
  m_slots.clear();
  m_disk.waitForDone();
  m_lookUp.waitForDone();
  if (m_writer != nullptr) {
    m_recorder->finish();
    m_recorder.reset();
    m_writer->post([](Database& database) { return database.setMeta(QStringLiteral("clean"), 1); }, {});
    m_writer.reset();
    if (m_isEmpty && m_location.layout == Location::Layout::Flat) {
      for (const char* end : {"", "-wal", "-shm"}) {
        QFile::remove(m_location.databaseFile() + QLatin1String(end));
      }
    }
  }
}

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

quint64 LocalBackend::submit(RunSpec spec) {
  if (spec.id == 0) {
    spec.id = newRunId();
  }
  const quint64 id = spec.id;
  if (m_unborn.contains(id)) {
    return id;  // sent twice; the answer to the first is on its way
  }
  if (const RunPointer known = runOf(id)) {
    if (m_slots.empty()) {
      (void)setSlots(spec.slots);  // those of the first time went with a backend that ended suddenly
    }
    QMetaObject::invokeMethod(
        this, [this, known] { tellStarted(known); }, Qt::QueuedConnection);
    return id;
  }
  m_unborn[id] = false;
  Result<void> checked = checkSpec(spec);
  for (const domain::DeviceSlot& slot : spec.slots) {
    if (const Result<QString> program = programFor(slot.kind); checked && !program) {
      checked = program.error();
    }
  }
  if (checked && spec.slots.empty() && m_slots.empty()) {
    checked = Error{ErrorCode::InvalidArgument, "No device is chosen; choose at least one.", {}};
  }
  if (!checked) {
    QMetaObject::invokeMethod(
        this, [this, spec = std::move(spec), error = checked.error()] { refuseRun(spec, error); }, Qt::QueuedConnection);
    return id;
  }
  if (spec.slots.empty()) {
    for (const SlotPointer& slot : m_slots) {
      spec.slots.push_back(slot->device);
    }
  }
  place(std::make_shared<RunSpec>(std::move(spec)));
  updateIdle();
  return id;
}

/// A checked run on its way to the rows.
void LocalBackend::place(const std::shared_ptr<RunSpec>& shared) {
  if (m_location.layout == Location::Layout::Flat && !m_runs.empty()) {
    attach(shared, m_runs.begin()->second);
    return;
  }
  tellIfOver({shared->id}, true, [this, shared](bool isOver) {
    if (isOver) {
      m_unborn.erase(shared->id);
      updateIdle();
    } else {
      beginRun(shared);
    }
  });
}

void LocalBackend::beginRun(const std::shared_ptr<RunSpec>& shared) {
  const qint64 number = m_nextRunNumber++;
  onDisk([shared, location = m_location, number] { return prepare(*shared, location, number); },
         [this, shared](Result<PreparedRun> prepared) { takePrepared(std::move(*shared), std::move(prepared)); });
}

void LocalBackend::await(const std::vector<quint64>& runIds) { tellIfOver(runIds, false, {}); }

/// Looks for runs that ended before, perhaps under an earlier backend, and tells their ends. @param isSubmit  their beginnings
/// too @param then  gets whether there was one
void LocalBackend::tellIfOver(std::vector<quint64> runIds, bool isSubmit, std::function<void(bool)> then) {
  std::erase_if(runIds, [this](quint64 id) { return m_runs.contains(id); });
  auto over = std::make_shared<std::vector<queue::RunRow>>();
  const auto work = [over, runIds](Database& database) -> Result<void> {
    over->clear();
    for (const quint64 id : runIds) {
      Result<std::optional<queue::RunRow>> row = queue::readRun(database, id);
      if (!row) {
        return row.error();
      }
      if (*row && (*row)->state != queue::RunState::Open) {
        over->push_back(std::move(**row));
      }
    }
    return {};
  };
  m_writer->post(work, [this, over, isSubmit, then = std::move(then)](const Result<void>&) {
    for (const queue::RunRow& row : *over) {
      if (isSubmit) {
        Q_EMIT runStarted(row.id, row.total, row.alreadyThere);
      }
      Q_EMIT runFinished(summaryOf(row));
    }
    if (then) {
      then(!over->empty());
    }
  });
}

/// A flat library's run is asked for again while it goes on: the newer face gets it under the number that it knows.
void LocalBackend::attach(const std::shared_ptr<RunSpec>& shared, const RunPointer& active) {
  const auto refuse = [this, shared](Error error) { refuseRun(*shared, std::move(error)); };
  onDisk(
      [shared]() -> Result<QString> {
        const Result<domain::RunPlan> plan = fixPlan(*shared);
        if (!plan) {
          return plan.error();
        }
        return fingerprintOf(*shared, *plan);
      },
      [this, shared, active, refuse](const Result<QString>& fingerprint) {
        if (!fingerprint) {
          refuse(fingerprint.error());
          return;
        }
        const bool isGone = runOf(active->row.id) != active;
        if (isGone || active->row.state != queue::RunState::Open) {
          // It ended meanwhile: what it left in the folder counts, once it has let go of that.
          QTimer::singleShot(isGone ? std::chrono::milliseconds(0) : kUntilRunIsOver, this, [this, shared] { place(shared); });
          return;
        }
        if (*fingerprint != active->row.fingerprint) {
          refuse({ErrorCode::AlreadyExists,
                  "Another run is writing into the folder '" + m_location.root.toStdString() +
                      "'. Wait until it is finished, or choose another folder.",
                  {}});
          return;
        }
        const quint64 before = active->row.id;
        const quint64 after = shared->id;
        m_runs.erase(before);
        active->row.id = after;
        active->files->runId = after;
        for (auto& [old, current] : m_renamed) {
          current = current == before ? after : current;
        }
        m_renamed[before] = after;
        m_runs[after] = active;
        m_unborn.erase(after);
        for (queue::WaitingJob& job : m_window) {
          job.runId = after;
        }
        for (const SlotPointer& slot : m_slots) {
          slot->plannedRun = slot->plannedRun == before ? after : slot->plannedRun;
        }
        auto there = std::make_shared<std::vector<std::pair<qint64, QString>>>();
        applyChanges(
            0,
            [before, after, there](Database& database) -> Result<queue::Changed> {
              for (const char* sql : {"UPDATE jobs SET run = ? WHERE run = ?", "UPDATE pictures SET run = ? WHERE run = ?",
                                      "UPDATE runs SET id = ? WHERE id = ?"}) {
                if (const Result<qint64> done = database.change(sql, {after, before}); !done) {
                  return done.error();
                }
              }
              there->clear();
              const Result<QSqlQuery*> rows =
                  database.query("SELECT idx, file FROM pictures WHERE run = ? ORDER BY idx", {after});
              if (!rows) {
                return rows.error();
              }
              while ((*rows)->next()) {
                there->emplace_back((*rows)->value(0).toLongLong(), (*rows)->value(1).toString());
              }
              (*rows)->finish();
              if (const auto set = database.change("UPDATE runs SET already_there = made WHERE id = ?", {after}); !set) {
                return set.error();
              }
              Result<queue::Changed> changed = queue::retry(database, {{}, after});
              if (changed && changed->runs.empty()) {
                changed->runs = {after};
              }
              return changed;
            },
            [this, active, there](const queue::Changed&) {
              tellStarted(active);
              for (const auto& [index, file] : *there) {
                Q_EMIT pictureFinished(
                    {active->row.id, index, active->files->path + QLatin1Char('/') + file, QString(), 0, true});
              }
            });
        (void)setSlots(shared->slots);
        setPause(PauseReason::None, {});
      });
}

void LocalBackend::takePrepared(RunSpec spec, Result<PreparedRun> prepared) {
  if (!prepared) {
    refuseRun(spec, prepared.error());
    return;
  }
  const bool isCancelled = m_unborn[spec.id];
  if (isCancelled && m_location.layout == Location::Layout::Flat) {
    refuseRun(spec, {ErrorCode::Cancelled, {}, {}});
    return;
  }
  auto shared = std::make_shared<PreparedRun>(std::move(*prepared));
  auto row = std::make_shared<queue::RunRow>();
  const auto work = [shared, row, location = m_location, slots = spec.slots](Database& database) -> Result<void> {
    if (auto inserted = insertPrepared(database, *shared, location); !inserted) {
      return inserted;
    }
    if (auto stored = storeSlots(database, slots); !stored) {
      return stored;
    }
    Result<std::optional<queue::RunRow>> read = queue::readRun(database, shared->record.id);
    if (!read) {
      return read.error();
    }
    *row = std::move(**read);
    return {};
  };
  m_writer->post(
      work,
      [this, shared, row, spec = std::make_shared<RunSpec>(std::move(spec))](const Result<void>& written) {
        if (!written) {
          onDisk([shared, location = m_location] { return discard(*shared, location); },
                 [this, spec, error = written.error()](bool) { refuseRun(*spec, error); });
          return;
        }
        const bool wasCancelled = m_unborn[spec->id];
        m_unborn.erase(spec->id);
        m_isEmpty = false;
        addRun(std::move(*row), shared->files);
        const RunPointer run = m_runs.at(spec->id);
        reloadWindow();
        if (run->row.left() > 0) {
          if (const Result<void> made = setSlots(spec->slots); !made) {
            failRun(run, made.error());
          }
        }
        if (m_location.layout == Location::Layout::Flat && m_pause == PauseReason::UncleanEnd) {
          setPause(PauseReason::None, {});
        }
        base::failPoint("tell-run");
        tellStarted(run);
        for (const auto& [index, origin] : shared->origins) {
          const QString file = gallery::RunFolder::nameOf(
              domain::metadataOf({0, shared->record.plan, {shared->record.requests[index]}, false, false, {}}, 0));
          Q_EMIT pictureFinished(
              {run->row.id, static_cast<std::int64_t>(index), run->files->path + QLatin1Char('/') + file, QString(), 0, true});
        }
        if (wasCancelled) {
          cancelRun(run->row.id);
        }
        finishIfOver(run);
        tellQueue();
        schedule();
      },
      library::Writer::Patience::None);
}

void LocalBackend::refuseRun(const RunSpec& spec, Error error) {
  m_unborn.erase(spec.id);
  RunSummary summary;
  summary.runId = spec.id;
  summary.total = static_cast<std::int64_t>(spec.requests.size());
  summary.wasCancelled = error.code == ErrorCode::Cancelled;
  if (!summary.wasCancelled) {
    summary.error = std::move(error);
  }
  updateIdle();
  Q_EMIT runFinished(summary);
}

void LocalBackend::addRun(queue::RunRow row, std::shared_ptr<RunFiles> files) {
  auto run = std::make_shared<Run>();
  run->row = std::move(row);
  run->files = std::move(files);
  run->files->runId = run->row.id;
  run->weightBytes = weightBytesOf(QString::fromStdString(run->row.plan.model.folder));
  if (run->row.hasLatents) {
    run->latents = readLatents(m_location, run->row.folder);
  }
  m_runs[run->row.id] = run;
}

LocalBackend::RunPointer LocalBackend::runOf(quint64 id) const {
  const auto renamed = m_renamed.find(id);
  const auto found = m_runs.find(renamed == m_renamed.end() ? id : renamed->second);
  return found == m_runs.end() ? nullptr : found->second;
}

void LocalBackend::tellStarted(const RunPointer& run) {
  tellRun(*run);  // first: with it comes the folder
  Q_EMIT runStarted(run->row.id, run->row.total, run->row.alreadyThere);
}

RunStatus LocalBackend::statusOf(const Run& run) const {
  const queue::RunRow& row = run.row;
  RunStatus status;
  status.runId = row.id;
  status.number = row.number;
  status.createdMs = row.createdMs;
  status.title = row.title;
  status.folder = run.files->path;
  status.state = static_cast<RunState>(row.state);
  status.isPaused = row.isPaused;
  status.total = row.total;
  status.made = row.made;
  status.alreadyThere = row.alreadyThere;
  status.failed = row.failed;
  status.cancelled = row.cancelled;
  return status;
}

void LocalBackend::tellRun(const Run& run) { Q_EMIT runChanged(statusOf(run)); }

void LocalBackend::failRun(const RunPointer& run, const Error& error) {
  if (run->error) {
    return;
  }
  run->error = error;
  run->failedBeforeEnd = run->row.failed;
  run->isFailing = true;
  for (const SlotPointer& slot : m_slots) {
    if (slot->plannedRun == run->row.id) {
      slot->plannedJob = 0;
      slot->plannedRun = 0;
    }
    if (slot->reserved && slot->reserved->run == run) {
      release(*std::exchange(slot->reserved, std::nullopt));
    }
    if (slot->unit && slot->unit->run == run) {
      slot->worker->cancelUnit();
    }
  }
  const quint64 id = run->row.id;
  m_writer->post([id, error](Database& database) { return queue::failRun(database, id, error); },
                 [this, run](const Result<void>&) {
                   run->isFailing = false;
                   run->row.state = queue::RunState::Failed;
                   reloadWindow();
                   finishIfOver(run);
                 });
  schedule();
}

/// A run of which nothing is left, in the rows and in work, is told and forgotten here.
void LocalBackend::finishIfOver(const RunPointer& run) {
  if (run->row.state == queue::RunState::Open || run->unitsInWork > 0 || run->isFailing || run->isTold) {
    return;
  }
  run->isTold = true;
  m_recorder->closeFiles(run->files, [this, run] {
    RunSummary summary = summaryOf(run->row);
    summary.failed = run->error ? run->failedBeforeEnd : run->row.failed;
    summary.error = run->error ? run->error : run->endError;
    summary.wasCancelled = !summary.error && run->row.cancelled > 0;
    m_runs.erase(run->row.id);
    tellRun(*run);
    tellQueue();
    updateIdle();
    Q_EMIT runFinished(summary);
    schedule();
  });
}

/// Looks at everything once the event that is being handled is over: nothing is started or ended inside a worker's signal.
void LocalBackend::schedule() {
  if (std::exchange(m_isScheduled, true)) {
    return;
  }
  QMetaObject::invokeMethod(
      this,
      [this] {
        m_isScheduled = false;
        pump();
      },
      Qt::QueuedConnection);
}

bool LocalBackend::isHeld() const { return m_pause != PauseReason::None || m_storageTrouble.has_value(); }

void LocalBackend::pump() {
  refill();
  std::erase_if(m_slots, [this](const SlotPointer& slot) {
    if (slot->reserved && (slot->isLeaving || isHeld())) {
      release(*std::exchange(slot->reserved, std::nullopt));
    }
    if (!slot->isLeaving || slot->unit || slot->isLeasing) {
      return false;
    }
    slot->restart.stop();
    if (slot->worker != nullptr) {
      retire(std::move(slot->worker));
    }
    slot->status.state = SlotState::Stopped;
    slot->status.reason = QStringLiteral("not chosen any more");
    publish(*slot);
    return true;
  });
  const bool isDiskBehind = m_recorder->pendingUnits() >= kUnitsOnDiskPerSlot * static_cast<int>(m_slots.size()) + 1 ||
                            m_recorder->pendingBytes() > m_tuning.maxPendingBytes;
  if (!isHeld() && !isDiskBehind) {
    assignWork();
    checkForSurvivors();
  }
  updateIdle();
}

void LocalBackend::refill() {
  if (m_isRefilling || m_isWindowWhole || m_window.size() > kWindowLow || m_isEnding) {
    return;
  }
  m_isRefilling = true;
  auto jobs = std::make_shared<std::vector<queue::WaitingJob>>();
  const qint64 after = m_windowEnd.value_or(std::numeric_limits<qint64>::min());
  m_writer->post(
      [jobs, after](Database& database) -> Result<void> {
        Result<std::vector<queue::WaitingJob>> read = queue::nextWaiting(database, after, kWindow);
        if (!read) {
          return read.error();
        }
        *jobs = std::move(*read);
        return {};
      },
      [this, jobs, age = m_windowAge](const Result<void>& done) {
        m_isRefilling = false;
        if (!done || age != m_windowAge) {
          schedule();
          return;
        }
        m_isWindowWhole = jobs->size() < static_cast<std::size_t>(kWindow);
        for (queue::WaitingJob& job : *jobs) {
          m_windowEnd = job.rank;
          m_window.push_back(job);
        }
        schedule();
      });
}

void LocalBackend::reloadWindow() {
  ++m_windowAge;
  m_window.clear();
  m_windowEnd.reset();
  m_isWindowWhole = false;
  schedule();
}

std::vector<queue::WaitingUnit> LocalBackend::unitsInSight() const {
  std::set<qint64> taken;
  for (const SlotPointer& slot : m_slots) {
    taken.insert(slot->plannedJob);
  }
  std::vector<queue::WaitingUnit> units;
  for (const queue::WaitingJob& job : m_window) {
    const RunPointer run = runOf(job.runId);
    if (run == nullptr || run->error || run->cancelUndo != 0 || run->row.isPaused || taken.contains(job.id)) {
      continue;
    }
    queue::WaitingUnit unit;
    unit.jobId = job.id;
    unit.loadKey = loadKeyOf(run->row.plan);
    unit.processKey = static_cast<std::uint64_t>(run->row.plan.threads);
    unit.shapeKey = qHashMulti(0, job.settings, job.count);
    unit.work = job.work;
    const auto avoid = [&unit](const std::set<int>& slots) {
      unit.avoidedSlots.insert(unit.avoidedSlots.end(), slots.begin(), slots.end());
    };
    if (const auto found = m_avoidedByJob.find(job.id); found != m_avoidedByJob.end()) {
      avoid(found->second);
    }
    if (const auto found = m_avoidedByModel.find(unit.loadKey); found != m_avoidedByModel.end()) {
      avoid(found->second);
    }
    const pool::Rung rung{job.count, job.width, job.height, run->row.plan.vaeSlicing, run->row.plan.vaeTiling};
    bool fitsSomewhere = false;
    std::set<int> tooSmall;
    for (const SlotPointer& slot : m_slots) {
      const bool isTooMuch = !job.isChanged && m_ladder.isTooMuch(slot->device.id, memoryKeyOf(unit.loadKey, job.isGuided), rung);
      fitsSomewhere = fitsSomewhere || (!isTooMuch && !slot->isGivenUp && !slot->isLeaving);
      if (isTooMuch) {
        tooSmall.insert(slot->number);
      }
    }
    if (fitsSomewhere) {
      avoid(tooSmall);
    }
    units.push_back(std::move(unit));
    if (units.size() == kUnitsInSight) {
      break;
    }
  }
  return units;
}

queue::SlotView LocalBackend::viewOf(const Slot& slot, std::uint64_t nextShape) const {
  const WorkerState state = slot.worker->state();
  const bool isFree = !slot.unit && !slot.isLeasing && slot.plannedJob == 0;
  queue::SlotView view;
  view.slot = slot.number;
  view.canBegin = isFree && !slot.reserved && (isEnded(state) || slot.worker->isReady());
  view.canPrefetch = slot.unit && state == WorkerState::Busy && !slot.reserved && !slot.isLeasing && slot.plannedJob == 0;
  view.isStarted = !isEnded(state);
  if (view.isStarted) {
    view.loadedKey = slot.loadKey;
    view.processKey = static_cast<std::uint64_t>(slot.worker->spec().threads);
  }
  view.lastShape = slot.lastShape;
  view.secondsPerWork = m_speeds.secondsPerWork(slot.number, nextShape);
  view.loadSeconds = slot.loadSeconds;
  if (!view.canBegin) {
    view.secondsUntilFree = queue::kUnknownSeconds;
    if (slot.unit && view.secondsPerWork > 0) {
      const double expected = slot.unit->work() * view.secondsPerWork;
      view.secondsUntilFree = std::max(0.0, expected - static_cast<double>(slot.sinceUnit.elapsed()) / 1000);
    }
  }
  return view;
}

void LocalBackend::assignWork() {
  std::vector<queue::WaitingUnit> units = unitsInSight();
  std::vector<queue::SlotView> views;
  std::map<int, SlotPointer> byNumber;
  for (const SlotPointer& slot : m_slots) {
    if (!slot->isLeaving && !slot->isGivenUp && !slot->isWaitingToRestart && slot->worker->state() != WorkerState::Stopping) {
      views.push_back(viewOf(*slot, units.empty() ? 0 : units.front().shapeKey));
      if (slot->device.kind == domain::DeviceKind::Cuda && !units.empty()) {
        views.back().processKey = units.front().processKey;  // threads are a CPU worker's affair
      }
      byNumber[slot->number] = slot;
    }
  }
  const std::chrono::milliseconds now(m_clock.elapsed());
  m_fairness.fill(units, now);
  // What is not in sight counts as more than enough.
  const auto waiting = static_cast<qint64>(units.size()) + (m_isWindowWhole ? 0 : kWindow);
  const queue::DispatchPlan plan = queue::plan(units, waiting, views, m_rules);
  m_fairness.note(units, plan.assignments);
  for (const queue::Assignment& assignment : plan.assignments) {
    const SlotPointer slot = byNumber.at(assignment.slot);
    const auto job = std::find_if(m_window.begin(), m_window.end(), [&](const auto& one) { return one.id == assignment.jobId; });
    const RunPointer run = job == m_window.end() ? nullptr : runOf(job->runId);
    if (run == nullptr) {
      continue;
    }
    if (assignment.isPrefetch && !(slot->unit && slot->worker->hasModelFor(run->row.plan))) {
      continue;  // is decided again when the slot is free
    }
    slot->plannedJob = job->id;
    slot->plannedRun = job->runId;
    if (assignment.isPrefetch) {
      leaseFor(slot, false);
    }
  }
  for (const qint64 job : plan.impossible) {
    m_avoidedByJob.erase(job);  // nobody is left who has not tried
    schedule();
  }
  for (const queue::Abstention& abstention : plan.abstentions) {
    tellWhyIdle(*byNumber.at(abstention.slot), abstention.why);
  }
  for (const SlotPointer& slot : std::vector<SlotPointer>(m_slots)) {
    goOn(slot);
  }
}

void LocalBackend::tellWhyIdle(Slot& slot, queue::WhyIdle why) {
  if (slot.worker->state() != WorkerState::Idle) {
    return;
  }
  QString reason;
  switch (why) {
    case queue::WhyIdle::NoUnitWaits:
      reason = QStringLiteral("no work is left for it");
      break;
    case queue::WhyIdle::NoUnitForThisSlot:
      reason = QStringLiteral("what waits has failed on this device");
      break;
    case queue::WhyIdle::NotWorthLoading:
      reason = QStringLiteral("other devices have the model and are through before it would be loaded here");
      break;
    case queue::WhyIdle::OthersFinishSooner:
      reason = QStringLiteral("faster devices finish the last pictures sooner");
      break;
  }
  if (slot.status.reason != reason) {
    slot.status.reason = reason;
    publish(slot);
  }
}

/// Brings a slot nearer to the unit that is planned for it.
void LocalBackend::goOn(const SlotPointer& slot) {
  if (slot->unit && slot->unit->waitsForPart && slot->worker->isReady()) {
    slot->unit->waitsForPart = false;
    if (slot->unit->cancelUndo != 0 || slot->unit->run->cancelUndo != 0 || slot->unit->run->error) {
      release(*std::exchange(slot->unit, std::nullopt));
    } else {
      slot->worker->generate(slot->unit->parts[slot->unit->part]);
    }
    return;
  }
  if (slot->reserved && !slot->unit && !slot->isLeasing) {
    Unit unit = std::move(*slot->reserved);
    slot->reserved.reset();
    const RunPointer& run = unit.run;
    if (!slot->worker->hasLoaded(run->row.plan) || slot->isLeaving || run->error || run->cancelUndo != 0 ||
        unit.cancelUndo != 0 || run->row.isPaused) {
      release(std::move(unit));
      return;
    }
    m_writer->post([job = unit.lease.jobId,
                    lease = unit.lease.number](Database& database) { return queue::begin(database, job, lease, nowMs()); },
                   {});
    begin(slot, std::move(unit));
    return;
  }
  if (slot->plannedJob == 0 || slot->unit || slot->isLeasing || slot->isGivenUp || slot->isWaitingToRestart) {
    return;
  }
  const RunPointer run = runOf(slot->plannedRun);
  if (run == nullptr || run->error || run->cancelUndo != 0 || run->row.isPaused) {
    slot->plannedJob = 0;
    schedule();
    return;
  }
  const WorkerState state = slot->worker->state();
  const bool fits = slot->device.kind != domain::DeviceKind::Cpu || slot->worker->spec().threads == run->row.plan.threads;
  if ((isEnded(state) || (slot->worker->isReady() && fits && !slot->worker->hasLoaded(run->row.plan))) && !mayLoad(*slot, *run)) {
    return;  // the end of the load that goes on schedules
  }
  if (isEnded(state)) {
    if (!fits) {
      equip(slot, run->row.plan.threads);
    }
    slot->status.loadedBytes = slot->status.totalBytes = 0;
    noteLoad(*slot, run->row.plan);
    slot->worker->start(run->row.plan);
  } else if (slot->worker->isReady() && !fits) {
    slot->worker->stop();
  } else if (slot->worker->hasLoaded(run->row.plan)) {
    leaseFor(slot, true);
  } else if (slot->worker->isReady()) {
    noteLoad(*slot, run->row.plan);
    slot->worker->load(run->row.plan);
  }
}

void LocalBackend::noteLoad(Slot& slot, const domain::RunPlan& plan) {
  slot.loadKey = loadKeyOf(plan);
  slot.sinceLoad.start();
  m_speeds.noteLoaded(slot.number);
}

/// @param isBegun  false: reserved for when the slot's unit in work is done
void LocalBackend::leaseFor(const SlotPointer& slot, bool isBegun) {
  const qint64 job = slot->plannedJob;
  std::erase_if(m_window, [job](const queue::WaitingJob& waiting) { return waiting.id == job; });
  slot->isLeasing = true;
  auto taken = std::make_shared<Taken>();
  m_writer->post([taken, job, isBegun,
                  device = slot->status.slotId](Database& database) { return takeLease(database, job, device, isBegun, *taken); },
                 [this, slot, taken, isBegun](const Result<void>& done) {
                   slot->isLeasing = false;
                   slot->plannedJob = 0;
                   schedule();
                   if (!done || !taken->lease) {
                     return;
                   }
                   const RunPointer run = runOf(taken->lease->runId);
                   if (run == nullptr) {
                     return;  // cancelled and told meanwhile: its rows say so
                   }
                   Unit unit = unitOf(run, std::move(*taken));
                   ++run->unitsInWork;
                   const bool canGo =
                       slot->worker != nullptr && !slot->isLeaving && !run->error && run->cancelUndo == 0 && !m_isEnding;
                   if (canGo && slot->worker->hasLoaded(run->row.plan)) {
                     begin(slot, std::move(unit));
                   } else if (canGo && !isBegun && slot->unit) {
                     slot->reserved = std::move(unit);
                   } else {
                     release(std::move(unit));
                   }
                 });
}

/// A unit that was leased and is not begun after all.
void LocalBackend::release(Unit unit) {
  const RunPointer run = unit.run;
  if (run->error) {
    endUnit(unit, AttemptOutcome::Cancelled, JobState::Failed, run->error, {});
  } else if (run->cancelUndo != 0 || unit.cancelUndo != 0) {
    endUnit(unit, AttemptOutcome::Cancelled, JobState::Cancelled, std::nullopt, {});
  } else {
    endUnit(unit, AttemptOutcome::GivenBack, JobState::Waiting, std::nullopt, {});
  }
}

void LocalBackend::begin(const SlotPointer& slot, Unit unit) {
  slot->status.index = unit.firstIndex();
  slot->status.progress = {domain::Stage::Encoding, 0, 0};
  slot->lastShape = unit.shapeKey();
  slot->idle.stop();
  if (!unit.lease.change) {
    const pool::Rung rung = pool::rungOf(unit.parts.front());
    const auto steps = m_ladder.startingSteps(unit.memoryKey(), rung, devicesInUse(), 0);
    if (!steps.empty()) {
      unit.lease.change = changeBy(steps, rung, {});
      Taken taken{unit.lease, unit.isPresent};
      const qint64 cancelUndo = unit.cancelUndo;
      unit = unitOf(unit.run, std::move(taken));
      unit.cancelUndo = cancelUndo;
      unit.isChangedNow = true;
    }
  }
  slot->unit = std::move(unit);
  slot->sinceUnit.start();
  slot->worker->generate(slot->unit->parts.front());
}

/// At the end of this backend.
void LocalBackend::giveBack(const queue::Lease& lease) {
  queue::AttemptEnd end;
  end.jobId = lease.jobId;
  end.lease = lease.number;
  end.outcome = AttemptOutcome::GivenBack;
  end.next = JobState::Waiting;
  end.nowMs = nowMs();
  m_writer->post(
      [end](Database& database) -> Result<void> {
        const Result<bool> ended = queue::endAttempt(database, end);
        return ended ? Result<void>() : ended.error();
      },
      {});
}

void LocalBackend::setPause(PauseReason reason, const QString& sentence) {
  const bool isSame = m_pause == reason;
  m_pause = reason;
  m_pauseSentence = sentence;
  if (!isSame) {
    tellQueue();
    schedule();
  }
}

void LocalBackend::tellQueue() {
  QueueStatus status;
  status.pause = m_storageTrouble ? PauseReason::Storage : m_pause;
  status.sentence = m_storageTrouble ? QString::fromStdString(m_storageTrouble->message) : m_pauseSentence;
  for (const auto& [id, run] : m_runs) {
    status.waiting += run->row.left();
    status.failed += run->row.failed;
  }
  for (const SlotPointer& slot : m_slots) {
    status.inWork += slot->unit ? static_cast<qint64>(slot->unit->lease.requests.size()) : 0;
  }
  status.waiting = std::max<qint64>(0, status.waiting - status.inWork);
  Q_EMIT queueChanged(status);
}

void LocalBackend::updateIdle() {
  bool isWorking = !m_unborn.empty() || m_changesInWork > 0 || m_recorder->pendingUnits() > 0;
  for (const auto& [id, run] : m_runs) {
    const bool mayBegin = !isHeld() && !m_slots.empty() && !run->row.isPaused;
    isWorking = isWorking || run->unitsInWork > 0 || (mayBegin && run->row.left() > 0) || run->row.state != queue::RunState::Open;
  }
  if (std::exchange(m_isIdle, !isWorking) != m_isIdle) {
    Q_EMIT idleChanged(m_isIdle);
  }
}

void LocalBackend::refresh() {
  tellQueue();
  if (!m_opening.isEmpty()) {
    Q_EMIT warned(0, {domain::WarningCode::Other, m_opening.toStdString()});
  }
  for (const auto& [id, run] : m_runs) {
    tellRun(*run);
  }
  for (const SlotPointer& slot : m_slots) {
    publish(*slot);
  }
}

void LocalBackend::cancelRun(quint64 runId) {
  if (const auto unborn = m_unborn.find(runId); unborn != m_unborn.end()) {
    unborn->second = true;
    return;
  }
  if (runOf(runId) != nullptr) {
    Command command;
    command.kind = Command::Kind::CancelAll;
    command.jobs.runId = runId;
    cancel(0, command);
  }
}

quint64 LocalBackend::control(Command command) {
  const quint64 id = ++m_lastCommandId;
  const auto answer = [this, id](qint64 changed) {
    QMetaObject::invokeMethod(
        this,
        [this, id, changed] {
          Q_EMIT commandDone({id, std::nullopt, changed, 0});
        },
        Qt::QueuedConnection);
  };
  const queue::Selection selection{command.jobs.jobIds, command.jobs.runId};
  using Kind = Command::Kind;
  switch (command.kind) {
    case Kind::PauseQueue:
    case Kind::ResumeQueue: {
      const bool isPause = command.kind == Kind::PauseQueue;
      ++m_changesInWork;
      m_writer->post([isPause](Database& database) { return database.setMeta(QStringLiteral("paused"), isPause ? 1 : 0); },
                     [this, id, isPause](const Result<void>& done) {
                       --m_changesInWork;
                       if (done) {
                         if (!isPause) {
                           m_breaker.closeQueue();
                           for (const SlotPointer& slot : m_slots) {
                             renew(*slot);
                           }
                         }
                         setPause(isPause ? PauseReason::User : PauseReason::None,
                                  isPause ? QStringLiteral("The queue is paused.") : QString());
                       }
                       updateIdle();
                       Q_EMIT commandDone({id, done ? std::optional<Error>() : done.error(), 1, 0});
                     });
      break;
    }
    case Kind::PauseRun:
    case Kind::ResumeRun: {
      const RunPointer run = runOf(command.jobs.runId);
      const bool isPause = command.kind == Kind::PauseRun;
      applyChanges(id, [isPause, runId = command.jobs.runId](Database& database) -> Result<queue::Changed> {
        const Result<std::optional<queue::RunRow>> row = queue::readRun(database, runId);
        if (!row) {
          return row.error();
        }
        if (!*row) {
          return Error{ErrorCode::NotFound, "There is no such run.", {}};
        }
        if (auto done = queue::setRunPaused(database, runId, isPause); !done) {
          return done.error();
        }
        return queue::Changed{1, 0, {runId}};
      });
      break;
    }
    case Kind::CancelInWork:
    case Kind::CancelWaiting:
    case Kind::CancelAll:
      cancel(id, command);
      break;
    case Kind::Retry:
      applyChanges(id, [selection](Database& database) { return queue::retry(database, selection); });
      break;
    case Kind::MoveToFront:
      applyChanges(id, [selection](Database& database) { return queue::moveToFront(database, selection); });
      break;
    case Kind::MoveBefore:
      applyChanges(id, [selection, before = command.before](Database& database) {
        return queue::moveBefore(database, selection, before);
      });
      break;
    case Kind::Undo:
      applyChanges(id, [undoId = command.undoId](Database& database) { return queue::undo(database, undoId); });
      break;
    case Kind::SetDevices: {
      const Result<void> set = setSlots(command.slots);
      if (set) {
        m_writer->post([slots = command.slots](Database& database) { return storeSlots(database, slots); }, {});
      }
      QMetaObject::invokeMethod(
          this,
          [this, id, set, count = static_cast<qint64>(command.slots.size())] {
            Q_EMIT commandDone({id, set ? std::optional<Error>() : set.error(), count, 0});
          },
          Qt::QueuedConnection);
      break;
    }
    case Kind::RestartDevice: {
      qint64 changed = 0;
      for (const SlotPointer& slot : m_slots) {
        if (slot->status.slotId == command.slotId) {
          ++changed;
          renew(*slot);
          slot->worker->stop();
        }
      }
      schedule();
      answer(changed);
      break;
    }
  }
  return id;
}

/// Changes rows of the queue, reads again what they concern, and answers.
void LocalBackend::applyChanges(quint64 commandId, const std::function<Result<queue::Changed>(Database&)>& change,
                                const std::function<void(const queue::Changed&)>& then) {
  struct Outcome {
    queue::Changed changed;
    std::vector<queue::RunRow> runs;
  };
  auto outcome = std::make_shared<Outcome>();
  ++m_changesInWork;
  m_writer->post(
      [change, outcome](Database& database) -> Result<void> {
        Result<queue::Changed> changed = change(database);
        if (!changed) {
          return changed.error();
        }
        *outcome = {std::move(*changed), {}};
        for (const quint64 id : outcome->changed.runs) {
          const Result<bool> closed = queue::closeRunIfDone(database, id);
          if (!closed) {
            return closed.error();
          }
          Result<std::optional<queue::RunRow>> row = queue::readRun(database, id);
          if (!row) {
            return row.error();
          }
          if (*row) {
            outcome->runs.push_back(std::move(**row));
          }
        }
        return {};
      },
      [this, commandId, outcome, then](const Result<void>& done) {
        --m_changesInWork;
        if (done) {
          for (queue::RunRow& row : outcome->runs) {
            RunPointer run = runOf(row.id);
            if (run == nullptr) {
              auto files = std::make_shared<RunFiles>();
              files->path = QDir::cleanPath(m_location.picturesFolder() + QLatin1Char('/') + row.folder);
              files->fingerprint = row.fingerprint;
              addRun(row, std::move(files));
              run = runOf(row.id);
            } else {
              run->row = row;
            }
            tellRun(*run);
            finishIfOver(run);
          }
          if (then) {
            then(outcome->changed);
          }
          reloadWindow();
          tellQueue();
        }
        updateIdle();
        if (commandId != 0) {
          Q_EMIT commandDone(
              {commandId, done ? std::optional<Error>() : done.error(), outcome->changed.pictures, outcome->changed.undoId});
        }
      });
}

void LocalBackend::cancel(quint64 commandId, const Command& command) {
  const queue::Selection selection{command.jobs.jobIds, command.jobs.runId};
  const bool takesWaiting = command.kind != Command::Kind::CancelInWork;
  const bool takesInWork = command.kind != Command::Kind::CancelWaiting;
  const auto isMeant = [selection](const Unit& unit) {
    if (!selection.jobIds.empty()) {
      return std::find(selection.jobIds.begin(), selection.jobIds.end(), unit.lease.jobId) != selection.jobIds.end();
    }
    return selection.runId == 0 || unit.run->row.id == selection.runId;
  };
  // A unit may be on its way to a worker: it is stopped when it comes.
  if (takesInWork && takesWaiting && selection.jobIds.empty()) {
    for (const auto& [id, run] : m_runs) {
      if (selection.runId == 0 || selection.runId == id) {
        run->cancelUndo = -1;
      }
    }
  }
  applyChanges(
      commandId,
      [selection, takesWaiting](Database& database) -> Result<queue::Changed> {
        if (takesWaiting) {
          return queue::cancelWaiting(database, selection, nowMs());
        }
        const Result<qint64> undoId = queue::newUndo(database, QStringLiteral("cancel"), nowMs());
        if (!undoId) {
          return undoId.error();
        }
        return queue::Changed{0, *undoId, {}};
      },
      [this, isMeant, takesInWork, takesWaiting, selection](const queue::Changed& changed) {
        if (!takesInWork) {
          return;
        }
        for (const auto& [id, run] : m_runs) {
          if (takesWaiting && selection.jobIds.empty() && (selection.runId == 0 || selection.runId == id)) {
            run->cancelUndo = run->unitsInWork > 0 ? changed.undoId : 0;
          }
        }
        for (const SlotPointer& slot : m_slots) {
          if (slot->reserved && isMeant(*slot->reserved)) {
            slot->reserved->cancelUndo = changed.undoId;
            release(*std::exchange(slot->reserved, std::nullopt));
          }
          if (slot->unit && isMeant(*slot->unit)) {
            slot->unit->cancelUndo = changed.undoId;
            slot->worker->cancelUnit();
          }
        }
      });
}

void LocalBackend::listDevices() {
  m_lookUp.start([this] {
    auto found = devices::listDevices(m_tuning.sources);
    QMetaObject::invokeMethod(
        this, [this, found = std::move(found)] { Q_EMIT devicesListed(found); }, Qt::QueuedConnection);
  });
}

Result<QString> LocalBackend::programFor(domain::DeviceKind kind) const {
  const bool isGpu = kind == domain::DeviceKind::Cuda;
  const QString chosen = isGpu ? m_options.cudaWorker : m_options.cpuWorker;
  const QString name = isGpu ? QStringLiteral("polyptych-worker-cuda") : QStringLiteral("polyptych-worker");
  const QFileInfo file(chosen.isEmpty() ? QCoreApplication::applicationDirPath() + QLatin1Char('/') + name : chosen);
  if (!file.isFile() || !file.isExecutable()) {
    return Error{ErrorCode::NotFound,
                 "The worker program '" + file.absoluteFilePath().toStdString() +
                     "' is not there or cannot be run; it belongs to Polyptych and must be built or installed beside it.",
                 {}};
  }
  return file.absoluteFilePath();
}

Result<void> LocalBackend::setSlots(const std::vector<domain::DeviceSlot>& wanted) {
  for (const domain::DeviceSlot& device : wanted) {
    if (const Result<QString> program = programFor(device.kind); !program) {
      return program.error();
    }
  }
  std::vector<SlotPointer> before = std::exchange(m_slots, {});
  for (const domain::DeviceSlot& device : wanted) {
    const auto kept = std::find_if(before.begin(), before.end(),
                                   [&device](const auto& slot) { return slot != nullptr && slot->device == device; });
    SlotPointer slot;
    if (kept != before.end()) {
      slot = std::exchange(*kept, nullptr);
      slot->isLeaving = false;
    } else {
      slot = std::make_shared<Slot>();
      slot->number = ++m_lastSlotNumber;
      slot->restarts = pool::RestartPolicy(m_options.limits);
      slot->idle.setSingleShot(true);
      connect(&slot->idle, &QTimer::timeout, this, [this, weak = std::weak_ptr<Slot>(slot)] {
        if (const SlotPointer alive = weak.lock()) {
          watchIdle(alive);
        }
      });
      slot->device = device;
      slot->status.slotId = QString::fromStdString(device.id);
      slot->restart.setSingleShot(true);
      connect(&slot->restart, &QTimer::timeout, this, [this, raw = slot.get()] {
        raw->isWaitingToRestart = false;
        schedule();
      });
      equip(slot, 1);
    }
    renew(*slot);
    slot->status.deviceName = slot->worker->deviceName();
    m_slots.push_back(std::move(slot));
  }
  for (SlotPointer& slot : before) {
    if (slot != nullptr) {
      slot->isLeaving = true;
      slot->plannedJob = 0;
      m_slots.push_back(std::move(slot));
    }
  }
  schedule();
  return {};
}

/// A worker that no slot needs any more ends on its own time.
void LocalBackend::retire(std::unique_ptr<pool::Worker> worker) {
  worker->disconnect(this);
  pool::Worker* raw = worker.get();
  m_retired.push_back(std::move(worker));
  const auto drop = [this, raw] { std::erase_if(m_retired, [raw](const auto& retired) { return retired.get() == raw; }); };
  raw->stop();
  if (isEnded(raw->state())) {
    QMetaObject::invokeMethod(this, drop, Qt::QueuedConnection);
    return;
  }
  connect(raw, &pool::Worker::stateChanged, this, drop, Qt::QueuedConnection);
}

/// A new worker object for the slot.
void LocalBackend::equip(const SlotPointer& slot, int threads) {
  using pool::Worker;
  if (slot->worker != nullptr) {
    retire(std::move(slot->worker));
  }
  const Result<QString> program = programFor(slot->device.kind);
  slot->worker = std::make_unique<Worker>(
      pool::WorkerSpec{slot->device, program ? *program : QString(), m_options.extraWorkerArguments, threads},
      m_tuning.deadlines);
  Worker* worker = slot->worker.get();
  const std::weak_ptr<Slot> weak = slot;
  const auto with = [weak](auto function) {
    return [weak, function](const auto&... arguments) {
      if (const SlotPointer alive = weak.lock()) {
        function(alive, arguments...);
      }
    };
  };
  connect(worker, &Worker::stateChanged, this, [this, with](WorkerState state, const QString& reason) {
    with([&](const SlotPointer& alive) { onStateChanged(alive, state, reason); })();
  });
  connect(worker, &Worker::loadProgressed, this, [this, with](quint64 done, quint64 total) {
    with([&](const SlotPointer& alive) {
      alive->status.loadedBytes = done;
      alive->status.totalBytes = total;
      publish(*alive);
    })();
  });
  connect(worker, &Worker::stepped, this, [this, with](const domain::StepProgress& progress) {
    with([&](const SlotPointer& alive) { onStepped(alive, progress); })();
  });
  connect(worker, &Worker::previewMade, this, [this, with](std::size_t requestInUnit, const domain::Image& preview) {
    with([&](const SlotPointer& alive) {
      if (alive->unit) {
        Q_EMIT previewMade(alive->unit->run->row.id, alive->unit->lease.requests[requestInUnit].index, alive->status.slotId,
                           preview);
      }
    })();
  });
  connect(worker, &Worker::unitFinished, this, [this, with](const pool::UnitResult& result) {
    with([&](const SlotPointer& alive) { onUnitFinished(alive, result); })();
  });
  connect(worker, &Worker::unitCancelled, this,
          [this, with] { with([&](const SlotPointer& alive) { onUnitCancelled(alive); })(); });
  connect(worker, &Worker::unitFailed, this,
          [this, with](const Error& error) { with([&](const SlotPointer& alive) { onUnitFailed(alive, error); })(); });
  connect(worker, &Worker::failed, this,
          [this, with](const Error& error) { with([&](const SlotPointer& alive) { onWorkerFailed(alive, error); })(); });
  connect(worker, &Worker::warned, this, [this, with](const domain::Warning& warning) {
    with([&](const SlotPointer& alive) {
      const quint64 run = alive->unit ? alive->unit->run->row.id : alive->plannedRun;
      Q_EMIT warned(run != 0 || m_runs.empty() ? run : m_runs.begin()->first, warning);
    })();
  });
}

/// The device has all its chances again.
void LocalBackend::renew(Slot& slot) {
  slot.isGivenUp = false;
  slot.restarts.reset();
  m_breaker.closeDevice(slot.device.id);
  const auto forget = [&slot](auto& book) {
    for (auto& [key, slots] : book) {
      slots.erase(slot.number);
    }
    std::erase_if(book, [](const auto& entry) { return entry.second.empty(); });
  };
  forget(m_avoidedByJob);
  forget(m_avoidedByModel);
  m_ladder.forget(slot.device.id);
}

void LocalBackend::publish(Slot& slot) { Q_EMIT slotChanged(slot.status); }

void LocalBackend::onStateChanged(const SlotPointer& slot, WorkerState state, const QString& reason) {
  if (slot->status.state == SlotState::LoadingModel && state == WorkerState::Idle && slot->sinceLoad.isValid()) {
    slot->loadSeconds = static_cast<double>(slot->sinceLoad.elapsed()) / 1000;
  }
  if (state == WorkerState::Idle) {
    slot->sinceIdle.start();
    watchIdle(slot);
  }
  if (state != WorkerState::Failed) {
    slot->stateBefore = state;
  }
  slot->status.state = stateOf(state);
  slot->status.reason = reason;
  slot->status.failure.reset();
  slot->status.willRestart = false;
  slot->status.deviceName = slot->worker->deviceName();
  if (state != WorkerState::Busy) {
    slot->status.index = -1;
    slot->status.progress = {};
  }
  if (state == WorkerState::Idle && slot->plannedJob == 0 && !slot->reserved && m_window.empty() && m_isWindowWhole) {
    slot->status.reason = QStringLiteral("no work is left for it");
  }
  publish(*slot);
  schedule();
}

void LocalBackend::onStepped(const SlotPointer& slot, const domain::StepProgress& progress) {
  if (!slot->unit) {
    return;
  }
  slot->status.progress = progress;
  if (progress.stage == domain::Stage::Denoising) {
    Q_EMIT stepFinished(slot->unit->run->row.id, slot->status);
  } else {
    publish(*slot);
  }
}

void LocalBackend::onUnitFinished(const SlotPointer& slot, const pool::UnitResult& result) {
  if (slot->unit->part + 1 < slot->unit->parts.size()) {
    Unit& whole = *slot->unit;
    pool::UnitResult& sum = whole.result;
    std::copy(result.pictures.begin(), result.pictures.end(), std::back_inserter(sum.pictures));
    sum.seconds += result.seconds;
    sum.warnings.insert(sum.warnings.end(), result.warnings.begin(), result.warnings.end());
    ++whole.part;
    whole.waitsForPart = true;
    schedule();
    return;
  }
  auto unit = std::make_shared<Unit>(std::move(*slot->unit));
  slot->unit.reset();
  slot->restarts.noteSuccess();
  m_breaker.noteSuccess(slot->device.id);
  m_ladder.noteMade(slot->device.id, unit->memoryKey(), pool::rungOf(unit->parts.front()));
  m_refusals.erase(unit->lease.jobId);
  m_avoidedByJob.erase(unit->lease.jobId);
  m_speeds.noteFinished(slot->number, unit->shapeKey(), unit->work(), static_cast<double>(slot->sinceUnit.elapsed()) / 1000);
  schedule();
  UnitRecord record;
  record.files = unit->run->files;
  record.jobId = unit->lease.jobId;
  record.lease = unit->lease.number;
  record.pictures = unit->metadata();
  record.isPresent = unit->isPresent;
  record.promptRows = unit->lease.promptRows;
  record.settingsRows = unit->lease.settingsRows;
  record.pngs = std::move(unit->result.pictures);
  std::copy(result.pictures.begin(), result.pictures.end(), std::back_inserter(record.pngs));
  const double seconds = unit->result.seconds + result.seconds;
  if (unit->isChangedNow) {
    record.change = unit->lease.change;
  }
  if (unit->lease.change && unit->lease.change->width > 0) {
    record.settingsRows.assign(record.settingsRows.size(), 0);
  }
  record.origin = {slot->status.slotId, slot->worker->deviceName(), seconds};
  auto rest = std::make_shared<pool::UnitResult>();
  rest->seconds = seconds;
  rest->warnings = std::move(unit->result.warnings);
  rest->warnings.insert(rest->warnings.end(), result.warnings.begin(), result.warnings.end());
  rest->trace = result.trace;
  const gallery::PictureOrigin origin = record.origin;
  m_recorder->saveUnit(std::move(record), [this, unit, rest, origin](const Result<Recorded>& recorded) {
    takeSaved(unit->run, *unit, *rest, origin, recorded);
  });
}

void LocalBackend::takeSaved(const RunPointer& run, const Unit& unit, const pool::UnitResult& result,
                             const gallery::PictureOrigin& origin, const Result<Recorded>& recorded) {
  schedule();
  if (!recorded) {
    if (recorded.error().code == ErrorCode::Corrupt) {
      if (m_options.limits.maxDeathsPerUnit > 0 && unit.lease.deaths + 1 >= m_options.limits.maxDeathsPerUnit) {
        park(unit, AttemptOutcome::WorkerLost, recorded.error(), origin);
      } else {
        endUnit(unit, AttemptOutcome::WorkerLost, JobState::Waiting, recorded.error(), origin);
      }
      return;
    }
    endUnit(unit, AttemptOutcome::Failed, JobState::Failed, recorded.error(), origin);
    return;
  }
  --run->unitsInWork;
  const bool wasOpen = run->row.state == queue::RunState::Open;
  const quint64 id = run->row.id;
  if (!recorded->isRefused && wasOpen) {
    run->row = recorded->run;
    run->row.id = id;
  }
  for (std::size_t i = 0; !recorded->isRefused && i < unit.lease.requests.size(); ++i) {
    const domain::GenerationRequest& request = unit.lease.requests[i];
    const QString path = run->files->path + QLatin1Char('/') + gallery::RunFolder::nameOf(unit.metadata()[i]);
    if (recorded->saved[i] == gallery::RunFolder::Saved::Different) {
      Q_EMIT warned(id, {domain::WarningCode::FileDiffers,
                         "The file '" + path.toStdString() + "' differs from what was made now; it was left as it is."});
    } else if (!unit.isPresent[i]) {
      for (const SlotPointer& slot : m_slots) {
        slot->status.picturesDone += slot->status.slotId == origin.device ? 1 : 0;
      }
      Q_EMIT pictureFinished({id, request.index, path, origin.device, origin.seconds, false});
    }
  }
  for (const domain::Warning& warning : result.warnings) {
    Q_EMIT warned(id, warning);
  }
  if (!result.trace.empty()) {
    Q_EMIT traceMade(id,
                     QByteArray(reinterpret_cast<const char*>(result.trace.data()), static_cast<qsizetype>(result.trace.size())));
  }
  tellRun(*run);
  tellQueue();
  finishIfOver(run);
}

void LocalBackend::onUnitCancelled(const SlotPointer& slot) {
  const Unit unit = std::move(*slot->unit);
  slot->unit.reset();
  schedule();
  if (unit.run->error) {
    endUnit(unit, AttemptOutcome::Cancelled, JobState::Failed, unit.run->error, {});
  } else if (unit.cancelUndo != 0 || unit.run->cancelUndo != 0) {
    endUnit(unit, AttemptOutcome::Cancelled, JobState::Cancelled, std::nullopt, {});
  } else {
    endUnit(unit, AttemptOutcome::GivenBack, JobState::Waiting, std::nullopt, {});
  }
}

void LocalBackend::onUnitFailed(const SlotPointer& slot, const Error& error) {
  follow(slot, std::exchange(slot->unit, std::nullopt), error, pool::FailureContext::Where::InWork, true, nullptr);
}

void LocalBackend::onWorkerFailed(const SlotPointer& slot, const Error& error) {
  using Where = pool::FailureContext::Where;
  std::optional<Unit> unit = std::exchange(slot->unit, std::nullopt);
  if (slot->reserved) {
    release(*std::exchange(slot->reserved, std::nullopt));
  }
  slot->status.failure = error.code;
  publish(*slot);
  const RunPointer planned = runOf(slot->plannedRun);
  if (!slot->isLeasing) {
    slot->plannedJob = 0;
  }
  m_lastDeath = error;
  const Where where = unit                                             ? Where::InWork
                      : slot->stateBefore == WorkerState::LoadingModel ? Where::LoadingModel
                      : slot->stateBefore == WorkerState::Idle         ? Where::Idle
                                                                       : Where::StartingWorker;
  follow(slot, std::move(unit), error, where, false, planned);
}

bool LocalBackend::hasOther(const Slot& slot) const {
  return std::any_of(m_slots.begin(), m_slots.end(), [&slot](const SlotPointer& other) {
    return other.get() != &slot && !other->isGivenUp && !other->isLeaving;
  });
}

std::vector<std::string> LocalBackend::devicesInUse() const {
  std::vector<std::string> devices;
  for (const SlotPointer& slot : m_slots) {
    if (!slot->isGivenUp && !slot->isLeaving) {
      devices.push_back(slot->device.id);
    }
  }
  return devices;
}

void LocalBackend::follow(const SlotPointer& slot, std::optional<Unit> unit, const Error& error,
                          pool::FailureContext::Where where, bool isWorkerAlive, const RunPointer& planned) {
  using pool::Consequence;
  schedule();
  const gallery::PictureOrigin origin{slot->status.slotId, slot->worker->deviceName(), 0};
  const bool isWanted = unit && !unit->run->error && unit->cancelUndo == 0 && unit->run->cancelUndo == 0;
  if (unit && !isWanted) {
    const bool isFailing = unit->run->error.has_value();
    endUnit(*unit, isWorkerAlive ? AttemptOutcome::Failed : AttemptOutcome::WorkerLost,
            isFailing ? JobState::Failed : JobState::Cancelled, isFailing ? unit->run->error : std::nullopt, {});
  }
  pool::FailureContext context;
  context.where = where;
  context.isWorkerAlive = isWorkerAlive;
  context.deaths = unit ? unit->lease.deaths : 0;
  context.hasOtherDevice = hasOther(*slot);
  context.isPlanChanged = unit && unit->lease.change;
  const std::vector<Consequence> consequences = pool::consequencesOf(error.code, context, m_options.limits);
  const auto has = [&consequences](Consequence one) {
    return std::find(consequences.begin(), consequences.end(), one) != consequences.end();
  };
  const AttemptOutcome lost = isWorkerAlive ? AttemptOutcome::Failed : AttemptOutcome::WorkerLost;
  const AttemptOutcome outcome = has(Consequence::CountDeath) ? AttemptOutcome::WorkerLost : lost;
  for (const Consequence consequence : consequences) {
    switch (consequence) {
      case Consequence::RetryElsewhere:
        if (isWanted) {
          m_avoidedByJob[unit->lease.jobId].insert(slot->number);
        }
        [[fallthrough]];
      case Consequence::RetryAnywhere:
        if (isWanted) {
          endUnit(*unit, has(Consequence::CountDeath) ? AttemptOutcome::WorkerLost : AttemptOutcome::Failed, JobState::Waiting,
                  error, origin);
        }
        break;
      case Consequence::AskLadder:
        if (isWanted) {
          askLadder(slot, *unit, error);
        }
        break;
      case Consequence::ParkUnit:
        if (isWanted) {
          park(*unit, outcome, error, origin);
        }
        break;
      case Consequence::FailUnit:
        if (isWanted) {
          endUnit(*unit, outcome, JobState::Failed, error, origin);
        }
        break;
      case Consequence::EndRun:
        if (isWanted) {
          failRun(unit->run, error);
          endUnit(*unit, outcome, JobState::Failed, error, origin);
        } else if (planned != nullptr) {
          failRun(planned, error);
        }
        break;
      case Consequence::KeepPictures:
      case Consequence::CountDeath:
        break;
      case Consequence::AvoidForModel:
        if (slot->loadKey) {
          m_avoidedByModel[*slot->loadKey].insert(slot->number);
        }
        break;
      case Consequence::CountAgainstDevice: {
        const pool::Breaker::Verdict verdict =
            m_breaker.noteFailure(slot->device.id, slot->worker->deviceName().toStdString(), error);
        if (verdict.opensDevice) {
          setAside(*slot, verdict.deviceSentence);
        }
        if (verdict.opensQueue && m_location.layout == Location::Layout::Dated) {
          setPause(PauseReason::Breaker, QString::fromStdString(verdict.queueSentence));
        }
        break;
      }
      case Consequence::RestartWorker:
        restartSoon(slot, error, unit ? std::optional<std::uint64_t>(unit->lease.jobId) : std::nullopt);
        break;
      case Consequence::RecycleWorker:
        slot->worker->stop();
        break;
      case Consequence::SetDeviceAside:
        setAside(*slot, error.message);
        break;
      case Consequence::PauseQueue:
        setPause(PauseReason::Breaker, QString::fromStdString(error.message));
        break;
    }
  }
}

void LocalBackend::park(const Unit& unit, AttemptOutcome outcome, const Error& error, const gallery::PictureOrigin& origin) {
  const pool::PoisonRule rule(m_options.limits);
  Error told = error;
  told.message = rule.sentenceFor(unit.lease.deaths + 1, error, pool::rungOf(unit.parts.front()));
  for (const SlotPointer& slot : m_slots) {
    slot->restarts.excuse(static_cast<std::uint64_t>(unit.lease.jobId));
  }
  m_avoidedByJob.erase(unit.lease.jobId);
  endUnit(unit, outcome, JobState::Parked, std::move(told), origin);
}

void LocalBackend::setAside(Slot& slot, const std::string& sentence) {
  slot.isGivenUp = true;
  slot.isWaitingToRestart = false;
  slot.restart.stop();
  slot.status.willRestart = false;
  slot.status.reason = QString::fromStdString(sentence);
  if (!isEnded(slot.worker->state())) {
    slot.worker->stop();
  }
  publish(slot);
}

void LocalBackend::restartSoon(const SlotPointer& slot, const Error& error, std::optional<std::uint64_t> unit) {
  const pool::RestartPolicy::Decision decision =
      slot->restarts.noteDeath(std::chrono::milliseconds(m_clock.elapsed()), error, unit);
  if (decision.isSetAside || slot->isGivenUp) {
    if (decision.isSetAside) {
      setAside(*slot, decision.sentence);
    }
    return;
  }
  slot->isWaitingToRestart = true;
  slot->status.willRestart = true;
  publish(*slot);
  slot->restart.start(decision.delay);
}

/// A unit that did not fit into a device's memory.
void LocalBackend::askLadder(const SlotPointer& slot, const Unit& unit, const Error& error) {
  const pool::Rung rung = pool::rungOf(unit.parts.front());
  const std::uint64_t shape = unit.memoryKey();
  const domain::Stage stage = slot->status.progress.stage;
  m_ladder.noteRefused(slot->device.id, shape, rung, stage);
  const int refusals = ++m_refusals[unit.lease.jobId];
  const auto decision = m_ladder.decide(shape, rung, refusals, devicesInUse(), 0);
  const gallery::PictureOrigin origin{slot->status.slotId, slot->worker->deviceName(), 0};
  using Kind = pool::OutOfMemoryLadder::Decision::Kind;
  if (decision.kind == Kind::Retry) {
    endUnit(unit, AttemptOutcome::Failed, JobState::Waiting, error, origin);
    return;
  }
  m_refusals.erase(unit.lease.jobId);
  if (decision.kind == Kind::StepDown) {
    Unit changed = unit;
    const queue::Change change = changeBy({*decision.step}, rung, unit.lease.change);
    domain::UnitOfWork whole = unit.parts.front();
    whole.requests = unit.lease.requests;
    if (!pool::splitToRung(whole, decision.step->to).empty()) {
      changed.lease.change = change;
      changed.isChangedNow = true;
      endUnit(changed, AttemptOutcome::Failed, JobState::Waiting, error, origin);
      return;
    }
  }
  Error told = error;
  told.message = decision.sentence.empty() ? error.message : decision.sentence;
  const auto verdict = m_breaker.noteFailure(slot->device.id, slot->worker->deviceName().toStdString(), error);
  if (verdict.opensDevice) {
    setAside(*slot, verdict.deviceSentence);
  }
  endUnit(unit, AttemptOutcome::Failed, JobState::Parked, std::move(told), origin);
}

/// A worker for which nothing waits leaves the device after a while, if the user wants it so.
void LocalBackend::watchIdle(const SlotPointer& slot) {
  if (slot->worker->state() != WorkerState::Idle || slot->unit || slot->plannedJob != 0 || slot->reserved) {
    return;
  }
  const pool::IdlePolicy policy(m_options.limits);
  const std::chrono::milliseconds idle(slot->sinceIdle.elapsed());
  // The protocol cannot unload a model: memory is released by the end of the process.
  if (policy.actionAfter(idle) != pool::IdleAction::Keep) {
    slot->worker->stop();
  } else if (const auto next = policy.untilNext(idle)) {
    slot->idle.start(*next);
  }
}

/// Whether the host has room for one more load; if not, the slot's card says so.
bool LocalBackend::mayLoad(Slot& slot, const Run& run) {
  std::vector<pool::LoadInProgress> loads;
  for (const SlotPointer& other : m_slots) {
    const WorkerState state = other->worker->state();
    if (other.get() != &slot &&
        (state == WorkerState::Starting || state == WorkerState::Handshaking || state == WorkerState::LoadingModel)) {
      const RunPointer loading = runOf(other->plannedRun);
      loads.push_back(
          {loading != nullptr ? std::optional<std::uint64_t>(loading->weightBytes) : std::nullopt, other->status.loadedBytes});
    }
  }
  const std::uint64_t freeBytes = freeHostBytes();
  if (freeBytes == 0) {
    return true;
  }
  const auto decision = pool::LoadAdmission(m_options.limits).decide(freeBytes, run.weightBytes, loads);
  if (!decision.mayStart && slot.status.reason != QString::fromStdString(decision.reason)) {
    slot.status.reason = QString::fromStdString(decision.reason);
    publish(slot);
  }
  return decision.mayStart;
}

void LocalBackend::endUnit(const Unit& unit, AttemptOutcome outcome, JobState next, std::optional<Error> error,
                           const gallery::PictureOrigin& origin) {
  EndRecord record;
  record.files = unit.run->files;
  record.end.jobId = unit.lease.jobId;
  record.end.lease = unit.lease.number;
  record.end.outcome = outcome;
  record.end.next = next;
  record.end.error = error;
  record.end.change = unit.isChangedNow ? unit.lease.change : std::nullopt;
  record.end.undo = next == JobState::Cancelled ? std::max(unit.cancelUndo, unit.run->cancelUndo) : 0;
  record.end.nowMs = nowMs();
  const bool isTold = next == JobState::Failed || next == JobState::Parked;
  if (isTold && !unit.run->error) {
    const auto pictures = unit.metadata();
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      if (!unit.isPresent[i]) {
        record.pictures.push_back(pictures[i]);
      }
    }
  }
  m_recorder->endUnit(std::move(record), [this, unit, next, error, slotId = origin.device](const Result<Recorded>& recorded) {
    takeEnded(unit.run, unit, next, error, slotId, recorded);
  });
}

void LocalBackend::takeEnded(const RunPointer& run, const Unit& unit, JobState next, const std::optional<Error>& error,
                             const QString& slotId, const Result<Recorded>& recorded) {
  schedule();
  --run->unitsInWork;
  if (recorded && !recorded->isRefused && run->row.state == queue::RunState::Open) {
    const quint64 id = run->row.id;
    run->row = recorded->run;
    run->row.id = id;
  }
  if (run->unitsInWork == 0 && run->cancelUndo > 0) {
    run->cancelUndo = 0;
  }
  const bool isTold = (next == JobState::Failed || next == JobState::Parked) && error && !run->error;
  for (std::size_t i = 0; isTold && i < unit.lease.requests.size(); ++i) {
    if (!unit.isPresent[i]) {
      Q_EMIT pictureFailed({run->row.id, unit.lease.requests[i].index, slotId, *error});
    }
  }
  if (next == JobState::Waiting) {
    reloadWindow();
  }
  tellRun(*run);
  tellQueue();
  finishIfOver(run);
}

void LocalBackend::leaseToFail(qint64 job, const Error& error) {
  auto taken = std::make_shared<Taken>();
  m_writer->post([taken, job](Database& database) { return takeLease(database, job, {}, true, *taken); },
                 [this, taken, error](const Result<void>& done) {
                   const RunPointer run = done && taken->lease ? runOf(taken->lease->runId) : nullptr;
                   if (run != nullptr) {
                     ++run->unitsInWork;
                     endUnit(unitOf(run, std::move(*taken)), AttemptOutcome::Failed, JobState::Failed, error, {});
                   }
                   schedule();
                 });
}

/// Work is left and nobody to do it.
void LocalBackend::checkForSurvivors() {
  const bool isAnyLeft = std::any_of(m_slots.begin(), m_slots.end(), [](const SlotPointer& slot) { return !slot->isGivenUp; });
  const bool isWorkLeft =
      std::any_of(m_runs.begin(), m_runs.end(), [](const auto& run) { return run.second->row.left() > 0 && !run.second->error; });
  if (isAnyLeft || !isWorkLeft || m_slots.empty()) {
    return;
  }
  const Error error = m_lastDeath.value_or(Error{ErrorCode::WorkerDied, "Every worker failed.", {}});
  const Error told{error.code, "No worker is left to go on: " + error.message, error.detail};
  if (m_location.layout == Location::Layout::Flat) {
    // Somebody waits for the end of this one run: it fails picture by picture.
    for (const auto& [id, run] : m_runs) {
      run->endError = told;
    }
    for (const queue::WaitingJob& job : std::exchange(m_window, {})) {
      leaseToFail(job.id, error);
    }
    refill();
    return;
  }
  setPause(PauseReason::Breaker,
           QString::fromStdString(told.message) + QStringLiteral(" The queue is paused; mend that, then let it go on."));
}

}  // namespace polyptych::backend
