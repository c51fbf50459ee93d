#pragma once

#include <QString>
#include <functional>
#include <vector>

#include "core/base/result.h"
#include "core/gallery/upkeep/finding.h"
#include "core/library/location.h"

namespace polyptych::gallery {

/// What a rebuild needs and tells.
struct RebuildOptions {
  InsertRun insertRun;
  int threads = 0;  ///< that read files; 0: as many as there are cores
  bool mends =
      true;  ///< openOrRebuild(): looks for differences of files and rows; false: whoever opens the index sees to open runs
  /// Called on the caller's thread with pictures read and pictures found.
  std::function<void(qint64 done, qint64 total)> progress;
  /// openOrRebuild(): called before what may take long, with what it is in words.
  std::function<void(const QString& doing)> doing;
};

struct Rebuilt {
  qint64 runs = 0;
  qint64 pictures = 0;
  qint64 waiting = 0;  ///< pictures of those runs that are still to be made
  double seconds = 0;
  QString setAside;               ///< where the old index went; empty: there was none
  bool isQueueKnown = false;      ///< the old index told the order of the queue, what failed and what was cancelled
  std::vector<Finding> findings;  ///< what could not be taken in, and what was mended for it
};

/// Makes a library's index again from the lists of runs, the pictures' own settings, manifests and sidecars, beside the old one,
/// and puts it in its place; the old one is kept. What the index alone knows (salvage.h) is taken over as far as the old one can
/// be read. The caller holds the library's lock; blocks for as long as it takes.
/// @return Unsupported (the index is of a newer version: nothing is changed), Io, DiskFull
base::Result<Rebuilt> rebuild(const library::Location& location, const RebuildOptions& options);

}  // namespace polyptych::gallery
