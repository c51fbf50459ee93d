#include <QCoreApplication>
#include <algorithm>
#include <clocale>
#include <csignal>
#include <string>
#include <vector>

#include "app/polyptych-core/core_program.h"
#include "core/backend/local_backend.h"

namespace {

using namespace polyptych;

base::Result<core::OpenedBackend> open(const core::CoreArguments& arguments, std::function<void(bool)> onIdleChanged) {
  auto opened = backend::LocalBackend::open(arguments.location, arguments.backend);
  if (!opened) {
    return opened.error();
  }
  core::OpenedBackend result;
  backend::LocalBackend* local = opened->get();
  result.backend = std::move(*opened);
  QObject::connect(local, &backend::LocalBackend::idleChanged, local, std::move(onIdleChanged));
  result.isIdle = [local] { return local->isIdle(); };
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  QCoreApplication application(argc, argv);
  QCoreApplication::setApplicationName(QStringLiteral("polyptych-core"));
  QCoreApplication::setApplicationVersion(QStringLiteral(POLYPTYCH_VERSION));
  std::setlocale(LC_NUMERIC, "C");
  core::CoreSetup setup;
  setup.open = open;
  return core::runCore({argv + 1, argv + std::max(argc, 1)}, setup);
}
