#pragma once

#include <string>

#include "app/polyptych-cli/arguments.h"
#include "app/polyptych-cli/exit_code.h"

namespace polyptych::cli {

/// `pictures`: a line a picture, or one JSON list. Works beside a backend.
ExitCode showPictures(const Arguments& arguments);

/// `library check|rebuild|export|import`. Those that write take the library's lock and say who has it if somebody does.
/// Exit codes: AllMade if nothing is left to mend; SomeFailed if something is, or the disk did not do it; WrongUsage if there is
/// no such library or folder, or somebody has it.
ExitCode keepLibrary(const Arguments& arguments);

}  // namespace polyptych::cli
