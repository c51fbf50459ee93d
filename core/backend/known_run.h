#pragma once

#include <QString>
#include <vector>

#include "core/base/result.h"
#include "core/domain/request.h"

namespace polyptych::backend {

/// A run as its folder tells it: for a face that did not submit it, or was away for a while.
struct KnownRun {
  std::vector<domain::GenerationRequest> requests;  ///< index i at position i
  int batch = 1;
  std::vector<QString> pictures;  ///< by index; absolute path, empty while the picture is not there
};

/// Reads RunStatus::folder of a library with dated folders. Blocks on the disk: for a thread of its own. What is finished from
/// now on is told by Backend::pictureFinished. @return NotFound, Io, Corrupt, Unsupported (of a newer version)
base::Result<KnownRun> readKnownRun(const QString& folder);

}  // namespace polyptych::backend
