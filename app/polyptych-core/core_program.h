#pragma once

#include <QString>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/polyptych-core/core_arguments.h"
#include "core/backend/backend.h"
#include "core/base/result.h"
#include "core/library/location.h"

namespace polyptych::core {

enum class CoreExit { Ended = 0, LibraryUnusable = 1, WrongUsage = 2, LibraryInUse = 4 };

/// A backend and what only the process that holds it has to know.
struct OpenedBackend {
  std::unique_ptr<backend::Backend> backend;
  /// True if there is nothing to do: no picture in work, and none waiting that is not paused.
  std::function<bool()> isIdle;
};

/// What an opened backend tells the process, on its thread.
struct CoreEvents {
  std::function<void(bool)> onIdleChanged;                  ///< whenever isIdle() is another
  std::function<void(const base::Error& error)> onDamaged;  ///< the index is of no use: this process ends, the next one mends it
  std::function<void(const QString& doing, qint64 done)> onOpening;  ///< backend::LocalBackendOptions::onOpening
};

struct CoreSetup {
  /// Opens the library, whose lock is held.
  std::function<base::Result<OpenedBackend>(const CoreArguments& arguments, const CoreEvents& events)> open;
  std::string version = POLYPTYCH_VERSION;
  std::chrono::milliseconds firstFace{20000};
};

/// The program after main() has made its QCoreApplication. @param words  without the program's name
/// @return the exit status
int runCore(const std::vector<std::string>& words, const CoreSetup& setup);

}  // namespace polyptych::core
