#pragma once

#include <QSet>
#include <QString>
#include <QStringList>
#include <vector>

#include "core/base/result.h"
#include "core/domain/request.h"
#include "core/gallery/picture_marks.h"

namespace polyptych::gallery {

/// A PNG as it lies on the disk.
struct PictureFile {
  QString name;
  qint64 bytes = 0;
  qint64 modifiedMs = 0;
  /// NotFound: not made by this program, or no PNG at all; Unsupported: by a newer version; Corrupt: cut or damaged; Io
  base::Result<domain::PictureMetadata> metadata = base::Error{};
  /// Of its sidecar. Corrupt: that cannot be read.
  base::Result<PictureMarks> marks = PictureMarks{};
  bool hasSidecar = false;
};

enum class ReadingDepth {
  Ends,  ///< settings, size and end: finds files that are cut
  Whole  ///< every checksum, too
};

/// Reads files of a folder with their sidecars. @param threads  0: as many as there are cores
std::vector<PictureFile> readPictureFiles(const QString& folder, const QStringList& names, const QSet<QString>& sidecars,
                                          ReadingDepth depth, int threads);

}  // namespace polyptych::gallery
