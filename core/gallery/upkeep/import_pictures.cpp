#include <QDate>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QHash>
#include <QSet>
#include <QTimeZone>

#include "core/gallery/folder_handle.h"
#include "core/gallery/picture_name.h"
#include "core/gallery/sidecar.h"
#include "core/gallery/upkeep/library_tree.h"
#include "core/gallery/upkeep/run_adoption.h"
#include "core/gallery/upkeep/run_matching.h"
#include "core/gallery/upkeep/transfer.h"
#include "core/library/database.h"
#include "core/picture/png.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;
using library::Location;

QByteArray readBytes(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) && file.size() <= static_cast<qint64>(picture::kMaxPngBytes) ? file.readAll()
                                                                                                     : QByteArray();
}

/// A picture outside that is to be taken in.
struct Candidate {
  QString path;
  PictureFile file;
  PictureOrigin origin;
  qint64 timeMs = 0;
};

/// Knows which bytes the library has: by size and seed first, then byte by byte.
class Doubles {
 public:
  Result<void> load(Database& database, const QString& picturesFolder) {
    const Result<QSqlQuery*> rows = database.query(
        "SELECT p.bytes, p.seed, CASE WHEN r.folder = '' THEN p.file ELSE r.folder || '/' || p.file END FROM pictures p "
        "JOIN runs r ON r.id = p.run");
    if (!rows) {
      return rows.error();
    }
    while ((*rows)->next()) {
      m_known.insert({(*rows)->value(0).toLongLong(), static_cast<quint64>((*rows)->value(1).toLongLong())},
                     picturesFolder + u'/' + (*rows)->value(2).toString());
    }
    (*rows)->finish();
    return {};
  }

  bool contains(const Candidate& candidate) const {
    const auto [begin, end] = m_known.equal_range(keyOf(candidate));
    const QByteArray bytes = begin != end ? readBytes(candidate.path) : QByteArray();
    for (auto it = begin; it != end; ++it) {
      if (*it == candidate.path || readBytes(*it) == bytes) {
        return true;
      }
    }
    return false;
  }
  void add(const Candidate& candidate) { m_known.insert(keyOf(candidate), candidate.path); }

 private:
  using Key = std::pair<qint64, quint64>;
  static Key keyOf(const Candidate& candidate) { return {candidate.file.bytes, candidate.file.metadata->request.seed}; }

  QMultiHash<Key, QString> m_known;
};

class Import {
 public:
  Import(Database& database, const Location& location, const InsertRun& insertRun,
         const std::function<void(qint64, qint64)>& progress)
      : m_database(database), m_location(location), m_insertRun(insertRun), m_progress(progress) {}

  Result<Imported> run(const QString& folder) {
    const Result<std::vector<FolderContent>> folders = listFoldersBelow(folder);
    if (!folders) {
      return folders.error();
    }
    if (auto loaded = m_doubles.load(m_database, m_location.picturesFolder()); !loaded) {
      return loaded.error();
    }
    for (const FolderContent& content : *folders) {
      if (auto found = findIn(content.folder.isEmpty() ? folder : folder + u'/' + content.folder, content); !found) {
        return found.error();
      }
    }
    if (m_candidates.empty()) {
      return std::move(m_imported);
    }
    if (auto copied = copyAll(); !copied) {
      return copied.error();
    }
    return std::move(m_imported);
  }

 private:
  Result<void> findIn(const QString& path, const FolderContent& content) {
    const QSet<QString> sidecars(content.sidecars.begin(), content.sidecars.end());
    std::vector<PictureFile> files = readPictureFiles(path, content.pictures, sidecars, ReadingDepth::Whole, 0);
    const Result<std::vector<ManifestLine>> lines = readManifestFile(path + u'/' + QLatin1String(kManifestName), 0);
    if (!lines) {
      return lines.error();
    }
    QHash<QString, const ManifestLine*> made;
    for (const ManifestLine& line : *lines) {
      if (line.isReadable && line.isDone) {
        made.insert(line.file, &line);
      }
    }
    for (PictureFile& file : files) {
      Candidate candidate{path + u'/' + file.name, std::move(file), {}, 0};
      const Result<domain::PictureMetadata>& metadata = candidate.file.metadata;
      if (!metadata && metadata.error().code == ErrorCode::NotFound) {
        continue;
      }
      if (!metadata || !domain::validate(metadata->request)) {
        m_imported.refused.push_back(candidate.path);
        continue;
      }
      candidate.timeMs = candidate.file.modifiedMs;
      if (const ManifestLine* line = made.value(candidate.file.name)) {
        candidate.origin = line->origin;
        candidate.timeMs = line->timeMs != 0 ? line->timeMs : candidate.timeMs;
      }
      if (m_doubles.contains(candidate)) {
        m_imported.doubles.push_back(candidate.path);
        continue;
      }
      m_doubles.add(candidate);
      m_candidates.push_back(std::move(candidate));
    }
    return {};
  }

