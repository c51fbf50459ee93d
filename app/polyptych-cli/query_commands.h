#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/polyptych-cli/arguments.h"
#include "app/polyptych-cli/exit_code.h"
#include "core/domain/device_choice.h"

namespace polyptych::cli {

/// Each writes its answer to standard output (with `json`: one JSON document), its errors to standard error.
ExitCode showDevices(const std::vector<domain::DeviceInfo>& devices, bool json);
ExitCode showModels(bool json);
ExitCode showModel(const std::string& reference, bool json);
ExitCode showSchedulers(bool json);

/// Lines of standard input, each ended by LF, to ids: one answer a line, flushed at once. With `json` {"ids": [...], "dropped":
/// "..."}; without it the ids with blanks between, then a tab and the dropped words if there are any.
ExitCode tokenizeInput(const std::string& reference, bool json);

/// Writes a sheet of a run's pictures and its path to standard output. A file that exists is never overwritten.
ExitCode makeContactSheet(const ContactSheetArguments& asked);

/// What is taken where nobody chose: the model that came with the program, else the one usable model of this machine. Errors:
/// InvalidArgument where there is none or more than one.
base::Result<std::string> defaultModel();

/// checkpoint::resolveModelReference() that knows the models that came with the program.
base::Result<domain::ModelSpec> resolveModel(const std::string& reference);

/// Writes `text` to standard output; where that fails, says so. A reader that went away is told nothing.
ExitCode answer(const std::string& text);

/// Says on standard error why standard output could not be written. `code`: errno
void complainOfOutput(int code);
/// "polyptych-cli: sentence" on standard error.
void complain(const base::Error& error);

}  // namespace polyptych::cli
