#include "core/gallery/upkeep/run_adoption.h"

#include <QFile>
#include <QFileInfo>
#include <QRandomGenerator>
#include <algorithm>

#include "core/gallery/folder_handle.h"
#include "core/gallery/picture_rows.h"
#include "core/gallery/upkeep/run_matching.h"
#include "core/library/database.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;
using library::Location;
using library::RunRecord;

QString absolute(const Location& location, const QString& folder) {
  return folder.isEmpty() ? location.picturesFolder() : location.picturesFolder() + u'/' + folder;
}

Result<void> readRunFile(FolderReading& reading) {
  QFile file(reading.content.runFile);
  if (!file.open(QIODevice::ReadOnly)) {
    return Error{ErrorCode::Io, "The file '" + file.fileName().toStdString() + "' cannot be read; check its rights and its disk.",
                 file.errorString().toStdString()};
  }
  Result<RunRecord> record =
      file.size() <= library::kMaxRunFileBytes
          ? library::fromRunFile(file.readAll())
          : Error{ErrorCode::Corrupt, "The file with the list of a run's pictures is longer than any that is written.", {}};
  if (record && record->requests.empty()) {
    record = Error{ErrorCode::Corrupt, "The file with the list of a run's pictures is empty.", {}};
  }
  if (record && !record->isWhole()) {
    record = Error{ErrorCode::Unsupported, "It is one process's part of a run; 'polyptych-cli merge' joins the parts.", {}};
  }
  if (!record) {
    reading.recordError = record.error();
    return {};
  }
  reading.record = *std::move(record);
  reading.record->folder = reading.content.folder;
  return {};
}

/// Writes the list of a run whose old one, if there is one, is of no use; that is kept beside it.
Result<void> writeRunFile(const Location& location, const FolderReading& reading, const RunRecord& record) {
  const QFileInfo file(runFilePath(location, reading.content.folder));
  if (reading.recordError) {
    QFile::rename(file.filePath(), file.filePath() + QStringLiteral(".damaged-%1").arg(record.id, 0, 16));
  }
  Result<FolderHandle> folder = FolderHandle::openBeside(file.path());
  return folder ? folder->replace(file.fileName(), library::toRunFile(record)) : Result<void>(folder.error());
}

/// A run of the pictures in a folder, as far as this program could have made them.
RunRecord gathered(const FolderReading& reading, qint64 number) {
  std::vector<domain::PictureMetadata> pictures;
  qint64 oldest = 0;
  for (const PictureFile& file : reading.pictures) {
    if (file.metadata && domain::validate(file.metadata->request)) {
      pictures.push_back(*file.metadata);
      oldest = oldest == 0 ? file.modifiedMs : std::min(oldest, file.modifiedMs);
    }
  }
  RunRecord record = gatheredRun(pictures);
  record.folder = reading.content.folder;
  record.number = number;
  record.createdMs = oldest;
  return record;
}

struct Places {
  std::vector<bool> finished;                      ///< by index
  std::vector<std::optional<std::size_t>> ofFile;  ///< by position in the reading
};

/// Which picture of the run each file is.
Places placesOf(const RunRecord& record, const FolderReading& reading, std::vector<Finding>& findings) {
  Places places;
  places.finished.resize(record.requests.size(), false);
  places.ofFile.resize(reading.pictures.size());
  RunMatching matching(record);
  for (std::size_t i = 0; i < reading.pictures.size(); ++i) {
    const PictureFile& file = reading.pictures[i];
    const QString path = reading.path + u'/' + file.name;
    if (file.metadata) {
      places.ofFile[i] = matching.take(*file.metadata, file.name);
    }
    if (places.ofFile[i]) {
      places.finished[*places.ofFile[i]] = true;
    } else if (file.metadata) {
      findings.push_back(
          {FindingKind::ForeignPicture, path, false,
           QStringLiteral("A picture that does not belong to the run in whose folder it lies, or is there twice. It was "
                          "left; 'library import' takes it in.")});
    } else if (file.metadata.error().code != ErrorCode::NotFound && indexInName(file.name)) {
      findings.push_back({FindingKind::DamagedPicture, path, false,
                          QString::fromStdString(file.metadata.error().message + " It was left out.")});
    }
    if (!file.marks) {
      findings.push_back({FindingKind::SidecarDamaged, path, false, QString::fromStdString(file.marks.error().message)});
    }
  }
  return places;
}

