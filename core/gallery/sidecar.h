#pragma once

#include <QByteArray>
#include <QString>

#include "core/base/result.h"
#include "core/gallery/picture_marks.h"

namespace polyptych::library {
class Database;
}

namespace polyptych::gallery {

/// Behind a picture's file name: "00012-a-lighthouse.png.xmp".
inline constexpr char kSidecarEnd[] = ".xmp";
inline constexpr qint64 kMaxSidecarBytes = 1 << 20;

/// XMP (ISO 16684-1) as other programs read it: xmp:Rating (-1 for a rejected picture) and dc:subject (the tags). What has no
/// name there is in a namespace of ours: Stars of a rejected picture, Pick, Albums, Trashed (milliseconds since 1970, UTC).
QByteArray toXmp(const PictureMarks& marks);
/// A sidecar that other programs may have written into.
struct XmpMerge {
  QByteArray xmp;
  bool hasForeign = false;  ///< there is more in it than marks of ours
};
/// The same document with other marks; whatever else is in it stays. What cannot be read gives toXmp().
XmpMerge mergeXmp(const QByteArray& xmp, const PictureMarks& marks);
/// The reverse; reads what other programs write, too. Document type declarations are refused, names that markName() refuses and
/// numbers out of range are left out. @return Corrupt
base::Result<PictureMarks> fromXmp(const QByteArray& xmp);

/// Writes a picture's sidecar, or removes it if there are no marks. What other programs have put into it stays. Whole or not at
/// all, on the disk when it returns.
/// @param picture  path of the picture. @return Io, DiskFull, NotFound (no such folder)
base::Result<void> writeSidecar(const QString& picture, const PictureMarks& marks);
/// No marks if there is no sidecar. @return Corrupt, Io
base::Result<PictureMarks> readSidecar(const QString& picture);
/// Brings a picture's sidecar to what its rows say: to be called after every change of its marks. Errors as above, and those of
/// library::Database. @param picturesFolder  library::Location::picturesFolder()
base::Result<void> saveSidecar(library::Database& database, const QString& picturesFolder, qint64 picture);

}  // namespace polyptych::gallery
