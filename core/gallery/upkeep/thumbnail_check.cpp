#include "core/gallery/upkeep/thumbnail_check.h"

#include <QSet>

#include "core/gallery/thumbnail_store.h"
#include "core/library/database.h"

namespace polyptych::gallery {

using base::Result;

Result<std::vector<Finding>> checkThumbnails(library::Database& database, const library::Location& location,
                                             const QString& thumbnailFolder, bool repair) {
  ThumbnailStore store(thumbnailFolder, location, std::numeric_limits<qint64>::max());
  const std::vector<QString> keys = store.keys();
  std::vector<Finding> findings;
  if (keys.empty()) {
    return findings;
  }
  const Result<QSqlQuery*> rows = database.query(
      "SELECT CASE WHEN r.folder = '' THEN p.file ELSE r.folder || '/' || p.file END FROM pictures p "
      "JOIN runs r ON r.id = p.run");
  if (!rows) {
    return rows.error();
  }
  QSet<QString> wanted;
  while ((*rows)->next()) {
    const QString picture = location.picturesFolder() + u'/' + (*rows)->value(0).toString();
    for (const int side : kThumbnailSides) {
      if (const auto key = store.keyOf(picture, side)) {
        wanted << *key;
      }
    }
  }
  (*rows)->finish();
  for (const QString& key : keys) {
    if (wanted.contains(key)) {
      continue;
    }
    findings.push_back({FindingKind::ThumbnailWithoutPicture, key, repair,
                        repair ? QStringLiteral("A thumbnail whose picture is gone was removed.")
                               : QStringLiteral("A thumbnail whose picture is gone.")});
    if (repair) {
      store.remove(key);
    }
  }
  return findings;
}

}  // namespace polyptych::gallery
