#include <QProcess>
#include <QTemporaryDir>
#include <QtTest>

#include "tests/backend/library_faults.h"
#include "tests/backend/sample_run.h"
#include "tests/support/fail_here.h"

using namespace polyptych;
using namespace polyptych::tests;

namespace {

constexpr int kPictures = 7;
constexpr int kBatch = 2;
/// Ends of one and the same run at one step, one after another: recovery is interrupted too.
constexpr int kEnds = 2;

using library::Location;

/// The run's probe with or without an end at a step.
void run(QProcess& probe, const Location& location, const QString& failPoint) {
  QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
  environment.insert(QStringLiteral("POLYPTYCH_FAIL_POINT"), failPoint);
  probe.setProcessEnvironment(environment);
  QStringList arguments{
      FAKE_WORKER, location.root, QString::number(kPictures), "2", QString::number(kBatch), "--step-ms", "1", "--load-ms", "0"};
  if (location.layout == Location::Layout::Dated) {
    arguments.prepend(QStringLiteral("--dated"));
  }
  probe.start(RUN_PROBE, arguments);
}

bool isKilled(const QProcess& probe) { return probe.exitStatus() == QProcess::CrashExit; }

}  // namespace

class TestFailPoints : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() {
    QTemporaryDir folder;
    QProcess probe;
    run(probe, flatLibrary(folder.path()), {});
    QVERIFY(probe.waitForFinished() && probe.exitCode() == 0);
    m_expected = picturesIn(folder.path());
    QCOMPARE(m_expected.size(), kPictures);
  }

  void losesAndDoublesNothing_data() {
    QTest::addColumn<Location::Layout>("layout");
    QTest::addColumn<QString>("step");
    QTest::addColumn<int>("time");
    for (const auto layout : {Location::Layout::Flat, Location::Layout::Dated}) {
      for (const char* step : kFailPoints) {
        for (const int time : {1, 3}) {
          QTest::addRow("%s, %s, %d", layout == Location::Layout::Flat ? "flat" : "dated", step, time)
              << layout << QString(step) << time;
        }
      }
    }
  }

  void losesAndDoublesNothing() {
    QFETCH(Location::Layout, layout);
    QFETCH(QString, step);
    QFETCH(int, time);
    QTemporaryDir folder;
    const Location location = library::locationAt(folder.path(), layout);
    for (int end = 0; end < kEnds; ++end) {
      QProcess probe;
      run(probe, location, QStringLiteral("%1:%2").arg(step).arg(time));
      QVERIFY(probe.waitForFinished());
      if (!isKilled(probe)) {
        QVERIFY2(end > 0 || time > 1, "the step was never come to");
        QCOMPARE(probe.exitCode(), 0);
      }
    }
    QProcess probe;
    run(probe, location, {});
    QVERIFY(probe.waitForFinished());
    QVERIFY(!isKilled(probe));
    QVERIFY2(probe.exitCode() == 0, probe.readAllStandardOutput());
    QCOMPARE(faultsOf(location, {{0, m_expected}}).join('\n'), QString());
  }

 private:
  Pictures m_expected;
};

QTEST_GUILESS_MAIN(TestFailPoints)
#include "tst_fail_points.moc"
