#pragma once

#include "core/backend/backend.h"
#include "core/base/result.h"

namespace polyptych::cli {

enum class ExitCode { AllMade = 0, SomeFailed = 1, WrongUsage = 2, ModelUnusable = 3, Interrupted = 130 };

/// A model that could not be opened: ModelUnusable, unless reading failed for a reason outside the model.
ExitCode exitCodeOfModelError(const base::Error& error);
/// How a run as a whole ended. What is not found before it has started is the program of a device's worker: the device cannot be
/// meant; afterwards it is a part of the model.
ExitCode exitCodeOfRun(const backend::RunSummary& summary, bool hasStarted);

}  // namespace polyptych::cli
