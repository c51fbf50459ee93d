#include "core/backend/local_backend.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <algorithm>
#include <utility>

#include "core/backend/device_slots.h"
#include "core/backend/limits_text.h"
#include "core/backend/local_backend_parts.h"
#include "core/backend/recovery.h"
#include "core/base/fail_point.h"
#include "core/gallery/mark_changes.h"
#include "core/gallery/sidecar.h"
#include "core/gallery/upkeep/opening.h"

namespace polyptych::backend {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;
using library::Location;

constexpr std::chrono::milliseconds kBetweenMeasures{1000};

Error endedUncleanly() {
  return {ErrorCode::WorkerDied,
          "Polyptych or the machine ended in the middle of its work. Nothing is lost; the queue waits for your word to go on.",
          {}};
}

/// Of the index of one run's folder.
bool isDamaged(const Result<std::unique_ptr<Database>>& file, const QString& path) {
  if (library::hasDamageNote(path)) {
    return true;
  }
  if (!file) {
    return file.error().code == ErrorCode::Corrupt;
  }
  const Result<QVariant> clean = (*file)->meta(QStringLiteral("clean"));
  const Result<void> whole = !clean ? Result<void>(clean.error()) : clean->toInt() == 0 ? (*file)->check() : Result<void>();
  return !whole && whole.error().code == ErrorCode::Corrupt;
}

}  // namespace

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
      m_limits(m_options.limits),
      m_breaker(m_limits),
      m_ladder(m_limits) {
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
  bool isRebuilt = false;
  bool isQueueKnown = true;
  if (!isFlat) {
    gallery::RebuildOptions rebuilding;
    rebuilding.insertRun = queue::insertRun;
    rebuilding.mends = false;
    QString doing;
    if (m_options.onOpening) {
      rebuilding.doing = [&](const QString& what) { m_options.onOpening(doing = what, 0); };
      rebuilding.progress = [&](qint64 done, qint64) { m_options.onOpening(doing, done); };
    }
    const Result<gallery::Opening> opening = gallery::openOrRebuild(m_location, rebuilding);
    if (!opening) {
      return opening.error();
    }
    m_opening = opening->sentence;
    isRebuilt = opening->kind == gallery::Opening::Kind::Rebuilt;
    isQueueKnown = opening->isQueueKnown;
  }
  auto file = Database::open(m_location.databaseFile(), Database::Mode::ReadWrite);
  if (isFlat && isDamaged(file, m_location.databaseFile())) {
    // The folder itself tells what of its run is there, as soon as the run is asked for.
    file = Error{ErrorCode::Corrupt, {}, {}};  // closed
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
  const Result<QVariant> limits = database.meta(QStringLiteral("limits"));
  if (!limits) {
    return limits.error();
  }
  if (!m_options.areLimitsFixed && !limits->isNull()) {
    const Result<pool::SupervisionLimits> kept = limitsFromJson(limits->toByteArray(), m_limits);
    kept ? useLimits(*kept) : qWarning("The library's limits are not used: %s", kept.error().message.c_str());
  }
  if (!wasClean || !paused || !opened || !slots) {
    return !wasClean ? wasClean.error() : !paused ? paused.error() : !opened ? opened.error() : slots.error();
  }
  // A new index may stand beside the pictures of one that is gone.
  const bool mayNeedMending = wasClean->toInt() == 0;
  if (auto begun = database.run(QStringLiteral("BEGIN IMMEDIATE")); !begun) {
    return begun;
  }
  const Result<queue::Recovery> recovery = queue::recover(database, m_limits.maxDeathsPerUnit, nowMs());
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
  m_recorder = std::make_unique<Recorder>(*m_writer, m_tuning.diskPatience);
  connect(m_writer.get(), &library::Writer::troubled, this,
          [this](const Error& error) { setStorageTrouble(m_indexTrouble, error); });
  connect(m_recorder.get(), &Recorder::troubled, this, [this](const Error& error) { setStorageTrouble(m_filesTrouble, error); });
  connect(m_writer.get(), &library::Writer::recovered, this, [this] { setStorageTrouble(m_indexTrouble, std::nullopt); });
  connect(m_recorder.get(), &Recorder::recovered, this, [this] { setStorageTrouble(m_filesTrouble, std::nullopt); });
  connect(m_writer.get(), &library::Writer::damaged, this, [this](const Error& error) {
    if (!std::exchange(m_isDamaged, true)) {
      setStorageTrouble(m_indexTrouble, error);
      Q_EMIT damaged(error);
    }
  });

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
  } else if ((mayNeedMending || isRebuilt) && !m_runs.empty() && !m_options.resumesAfterUncleanEnd) {
    m_pause = PauseReason::UncleanEnd;
    m_pauseSentence = !isRebuilt     ? QString::fromStdString(endedUncleanly().message)
                      : isQueueKnown ? QStringLiteral(
                                           "The library's index was damaged and made again. Nothing is lost; the queue waits for "
                                           "your word to go on.")
                                     : QStringLiteral(
                                           "The library's index was made again from its files. What had been cancelled may wait "
                                           "again; look at the queue, then let it go on.");
  }
  m_isIdle = m_runs.empty() || isHeld();
  connect(&m_measuring, &QTimer::timeout, this, &LocalBackend::measureDevices);
  writeSidecars();
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
    const bool isAllWritten = m_recorder->finish();
    m_recorder.reset();
    if (isAllWritten && !m_isDamaged) {
      m_writer->post([](Database& database) { return database.setMeta(QStringLiteral("clean"), 1); }, {});
    }
    m_writer.reset();
    if (m_isDamaged) {
      library::noteDamage(m_location.databaseFile());
    }
    if (m_isEmpty && m_location.layout == Location::Layout::Flat) {
      for (const char* end : {"", "-wal", "-shm"}) {
        QFile::remove(m_location.databaseFile() + QLatin1String(end));
      }
    }
  }
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

