#include "core/gallery/picture_rows.h"

#include "core/gallery/prompt_grams.h"
#include "core/library/database.h"
#include "core/library/shared_rows.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;

/// A row id, or the row that `make` gives where it is 0.
template <typename Make>
Result<qint64> given(qint64 row, Make make) {
  return row != 0 ? Result<qint64>(row) : make();
}

Result<void> change(Database& database, const char* sql, const QVariantList& values) {
  const Result<qint64> done = database.change(sql, values);
  return done ? Result<void>() : done.error();
}

Result<void> changeAll(Database& database, std::initializer_list<const char*> statements, const QVariantList& values) {
  for (const char* sql : statements) {
    if (auto done = change(database, sql, values); !done) {
      return done;
    }
  }
  return {};
}

Result<void> mustBeThere(Database& database, qint64 picture) {
  const Result<QVariant> found = database.value("SELECT 1 FROM pictures WHERE id = ?", {picture});
  if (!found) {
    return found.error();
  }
  return found->isNull() ? Error{ErrorCode::NotFound, "The picture is not in the library any more.", {}} : Result<void>();
}

Result<void> checkNumber(const char* what, int number, int least, int most) {
  if (number < least || number > most) {
    return Error{ErrorCode::InvalidArgument,
                 std::string(what) + " must be a number from " + std::to_string(least) + " to " + std::to_string(most) + ".",
                 std::to_string(number)};
  }
  return {};
}

Result<QString> checkName(const QString& typed) {
  const std::optional<QString> name = markName(typed);
  return name ? Result<QString>(*name)
              : Error{ErrorCode::InvalidArgument,
                      "A name of a tag or an album has 1 to " + std::to_string(kMaxNameCharacters) + " characters.",
                      typed.left(kMaxNameCharacters).toStdString()};
}

/// A row without a mark in it is none.
Result<void> setRating(Database& database, qint64 picture, const char* sql, int value) {
  if (auto found = mustBeThere(database, picture); !found) {
    return found;
  }
  if (auto made = change(database, "INSERT OR IGNORE INTO ratings(picture) VALUES (?)", {picture}); !made) {
    return made;
  }
  if (auto set = change(database, sql, {value, picture}); !set) {
    return set;
  }
  return change(database, "DELETE FROM ratings WHERE picture = ? AND stars = 0 AND pick = 0", {picture});
}

/// The request's row stands at its index where units are made in order; where they are not, a second row for a text does no harm.
Result<qint64> promptRow(Database& database, const NewPicture& picture) {
  const domain::GenerationRequest& request = picture.metadata.request;
  const Result<QSqlQuery*> rows = database.query(
      "SELECT t.id, t.text FROM runs r JOIN requests q ON q.id = r.first_request + ? AND q.idx = q.id - r.first_request "
      "JOIN prompts t ON t.id = q.prompt WHERE r.id = ? AND q.id < r.first_request + r.total",
      {static_cast<qint64>(request.index), picture.runId});
  if (!rows) {
    return rows.error();
  }
  const bool isKnown = (*rows)->next() && (*rows)->value(1).toString().toStdString() == request.prompt;
  const qint64 known = isKnown ? (*rows)->value(0).toLongLong() : 0;
  (*rows)->finish();
  return isKnown ? Result<qint64>(known) : library::newPromptRow(database, request.prompt);
}

Result<QStringList> names(Database& database, const char* sql, qint64 picture) {
  const Result<QSqlQuery*> rows = database.query(sql, {picture});
  if (!rows) {
    return rows.error();
  }
  QStringList list;
  while ((*rows)->next()) {
    list << (*rows)->value(0).toString();
  }
  (*rows)->finish();
  list.sort();
  return list;
}

}  // namespace

Result<void> removePicturesOfRun(Database& database, quint64 run) {
  std::vector<qint64> pictures;
  const Result<QSqlQuery*> rows = database.query("SELECT id FROM pictures WHERE run = ?", {run});
  if (!rows) {
    return rows.error();
  }
  while ((*rows)->next()) {
    pictures.push_back((*rows)->value(0).toLongLong());
  }
  (*rows)->finish();
  for (const qint64 picture : pictures) {
    if (auto removed = removePicture(database, picture); !removed) {
      return removed;
    }
  }
  return {};
}

