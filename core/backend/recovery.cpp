#include "core/backend/recovery.h"

#include <QDate>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSet>
#include <algorithm>
#include <map>
#include <utility>

#include "core/backend/run.h"
#include "core/gallery/output_folder.h"
#include "core/gallery/picture_reader.h"
#include "core/gallery/run_folder.h"
#include "core/library/run_file.h"

namespace polyptych::backend {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using gallery::FolderHandle;
using library::Database;
using library::Location;

constexpr qint64 kMaxManifestBytes = qint64(4) << 30;

struct FoundRun {
  QString path;
  library::RunRecord record;
};

/// Folders "<date>/<number>-<words>" with a number that no row has yet, relative to the folder of pictures.
QStringList unknownFolders(const Location& location, qint64 nextNumber) {
  QStringList found;
  const QDir pictures(location.picturesFolder());
  for (const QString& date : pictures.entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
    if (!QDate::fromString(date, Qt::ISODate).isValid()) {
      continue;
    }
    for (const QString& name : QDir(pictures.filePath(date)).entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
      bool isNumber = false;
      const qint64 number = name.section(QLatin1Char('-'), 0, 0).toLongLong(&isNumber);
      if (isNumber && number >= nextNumber) {
        found << date + QLatin1Char('/') + name;
      }
    }
  }
  return found;
}

/// A folder in which nothing was written but what a submit begins with.
void removeBegun(const QString& path) {
  auto folder = FolderHandle::open(path);
  if (!folder || !folder->removeTemporaries()) {
    return;
  }
  const Result<QStringList> names = folder->names();
  const QStringList latentsAlone{QLatin1String(library::kLatentsFileName)};
  if (!names || !(names->isEmpty() || (*names == latentsAlone && folder->remove(latentsAlone.front())))) {
    return;
  }
  QDir().rmdir(path);
}

Result<void> adopt(Database& database, const Location& location, FoundRun found) {
  PreparedRun prepared;
  prepared.record = std::move(found.record);
  const library::RunRecord& record = prepared.record;
  QByteArray latents;
  if (record.hasLatents) {
    QFile file(found.path + QLatin1Char('/') + QLatin1String(library::kLatentsFileName));
    if (!file.open(QIODevice::ReadOnly)) {
      qWarning("The run in '%s' is not taken up: its latents are gone.", qUtf8Printable(found.path));
      return {};
    }
    latents = file.readAll();
  }
  prepared.files = std::make_shared<RunFiles>();
  prepared.files->path = found.path;
  prepared.files->fingerprint = record.fingerprint;
  auto folder = gallery::OutputFolder::open(found.path, {metadataOf(record), latents, record.fingerprint});
  if (!folder) {
    // Pictures of another version of the program, say: nothing is made in their place without being asked for.
    qWarning("The run in '%s' is not taken up: %s", qUtf8Printable(found.path), folder.error().message.c_str());
    return {};
  }
  for (std::size_t i = 0; i < (*folder)->size(); ++i) {
    prepared.finished.push_back((*folder)->isFinished(i));
    if (prepared.finished.back()) {
      prepared.origins[i] = (*folder)->originOf(i);
    }
  }
  folder->reset();
  return insertPrepared(database, prepared, location);
}

struct PictureLine {
  qint64 picture = 0;
  bool isThere = false;
};

/// The manifest as the rows want it. @param lines  by index; gets the pictures that have a line
QByteArray linesThatFit(const QByteArray& text, std::map<qint64, PictureLine>& lines) {
  QByteArray kept;
  for (qsizetype at = 0; at < text.size();) {
    const qsizetype end = text.indexOf('\n', at);
    if (end < 0) {
      break;  // torn
    }
    const QByteArray line = text.mid(at, end + 1 - at);
    at = end + 1;
    if (const auto row = gallery::rowFromLine(line); row && !row->error) {
      const auto picture = lines.find(row->metadata.request.index);
      if (picture == lines.end() || std::exchange(picture->second.isThere, true)) {
        continue;
      }
    }
    kept += line;
  }
  return kept;
}

}  // namespace