void LocalBackend::setStorageTrouble(std::optional<Error>& trouble, std::optional<Error> error) {
  trouble = std::move(error);
  tellQueue();
  schedule();
}

void LocalBackend::tellQueue() {
  QueueStatus status;
  const std::optional<Error>& trouble = m_indexTrouble ? m_indexTrouble : m_filesTrouble;
  status.pause = trouble ? PauseReason::Storage : m_pause;
  status.sentence = trouble ? QString::fromStdString(trouble->message) : m_pauseSentence;
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
  Q_EMIT limitsChanged(m_limits);
}

void LocalBackend::useLimits(const pool::SupervisionLimits& limits) {
  m_limits = limits;
  m_breaker = pool::Breaker(limits);
  m_ladder = pool::OutOfMemoryLadder(limits);
  for (const SlotPointer& slot : m_slots) {
    slot->restarts = pool::RestartPolicy(limits);
    slot->idle.stop();
  }
}

void LocalBackend::setLimits(quint64 commandId, const pool::SupervisionLimits& limits) {
  if (const Result<void> valid = pool::validate(limits); !valid) {
    refuseCommand(commandId, valid.error());
    return;
  }
  ++m_changesInWork;
  m_writer->post([json = toJson(limits)](Database& database) { return database.setMeta(QStringLiteral("limits"), json); },
                 [this, commandId, limits](const Result<void>& done) {
                   --m_changesInWork;
                   if (done) {
                     useLimits(limits);
                     Q_EMIT limitsChanged(limits);
                     schedule();
                   }
                   updateIdle();
                   Q_EMIT commandDone({commandId, done ? std::optional<Error>() : done.error(), 1, 0});
                 });
}

void LocalBackend::refuseCommand(quint64 commandId, const Error& error) {
  QMetaObject::invokeMethod(
      this,
      [this, commandId, error] {
        Q_EMIT commandDone({commandId, error, 0, 0});
      },
      Qt::QueuedConnection);
}

void LocalBackend::mark(quint64 commandId, const MarkChange& change) {
  if ((change.stars && (*change.stars < 0 || *change.stars > gallery::kMaxStars)) ||
      (change.pick && (*change.pick < -1 || *change.pick > 1))) {
    refuseCommand(commandId,
                  {ErrorCode::InvalidArgument, "Stars are 0 to 5; a picture is picked (1), rejected (-1) or neither (0).", {}});
    return;
  }
  auto changed = std::make_shared<std::vector<qint64>>();
  auto undoId = std::make_shared<qint64>(0);
  ++m_changesInWork;
  m_writer->post(
      [change, changed, undoId](Database& database) -> Result<void> {
        const Result<qint64> made = gallery::changeMarks(database, change, nowMs(), *changed);
        *undoId = made ? *made : 0;
        return made ? Result<void>() : made.error();
      },
      [this, commandId, changed, undoId](const Result<void>& done) {
        --m_changesInWork;
        if (done) {
          tellMarked(*changed);
        }
        updateIdle();
        const bool isChanged = done && !changed->empty();
        Q_EMIT commandDone({commandId, done ? std::optional<Error>() : done.error(),
                            isChanged ? static_cast<qint64>(changed->size()) : 0, isChanged ? *undoId : 0});
      },
      library::Writer::Patience::None);
}

