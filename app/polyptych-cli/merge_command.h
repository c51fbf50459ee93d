#pragma once

#include "app/polyptych-cli/arguments.h"
#include "app/polyptych-cli/exit_code.h"

namespace polyptych::cli {

/// `merge`: joins the parts that the processes of a group have left in a folder, or the folders of several machines.
ExitCode mergeFolders(const MergeArguments& arguments);

}  // namespace polyptych::cli