Result<void> indexPrompt(Database& database, qint64 promptRow, const QString& text) {
  const Result<qint64> marked = database.change("UPDATE prompts SET is_indexed = 1 WHERE id = ? AND is_indexed = 0", {promptRow});
  if (!marked) {
    return marked.error();
  }
  return *marked == 0 ? Result<void>()
                      : change(database, "INSERT INTO prompt_grams(rowid, grams) VALUES (?, ?)", {promptRow, promptGrams(text)});
}

Result<qint64> addPicture(Database& database, const NewPicture& picture) {
  const domain::GenerationRequest& request = picture.metadata.request;
  const Result<qint64> settings = given(picture.settingsRow, [&] { return library::settingsRow(database, request); });
  if (!settings) {
    return settings;
  }
  const Result<qint64> plan = given(picture.planRow, [&] { return library::planRow(database, picture.metadata); });
  if (!plan) {
    return plan;
  }
  const Result<qint64> prompt = given(picture.promptRow, [&] { return promptRow(database, picture); });
  if (!prompt) {
    return prompt;
  }
  if (auto indexed = indexPrompt(database, *prompt, QString::fromStdString(request.prompt)); !indexed) {
    return indexed.error();
  }
  return database.insert(
      "INSERT INTO pictures(run, idx, prompt_index, file, bytes, prompt, settings, plan, seed, made, device, device_name, "
      "seconds) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {picture.runId, static_cast<qint64>(request.index), static_cast<qint64>(request.promptIndex), picture.file, picture.bytes,
       *prompt, *settings, *plan, static_cast<qint64>(request.seed), picture.madeMs,
       picture.origin.device.isNull() ? QStringLiteral("") : picture.origin.device,
       picture.origin.deviceName.isNull() ? QStringLiteral("") : picture.origin.deviceName, picture.origin.seconds});
}

Result<void> removePicture(Database& database, qint64 picture) {
  if (auto found = mustBeThere(database, picture); !found) {
    return found;
  }
  return changeAll(database,
                   {"DELETE FROM ratings WHERE picture = ?", "DELETE FROM picture_tags WHERE picture = ?",
                    "DELETE FROM album_pictures WHERE picture = ?", "DELETE FROM pictures WHERE id = ?"},
                   {picture});
}

Result<void> setStars(Database& database, qint64 picture, int stars) {
  if (auto fits = checkNumber("A rating", stars, 0, kMaxStars); !fits) {
    return fits;
  }
  return setRating(database, picture, "UPDATE ratings SET stars = ? WHERE picture = ?", stars);
}

Result<void> setPick(Database& database, qint64 picture, int pick) {
  if (auto fits = checkNumber("A pick", pick, -1, 1); !fits) {
    return fits;
  }
  return setRating(database, picture, "UPDATE ratings SET pick = ? WHERE picture = ?", pick);
}

Result<void> setTrashed(Database& database, qint64 picture, std::optional<qint64> whenMs) {
  if (auto found = mustBeThere(database, picture); !found) {
    return found;
  }
  return change(database, "UPDATE pictures SET trashed = ? WHERE id = ?",
                {whenMs ? QVariant(*whenMs) : QVariant(QMetaType::fromType<qint64>()), picture});
}

Result<void> addTag(Database& database, qint64 picture, const QString& tag) {
  const Result<QString> name = checkName(tag);
  if (!name) {
    return name.error();
  }
  if (auto found = mustBeThere(database, picture); !found) {
    return found;
  }
  if (auto made = change(database, "INSERT OR IGNORE INTO tags(name) VALUES (?)", {*name}); !made) {
    return made;
  }
  return change(database, "INSERT OR IGNORE INTO picture_tags(picture, tag) SELECT ?, id FROM tags WHERE name = ?",
                {picture, *name});
}

