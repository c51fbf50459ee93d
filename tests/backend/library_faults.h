#pragma once

#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QMap>
#include <QSet>
#include <QSqlRecord>
#include <QString>
#include <QStringList>

#include "core/gallery/manifest_row.h"
#include "core/library/database.h"
#include "core/library/location.h"
#include "core/library/run_file.h"

namespace polyptych::tests {

/// Name -> bytes of a run's pictures.
using Pictures = QMap<QString, QByteArray>;

inline QByteArray bytesOf(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

inline Pictures picturesIn(const QString& folder) {
  Pictures pictures;
  for (const QString& name : QDir(folder).entryList({QStringLiteral("*.png")}, QDir::Files | QDir::Hidden)) {
    pictures[name] = bytesOf(folder + QLatin1Char('/') + name);
  }
  return pictures;
}

/// Where each run of a library keeps its pictures; absolute.
inline QMap<quint64, QString> foldersOf(const library::Location& location) {
  QMap<quint64, QString> folders;
  auto database = library::Database::open(location.databaseFile(), library::Database::Mode::ReadOnly);
  auto rows = database ? (*database)->queryOnce(QStringLiteral("SELECT id, folder FROM runs")) : database.error();
  while (rows && rows->next()) {
    folders[rows->value(0).toULongLong()] =
        QDir::cleanPath(location.picturesFolder() + QLatin1Char('/') + rows->value(1).toString());
  }
  return folders;
}

/// Everything in which a library whose work is done, and whose backend has ended, is not as it should be: one sentence each.
/// @param expected  the pictures of each run; of run 0: those of a run that is not named
inline QStringList faultsOf(const library::Location& location, const QMap<quint64, Pictures>& expected) {
  QStringList faults;
  QStringList present;  // before a reader of the index adds its own
  for (QDirIterator files(location.root, QDir::AllEntries | QDir::Hidden | QDir::System | QDir::NoDotAndDotDot,
                          QDirIterator::Subdirectories);
       files.hasNext();) {
    present << files.next();
  }
  auto opened = library::Database::open(location.databaseFile(), library::Database::Mode::ReadOnly);
  if (!opened) {
    return {QString::fromStdString("the index does not open: " + opened.error().message + ' ' + opened.error().detail)};
  }
  library::Database& database = **opened;
  const auto rowsOf = [&](const QString& sql, const QVariantList& values = {}) {
    auto rows = database.queryOnce(sql, values);
    if (!rows) {
      faults << QString::fromStdString(sql.toStdString() + ": " + rows.error().detail);
      return QList<QVariantList>();
    }
    QList<QVariantList> all;
    while (rows->next()) {
      QVariantList row;
      for (int i = 0; i < rows->record().count(); ++i) {
        row << rows->value(i);
      }
      all << row;
    }
    return all;
  };
  for (const QVariantList& row : rowsOf(QStringLiteral("PRAGMA integrity_check"))) {
    if (row.value(0).toString() != QLatin1String("ok")) {
      faults << QStringLiteral("integrity: ") + row.value(0).toString();
    }
  }
  for (const QVariantList& row : rowsOf(QStringLiteral("PRAGMA foreign_key_check"))) {
    faults << QStringLiteral("a row of %1 points nowhere").arg(row.value(0).toString());
  }
  for (const QVariantList& row : rowsOf(QStringLiteral("SELECT id, state, lease FROM jobs WHERE state <> 2"))) {
    faults << QStringLiteral("job %1 is in state %2").arg(row.value(0).toInt()).arg(row.value(1).toInt());
  }
  for (const QVariantList& row :
       rowsOf(QStringLiteral("SELECT count(*) FROM attempts WHERE outcome IS NULL HAVING count(*) > 0"))) {
    faults << QStringLiteral("%1 attempts never ended").arg(row.value(0).toInt());
  }
  for (const QVariantList& row :
       rowsOf(QStringLiteral("SELECT count(*) FROM attempts WHERE outcome = 0 AND started IS NULL HAVING count(*) > 0"))) {
    faults << QStringLiteral("%1 attempts made pictures and never began").arg(row.value(0).toInt());
  }
  for (const QVariantList& row :
       rowsOf(QStringLiteral("SELECT j.id, j.lease, (SELECT count(*) FROM attempts a WHERE a.job = j.id) n, "
                             "(SELECT count(*) FROM attempts a WHERE a.job = j.id AND a.outcome = 0) d FROM jobs j WHERE n <> "
                             "j.lease OR (n > 0 AND d <> 1)"))) {
    faults << QStringLiteral("job %1 was given out %2 times, has %3 attempts and %4 that did it")
                  .arg(row.value(0).toInt())
                  .arg(row.value(1).toInt())
                  .arg(row.value(2).toInt())
                  .arg(row.value(3).toInt());
  }

  QSet<QString> known;  // every file and folder that may be there
  const auto know = [&](QString path) {
    for (; path.size() > location.root.size(); path = QFileInfo(path).path()) {
      known << path;
    }
  };
  know(location.databaseFile());
  const bool isFlat = location.layout == library::Location::Layout::Flat;
  QSet<quint64> runs;
  for (const QVariantList& row :
       rowsOf(QStringLiteral("SELECT id, state, total, made, folder, fingerprint, failed, cancelled FROM runs"))) {
    const quint64 id = row.value(0).toULongLong();
    const QString name = QStringLiteral("run %1: ").arg(id);
    const quint64 key = expected.contains(id) ? id : 0;
    if (!expected.contains(key)) {
      faults << name + QStringLiteral("nobody asked for it");
      continue;
    }
    runs << key;
    const Pictures& wanted = expected[key];
    if (row.value(1).toInt() != 1 || row.value(2).toInt() != wanted.size() || row.value(3).toInt() != wanted.size() ||
        row.value(6).toInt() != 0 || row.value(7).toInt() != 0) {
      faults << name + QStringLiteral("state %1, %2 of %3 made, %4 failed, %5 cancelled")
                           .arg(row.value(1).toInt())
                           .arg(row.value(3).toInt())
                           .arg(row.value(2).toInt())
                           .arg(row.value(6).toInt())
                           .arg(row.value(7).toInt());
    }
    const QString folder = QDir::cleanPath(location.picturesFolder() + QLatin1Char('/') + row.value(4).toString());
    know(folder + QLatin1Char('/') + QLatin1String(gallery::kManifestName));
    know((isFlat ? location.homeFolder() : folder) + QLatin1Char('/') + QLatin1String(library::kRunFileName));
    QMap<QString, int> indexOf;
    for (const QVariantList& picture :
         rowsOf(QStringLiteral("SELECT file, bytes, idx FROM pictures WHERE run = ? ORDER BY idx"), {id})) {
      const QString file = picture.value(0).toString();
      const QString path = folder + QLatin1Char('/') + file;
      const QByteArray bytes = bytesOf(path);
      know(path);
      if (picture.value(2).toInt() != indexOf.size()) {
        faults << name + QStringLiteral("picture %1 has no row").arg(indexOf.size());
      }
      indexOf[file] = picture.value(2).toInt();
      if (!QFile::exists(path)) {
        faults << name + file + QStringLiteral(" has a row and no file");
      } else if (bytes != wanted.value(file)) {
        faults << name + file + QStringLiteral(" has other bytes");
      } else if (bytes.size() != picture.value(1).toLongLong()) {
        faults << name + file + QStringLiteral(" has another size in its row");
      }
    }
    if (indexOf.size() != wanted.size()) {
      faults << name + QStringLiteral("%1 rows of pictures").arg(indexOf.size());
    }
    QMap<QString, int> lines;
    const QByteArray manifest = bytesOf(folder + QLatin1Char('/') + QLatin1String(gallery::kManifestName));
    if (!manifest.endsWith('\n')) {
      faults << name + QStringLiteral("the manifest has a torn line");
    }
    for (const QByteArray& line : manifest.chopped(manifest.endsWith('\n') ? 1 : 0).split('\n')) {
      const auto read = gallery::rowFromLine(line);
      if (!read || read->error || read->run != row.value(5).toString() ||
          read->metadata.request.index != indexOf.value(read->file, -1)) {
        faults << name + QStringLiteral("the manifest has a line that does not fit: ") + QString::fromUtf8(line.left(200));
      } else if (++lines[read->file] > 1) {
        faults << name + QStringLiteral("the manifest has %1 twice").arg(read->file);
      }
    }
    if (lines.size() != wanted.size()) {
      faults << name + QStringLiteral("the manifest has %1 pictures").arg(lines.size());
    }
  }
  for (auto run = expected.begin(); run != expected.end(); ++run) {
    if (!runs.contains(run.key())) {
      faults << QStringLiteral("run %1 is lost").arg(run.key());
    }
  }
  for (const QString& path : present) {
    if (!known.contains(path)) {
      faults << QStringLiteral("left over: ") + path;
    }
  }
  return faults;
}

}  // namespace polyptych::tests
