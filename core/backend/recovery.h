#pragma once

#include <vector>

#include "core/base/result.h"
#include "core/library/database.h"
#include "core/library/location.h"
#include "core/queue/runs.h"

namespace polyptych::backend {

// What a backend mends before it begins anything, where the one before it ended suddenly or its index is new. Blocking calls.

/// Gives rows to the runs of a dated library whose file is on the disk and which the index does not know: a submit ended between
/// the two, or the index is an older one. Their pictures that are there count as made. Removes folders whose run was not even
/// written. Inside the caller's transaction.
base::Result<void> adoptRuns(library::Database& database, const library::Location& location);

/// Runs that may have been written to since a time, and all open ones.
base::Result<std::vector<queue::RunRow>> runsToMend(library::Database& database, qint64 sinceMs);

/// Makes a run's folder agree with its rows: no half-written files, and a manifest with one line for every picture. A folder that
/// is not there is left so. @return Io, DiskFull, errors of the database
base::Result<void> mendFolder(library::Database& database, const library::Location& location, const queue::RunRow& run);

}  // namespace polyptych::backend
