#include "core/backend/recorder.h"

#include <QCoreApplication>
#include <QEvent>
#include <QFileInfo>
#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "core/base/fail_point.h"
#include "core/gallery/picture_rows.h"

namespace polyptych::backend {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using gallery::RunFolder;
using library::Database;

/// Units whose files share one sync of their folder.
constexpr std::size_t kUnitsAtOnce = 64;
constexpr std::chrono::milliseconds kRetry{1000};

qint64 bytesOf(const UnitRecord& record) {
  std::size_t bytes = 0;
  for (const auto& png : record.pngs) {
    bytes += png.size();
  }
  return static_cast<qint64>(bytes);
}

Result<void> openFolder(RunFiles& files) {
  if (files.folder != nullptr) {
    return {};
  }
  // A run's folder that somebody removed is made again; where the one above is gone too, the pictures are on a drive that is off.
  if (const QFileInfo above(QFileInfo(files.path).path()); !above.isDir()) {
    return Error{ErrorCode::Io,
                 "The folder '" + above.filePath().toStdString() +
                     "' is not there. Connect its drive, or put the folder back where it was.",
                 {}};
  }
  auto opened = RunFolder::open(files.path, files.fingerprint);
  if (!opened) {
    return opened.error();
  }
  files.folder = std::move(*opened);
  return {};
}

}  // namespace

Recorder::Recorder(library::Writer& writer, std::chrono::milliseconds patience, QObject* parent)
    : QObject(parent), m_writer(writer) {
  m_thread.setMaxThreadCount(1);
  m_thread.setExpiryTimeout(-1);
  m_retry.setSingleShot(true);
  m_retry.setInterval(kRetry);
  connect(&m_retry, &QTimer::timeout, this, &Recorder::startFileThread);
  m_silence.setSingleShot(true);
  m_silence.setInterval(patience);
  connect(&m_silence, &QTimer::timeout, this, &Recorder::onSilence);
}

Recorder::~Recorder() { m_thread.waitForDone(); }

bool Recorder::finish() {
  m_thread.waitForDone();
  // What the file thread has said meanwhile leads to rows, and rows to the manifest.
  for (int round = 0; round < 2; ++round) {
    QCoreApplication::sendPostedEvents(this, QEvent::MetaCall);
    m_writer.flush();
    m_thread.waitForDone();
  }
  QCoreApplication::sendPostedEvents(this, QEvent::MetaCall);
  const std::lock_guard lock(m_mutex);
  return m_units.empty() && m_rows.empty() && m_pendingUnits == 0;
}

void Recorder::saveUnit(UnitRecord record, Done done) {
  auto unit = std::make_shared<Unit>();
  m_pendingBytes += bytesOf(record);
  ++m_pendingUnits;
  if (!m_silence.isActive()) {
    m_silence.start();
  }
  unit->record = std::move(record);
  unit->done = std::make_shared<Done>(std::move(done));
  unit->time = QDateTime::currentDateTimeUtc();
  {
    const std::lock_guard lock(m_mutex);
    m_units.push_back(std::move(unit));
  }
  startFileThread();
}

void Recorder::startFileThread() {
  {
    const std::lock_guard lock(m_mutex);
    if (m_isDraining || (m_units.empty() && m_rows.empty())) {
      return;
    }
    m_isDraining = true;
  }
  m_thread.start([this] { drain(); });
}

/// On the file thread: everything that waits, in turns of manifest rows and units.
void Recorder::drain() {
  for (;;) {
    std::deque<Rows> rows;
    std::vector<std::shared_ptr<Unit>> units;
    {
      const std::lock_guard lock(m_mutex);
      rows.swap(m_rows);
      while (!m_units.empty() && units.size() < kUnitsAtOnce) {
        units.push_back(std::move(m_units.front()));
        m_units.pop_front();
      }
      if (rows.empty() && units.empty()) {
        m_isDraining = false;
        return;
      }
    }
    // Rows of pictures that are safe do not keep others from the disk.
    const Result<void> appended = drainRows(std::move(rows));
    Result<void> written = library::checkPlace(m_writer.file());
    std::set<RunFolder*> folders;
    for (const auto& unit : units) {
      if (written) {
        written = writeUnit(*unit);
        if (written && !unit->refusal) {
          folders.insert(unit->record.files->folder.get());
        }
      }
    }
    for (RunFolder* folder : folders) {
      if (written) {
        written = folder->sync();
      }
    }
    if (!written) {
      putBack(std::move(units), written.error());
      return;
    }
    if (!units.empty()) {
      QMetaObject::invokeMethod(
          this, [this, units, isWhole = appended.isOk()] { onFilesWritten(units, isWhole); }, Qt::QueuedConnection);
    }
    if (!appended) {
      putBack({}, appended.error());
      return;
    }
  }
}