  /// Pictures, then their manifest, then the list of the run, then the rows: what ends in between is found by a check.
  Result<void> copyAll() {
    std::vector<domain::PictureMetadata> pictures;
    for (const Candidate& candidate : m_candidates) {
      pictures.push_back(*candidate.file.metadata);
    }
    library::RunRecord record = gatheredRun(pictures);
    const Result<QVariant> last = m_database.value("SELECT max(number) FROM runs");
    if (!last) {
      return last.error();
    }
    record.number = last->toLongLong() + 1;
    Result<FolderHandle> folder = makeFolder(record);
    if (!folder) {
      return folder.error();
    }
    QByteArray rows;
    for (std::size_t i = 0; i < m_candidates.size(); ++i) {
      if (auto copied = copy(*folder, record, i, rows); !copied) {
        return copied;
      }
    }
    if (auto written = folder->append(QLatin1String(kManifestName), rows); !written) {
      return written;
    }
    if (auto written = folder->replace(QLatin1String(library::kRunFileName), library::toRunFile(record)); !written) {
      return written;
    }
    return addRows(record, folder->path());
  }

  Result<FolderHandle> makeFolder(library::RunRecord& record) {
    const QString date = QDate::currentDate().toString(Qt::ISODate);
    for (int copy = 1;; ++copy) {
      record.folder = QStringLiteral("%1/%2-import").arg(date).arg(record.number, 3, 10, QLatin1Char('0'));
      if (copy > 1) {
        record.folder += QStringLiteral("-%1").arg(copy);
      }
      const QString path = m_location.picturesFolder() + u'/' + record.folder;
      if (!QFileInfo::exists(path)) {
        return FolderHandle::open(path);
      }
    }
  }

  Result<void> copy(FolderHandle& folder, const library::RunRecord& record, std::size_t index, QByteArray& rows) {
    const Candidate& candidate = m_candidates[index];
    const QString name = pictureName(static_cast<std::int64_t>(index), record.requests[index].prompt);
    if (auto written = folder.writeNew(name, readBytes(candidate.path)); !written) {
      return written;
    }
    if (candidate.file.marks && !candidate.file.marks->isEmpty()) {
      if (auto written = folder.writeNew(name + QLatin1String(kSidecarEnd), toXmp(*candidate.file.marks)); !written) {
        return written;
      }
    }
    rows += toLine({*candidate.file.metadata, candidate.origin, name, record.fingerprint,
                    QDateTime::fromMSecsSinceEpoch(candidate.timeMs, QTimeZone::utc()), std::nullopt});
    if (m_progress) {
      m_progress(static_cast<qint64>(index) + 1, static_cast<qint64>(m_candidates.size()));
    }
    return {};
  }

  Result<void> addRows(const library::RunRecord& record, const QString& path) {
    Result<FolderContent> content = listFolder(path);
    if (!content) {
      return content.error();
    }
    content->folder = record.folder;
    Result<FolderReading> reading = readFolder(m_location, *std::move(content), ReadingDepth::Ends, 0);
    if (!reading) {
      return reading.error();
    }
    if (auto begun = m_database.change("BEGIN IMMEDIATE"); !begun) {
      return begun.error();
    }
    const Result<Adopted> adopted = adoptRun(m_database, m_location, *reading, record.number, m_insertRun);
    if (!adopted) {
      m_database.finishAll();
      (void)m_database.change("ROLLBACK");
      return adopted.error();
    }
    if (auto ended = m_database.change("COMMIT"); !ended) {
      return ended.error();
    }
    m_imported.pictures = adopted->pictures;
    m_imported.runId = record.id;
    m_imported.folder = path;
    return {};
  }

  Database& m_database;
  const Location& m_location;
  const InsertRun& m_insertRun;
  const std::function<void(qint64, qint64)>& m_progress;
  Doubles m_doubles;
  std::vector<Candidate> m_candidates;
  Imported m_imported;
};

}  // namespace

Result<Imported> importPictures(const Location& location, const QString& folder, const InsertRun& insertRun,
                                const std::function<void(qint64 done, qint64 total)>& progress) {
  if (location.layout == Location::Layout::Flat) {
    return Error{ErrorCode::Unsupported, "A folder of one run takes in no other pictures; name a library with --library.", {}};
  }
  if (!QFileInfo(folder).isDir()) {
    return Error{ErrorCode::NotFound, "There is no folder '" + folder.toStdString() + "'.", {}};
  }
  Result<std::unique_ptr<Database>> database = Database::open(location.databaseFile(), Database::Mode::ReadWrite);
  if (!database) {
    return database.error();
  }
  return Import(**database, location, insertRun, progress).run(QDir(folder).absolutePath());
}

}  // namespace polyptych::gallery
