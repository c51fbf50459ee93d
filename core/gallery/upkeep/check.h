#pragma once

#include <QString>
#include <functional>
#include <vector>

#include "core/base/result.h"
#include "core/gallery/upkeep/finding.h"
#include "core/gallery/upkeep/picture_files.h"
#include "core/library/location.h"

namespace polyptych::gallery {

struct CheckOptions {
  bool repair = false;  ///< the caller holds the library's lock then
  InsertRun insertRun;  ///< for runs that the index does not know
  ReadingDepth depth = ReadingDepth::Whole;
  int threads = 0;         ///< that read files; 0: as many as there are cores
  QString thumbnailCache;  ///< folder of the thumbnails; empty: not looked at
  /// Called on the caller's thread with pictures read and pictures found.
  std::function<void(qint64 done, qint64 total)> progress;
};

/// Finds every disagreement of a library's files and rows and, if it is to repair, mends it. Files of pictures are never deleted:
/// a damaged one is renamed. A second check finds only what cannot be mended (Finding::isRepaired is false). Blocks for as long
/// as it takes. Beside a running backend it may tell of what is being written right now.
/// @return NotFound (no index), Unsupported (newer), Corrupt (the index itself is damaged: rebuild it), Io, DiskFull
base::Result<std::vector<Finding>> check(const library::Location& location, const CheckOptions& options);

}  // namespace polyptych::gallery