Result<bool> isKnown(Database& database, quint64 run) {
  const Result<QVariant> found = database.value("SELECT 1 FROM runs WHERE id = ?", {run});
  return found ? Result<bool>(!found->isNull()) : found.error();
}

/// Rows of the requests that queue::insertRun made, by index.
struct RequestRows {
  qint64 prompt = 0;
  qint64 settings = 0;
};
Result<std::vector<RequestRows>> requestRows(Database& database, const RunRecord& record) {
  const Result<QSqlQuery*> rows = database.query(
      "SELECT q.idx, q.prompt, q.settings FROM runs r JOIN requests q ON q.id >= r.first_request "
      "AND q.id < r.first_request + r.total WHERE r.id = ?",
      {record.id});
  if (!rows) {
    return rows.error();
  }
  std::vector<RequestRows> found(record.requests.size());
  while ((*rows)->next()) {
    const qint64 index = (*rows)->value(0).toLongLong();
    if (index >= 0 && static_cast<std::size_t>(index) < found.size()) {
      found[static_cast<std::size_t>(index)] = {(*rows)->value(1).toLongLong(), (*rows)->value(2).toLongLong()};
    }
  }
  (*rows)->finish();
  return found;
}

Result<qint64> addFile(Database& database, const RunRecord& record, std::size_t index, const PictureFile& file,
                       const FolderReading& reading, const RequestRows& rows) {
  NewPicture picture;
  picture.runId = record.id;
  picture.metadata = *file.metadata;
  picture.metadata.request = record.requests[index];
  picture.file = file.name;
  picture.bytes = file.bytes;
  picture.madeMs = file.modifiedMs;
  picture.promptRow = rows.prompt;
  picture.settingsRow = rows.settings;
  if (const auto line = reading.made.constFind(file.name); line != reading.made.constEnd()) {
    picture.origin = line->origin;
    picture.madeMs = line->timeMs != 0 ? line->timeMs : picture.madeMs;
  }
  const Result<qint64> id = addPicture(database, picture);
  if (id && file.marks && !file.marks->isEmpty()) {
    if (auto written = writeMarks(database, *id, *file.marks); !written) {
      return written.error();
    }
  }
  return id;
}

/// Jobs of which the manifest says that none of what is missing could be made. @return their missing pictures
Result<qint64> failJobs(Database& database, quint64 run, const QHash<qint64, Error>& failures) {
  if (failures.isEmpty()) {
    return 0;
  }
  const Result<QSqlQuery*> rows = database.query(
      "SELECT j.id, q.idx FROM runs r JOIN jobs j ON j.id >= r.first_job AND j.id < r.first_job + r.jobs "
      "JOIN requests q ON q.id >= j.first_request AND q.id < j.first_request + j.count "
      "LEFT JOIN pictures p ON p.run = r.id AND p.idx = q.idx WHERE r.id = ? AND j.state = 0 AND p.id IS NULL",
      {run});
  if (!rows) {
    return rows.error();
  }
  QHash<qint64, std::vector<qint64>> missing;
  while ((*rows)->next()) {
    missing[(*rows)->value(0).toLongLong()].push_back((*rows)->value(1).toLongLong());
  }
  (*rows)->finish();
  qint64 failed = 0;
  for (auto job = missing.cbegin(); job != missing.cend(); ++job) {
    if (!std::all_of(job->begin(), job->end(), [&](qint64 index) { return failures.contains(index); })) {
      continue;
    }
    const Error error = failures.value(job->front());
    if (const auto set = database.change(
            "UPDATE jobs SET state = 3, error_code = ?, error_message = ? WHERE id = ?",
            {QString::fromStdString(std::string(base::toString(error.code))), QString::fromStdString(error.message), job.key()});
        !set) {
      return set.error();
    }
    failed += static_cast<qint64>(job->size());
  }
  const auto counted = database.change(
      "UPDATE runs SET failed = failed + ?, state = CASE WHEN made + failed + ? >= total THEN 1 ELSE state END WHERE id = ?",
      {failed, failed, run});
  return counted ? Result<qint64>(failed) : counted.error();
}