/// Of jobs or of marks: both have their numbers from one place.
void LocalBackend::undo(quint64 commandId, qint64 undoId) {
  auto marked = std::make_shared<std::vector<qint64>>();
  applyChanges(
      commandId,
      [undoId, marked](Database& database) -> Result<queue::Changed> {
        const Result<bool> isOfMarks = gallery::undoMarks(database, undoId, *marked);
        if (!isOfMarks) {
          return isOfMarks.error();
        }
        return *isOfMarks ? Result<queue::Changed>(queue::Changed{static_cast<qint64>(marked->size()), 0, {}})
                          : queue::undo(database, undoId);
      },
      [this, marked](const queue::Changed&) { tellMarked(*marked); });
}

void LocalBackend::tellMarked(const std::vector<qint64>& pictures) {
  if (!pictures.empty()) {
    Q_EMIT picturesMarked(pictures);
    writeSidecars();
  }
}

/// Some after some: a disk that is slow, or away, holds nothing else up, and what is left is written by the next backend.
void LocalBackend::writeSidecars() {
  if (std::exchange(m_isWritingSidecars, true) || m_isEnding) {
    return;
  }
  constexpr int kAtOnce = 64;
  auto stale = std::make_shared<std::vector<gallery::StaleSidecar>>();
  m_writer->post(
      [stale](Database& database) -> Result<void> {
        Result<std::vector<gallery::StaleSidecar>> read = gallery::staleSidecars(database, kAtOnce);
        if (!read) {
          return read.error();
        }
        *stale = *std::move(read);
        return {};
      },
      [this, stale](const Result<void>& done) {
        if (!done || stale->empty() || m_isEnding) {
          m_isWritingSidecars = false;
          return;
        }
        onDisk(
            [stale, folder = m_location.picturesFolder()] {
              std::vector<gallery::StaleSidecar> written;
              for (const gallery::StaleSidecar& sidecar : *stale) {
                if (const Result<void> saved = gallery::writeSidecar(folder + u'/' + sidecar.path, sidecar.marks); saved) {
                  written.push_back(sidecar);
                } else {
                  qWarning("The marks of '%s' are not beside it yet: %s", qUtf8Printable(sidecar.path),
                           saved.error().message.c_str());
                }
              }
              return written;
            },
            [this](const std::vector<gallery::StaleSidecar>& written) {
              m_isWritingSidecars = false;
              if (written.empty() || m_isEnding) {
                return;  // the next mark, or the next backend, tries again
              }
              m_writer->post(
                  [written](Database& database) -> Result<void> {
                    for (const gallery::StaleSidecar& sidecar : written) {
                      if (auto noted = gallery::noteWritten(database, sidecar); !noted) {
                        return noted;
                      }
                    }
                    return {};
                  },
                  [this](const Result<void>& noted) {
                    if (noted) {
                      writeSidecars();
                    }
                  });
            });
      });
}

void LocalBackend::watchDevices(bool isWanted) {
  if (!isWanted) {
    m_measuring.stop();
  } else if (!m_measuring.isActive()) {
    m_measuring.start(kBetweenMeasures);
    measureDevices();
  }
}

void LocalBackend::measureDevices() {
  if (std::exchange(m_isMeasuring, true)) {
    return;  // the driver takes its time
  }
  devices::OwnProcesses own;
  for (const SlotPointer& slot : m_slots) {
    if (const qint64 pid = slot->worker->processId(); pid != 0) {
      slot->device.kind == domain::DeviceKind::Cpu ? own.onCpu.push_back(pid) : own.onGpu[slot->device.uuid].push_back(pid);
    }
  }
  m_lookUp.start([this, own] {
    if (m_meter == nullptr) {
      m_meter = std::make_unique<devices::DeviceMeter>(m_tuning.sources);
    }
    auto readings = m_meter->measure(own);
    QMetaObject::invokeMethod(
        this,
        [this, readings = std::move(readings)] {
          m_isMeasuring = false;
          if (m_measuring.isActive()) {
            Q_EMIT devicesMeasured(readings);
          }
        },
        Qt::QueuedConnection);
  });
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
      applyChanges(id, [selection](Database& database) { return queue::moveToFront(database, selection, nowMs()); });
      break;
    case Kind::MoveBefore:
      applyChanges(id, [selection, before = command.before](Database& database) {
        return queue::moveBefore(database, selection, before, nowMs());
      });
      break;
    case Kind::Undo:
      undo(id, command.undoId);
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
    case Kind::Dismiss:
      applyChanges(id, [selection](Database& database) { return queue::dismiss(database, selection, nowMs()); });
      break;
    case Kind::Mark:
      mark(id, command.marks);
      break;
    case Kind::SetLimits:
      setLimits(id, command.limits.value_or(pool::SupervisionLimits{}));
      break;
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

}  // namespace polyptych::backend
