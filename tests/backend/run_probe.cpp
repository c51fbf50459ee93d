// run_probe [--dated] WORKER FOLDER PICTURES SLOTS BATCH [worker's arguments]: prints "picture <index>" for each, then
// "finished". Ends itself where POLYPTYCH_FAIL_POINT says (tests/support/fail_here.h).
#include <QCoreApplication>
#include <cstdio>

#include "core/library/lock.h"
#include "tests/backend/sample_run.h"
#include "tests/support/fail_here.h"

int main(int argc, char** argv) {
  using namespace polyptych;
  QCoreApplication app(argc, argv);
  tests::failAsTheEnvironmentSays();
  QStringList arguments = app.arguments();
  const bool isDated = arguments.removeAll(QStringLiteral("--dated")) > 0;
  if (arguments.size() < 6) {
    return 2;
  }
  backend::LocalBackendOptions options;
  options.cpuWorker = arguments[1];
  options.extraWorkerArguments = arguments.mid(6);
  options.resumesAfterUncleanEnd = true;
  options.limits.maxDeathsPerUnit = 0;
  const library::Location location =
      isDated ? library::locationAt(arguments[2], library::Location::Layout::Dated) : tests::flatLibrary(arguments[2]);
  auto lock = library::Lock::acquire(location, {});
  auto opened = lock ? backend::LocalBackend::open(location, options) : lock.error();
  if (!opened) {
    std::printf("error %s\n", opened.error().message.c_str());
    return 1;
  }
  const std::unique_ptr<backend::LocalBackend> made = std::move(*opened);
  QObject::connect(made.get(), &backend::Backend::pictureFinished, &app, [](const backend::PictureEvent& picture) {
    if (!picture.wasAlreadyThere) {
      std::printf("picture %lld\n", static_cast<long long>(picture.index));
      std::fflush(stdout);
    }
  });
  QObject::connect(
      made.get(), &backend::Backend::runFinished, &app,
      [](const backend::RunSummary& summary) {
        if (summary.error) {
          std::printf("error %s\n", summary.error->message.c_str());
        }
        std::printf("finished\n");
        QCoreApplication::exit(summary.error || summary.failed > 0 ? 1 : 0);
      },
      Qt::QueuedConnection);
  tests::SampleRun run = tests::sampleRun(arguments[2], arguments[3].toInt(), arguments[4].toInt(), arguments[5].toInt());
  run.id = isDated ? tests::kProbeRun : 0;
  made->submit(std::move(run));
  return QCoreApplication::exec();
}
