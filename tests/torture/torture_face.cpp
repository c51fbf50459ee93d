#include <unistd.h>

#include <QCoreApplication>
#include <QSocketNotifier>
#include <cstdio>
#include <map>
#include <set>

#include "tests/torture/torture_plan.h"

namespace polyptych::tests {
namespace {

void say(const QByteArray& line) {
  std::fwrite(line.constData(), 1, static_cast<std::size_t>(line.size()), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

}  // namespace

int runTortureFace(const TorturePlan& plan, int face, const QString& library, const QString& failFile) {
  auto remote =
      backend::connectToBackend(library::locationAt(library, library::Location::Layout::Dated), tortureBackend(plan, failFile));
  std::map<quint64, int> numberOf;
  std::set<int> finished;
  QObject::connect(remote.get(), &backend::Backend::runStarted, remote.get(), [&](quint64 runId) {
    if (numberOf.contains(runId)) {
      say("started " + QByteArray::number(numberOf[runId]));
    }
  });
  QObject::connect(remote.get(), &backend::Backend::runFinished, remote.get(), [&](const backend::RunSummary& summary) {
    if (!numberOf.contains(summary.runId)) {
      return;
    }
    const int number = numberOf[summary.runId];
    if (summary.error || summary.failed > 0 || summary.wasCancelled) {
      say("lost run " + QByteArray::number(number) + ": " +
          QByteArray::fromStdString(summary.error ? summary.error->message : "failed"));
      QCoreApplication::exit(3);
    } else if (finished.insert(number).second) {
      say("finished " + QByteArray::number(number));
    }
  });
  QObject::connect(remote.get(), &backend::Backend::lost, remote.get(), [](const base::Error& error) {
    say("lost " + QByteArray::fromStdString(error.message + " / " + error.detail));
    QCoreApplication::exit(3);
  });
  int submitted = face;
  QByteArray heard;
  QSocketNotifier input(STDIN_FILENO, QSocketNotifier::Read);
  QObject::connect(&input, &QSocketNotifier::activated, remote.get(), [&] {
    char bytes[4096];
    const ssize_t count = ::read(STDIN_FILENO, bytes, sizeof bytes);
    if (count <= 0) {
      QCoreApplication::exit(0);
      return;
    }
    heard.append(bytes, count);
    for (qsizetype end = 0; (end = heard.indexOf('\n')) >= 0; heard.remove(0, end + 1)) {
      const QByteArray line = heard.left(end);
      if (line == "quit") {
        // Only with a backend there that can end by itself.
        QObject::connect(remote.get(), &backend::Backend::devicesListed, remote.get(), [] { QCoreApplication::exit(0); });
        remote->listDevices();
        return;
      }
      for (const int allowed = line.mid(3).toInt(); submitted < allowed; submitted += plan.faces) {
        numberOf[tortureRunId(plan, submitted)] = submitted;
        remote->submit(tortureRun(plan, submitted));
      }
    }
  });
  const int code = QCoreApplication::exec();
  remote.reset();
  return code;
}

}  // namespace polyptych::tests
