#include "core/gallery/upkeep/rebuild.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <algorithm>
#include <future>

#include "core/gallery/folder_handle.h"
#include "core/gallery/upkeep/library_tree.h"
#include "core/gallery/upkeep/run_adoption.h"
#include "core/gallery/upkeep/salvage.h"
#include "core/library/database.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;
using library::Location;

constexpr const char* kEnds[] = {"", "-wal", "-shm"};
/// Pictures in one transaction: its log stays small.
constexpr qint64 kPicturesAtOnce = 20000;

void removeIndex(const QString& file) {
  for (const char* end : kEnds) {
    QFile::remove(file + QLatin1String(end));
  }
}

/// An index that a newer program wrote is not ours to replace.
Result<void> mayReplace(const QString& file) {
  if (!QFileInfo::exists(file)) {
    return {};
  }
  const auto opened = Database::open(file, Database::Mode::ReadOnly);
  return !opened && opened.error().code == ErrorCode::Unsupported ? Result<void>(opened.error()) : Result<void>();
}

/// Adds every folder; the next one is read while one is written.
class Rebuilding {
 public:
  Rebuilding(Database& database, const Location& location, const RebuildOptions& options)
      : m_database(database), m_location(location), m_options(options) {}

  Result<Rebuilt> run() {
    Result<std::vector<FolderContent>> folders = listFolders(m_location);
    if (!folders) {
      return folders.error();
    }
    for (const FolderContent& folder : *folders) {
      m_total += folder.pictures.size();
    }
    if (auto begun = change("BEGIN IMMEDIATE"); !begun) {
      return begun.error();
    }
    std::future<Result<FolderReading>> next;
    for (std::size_t i = 0; i < folders->size(); ++i) {
      Result<FolderReading> reading = i == 0 ? read((*folders)[0]) : next.get();
      if (i + 1 < folders->size()) {
        next = std::async(std::launch::async, [this, &folder = (*folders)[i + 1]] { return read(folder); });
      }
      const Result<void> added = reading ? add(*reading) : reading.error();
      if (!added) {
        if (next.valid()) {
          next.wait();
        }
        return added.error();
      }
    }
    if (auto ended = change("COMMIT"); !ended) {
      return ended.error();
    }
    return m_rebuilt;
  }

 private:
  Result<void> change(const char* sql) {
    const Result<qint64> done = m_database.change(sql);
    return done ? Result<void>() : done.error();
  }

  Result<FolderReading> read(const FolderContent& folder) const {
    return readFolder(m_location, folder, ReadingDepth::Ends, m_options.threads);
  }

  Result<void> add(FolderReading& reading) {
    const Result<QVariant> last = m_database.value("SELECT max(number) FROM runs");
    if (!last) {
      return last.error();
    }
    const Result<Adopted> adopted = adoptRun(m_database, m_location, reading, last->toLongLong() + 1, m_options.insertRun);
    if (!adopted) {
      return adopted.error();
    }
    m_rebuilt.runs += reading.record ? 1 : 0;
    m_rebuilt.pictures += adopted->pictures;
    m_rebuilt.waiting += adopted->waiting;
    m_rebuilt.findings.insert(m_rebuilt.findings.end(), adopted->findings.begin(), adopted->findings.end());
    m_read += reading.content.pictures.size();
    if (m_options.progress) {
      m_options.progress(m_read, m_total);
    }
    if (m_rebuilt.pictures - m_committed < kPicturesAtOnce) {
      return {};
    }
    m_committed = m_rebuilt.pictures;
    if (auto ended = change("COMMIT"); !ended) {
      return ended;
    }
    return change("BEGIN IMMEDIATE");
  }

  Database& m_database;
  const Location& m_location;
  const RebuildOptions& m_options;
  Rebuilt m_rebuilt;
  qint64 m_committed = 0;
  qint64 m_read = 0;
  qint64 m_total = 0;
};

/// All of the new index in its one file, on the disk.
Result<void> finish(std::unique_ptr<Database> database, const QString& file) {
  const Result<QVariant> emptied = database->value("PRAGMA wal_checkpoint(TRUNCATE)");
  if (!emptied) {
    return emptied.error();
  }
  database.reset();
  for (const char* end : {"-wal", "-shm"}) {
    QFile::remove(file + QLatin1String(end));
  }
  return {};
}

/// A log without its index would be taken for the new index's.
Result<QString> replaceIndex(const QString& fresh, const QString& file) {
  QString aside;
  if (QFileInfo::exists(file)) {
    const Result<QString> moved = library::setAside(file);
    if (!moved) {
      return moved.error();
    }
    aside = *moved;
  }
  for (const char* end : {"-wal", "-shm"}) {
    QFile::remove(file + QLatin1String(end));
  }
  if (!QFile::rename(fresh, file)) {
    return Error{ErrorCode::Io, "The new index cannot be put in its place; check the folder's rights.", file.toStdString()};
  }
  library::clearDamageNote(file);
  if (auto synced = syncFolder(QFileInfo(file).path()); !synced) {
    return synced.error();
  }
  return aside;
}

}  // namespace

Result<Rebuilt> rebuild(const Location& location, const RebuildOptions& options) {
  QElapsedTimer timer;
  timer.start();
  const QString file = location.databaseFile();
  const QString fresh = file + QStringLiteral(".new");
  if (auto may = mayReplace(file); !may) {
    return may.error();
  }
  if (!QDir().mkpath(location.homeFolder())) {
    return Error{ErrorCode::Io, "The folder '" + location.homeFolder().toStdString() + "' cannot be made; check its rights.", {}};
  }
  removeIndex(fresh);
  Result<std::unique_ptr<Database>> database = Database::open(fresh, Database::Mode::ReadWrite);
  if (!database) {
    return database.error();
  }
  Result<Rebuilt> rebuilt = Rebuilding(**database, location, options).run();
  if (rebuilt) {
    if (const Result<Salvaged> salvaged = salvage(**database, file); salvaged) {
      rebuilt->isQueueKnown = salvaged->isWhole;
      const Result<QVariant> waiting =
          (*database)->value("SELECT coalesce(sum(total - made - failed - cancelled), 0) FROM runs WHERE state = 0");
      rebuilt->waiting = waiting ? waiting->toLongLong() : rebuilt->waiting;
    } else {
      rebuilt = salvaged.error();
    }
  }
  if (rebuilt) {
    if (auto finished = finish(*std::move(database), fresh); !finished) {
      rebuilt = finished.error();
    }
  } else {
    database->reset();
  }
  if (!rebuilt) {
    removeIndex(fresh);
    return rebuilt;
  }
  const Result<QString> aside = replaceIndex(fresh, file);
  if (!aside) {
    return aside.error();
  }
  rebuilt->setAside = *aside;
  rebuilt->seconds = static_cast<double>(timer.elapsed()) / 1000;
  return rebuilt;
}

}  // namespace polyptych::gallery