Result<void> removeTag(Database& database, qint64 picture, const QString& tag) {
  const Result<QString> name = checkName(tag);
  if (!name) {
    return name.error();
  }
  if (auto removed = change(database, "DELETE FROM picture_tags WHERE picture = ? AND tag = (SELECT id FROM tags WHERE name = ?)",
                            {picture, *name});
      !removed) {
    return removed;
  }
  return change(database, "DELETE FROM tags WHERE name = ? AND NOT EXISTS (SELECT 1 FROM picture_tags WHERE tag = tags.id)",
                {*name});
}

Result<void> addToAlbum(Database& database, qint64 picture, const QString& album) {
  const Result<QString> name = checkName(album);
  if (!name) {
    return name.error();
  }
  if (auto found = mustBeThere(database, picture); !found) {
    return found;
  }
  if (auto made = change(database, "INSERT OR IGNORE INTO albums(name) VALUES (?)", {*name}); !made) {
    return made;
  }
  return change(database,
                "INSERT OR IGNORE INTO album_pictures(album, picture, position) SELECT a.id, ?, "
                "(SELECT coalesce(max(position), 0) + 1 FROM album_pictures WHERE album = a.id) FROM albums a WHERE a.name = ?",
                {picture, *name});
}

Result<void> removeFromAlbum(Database& database, qint64 picture, const QString& album) {
  const Result<QString> name = checkName(album);
  if (!name) {
    return name.error();
  }
  return change(database, "DELETE FROM album_pictures WHERE picture = ? AND album = (SELECT id FROM albums WHERE name = ?)",
                {picture, *name});
}

Result<PictureMarks> readMarks(Database& database, qint64 picture) {
  const Result<QSqlQuery*> rows = database.query(
      "SELECT coalesce(r.stars, 0), coalesce(r.pick, 0), p.trashed FROM pictures p LEFT JOIN ratings r ON r.picture = p.id "
      "WHERE p.id = ?",
      {picture});
  if (!rows) {
    return rows.error();
  }
  if (!(*rows)->next()) {
    (*rows)->finish();
    return Error{ErrorCode::NotFound, "The picture is not in the library any more.", {}};
  }
  PictureMarks marks;
  marks.stars = (*rows)->value(0).toInt();
  marks.pick = (*rows)->value(1).toInt();
  if (!(*rows)->isNull(2)) {
    marks.trashedMs = (*rows)->value(2).toLongLong();
  }
  (*rows)->finish();
  Result<QStringList> tags =
      names(database, "SELECT t.name FROM picture_tags pt JOIN tags t ON t.id = pt.tag WHERE pt.picture = ?", picture);
  if (!tags) {
    return tags.error();
  }
  Result<QStringList> albums =
      names(database, "SELECT a.name FROM album_pictures ap JOIN albums a ON a.id = ap.album WHERE ap.picture = ?", picture);
  if (!albums) {
    return albums.error();
  }
  marks.tags = *std::move(tags);
  marks.albums = *std::move(albums);
  return marks;
}

Result<void> writeMarks(Database& database, qint64 picture, const PictureMarks& marks) {
  const Result<PictureMarks> before = readMarks(database, picture);
  if (!before) {
    return before.error();
  }
  if (auto done = setStars(database, picture, marks.stars); !done) {
    return done;
  }
  if (auto done = setPick(database, picture, marks.pick); !done) {
    return done;
  }
  if (auto done = setTrashed(database, picture, marks.trashedMs); !done) {
    return done;
  }
  using Change = Result<void> (*)(Database&, qint64, const QString&);
  const auto update = [&](const QStringList& was, const QStringList& is, Change add, Change remove) -> Result<void> {
    for (const QString& name : was) {
      if (!is.contains(name)) {
        if (auto done = remove(database, picture, name); !done) {
          return done;
        }
      }
    }
    for (const QString& name : is) {
      if (!was.contains(name)) {
        if (auto done = add(database, picture, name); !done) {
          return done;
        }
      }
    }
    return {};
  };
  if (auto done = update(before->tags, marks.tags, addTag, removeTag); !done) {
    return done;
  }
  return update(before->albums, marks.albums, addToAlbum, removeFromAlbum);
}

}  // namespace polyptych::gallery
