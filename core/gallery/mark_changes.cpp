#include "core/gallery/mark_changes.h"

#include "core/gallery/picture_rows.h"
#include "core/gallery/sidecar.h"
#include "core/library/database.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;

/// Changes that can be taken back; older ones are forgotten.
constexpr qint64 kChangesKept = 200;

Result<void> noteStale(Database& database, qint64 picture) {
  const auto noted = database.change(
      "INSERT INTO stale_sidecars(picture, revision) VALUES (?, 1) ON CONFLICT(picture) DO UPDATE SET revision = revision + 1",
      {picture});
  return noted ? Result<void>() : noted.error();
}

Result<void> addName(QStringList& names, const QString& typed) {
  const std::optional<QString> name = markName(typed);
  if (!name) {
    return Error{ErrorCode::InvalidArgument,
                 "A name of a tag or an album has 1 to " + std::to_string(kMaxNameCharacters) + " characters.",
                 typed.left(kMaxNameCharacters).toStdString()};
  }
  if (!names.contains(*name)) {
    names << *name;
    names.sort();
  }
  return {};
}

Result<PictureMarks> changed(PictureMarks marks, const MarkChange& change, qint64 nowMs) {
  if (change.stars) {
    marks.stars = *change.stars;
  }
  if (change.pick) {
    marks.pick = *change.pick;
  }
  for (const QString& tag : change.addedTags) {
    if (auto added = addName(marks.tags, tag); !added) {
      return added.error();
    }
  }
  for (const QString& tag : change.removedTags) {
    marks.tags.removeAll(markName(tag).value_or(QString()));
  }
  if (!change.addedAlbum.isEmpty()) {
    if (auto added = addName(marks.albums, change.addedAlbum); !added) {
      return added.error();
    }
  }
  if (!change.removedAlbum.isEmpty()) {
    marks.albums.removeAll(markName(change.removedAlbum).value_or(QString()));
  }
  if (change.isTrashed && *change.isTrashed != marks.trashedMs.has_value()) {
    marks.trashedMs = *change.isTrashed ? std::optional<qint64>(nowMs) : std::nullopt;
  }
  return marks;
}

}  // namespace

Result<qint64> changeMarks(Database& database, const MarkChange& change, qint64 nowMs, std::vector<qint64>& list) {
  list.clear();
  const Result<qint64> undoId = database.insert("INSERT INTO undos(made, words) VALUES (?, ?)", {nowMs, QStringLiteral("mark")});
  if (!undoId) {
    return undoId;
  }
  for (const qint64 picture : change.pictures) {
    const Result<QVariant> isThere = database.value("SELECT 1 FROM pictures WHERE id = ?", {picture});
    if (!isThere) {
      return isThere.error();
    }
    if (isThere->isNull()) {
      continue;
    }
    const Result<PictureMarks> before = readMarks(database, picture);
    if (!before) {
      return before.error();
    }
    const Result<PictureMarks> after = changed(*before, change, nowMs);
    if (!after) {
      return after.error();
    }
    if (*after == *before) {
      continue;
    }
    const auto kept = database.change("INSERT OR IGNORE INTO undo_marks(undo, picture, marks) VALUES (?, ?, ?)",
                                      {*undoId, picture, toXmp(*before)});
    const Result<void> written = kept ? writeMarks(database, picture, *after) : kept.error();
    const Result<void> noted = written ? noteStale(database, picture) : written.error();
    if (!noted) {
      return noted.error();
    }
    list.push_back(picture);
  }
  const auto forgotten = database.change(
      "DELETE FROM undo_marks WHERE undo < (SELECT min(undo) FROM (SELECT DISTINCT undo FROM undo_marks ORDER BY undo DESC LIMIT "
      "?))",
      {kChangesKept});
  return forgotten ? undoId : forgotten.error();
}

Result<bool> undoMarks(Database& database, qint64 undoId, std::vector<qint64>& list) {
  list.clear();
  Result<QSqlQuery> rows =
      database.queryOnce(QStringLiteral("SELECT picture, marks FROM undo_marks WHERE undo = ? ORDER BY picture"), {undoId});
  if (!rows) {
    return rows.error();
  }
  std::vector<std::pair<qint64, QByteArray>> before;
  while (rows->next()) {
    before.emplace_back(rows->value(0).toLongLong(), rows->value(1).toByteArray());
  }
  rows->finish();
  if (before.empty()) {
    return false;
  }
  for (const auto& [picture, xmp] : before) {
    const Result<QVariant> isThere = database.value("SELECT 1 FROM pictures WHERE id = ?", {picture});
    if (!isThere) {
      return isThere.error();
    }
    if (isThere->isNull()) {
      continue;
    }
    const Result<PictureMarks> marks = fromXmp(xmp);
    const Result<void> written = marks ? writeMarks(database, picture, *marks) : marks.error();
    const Result<void> noted = written ? noteStale(database, picture) : written.error();
    if (!noted) {
      return noted.error();
    }
    list.push_back(picture);
  }
  const auto done = database.change("DELETE FROM undo_marks WHERE undo = ?", {undoId});
  return done ? Result<bool>(true) : done.error();
}

Result<std::vector<StaleSidecar>> staleSidecars(Database& database, int limit) {
  const Result<QSqlQuery*> rows = database.query(
      "SELECT s.picture, s.revision, CASE WHEN r.folder = '' THEN p.file ELSE r.folder || '/' || p.file END FROM stale_sidecars "
      "s "
      "JOIN pictures p ON p.id = s.picture JOIN runs r ON r.id = p.run ORDER BY s.picture LIMIT ?",
      {limit});
  if (!rows) {
    return rows.error();
  }
  std::vector<StaleSidecar> stale;
  while ((*rows)->next()) {
    stale.push_back({(*rows)->value(0).toLongLong(), (*rows)->value(1).toLongLong(), (*rows)->value(2).toString(), {}});
  }
  (*rows)->finish();
  for (StaleSidecar& one : stale) {
    Result<PictureMarks> marks = readMarks(database, one.picture);
    if (!marks) {
      return marks.error();
    }
    one.marks = *std::move(marks);
  }
  return stale;
}

Result<void> noteWritten(Database& database, const StaleSidecar& sidecar) {
  const auto done =
      database.change("DELETE FROM stale_sidecars WHERE picture = ? AND revision = ?", {sidecar.picture, sidecar.revision});
  return done ? Result<void>() : done.error();
}

}  // namespace polyptych::gallery
