#include "core/gallery/upkeep/opening.h"

#include <QDir>
#include <QFileInfo>
#include <QSet>
#include <algorithm>

#include "core/gallery/upkeep/check.h"
#include "core/gallery/upkeep/library_tree.h"
#include "core/gallery/upkeep/run_matching.h"
#include "core/library/database.h"
#include "core/library/run_file.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;
using library::Location;

/// Folders with a run's list, relative; looks where runs are made, <date>/<run>, and no deeper.
QStringList runFolders(const Location& location) {
  const QString name = QLatin1String(library::kRunFileName);
  if (location.layout == Location::Layout::Flat) {
    return QFileInfo::exists(location.homeFolder() + u'/' + name) ? QStringList{QLatin1String("")} : QStringList();
  }
  QStringList found;
  const QDir root(location.picturesFolder());
  for (const QString& date : root.entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
    for (const QString& run : QDir(root.filePath(date)).entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
      const QString folder = date + u'/' + run;
      if (QFileInfo::exists(root.filePath(folder) + u'/' + name)) {
        found << folder;
      }
    }
  }
  return found;
}

Result<qint64> filesIn(const Location& location, const QString& folder) {
  const QString path = folder.isEmpty() ? location.picturesFolder() : location.picturesFolder() + u'/' + folder;
  if (!QFileInfo::exists(path)) {
    return 0;
  }
  const Result<FolderContent> content = listFolder(path);
  if (!content) {
    return content.error();
  }
  return static_cast<qint64>(std::count_if(content->pictures.begin(), content->pictures.end(),
                                           [](const QString& name) { return indexInName(name).has_value(); }));
}

/// True if there is a run without rows, or the newest, which is over, has more or fewer files than rows, or an open one has
/// fewer. Files without a row are nothing unusual in an open run: an attempt ended between the two, and is made again.
Result<bool> isBehind(Database& database, const Location& location) {
  const Result<QSqlQuery*> rows = database.query(
      "SELECT r.folder, r.state = 0 OR r.number = (SELECT max(number) FROM runs), "
      "(SELECT count(*) FROM pictures p WHERE p.run = r.id), r.state = 0 FROM runs r");
  if (!rows) {
    return rows.error();
  }
  QSet<QString> known;
  struct Recent {
    QString folder;
    qint64 pictures;
    bool isOpen;
  };
  std::vector<Recent> recent;
  while ((*rows)->next()) {
    known << (*rows)->value(0).toString();
    if ((*rows)->value(1).toInt() != 0) {
      recent.push_back({(*rows)->value(0).toString(), (*rows)->value(2).toLongLong(), (*rows)->value(3).toInt() != 0});
    }
  }
  (*rows)->finish();
  const QStringList folders = runFolders(location);
  if (std::any_of(folders.begin(), folders.end(), [&](const QString& folder) { return !known.contains(folder); })) {
    return true;
  }
  for (const auto& [folder, pictures, isOpen] : recent) {
    const Result<qint64> files = filesIn(location, folder);
    if (!files) {
      return files.error();
    }
    if (*files < pictures || (*files > pictures && !isOpen)) {
      return true;
    }
  }
  return false;
}

void tell(const RebuildOptions& options, const QString& doing) {
  if (options.doing) {
    options.doing(doing);
  }
}

Result<Opening> remake(const Location& location, const RebuildOptions& options, const QString& why) {
  tell(options, why + QStringLiteral(" It is being made again from the pictures; with many of them that takes some minutes."));
  const Result<Rebuilt> rebuilt = rebuild(location, options);
  if (!rebuilt) {
    return rebuilt.error();
  }
  QString sentence =
      why + QStringLiteral(" It was made again from %1 pictures of %2 runs.").arg(rebuilt->pictures).arg(rebuilt->runs);
  if (!rebuilt->setAside.isEmpty()) {
    sentence += QStringLiteral(" The old one is '%1'.").arg(rebuilt->setAside);
  }
  if (!rebuilt->findings.empty()) {
    sentence +=
        QStringLiteral(" %1 things are to be looked at; 'polyptych-cli library check' lists them.").arg(rebuilt->findings.size());
  }
  return Opening{Opening::Kind::Rebuilt, sentence, rebuilt->isQueueKnown};
}

Result<Opening> mend(const Location& location, const RebuildOptions& options) {
  CheckOptions checking;
  checking.repair = true;
  checking.insertRun = options.insertRun;
  checking.depth = ReadingDepth::Ends;
  checking.threads = options.threads;
  checking.progress = options.progress;
  const Result<std::vector<Finding>> found = check(location, checking);
  if (!found) {
    return found.error();
  }
  const auto mended = std::count_if(found->begin(), found->end(), [](const Finding& finding) { return finding.isRepaired; });
  if (mended == 0) {
    return Opening();
  }
  return Opening{Opening::Kind::Mended,
                 QStringLiteral("The library's index and its files did not agree; %1 differences were mended.").arg(mended)};
}

/// Errors that a rebuild helps against.
bool isDamage(const Error& error) { return error.code == ErrorCode::Corrupt; }

}  // namespace

Result<Opening> openOrRebuild(const Location& location, const RebuildOptions& options) {
  const QString file = location.databaseFile();
  const bool isMissing = QFileInfo(file).size() == 0;
  if (isMissing && !runFolders(location).isEmpty()) {
    return remake(location, options, QStringLiteral("The library's index was gone."));
  }
  const bool wasFoundDamaged = library::hasDamageNote(file);
  // The last one to close an index that is whole removes its log.
  const bool wasLeftOpen = QFileInfo(file + QStringLiteral("-wal")).size() > 0;
  if (!QDir().mkpath(location.homeFolder())) {
    return Error{ErrorCode::Io, "The folder '" + location.homeFolder().toStdString() + "' cannot be made; check its rights.", {}};
  }
  Result<std::unique_ptr<Database>> database = Database::open(file, Database::Mode::ReadWrite);
  Result<bool> behind = !database       ? Result<bool>(database.error())
                        : options.mends ? isBehind(**database, location)
                                        : Result<bool>(false);
  if (database && behind) {
    const Result<QVariant> clean = (*database)->meta(QStringLiteral("clean"));
    const bool isSuspect = wasLeftOpen || (clean && !clean->isNull() && clean->toInt() == 0);
    if (isSuspect && !wasFoundDamaged) {
      tell(options, QStringLiteral("The library was not closed the last time. Its index is being read through."));
    }
    const Result<void> checked = !clean            ? Result<void>(clean.error())
                                 : wasFoundDamaged ? Error{ErrorCode::Corrupt, "The library's index is damaged.", {}}
                                 : isSuspect       ? (*database)->check()
                                                   : Result<void>();
    if (!checked) {
      behind = checked.error();
    }
  }
  if (database) {
    database->reset();
  }
  if (!behind && isDamage(behind.error())) {
    return remake(location, options, QStringLiteral("The library's index was damaged."));
  }
  if (!behind) {
    return behind.error();
  }
  if (isMissing) {
    return Opening{Opening::Kind::Made, {}};
  }
  return *behind ? mend(location, options) : Result<Opening>(Opening());
}

}  // namespace polyptych::gallery
