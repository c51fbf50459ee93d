#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/backend/backend.h"
#include "core/base/result.h"
#include "core/library/location.h"

namespace polyptych::core {

enum class CoreCommand { Run, Help, Version };

struct CoreArguments {
  CoreCommand command = CoreCommand::Run;
  library::Location location;
  backend::LocalBackendOptions backend;
  std::chrono::milliseconds linger{2000};
  bool endsWhenAlone = false;  ///< without its faces, in the middle of work too
};

/// @param words  without the program's name. @return InvalidArgument
base::Result<CoreArguments> parseCoreArguments(const std::vector<std::string>& words);

std::string coreHelpText();

}  // namespace polyptych::core
