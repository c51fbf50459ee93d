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

base::Result<core::OpenedBackend> open(const core::CoreArguments& arguments, const core::CoreEvents& events) {
  backend::LocalBackendOptions options = arguments.backend;
  options.onOpening = events.onOpening;
  auto opened = backend::LocalBackend::open(arguments.location, std::move(options));
  if (!opened) {
    return opened.error();
  }
  core::OpenedBackend result;
  backend::LocalBackend* local = opened->get();
  result.backend = std::move(*opened);
  QObject::connect(local, &backend::LocalBackend::idleChanged, local, events.onIdleChanged);
  QObject::connect(local, &backend::LocalBackend::damaged, local, events.onDamaged);
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
