#include "app/polyptych-cli/exit_code.h"

namespace polyptych::cli {

ExitCode exitCodeOfModelError(const base::Error& error) {
  return error.code == base::ErrorCode::Cancelled ? ExitCode::Interrupted : ExitCode::ModelUnusable;
}

ExitCode exitCodeOfRun(const backend::RunSummary& summary, bool hasStarted) {
  using base::ErrorCode;
  if (summary.error) {
    switch (summary.error->code) {
      case ErrorCode::ModelUnusable:
      case ErrorCode::Corrupt:
      case ErrorCode::Unsupported:
        return ExitCode::ModelUnusable;
      case ErrorCode::NotFound:
        return hasStarted ? ExitCode::ModelUnusable : ExitCode::WrongUsage;
      case ErrorCode::InvalidArgument:
      case ErrorCode::AlreadyExists:
        return ExitCode::WrongUsage;
      case ErrorCode::Cancelled:
        return ExitCode::Interrupted;
      case ErrorCode::Io:
        return hasStarted ? ExitCode::SomeFailed : ExitCode::WrongUsage;
      default:
        return ExitCode::SomeFailed;
    }
  }
  if (summary.wasCancelled) {
    return ExitCode::Interrupted;
  }
  return summary.failed == 0 && summary.made + summary.alreadyThere == summary.total ? ExitCode::AllMade : ExitCode::SomeFailed;
}

}  // namespace polyptych::cli
