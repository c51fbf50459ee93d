#include <signal.h>

#include <QElapsedTimer>
#include <QProcess>
#include <QRandomGenerator>
#include <QTemporaryDir>
#include <QtTest>

#include "tests/backend/sample_run.h"

using namespace polyptych;
using namespace polyptych::tests;

namespace {

constexpr int kPictures = 12;
constexpr int kBatch = 2;

QStringList probeArguments(const QString& folder, int slots, const QStringList& worker = {"--step-ms", "2"}) {
  return QStringList{FAKE_WORKER, folder, QString::number(kPictures), QString::number(slots), QString::number(kBatch)} + worker;
}

bool runToTheEnd(const QString& folder, int slots) {
  QProcess probe;
  probe.setProcessChannelMode(QProcess::ForwardedErrorChannel);
  probe.start(RUN_PROBE, probeArguments(folder, slots));
  return probe.waitForFinished() && probe.exitStatus() == QProcess::NormalExit && probe.exitCode() == 0;
}

bool isGone(qint64 pid) { return ::kill(static_cast<pid_t>(pid), 0) != 0; }

/// Pids of the children of a process.
QList<qint64> childrenOf(qint64 pid) {
  QFile file(QStringLiteral("/proc/%1/task/%1/children").arg(pid));
  QList<qint64> children;
  if (file.open(QIODevice::ReadOnly)) {
    for (const QByteArray& child : file.readAll().simplified().split(' ')) {
      if (!child.isEmpty()) {
        children << child.toLongLong();
      }
    }
  }
  return children;
}

}  // namespace

class TestResume : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void goesOnAfterKillsAtManyPoints() {
    QTemporaryDir reference;
    QVERIFY(runToTheEnd(reference.path(), 1));
    const auto expected = contentOf(reference.path());
    QCOMPARE(expected.size(), kPictures);

    QRandomGenerator random(7);
    for (int round = 0; round < 4; ++round) {
      QTemporaryDir folder;
      int kills = 0;
      // Killed before its first picture, then after one or two of them, and so on until nothing is left to make.
      for (bool isComplete = false; !isComplete;) {
        QProcess probe;
        probe.start(RUN_PROBE, probeArguments(folder.path(), 1 + round, {"--step-ms", "40"}));
        QVERIFY(probe.waitForStarted());
        const int pictures = kills % 3;
        QByteArray printed;
        while (printed.count("picture") < pictures && probe.waitForReadyRead()) {
          printed += probe.readAllStandardOutput();
        }
        // The first is killed as it starts, so that no machine is too fast to be interrupted.
        const int delay = kills == 0 ? 0 : static_cast<int>(random.bounded(pictures == 0 ? 100 : 15));
        isComplete = probe.state() == QProcess::NotRunning || probe.waitForFinished(delay);
        if (isComplete) {
          QCOMPARE(probe.exitStatus(), QProcess::NormalExit);
          QCOMPARE(probe.exitCode(), 0);
        } else {
          probe.kill();
          QVERIFY(probe.waitForFinished());
          ++kills;
        }
        QVERIFY(kills < 100);
      }
      QVERIFY2(kills > 0, "the run was never interrupted");
      QVERIFY(contentOf(folder.path()) == expected);
      QCOMPARE(contentOf(folder.path(), ".polyptych-*").size(), 0);
      QList<int> all;
      for (int i = 0; i < kPictures; ++i) {
        all << i;
      }
      QCOMPARE(indicesOf(folder.path()), all);
    }
  }

  void workersLeaveWhenTheFaceIsKilled() {
    QTemporaryDir folder;
    QProcess probe;
    probe.start(RUN_PROBE, probeArguments(folder.path(), 2, {"--behave", "hang"}));
    QVERIFY(probe.waitForStarted());
    QList<qint64> workers;
    QTRY_COMPARE((workers = childrenOf(probe.processId())).size(), 2);
    probe.kill();
    QVERIFY(probe.waitForFinished());
    QElapsedTimer since;
    since.start();
    for (const qint64 worker : workers) {
      QTRY_VERIFY_WITH_TIMEOUT(isGone(worker), 5000);
    }
    QVERIFY2(since.elapsed() < 4000, "workers outlive their socket");
  }

  void aCompleteRunEndsAtOnceWithoutWorkers() {
    QTemporaryDir folder;
    QVERIFY(runToTheEnd(folder.path(), 2));
    const auto before = contentOf(folder.path(), "*");
    backend::LocalBackendOptions options;
    options.cpuWorker = FAKE_WORKER;
    options.extraWorkerArguments = QStringList{"--behave", "never-ready"};
    const auto made = backend::LocalBackend::open(flatLibrary(folder.path()), options).value();
    QSignalSpy finished(made.get(), &backend::Backend::runFinished);
    QSignalSpy pictures(made.get(), &backend::Backend::pictureFinished);
    made->submit(sampleRun(folder.path(), kPictures, 1, kBatch));
    QVERIFY(finished.wait());
    const auto summary = finished[0][0].value<backend::RunSummary>();
    QVERIFY(!summary.error);
    QCOMPARE(summary.alreadyThere, kPictures);
    QCOMPARE(summary.made, 0);
    QCOMPARE(pictures.size(), kPictures);
    QVERIFY(pictures[0][0].value<backend::PictureEvent>().wasAlreadyThere);
    QVERIFY(contentOf(folder.path(), "*") == before);
  }

  void twoProcessesDoNotShareAFolder() {
    QTemporaryDir folder;
    QProcess first;
    first.start(RUN_PROBE, probeArguments(folder.path(), 1, {"--behave", "hang", "--only-index", "10"}));
    QVERIFY(first.waitForStarted());
    QTRY_VERIFY(first.readAllStandardOutput().contains("picture") || contentOf(folder.path()).size() > 0);
    QProcess second;
    second.start(RUN_PROBE, probeArguments(folder.path(), 1));
    QVERIFY(second.waitForFinished());
    QCOMPARE(second.exitCode(), 1);
    QVERIFY(second.readAllStandardOutput().contains("is in use"));
    first.kill();
    QVERIFY(first.waitForFinished());
    QVERIFY(runToTheEnd(folder.path(), 1));
  }
};

QTEST_GUILESS_MAIN(TestResume)
#include "tst_resume.moc"
