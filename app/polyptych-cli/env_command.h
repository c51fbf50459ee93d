#pragma once

#include "app/polyptych-cli/exit_code.h"
#include "core/cluster/launch_environment.h"

namespace polyptych::cli {

/// `env`: what this process was started as, and which variables say so. Exit code WrongUsage for variables that cannot be.
ExitCode showLaunchEnvironment(const cluster::Variables& variables, bool json);

}  // namespace polyptych::cli
