#include "core/gallery/upkeep/check.h"

#include <QHash>
#include <algorithm>

#include "core/gallery/upkeep/library_tree.h"
#include "core/gallery/upkeep/row_check.h"
#include "core/gallery/upkeep/run_adoption.h"
#include "core/gallery/upkeep/run_check.h"
#include "core/gallery/upkeep/run_rows.h"
#include "core/gallery/upkeep/run_state.h"
#include "core/gallery/upkeep/thumbnail_check.h"
#include "core/library/database.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;
using library::Location;

class Check {
 public:
  Check(Database& database, const Location& location, const CheckOptions& options)
      : m_database(database), m_location(location), m_options(options) {}

  Result<std::vector<Finding>> run() {
    const Result<QVariant> quick = m_database.value("PRAGMA quick_check(1)");
    if (!quick) {
      return quick.error();
    }
    if (quick->toString() != QLatin1String("ok")) {
      return Error{ErrorCode::Corrupt,
                   "The library's index is damaged; 'polyptych-cli library rebuild' makes it again from the pictures.",
                   quick->toString().toStdString()};
    }
    using Part = Result<void> (Check::*)();
    for (const Part part : {&Check::checkRows, &Check::checkFolders, &Check::checkRuns, &Check::checkRest}) {
      if (auto checked = inTransaction([&] { return (this->*part)(); }); !checked) {
        return checked.error();
      }
    }
    return std::move(m_findings);
  }

 private:
  void add(std::vector<Finding> findings) { std::move(findings.begin(), findings.end(), std::back_inserter(m_findings)); }

  /// What is repaired is repaired as a whole, or not at all.
  template <typename Work>
  Result<void> inTransaction(Work work) {
    if (!m_options.repair) {
      return work();
    }
    if (auto begun = m_database.change("BEGIN IMMEDIATE"); !begun) {
      return begun.error();
    }
    const Result<void> done = work();
    if (done) {
      const Result<qint64> ended = m_database.change("COMMIT");
      return ended ? Result<void>() : ended.error();
    }
    m_database.finishAll();
    (void)m_database.change("ROLLBACK");
    return done;
  }

  template <typename Find>
  Result<void> take(Find find) {
    Result<std::vector<Finding>> found = find(m_database, m_options.repair);
    if (!found) {
      return found.error();
    }
    add(*std::move(found));
    return {};
  }

  Result<void> checkRows() {
    const Result<void> checked = take(checkReferences);
    return checked ? take(checkRunStates) : checked;
  }

  /// Which folder belongs to which run, and what to do with folders that belong to none.
  Result<void> checkFolders() {
    Result<std::vector<FolderContent>> folders = listFolders(m_location);
    if (!folders) {
      return folders.error();
    }
    const Result<QSqlQuery*> rows = m_database.query("SELECT id, folder FROM runs ORDER BY number");
    if (!rows) {
      return rows.error();
    }
    while ((*rows)->next()) {
      m_runs.push_back((*rows)->value(0).toULongLong());
      m_folderOf.insert(m_runs.back(), (*rows)->value(1).toString());
      m_runOf.insert((*rows)->value(1).toString(), m_runs.back());
    }
    (*rows)->finish();
    for (FolderContent& folder : *folders) {
      m_total += folder.pictures.size();
      m_content.insert(folder.folder, std::move(folder));
    }
    QStringList strays;
    for (const FolderContent& folder : m_content) {
      if (!m_runOf.contains(folder.folder)) {
        strays << folder.folder;
      }
    }
    strays.sort();
    for (const QString& folder : strays) {
      if (auto checked = checkStray(m_content[folder]); !checked) {
        return checked;
      }
    }
    return {};
  }

  Result<void> checkStray(const FolderContent& content) {
    Result<FolderReading> reading = readFolder(m_location, content, m_options.depth, m_options.threads);
    if (!reading) {
      return reading.error();
    }
    count(content.pictures.size());
    if (reading->record && isMoved(reading->record->id)) {
      return follow(*reading);
    }
    const bool hasOurs = std::any_of(reading->pictures.begin(), reading->pictures.end(),
                                     [](const PictureFile& file) { return file.metadata.isOk(); });
    const bool isNewer = reading->recordError && reading->recordError->code == ErrorCode::Unsupported;
    if (!reading->record && !isNewer && !hasOurs) {
      return {};
    }
    if (m_options.repair && m_options.insertRun) {
      return adopt(*reading);
    }
    m_findings.push_back({isNewer           ? FindingKind::NewerRun
                          : reading->record ? FindingKind::RunWithoutRows
                                            : FindingKind::PicturesWithoutRun,
                          reading->path, false,
                          isNewer           ? QString::fromStdString(reading->recordError->message)
                          : reading->record ? QStringLiteral("A run that the library does not know.")
                                            : QStringLiteral("A folder with pictures of no run.")});
    return {};
  }