/// The run as it is to be added: that of the list, else one of the pictures that are there.
Result<RunRecord> recordToAdopt(Database& database, const Location& location, const FolderReading& reading, qint64 number,
                                std::vector<Finding>& findings) {
  if (!reading.record) {
    RunRecord record = gathered(reading, number);
    if (record.requests.empty()) {
      return record;
    }
    if (auto written = writeRunFile(location, reading, record); !written) {
      return written.error();
    }
    findings.push_back(
        {reading.recordError ? FindingKind::RunFileDamaged : FindingKind::PicturesWithoutRun, reading.path, true,
         QStringLiteral("The folder had no list of a run that can be read; its pictures became a run of their own.")});
    return record;
  }
  RunRecord record = *reading.record;
  const Result<bool> known = isKnown(database, record.id);
  if (!known) {
    return known.error();
  }
  if (*known) {
    record.id = gatheredRun({}).id;
    record.number = number;
    if (auto written = writeRunFile(location, reading, record); !written) {
      return written.error();
    }
    findings.push_back({FindingKind::RunWithoutRows, reading.path, true,
                        QStringLiteral("The folder is a copy of another run's; it became a run of its own.")});
  }
  return record;
}

}  // namespace

QString runFilePath(const Location& location, const QString& folder) {
  const bool isFlat = location.layout == Location::Layout::Flat;
  return (isFlat ? location.homeFolder() : absolute(location, folder)) + u'/' + QLatin1String(library::kRunFileName);
}

Result<FolderReading> readFolder(const Location& location, FolderContent content, ReadingDepth depth, int threads) {
  FolderReading reading;
  reading.path = absolute(location, content.folder);
  reading.content = std::move(content);
  if (!reading.content.runFile.isEmpty()) {
    if (auto read = readRunFile(reading); !read) {
      return read.error();
    }
  }
  const QSet<QString> sidecars(reading.content.sidecars.begin(), reading.content.sidecars.end());
  reading.pictures = readPictureFiles(reading.path, reading.content.pictures, sidecars, depth, threads);
  Result<std::vector<ManifestLine>> lines = readManifestFile(reading.path + u'/' + QLatin1String(kManifestName), threads);
  if (!lines) {
    return lines.error();
  }
  for (ManifestLine& line : *lines) {
    if (line.isReadable && line.isDone) {
      line.text.clear();
      reading.made.insert(line.file, std::move(line));
    } else if (line.isReadable) {
      if (const auto row = rowFromLine(line.text); row && row->error) {
        reading.failures.insert(row->metadata.request.index, *row->error);
      }
    }
  }
  return reading;
}

Result<qint64> adoptPicture(Database& database, const RunRecord& record, std::size_t index, const PictureFile& file,
                            const FolderReading& reading) {
  return addFile(database, record, index, file, reading, {});
}

Result<Adopted> adoptRun(Database& database, const Location& location, FolderReading& reading, qint64 number,
                         const InsertRun& insertRun) {
  Adopted adopted;
  if (reading.recordError && reading.recordError->code == ErrorCode::Unsupported) {
    adopted.findings.push_back(
        {FindingKind::NewerRun, reading.path, false, QString::fromStdString(reading.recordError->message)});
    return adopted;
  }
  Result<RunRecord> record = recordToAdopt(database, location, reading, number, adopted.findings);
  if (!record) {
    return record.error();
  }
  if (record->requests.empty()) {
    return adopted;
  }
  const Places places = placesOf(*record, reading, adopted.findings);
  if (auto inserted = insertRun(database, *record, places.finished); !inserted) {
    return inserted.error();
  }
  const Result<std::vector<RequestRows>> rows = requestRows(database, *record);
  if (!rows) {
    return rows.error();
  }
  for (std::size_t i = 0; i < reading.pictures.size(); ++i) {
    if (!places.ofFile[i]) {
      continue;
    }
    const std::size_t index = *places.ofFile[i];
    if (const Result<qint64> added = addFile(database, *record, index, reading.pictures[i], reading, (*rows)[index]); !added) {
      return added.error();
    }
    ++adopted.pictures;
  }
  const Result<qint64> failed = failJobs(database, record->id, reading.failures);
  if (!failed) {
    return failed.error();
  }
  adopted.waiting = static_cast<qint64>(record->requests.size()) - adopted.pictures - *failed;
  reading.record = *std::move(record);
  return adopted;
}

}  // namespace polyptych::gallery
