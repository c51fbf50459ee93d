#pragma once

#include <QString>

#include "core/base/result.h"
#include "core/domain/request.h"
#include "core/gallery/manifest_row.h"
#include "core/gallery/picture_marks.h"

namespace polyptych::library {
class Database;
}

namespace polyptych::gallery {

/// A picture whose file is on the disk.
struct NewPicture {
  quint64 runId = 0;
  domain::PictureMetadata metadata;  ///< request.index and promptIndex: those in the run
  QString file;                      ///< inside the run's folder
  qint64 bytes = 0;
  PictureOrigin origin;
  qint64 madeMs = 0;       ///< since 1970, UTC
  qint64 promptRow = 0;    ///< 0: that of the run's request, else a new one
  qint64 settingsRow = 0;  ///< 0: looked up
  qint64 planRow = 0;      ///< 0: looked up
};

// Each works inside the caller's transaction. Errors: those of library::Database; NotFound for a picture that is not there;
// InvalidArgument for marks that cannot be.

/// Adds a row, and the prompt to the text index if it is not in it. @return the row's id; AlreadyExists if the run has a picture
/// of that index
base::Result<qint64> addPicture(library::Database& database, const NewPicture& picture);
/// Takes a row out, with its marks. The file stays.
base::Result<void> removePicture(library::Database& database, qint64 picture);
/// The same for all of a run.
base::Result<void> removePicturesOfRun(library::Database& database, quint64 run);
/// Puts a prompt into the text index if it is not in it.
base::Result<void> indexPrompt(library::Database& database, qint64 promptRow, const QString& text);

base::Result<void> setStars(library::Database& database, qint64 picture, int stars);
base::Result<void> setPick(library::Database& database, qint64 picture, int pick);
/// @param whenMs  nothing: out of the trash again
base::Result<void> setTrashed(library::Database& database, qint64 picture, std::optional<qint64> whenMs);
/// Tags and albums are made when they are first used.
base::Result<void> addTag(library::Database& database, qint64 picture, const QString& tag);
base::Result<void> removeTag(library::Database& database, qint64 picture, const QString& tag);
/// At the end of the album.
base::Result<void> addToAlbum(library::Database& database, qint64 picture, const QString& album);
base::Result<void> removeFromAlbum(library::Database& database, qint64 picture, const QString& album);

base::Result<PictureMarks> readMarks(library::Database& database, qint64 picture);
/// In place of all that are there.
base::Result<void> writeMarks(library::Database& database, qint64 picture, const PictureMarks& marks);

}  // namespace polyptych::gallery