void Recorder::putBack(std::vector<std::shared_ptr<Unit>> units, const Error& error) {
  for (const auto& unit : units) {
    unit->record.files->folder.reset();
  }
  {
    const std::lock_guard lock(m_mutex);
    m_units.insert(m_units.begin(), units.begin(), units.end());
    m_isDraining = false;
  }
  QMetaObject::invokeMethod(
      this,
      [this, error] {
        noteAnswer();
        setTroubled(&error);
        m_retry.start();
      },
      Qt::QueuedConnection);
}

Result<void> Recorder::writeUnit(Unit& unit) {
  UnitRecord& record = unit.record;
  unit.saved.clear();
  unit.refusal.reset();
  if (auto opened = openFolder(*record.files); !opened) {
    return opened;
  }
  for (std::size_t i = 0; i < record.pngs.size(); ++i) {
    const auto ifOther = record.isPresent[i] ? RunFolder::IfOther::Keep : RunFolder::IfOther::Replace;
    const Result<RunFolder::Saved> saved = record.files->folder->save(record.pictures[i], record.pngs[i], ifOther);
    if (!saved && (saved.error().code == ErrorCode::Corrupt || saved.error().code == ErrorCode::AlreadyExists)) {
      unit.refusal = saved.error();
      return {};
    }
    if (!saved) {
      return saved.error();
    }
    unit.saved.push_back(*saved);
  }
  return {};
}

void Recorder::onFilesWritten(const std::vector<std::shared_ptr<Unit>>& units, bool isWhole) {
  base::failPoint("picture-row");
  noteAnswer();
  if (isWhole) {
    setTroubled(nullptr);
  }
  for (const std::shared_ptr<Unit>& unit : units) {
    if (unit->refusal) {
      --m_pendingUnits;
      m_pendingBytes -= bytesOf(unit->record);
      (*unit->done)(*unit->refusal);
    } else {
      writeRow(unit);
    }
  }
}

void Recorder::writeRow(const std::shared_ptr<Unit>& unit) {
  auto recorded = std::make_shared<Recorded>();
  // Read here: what is posted after the run got another number finds its rows under that.
  const auto work = [unit, recorded, runId = unit->record.files->runId](Database& database) -> Result<void> {
    const UnitRecord& record = unit->record;
    *recorded = Recorded();
    recorded->saved = unit->saved;
    queue::AttemptEnd end;
    end.jobId = record.jobId;
    end.lease = record.lease;
    end.change = record.change;
    end.nowMs = unit->time.toMSecsSinceEpoch();
    const Result<bool> ended = queue::endAttempt(database, end);
    if (!ended) {
      return ended.error();
    }
    recorded->isRefused = !*ended;
    qint64 made = 0;
    for (std::size_t i = 0; *ended && i < record.pictures.size(); ++i) {
      if (record.isPresent[i]) {
        continue;
      }
      gallery::NewPicture picture;
      picture.runId = runId;
      picture.metadata = record.pictures[i];
      picture.file = RunFolder::nameOf(record.pictures[i]);
      picture.bytes = static_cast<qint64>(record.pngs[i].size());
      picture.origin = record.origin;
      picture.madeMs = unit->time.toMSecsSinceEpoch();
      picture.promptRow = record.promptRows[i];
      picture.settingsRow = record.settingsRows[i];
      if (const Result<qint64> added = gallery::addPicture(database, picture); !added) {
        return added.error();
      }
      ++made;
    }
    if (auto counted = queue::countMade(database, runId, made); !counted) {
      return counted;
    }
    const Result<bool> closed = queue::closeRunIfDone(database, runId);
    if (!closed) {
      return closed.error();
    }
    recorded->isRunOver = *closed;
    Result<std::optional<queue::RunRow>> run = queue::readRun(database, runId);
    if (!run) {
      return run.error();
    }
    if (*run) {
      recorded->run = std::move(**run);
    }
    return {};
  };
  m_writer.post(work, [this, unit, recorded](const Result<void>& written) {
    const UnitRecord& record = unit->record;
    --m_pendingUnits;
    m_pendingBytes -= bytesOf(record);
    noteAnswer();
    if (!written) {
      (*unit->done)(written.error());
      return;
    }
    QByteArray rows;
    for (std::size_t i = 0; !recorded->isRefused && i < record.pictures.size(); ++i) {
      if (!record.isPresent[i]) {
        rows += gallery::toLine({record.pictures[i], record.origin, RunFolder::nameOf(record.pictures[i]),
                                 record.files->fingerprint, unit->time, std::nullopt});
      }
    }
    appendRows(record.files, rows, [unit, recorded] { (*unit->done)(std::move(*recorded)); });
  });
}

