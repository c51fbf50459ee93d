#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "core/backend/backend.h"
#include "core/gallery/output_folder.h"

namespace polyptych::backend {

/// Consecutive pictures that one worker makes in one go.
struct PlannedUnit {
  std::size_t first = 0;
  std::size_t count = 0;
  int attempts = 0;
};

/// What a run needs on the way from submit to its first unit.
struct PreparedRun {
  domain::RunPlan plan;  ///< fixed: no Auto, threads set, model hash known
  std::unique_ptr<gallery::OutputFolder> folder;
};

/// What can be told at once of a run: slots, number of units, that indices are positions. @return InvalidArgument
base::Result<void> checkSpec(const RunSpec& spec);

/// The plan with everything decided that was left open: compute type from the slots, threads from their cores, the model's hash.
/// Reads the model's files. Errors: those of the model.
base::Result<domain::RunPlan> fixPlan(const RunSpec& spec);

/// Checks every request, fixes the plan, and opens the folder. Blocks on the disk.
base::Result<PreparedRun> prepare(const RunSpec& spec);

/// All units of a run: plan.batch consecutive indices each.
std::vector<PlannedUnit> planUnits(std::size_t pictures, int batch);

domain::UnitOfWork workOf(const RunSpec& spec, const domain::RunPlan& plan, const PlannedUnit& unit);

}  // namespace polyptych::backend
