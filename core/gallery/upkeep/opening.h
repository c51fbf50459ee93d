#pragma once

#include <QString>

#include "core/base/result.h"
#include "core/gallery/upkeep/rebuild.h"
#include "core/library/location.h"

namespace polyptych::gallery {

/// How a library's index came to be of use.
struct Opening {
  enum class Kind {
    Opened,  ///< it was there
    Made,    ///< a new library
    Mended,  ///< it was older than the files: a log was lost, or a machine went down between a file and its row
    Rebuilt  ///< it was damaged or gone, and was made again
  };
  Kind kind = Kind::Opened;
  QString sentence;          ///< what happened and where the old index is; empty if nothing did
  bool isQueueKnown = true;  ///< Rebuilt: with the order of the queue, and what had failed or been cancelled
};

/// Sees that a library's index is there, whole and not older than its files; makes, mends or rebuilds it where it is not. The
/// caller holds the library's lock and opens the index after that. Jobs that were leased stay so. An index that was not closed is
/// read whole, with what its writer noted in it: "clean" 0 while it was open.
/// @return Unsupported (of a newer version: nothing is changed), Io, DiskFull, Timeout
base::Result<Opening> openOrRebuild(const library::Location& location, const RebuildOptions& options);

}  // namespace polyptych::gallery
