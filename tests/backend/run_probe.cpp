// run_probe WORKER FOLDER PICTURES SLOTS BATCH [worker's arguments]: prints "picture <index>" for each, then "finished".
#include <QCoreApplication>
#include <cstdio>

#include "tests/backend/sample_run.h"

int main(int argc, char** argv) {
  using namespace polyptych;
  QCoreApplication app(argc, argv);
  const QStringList arguments = app.arguments();
  if (arguments.size() < 6) {
    return 2;
  }
  backend::LocalBackendOptions options;
  options.cpuWorker = arguments[1];
  options.extraWorkerArguments = arguments.mid(6);
  const auto made = backend::makeLocalBackend(options);
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
  made->submit(tests::sampleRun(arguments[2], arguments[3].toInt(), arguments[4].toInt(), arguments[5].toInt()));
  return QCoreApplication::exec();
}