  Result<void> adopt(FolderReading& reading) {
    const Result<QVariant> last = m_database.value("SELECT max(number) FROM runs");
    if (!last) {
      return last.error();
    }
    const bool hadRecord = reading.record.has_value();
    const bool isCopy = hadRecord && m_folderOf.contains(reading.record->id);
    Result<Adopted> adopted = adoptRun(m_database, m_location, reading, last->toLongLong() + 1, m_options.insertRun);
    if (!adopted) {
      return adopted.error();
    }
    for (Finding& finding : adopted->findings) {
      // What the run's own check will find is told there.
      if (finding.kind == FindingKind::RunFileDamaged || finding.kind == FindingKind::PicturesWithoutRun ||
          finding.kind == FindingKind::RunWithoutRows || finding.kind == FindingKind::NewerRun) {
        m_findings.push_back(std::move(finding));
      }
    }
    if (!reading.record) {
      return {};
    }
    if (hadRecord && !isCopy) {
      m_findings.push_back(
          {FindingKind::RunWithoutRows, reading.path, true,
           QStringLiteral("A run that the library did not know. It does now, with %1 pictures.").arg(adopted->pictures)});
    }
    m_runs.push_back(reading.record->id);
    m_folderOf.insert(reading.record->id, reading.content.folder);
    m_content[reading.content.folder].runFile = runFilePath(m_location, reading.content.folder);
    return {};
  }

  bool isMoved(quint64 run) const {
    const auto known = m_folderOf.constFind(run);
    return known != m_folderOf.constEnd() && !m_content.contains(*known);
  }

  Result<void> follow(const FolderReading& reading) {
    const quint64 run = reading.record->id;
    m_folderOf[run] = reading.content.folder;
    m_findings.push_back({FindingKind::RunMoved, reading.path, m_options.repair,
                          QStringLiteral("The run lies in another folder than the library knew.")});
    if (!m_options.repair) {
      return {};
    }
    const auto done = m_database.change("UPDATE runs SET folder = ? WHERE id = ?", {reading.content.folder, run});
    return done ? Result<void>() : done.error();
  }

  Result<void> checkRuns() {
    for (const quint64 run : m_runs) {
      Result<RunRows> rows = readRunRows(m_database, run);
      if (!rows) {
        return rows.error();
      }
      FolderContent content = m_content.value(m_folderOf.value(run));
      content.folder = m_folderOf.value(run);
      const qint64 pictures = content.pictures.size();
      const Result<FolderReading> reading = readFolder(m_location, std::move(content), m_options.depth, m_options.threads);
      if (!reading) {
        return reading.error();
      }
      Result<std::vector<Finding>> found = RunCheck(m_database, m_location, *reading, *rows, m_options.repair).run();
      if (!found) {
        return found.error();
      }
      add(*std::move(found));
      count(pictures);
    }
    return {};
  }

  Result<void> checkRest() {
    if (m_options.repair) {
      // What follows from pictures that were lost and found is told with them.
      if (auto settled = checkRunStates(m_database, true); !settled) {
        return settled.error();
      }
    }
    if (auto checked = take(checkTextIndex); !checked) {
      return checked;
    }
    if (m_options.thumbnailCache.isEmpty()) {
      return {};
    }
    Result<std::vector<Finding>> found = checkThumbnails(m_database, m_location, m_options.thumbnailCache, m_options.repair);
    if (!found) {
      return found.error();
    }
    add(*std::move(found));
    return {};
  }

  void count(qint64 pictures) {
    m_read += pictures;
    if (m_options.progress) {
      m_options.progress(m_read, m_total);
    }
  }

  Database& m_database;
  const Location& m_location;
  const CheckOptions& m_options;
  std::vector<Finding> m_findings;
  std::vector<quint64> m_runs;
  QHash<quint64, QString> m_folderOf;
  QHash<QString, quint64> m_runOf;
  QHash<QString, FolderContent> m_content;
  qint64 m_read = 0;
  qint64 m_total = 0;
};

}  // namespace

Result<std::vector<Finding>> check(const Location& location, const CheckOptions& options) {
  Result<std::unique_ptr<Database>> database = Database::open(location.databaseFile(), Database::Mode::ReadOnly);
  if (!database) {
    return database.error();
  }
  if (options.repair) {
    database = Database::open(location.databaseFile(), Database::Mode::ReadWrite);
    if (!database) {
      return database.error();
    }
  }
  return Check(**database, location, options).run();
}

}  // namespace polyptych::gallery
