#pragma once

#include <QString>
#include <vector>

#include "core/base/result.h"
#include "core/gallery/upkeep/finding.h"

namespace polyptych::gallery {

/// Jobs that were done and whose pictures are gone wait again where they stood. Inside the caller's transaction.
/// @param lost  indices in the run
base::Result<void> makeAgain(library::Database& database, quint64 run, const std::vector<std::size_t>& lost);

/// Holds jobs and counters of every run against the rows of pictures: a job is done whose pictures are all there, and a run's
/// numbers are those of its jobs and pictures. @param repair  inside the caller's transaction
base::Result<std::vector<Finding>> checkRunStates(library::Database& database, bool repair);

}  // namespace polyptych::gallery
