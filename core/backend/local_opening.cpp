#include <QDir>
#include <QFileInfo>
#include <utility>

#include "core/backend/device_slots.h"
#include "core/backend/limits_text.h"
#include "core/backend/local_backend.h"
#include "core/backend/local_backend_parts.h"
#include "core/backend/recovery.h"
#include "core/base/fail_point.h"
#include "core/gallery/upkeep/opening.h"

// How a backend begins: the library's index is opened, what the backend before it left is put in order, and work goes on or
// waits.

namespace polyptych::backend {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;
using library::Location;

Result<void> makeFolders(const Location& location) {
  if (QFileInfo(location.root).exists() && !QFileInfo(location.root).isDir()) {
    return Error{
        ErrorCode::AlreadyExists, "'" + location.root.toStdString() + "' is a file; give a folder for the pictures.", {}};
  }
  if (!QDir().mkpath(location.homeFolder())) {
    return Error{ErrorCode::Io,
                 "The library's folder '" + location.homeFolder().toStdString() + "' cannot be made; choose another one.",
                 {}};
  }
  return {};
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

/// The index of one run's folder. The folder itself tells what of its run is there, as soon as the run is asked for; so a damaged
/// index is set aside.
Result<std::unique_ptr<Database>> openFlat(const QString& path) {
  auto file = Database::open(path, Database::Mode::ReadWrite);
  if (!isDamaged(file, path)) {
    return file;
  }
  file = Error{ErrorCode::Corrupt, {}, {}};  // closed
  if (const Result<QString> moved = library::setAside(path); !moved) {
    return moved.error();
  }
  return Database::open(path, Database::Mode::ReadWrite);
}

/// Units that an earlier backend had in work wait again, runs without rows get them, and those that are over are closed: in one
/// transaction. @return the runs that are open still
Result<std::vector<queue::RunRow>> recoverQueue(Database& database, const Location& location, int maxDeaths,
                                                bool mayNeedMending) {
  if (auto begun = database.run(QStringLiteral("BEGIN IMMEDIATE")); !begun) {
    return begun.error();
  }
  if (const Result<queue::Recovery> recovery = queue::recover(database, maxDeaths, nowMs()); !recovery) {
    return recovery.error();
  }
  if (mayNeedMending) {
    if (auto adopted = adoptRuns(database, location); !adopted) {
      return adopted.error();
    }
  }
  Result<std::vector<queue::RunRow>> runs = queue::openRuns(database);
  if (!runs) {
    return runs.error();
  }
  for (const queue::RunRow& run : *runs) {
    if (const Result<bool> closed = queue::closeRunIfDone(database, run.id); !closed) {
      return closed.error();
    }
  }
  runs = queue::openRuns(database);
  if (!runs) {
    return runs.error();
  }
  base::failPoint("recovery-commit");
  if (auto committed = database.run(QStringLiteral("COMMIT")); !committed) {
    return committed.error();
  }
  return runs;
}

Result<void> mendFolders(Database& database, const Location& location, qint64 sinceMs) {
  const Result<std::vector<queue::RunRow>> touched = runsToMend(database, sinceMs);
  if (!touched) {
    return touched.error();
  }
  for (const queue::RunRow& run : *touched) {
    if (auto mended = mendFolder(database, location, run); !mended) {
      qWarning("The folder of run %lld is not mended: %s", static_cast<long long>(run.number), mended.error().message.c_str());
    }
  }
  return {};
}

}  // namespace

struct LocalBackend::Index {
  std::unique_ptr<Database> file;
  bool isRebuilt = false;
  bool isQueueKnown = true;  ///< what was cancelled, failed or parked before it was made again
  bool mayNeedMending =
      false;  ///< the backend before ended suddenly, or a new index stands beside the pictures of one that is gone
  bool wasPaused = false;
};

Result<LocalBackend::Index> LocalBackend::openIndex() {
  Index index;
  if (!isFlat()) {
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
    index.isRebuilt = opening->kind == gallery::Opening::Kind::Rebuilt;
    index.isQueueKnown = opening->isQueueKnown;
  }
  const QString path = m_location.databaseFile();
  auto file = isFlat() ? openFlat(path) : Database::open(path, Database::Mode::ReadWrite);
  if (!file) {
    return file.error();
  }
  index.file = *std::move(file);
  return index;
}

Result<void> LocalBackend::useKeptLimits(Database& database) {
  const Result<QVariant> limits = database.meta(QStringLiteral("limits"));
  if (!limits) {
    return limits.error();
  }
  if (!m_options.areLimitsFixed && !limits->isNull()) {
    const Result<pool::SupervisionLimits> kept = limitsFromJson(limits->toByteArray(), m_limits);
    kept ? useLimits(*kept) : qWarning("The library's limits are not used: %s", kept.error().message.c_str());
  }
  return {};
}

Result<void> LocalBackend::start() {
  if (auto made = makeFolders(m_location); !made) {
    return made;
  }
  Result<Index> index = openIndex();
  if (!index) {
    return index.error();
  }
  Database& database = *index->file;
  const Result<QVariant> wasClean = database.meta(QStringLiteral("clean"));
  const Result<QVariant> paused = database.meta(QStringLiteral("paused"));
  const Result<QVariant> opened = database.meta(QStringLiteral("opened"));
  const Result<std::vector<domain::DeviceSlot>> slots = readSlots(database);
  if (auto used = useKeptLimits(database); !used) {
    return used;
  }
  if (!wasClean || !paused || !opened || !slots) {
    return !wasClean ? wasClean.error() : !paused ? paused.error() : !opened ? opened.error() : slots.error();
  }
  index->mayNeedMending = wasClean->toInt() == 0;
  index->wasPaused = paused->toInt() != 0;
  Result<std::vector<queue::RunRow>> runs = recoverQueue(database, m_location, m_limits.maxDeathsPerUnit, index->mayNeedMending);
  if (!runs) {
    return runs.error();
  }
  const Result<qint64> number = queue::nextRunNumber(database);
  if (!number) {
    return number.error();
  }
  if (index->mayNeedMending) {
    if (auto mended = mendFolders(database, m_location, opened->toLongLong()); !mended) {
      return mended;
    }
  }
  for (const auto& set : {database.setMeta(QStringLiteral("opened"), nowMs()), database.setMeta(QStringLiteral("clean"), 0)}) {
    if (!set) {
      return set;
    }
  }
  m_nextRunNumber = *number;
  m_isEmpty = m_nextRunNumber == 1 && runs->empty();
  index->file.reset();

  startWriting();
  if (isFlat()) {
    runs->clear();  // goes on when it is asked for again, and the folder was compared
  }
  for (queue::RunRow& row : *runs) {
    addRun(std::move(row));
  }
  pauseAtFirst(*index);
  m_isIdle = m_runs.empty() || isHeld();
  connect(&m_measuring, &QTimer::timeout, this, &LocalBackend::measureDevices);
  writeSidecars();
  if (const Result<void> set = setSlots(*slots); !set) {
    qWarning("The devices that were chosen last are not used: %s", set.error().message.c_str());
  }
  schedule();
  return {};
}

void LocalBackend::startWriting() {
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
}

/// After a pause that a user wanted, and after an end that nobody wanted, work begins when somebody says so.
void LocalBackend::pauseAtFirst(const Index& index) {
  if (index.wasPaused) {
    m_pause = PauseReason::User;
    m_pauseSentence = QStringLiteral("The queue is paused.");
    return;
  }
  if ((!index.mayNeedMending && !index.isRebuilt) || m_runs.empty() || m_options.resumesAfterUncleanEnd) {
    return;
  }
  m_pause = PauseReason::UncleanEnd;
  if (!index.isRebuilt) {
    m_pauseSentence = QStringLiteral(
        "Polyptych or the machine ended in the middle of its work. Nothing is lost; the queue waits for your word to go on.");
  } else if (index.isQueueKnown) {
    m_pauseSentence = QStringLiteral(
        "The library's index was damaged and made again. Nothing is lost; the queue waits for your word to go on.");
  } else {
    m_pauseSentence = QStringLiteral(
        "The library's index was made again from its files. What had been cancelled may wait again; look at the queue, then let "
        "it "
        "go on.");
  }
}

}  // namespace polyptych::backend
