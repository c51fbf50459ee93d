// polyptych-core with two options more: --fail-file FILE (read and removed at the start: "step:n", where it ends itself; the
// steps that did so are added to FILE.log) and --restart-delay MS.
#include <QCoreApplication>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "app/polyptych-core/core_program.h"
#include "core/backend/local_backend.h"
#include "tests/support/fail_here.h"

namespace {

using namespace polyptych;

std::string takeOption(std::vector<std::string>& words, const std::string& name) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == name) {
      const std::string value = words[i + 1];
      words.erase(words.begin() + static_cast<std::ptrdiff_t>(i), words.begin() + static_cast<std::ptrdiff_t>(i) + 2);
      return value;
    }
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  std::vector<std::string> words(argv + 1, argv + argc);
  const std::string failFile = takeOption(words, "--fail-file");
  const std::string restartDelay = takeOption(words, "--restart-delay");
  std::string wanted;
  std::ifstream(failFile) >> wanted;
  std::remove(failFile.c_str());
  tests::failAt(wanted, failFile + ".log");

  QCoreApplication application(argc, argv);
  QCoreApplication::setApplicationName(QStringLiteral("polyptych-core"));
  core::CoreSetup setup;
  setup.open = [&](const core::CoreArguments& arguments, const core::CoreEvents& events) -> base::Result<core::OpenedBackend> {
    backend::LocalBackendOptions options = arguments.backend;
    if (!restartDelay.empty()) {
      options.limits.restartBase = options.limits.restartMax = std::chrono::milliseconds(std::stoi(restartDelay));
    }
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
  };
  return core::runCore(words, setup);
}
