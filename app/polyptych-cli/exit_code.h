#pragma once

#include "core/backend/backend.h"
#include "core/base/result.h"

namespace polyptych::cli {

enum class ExitCode { AllMade = 0, SomeFailed = 1, WrongUsage = 2, ModelUnusable = 3, Interrupted = 130 };

/// A model that could not be opened: ModelUnusable, unless reading failed for a reason outside the model.
ExitCode exitCodeOfModelError(const base::Error& error);
/// How a run as a whole ended.
ExitCode exitCodeOfRun(const backend::RunSummary& summary);

}  // namespace polyptych::cli
