#pragma once

#include <QByteArray>
#include <QString>
#include <vector>

#include "core/gallery/manifest_row.h"

namespace polyptych::gallery {

/// A line of a manifest, as far as it tells what nothing else does.
struct ManifestLine {
  QByteArray text;          ///< without line feed
  bool isReadable = false;  ///< false: none of ours, or damaged
  bool isDone = false;      ///< false: of a picture that could not be made
  QString file;
  PictureOrigin origin;
  qint64 timeMs = 0;  ///< since 1970, UTC; 0: not said
};

inline constexpr qint64 kMaxManifestBytes = qint64(4) << 30;
inline constexpr qsizetype kMaxManifestLines = 10'000'000;

/// The lines of a manifest. @param threads  0: as many as there are cores
std::vector<ManifestLine> readManifestLines(const QByteArray& manifest, int threads);

/// The same for a file; nothing if there is none. @return Io, Corrupt (more bytes or lines than above)
base::Result<std::vector<ManifestLine>> readManifestFile(const QString& path, int threads);

}  // namespace polyptych::gallery
