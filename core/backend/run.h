#pragma once

#include <map>
#include <memory>
#include <vector>

#include "core/backend/backend.h"
#include "core/backend/recorder.h"
#include "core/library/location.h"
#include "core/library/run_file.h"

namespace polyptych::backend {

/// A run whose files are on the disk and whose rows are still to be written.
struct PreparedRun {
  library::RunRecord record;
  std::shared_ptr<RunFiles> files;
  std::vector<bool> finished;                             ///< by index; pictures that were there
  std::map<std::size_t, gallery::PictureOrigin> origins;  ///< of those
};

/// What can be told at once of a run: slots, number of units, that indices go upwards. @return InvalidArgument
base::Result<void> checkSpec(const RunSpec& spec);

/// The plan with everything decided that was left open: compute type from the slots, threads from their cores, the model's hash.
/// Reads the model's files. Errors: those of the model.
base::Result<domain::RunPlan> fixPlan(const RunSpec& spec);

/// What every picture of a run will tell about itself.
std::vector<domain::PictureMetadata> metadataOf(const library::RunRecord& record);

/// Checks every request, fixes the plan, opens the folder and writes the run's file. In a flat library the folder is compared
/// with the run first. Blocks on the disk. @param number  of the run
base::Result<PreparedRun> prepare(const RunSpec& spec, const library::Location& location, qint64 number);

/// The bytes that a run begins from in place of noise; empty if the file is gone. Blocks on the disk.
std::vector<std::byte> readLatents(const library::Location& location, const QString& runFolder);

/// Takes the files of a run back that is not to be, where they are its own. Blocks on the disk. @return whether all are gone
bool discard(const PreparedRun& prepared, const library::Location& location);

/// Names the run in a flat library's manifest: equal for the same pictures from the same beginning.
QString fingerprintOf(const RunSpec& spec, const domain::RunPlan& plan);

/// Adds the run's rows; in a flat library in place of those that are there. Inside the caller's transaction.
base::Result<void> insertPrepared(library::Database& database, const PreparedRun& prepared, const library::Location& location);

}  // namespace polyptych::backend