Result<void> adoptRuns(Database& database, const Location& location) {
  if (location.layout != Location::Layout::Dated) {
    return {};  // its one run is asked for again, and compares the folder
  }
  Result<qint64> next = queue::nextRunNumber(database);
  if (!next) {
    return next.error();
  }
  std::vector<FoundRun> found;
  for (const QString& folder : unknownFolders(location, *next)) {
    FoundRun run{location.picturesFolder() + QLatin1Char('/') + folder, {}};
    QFile file(run.path + QLatin1Char('/') + QLatin1String(library::kRunFileName));
    if (!file.exists()) {
      removeBegun(run.path);
      continue;
    }
    auto read = file.open(QIODevice::ReadOnly) && file.size() <= library::kMaxRunFileBytes
                    ? library::fromRunFile(file.readAll())
                    : Error{ErrorCode::Io, "It cannot be read.", file.errorString().toStdString()};
    if (!read) {
      qWarning("The run in '%s' is not taken up: %s", qUtf8Printable(run.path), read.error().message.c_str());
      continue;
    }
    run.record = std::move(*read);
    run.record.folder = folder;
    found.push_back(std::move(run));
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.record.number < b.record.number; });
  for (FoundRun& run : found) {
    const Result<std::optional<queue::RunRow>> known = queue::readRun(database, run.record.id);
    if (!known) {
      return known.error();
    }
    if (*known) {
      continue;
    }
    run.record.number = std::max(run.record.number, *next);
    next = run.record.number + 1;
    if (auto adopted = adopt(database, location, std::move(run)); !adopted) {
      return adopted;
    }
  }
  return {};
}

Result<std::vector<queue::RunRow>> runsToMend(Database& database, qint64 sinceMs) {
  std::vector<quint64> ids;
  {
    const Result<QSqlQuery*> rows =
        database.query("SELECT id FROM runs WHERE state = 0 UNION SELECT DISTINCT run FROM pictures WHERE made >= ?", {sinceMs});
    if (!rows) {
      return rows.error();
    }
    while ((*rows)->next()) {
      ids.push_back((*rows)->value(0).toULongLong());
    }
    (*rows)->finish();
  }
  std::vector<queue::RunRow> runs;
  for (const quint64 id : ids) {
    Result<std::optional<queue::RunRow>> run = queue::readRun(database, id);
    if (!run) {
      return run.error();
    }
    if (*run) {
      runs.push_back(std::move(**run));
    }
  }
  return runs;
}

Result<void> mendFolder(Database& database, const Location& location, const queue::RunRow& run) {
  const QString path = QDir::cleanPath(location.picturesFolder() + QLatin1Char('/') + run.folder);
  if (!QFileInfo(path).isDir()) {
    return {};
  }
  auto folder = FolderHandle::open(path);
  if (!folder) {
    return folder.error();
  }
  if (auto removed = folder->removeTemporaries(); !removed) {
    return removed;
  }
  Result<QByteArray> text = folder->read(QLatin1String(gallery::kManifestName), kMaxManifestBytes);
  if (!text && text.error().code != ErrorCode::NotFound) {
    return text.error();
  }
  const QByteArray before = text ? *text : QByteArray();
  std::map<qint64, PictureLine> lines;
  std::vector<qint64> order;
  const Result<QSqlQuery*> rows = database.query("SELECT id, idx FROM pictures WHERE run = ? ORDER BY id", {run.id});
  if (!rows) {
    return rows.error();
  }
  while ((*rows)->next()) {
    order.push_back((*rows)->value(1).toLongLong());
    lines[order.back()] = {(*rows)->value(0).toLongLong(), false};
  }
  (*rows)->finish();
  const bool isWhole = before.isEmpty() || before.endsWith('\n');
  if (isWhole && before.count('\n') == static_cast<qsizetype>(order.size())) {
    return {};
  }
  QByteArray after = linesThatFit(before, lines);
  gallery::PictureReader reader(database, location);
  for (const qint64 index : order) {
    if (lines[index].isThere) {
      continue;
    }
    const Result<std::optional<gallery::PictureDetails>> details = reader.details(lines[index].picture);
    if (!details) {
      return details.error();
    }
    if (*details) {
      after += gallery::toLine({(*details)->metadata, (*details)->origin, QFileInfo((*details)->row.path).fileName(),
                                run.fingerprint, QDateTime::fromMSecsSinceEpoch((*details)->row.madeMs, Qt::UTC), std::nullopt});
    }
  }
  return after == before ? Result<void>() : folder->replace(QLatin1String(gallery::kManifestName), after);
}

}  // namespace polyptych::backend