void Recorder::endUnit(EndRecord record, Done done) {
  auto recorded = std::make_shared<Recorded>();
  auto shared = std::make_shared<EndRecord>(std::move(record));
  auto callback = std::make_shared<Done>(std::move(done));
  ++m_pendingUnits;
  if (!m_silence.isActive()) {
    m_silence.start();
  }
  const auto work = [shared, recorded, runId = shared->files->runId](Database& database) -> Result<void> {
    *recorded = Recorded();
    const Result<bool> ended = queue::endAttempt(database, shared->end);
    if (!ended) {
      return ended.error();
    }
    recorded->isRefused = !*ended;
    const Result<bool> closed = queue::closeRunIfDone(database, runId);
    if (!closed) {
      return closed.error();
    }
    recorded->isRunOver = *closed;
    Result<std::optional<queue::RunRow>> run = queue::readRun(database, runId);
    if (!run) {
      return run.error();
    }
    if (*run) {
      recorded->run = std::move(**run);
    }
    return {};
  };
  m_writer.post(work, [this, shared, recorded, callback](const Result<void>& written) {
    --m_pendingUnits;
    noteAnswer();
    if (!written) {
      (*callback)(written.error());
      return;
    }
    QByteArray rows;
    const bool isForGood = shared->end.next == queue::JobState::Failed || shared->end.next == queue::JobState::Parked;
    if (isForGood && shared->end.error && !recorded->isRefused) {
      for (const domain::PictureMetadata& picture : shared->pictures) {
        rows += gallery::toLine({picture, shared->origin, RunFolder::nameOf(picture), shared->files->fingerprint,
                                 QDateTime::currentDateTimeUtc(), shared->end.error});
      }
    }
    appendRows(shared->files, rows, [recorded, callback] { (*callback)(std::move(*recorded)); });
  });
}

void Recorder::appendRows(std::shared_ptr<RunFiles> files, QByteArray text, std::function<void()> done) {
  if (text.isEmpty()) {
    done();
    return;
  }
  {
    const std::lock_guard lock(m_mutex);
    m_rows.push_back({std::move(files), std::move(text), std::move(done)});
  }
  startFileThread();
}

/// On the file thread. Rows of the manifest follow rows of the index: who is told of a picture finds it in both.
Result<void> Recorder::drainRows(std::deque<Rows> rows) {
  if (rows.empty()) {
    return {};
  }
  base::failPoint("manifest-row");
  const Result<void> place = library::checkPlace(m_writer.file());
  Result<void> written;
  std::map<RunFiles*, QByteArray> textOf;
  for (const Rows& one : rows) {
    textOf[one.files.get()] += one.text;
  }
  std::set<RunFiles*> refused;
  for (const auto& [files, text] : textOf) {
    Result<void> appended = place;
    if (appended) {
      appended = openFolder(*files);
    }
    if (appended) {
      appended = files->folder->append(text);
    }
    if (!appended) {
      files->folder.reset();
      refused.insert(files);
      written = appended;
    }
  }
  std::deque<Rows> left;
  auto shared = std::make_shared<std::deque<Rows>>();
  for (Rows& one : rows) {
    (refused.contains(one.files.get()) ? left : *shared).push_back(std::move(one));
  }
  {
    const std::lock_guard lock(m_mutex);
    m_rows.insert(m_rows.begin(), std::make_move_iterator(left.begin()), std::make_move_iterator(left.end()));
  }
  QMetaObject::invokeMethod(
      this,
      [shared] {
        base::failPoint("tell-picture");
        for (Rows& one : *shared) {
          one.done();
        }
      },
      Qt::QueuedConnection);
  return written;
}

void Recorder::closeFiles(std::shared_ptr<RunFiles> files, std::function<void()> done) {
  m_thread.start([this, files = std::move(files), done = std::move(done)] {
    files->folder.reset();
    QMetaObject::invokeMethod(this, done, Qt::QueuedConnection);
  });
}

void Recorder::noteAnswer() {
  if (std::exchange(m_isSilent, false)) {
    setTroubled(nullptr);
  }
  if (m_pendingUnits > 0) {
    m_silence.start();
  } else {
    m_silence.stop();
  }
}

/// A network drive that is away may keep whoever writes to it waiting, without an error.
void Recorder::onSilence() {
  if (m_isTroubled) {
    return;
  }
  const Error error{ErrorCode::Timeout,
                    "The disk of the library '" + QFileInfo(m_writer.file()).path().toStdString() +
                        "' does not answer. What is finished is kept until it does; see whether its drive or network is there.",
                    {}};
  m_isSilent = true;
  setTroubled(&error);
}

void Recorder::setTroubled(const Error* error) {
  const bool isNow = error != nullptr;
  if (m_isTroubled == isNow) {
    return;
  }
  m_isTroubled = isNow;
  if (isNow) {
    Q_EMIT troubled(*error);
  } else {
    Q_EMIT recovered();
  }
}

}  // namespace polyptych::backend
