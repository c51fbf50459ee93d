#include <signal.h>

#include <QElapsedTimer>
#include <QFile>
#include <QtTest>

#include "core/pool/worker.h"

using namespace polyptych;
using namespace polyptych::pool;
using base::ErrorCode;
using std::chrono::milliseconds;
using S = WorkerState;

namespace {

constexpr int kPatienceMs = 20000;

domain::RunPlan samplePlan(const char* hash = "00") {
  domain::RunPlan plan;
  plan.model = {"/models/m", "m", hash, ""};
  return plan;
}

domain::UnitOfWork sampleUnit(int pictures = 2, int steps = 3) {
  domain::UnitOfWork unit;
  unit.plan = samplePlan();
  unit.plan.batch = pictures;
  unit.id = 9;
  for (int i = 0; i < pictures; ++i) {
    domain::GenerationRequest request;
    request.index = i;
    request.prompt = "p";
    request.width = request.height = 16;
    request.steps = steps;
    request.scheduler = "Euler";
    unit.requests.push_back(request);
  }
  return unit;
}

/// A worker, and everything that it said.
struct Watched {
  explicit Watched(const QStringList& arguments = {}, Deadlines deadlines = {}, const QString& program = FAKE_WORKER)
      : worker(std::make_unique<Worker>(WorkerSpec{{"cpu:0", domain::DeviceKind::Cpu, "CPU", "", {}}, program, arguments, 1},
                                        deadlines)) {
    QObject::connect(worker.get(), &Worker::stateChanged, [this](S state) { states << state; });
    QObject::connect(worker.get(), &Worker::failed, [this](const base::Error& error) { failures << error; });
    QObject::connect(worker.get(), &Worker::unitFailed, [this](const base::Error& error) { unitFailures << error; });
    QObject::connect(worker.get(), &Worker::unitFinished, [this](const UnitResult& result) { results << result; });
    QObject::connect(worker.get(), &Worker::unitCancelled, [this] { ++cancelled; });
    QObject::connect(worker.get(), &Worker::stepped, [this](const domain::StepProgress& step) { steps << step; });
    QObject::connect(worker.get(), &Worker::loadProgressed, [this](quint64 done) { loaded << done; });
  }

  bool waitFor(S state) {
    return QTest::qWaitFor([this, state] { return worker->state() == state; }, kPatienceMs);
  }
  bool makeReady() {
    worker->start(samplePlan());
    const auto isDecided = [this] { return worker->state() == S::Idle || worker->state() == S::Failed; };
    return QTest::qWaitFor(isDecided, kPatienceMs) && worker->state() == S::Idle;
  }

  QList<S> states;
  QList<base::Error> failures;
  QList<base::Error> unitFailures;
  QList<UnitResult> results;
  QList<domain::StepProgress> steps;
  QList<quint64> loaded;
  int cancelled = 0;
  std::unique_ptr<Worker> worker;
};

}  // namespace

class TestPool : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void goesThroughItsStates() {
    Watched watched({"--load-ms", "250"});
    QCOMPARE(watched.worker->state(), S::Stopped);
    QVERIFY(watched.makeReady());
    QVERIFY(watched.worker->hasLoaded(samplePlan()));
    QVERIFY(!watched.worker->hasLoaded(samplePlan("11")));
    QCOMPARE(watched.worker->deviceName(), QString("Fake CPU"));
    QVERIFY(!watched.loaded.isEmpty() && std::is_sorted(watched.loaded.begin(), watched.loaded.end()));
    watched.worker->generate(sampleUnit());
    QVERIFY(watched.waitFor(S::Idle));
    QCOMPARE(watched.results.size(), 1);
    QCOMPARE(watched.results[0].pictures.size(), std::size_t(2));
    QVERIFY(watched.results[0].seconds > 0);
    watched.worker->load(samplePlan("11"));
    QVERIFY(watched.waitFor(S::Idle));
    watched.worker->stop();
    QVERIFY(watched.waitFor(S::Stopped));
    QCOMPARE(watched.states, QList<S>({S::Starting, S::Handshaking, S::LoadingModel, S::Idle, S::Busy, S::Idle, S::LoadingModel,
                                       S::Idle, S::Stopping, S::Stopped}));
    QVERIFY(watched.failures.isEmpty());
    QVERIFY(watched.makeReady());  // and again
  }

  void failsWithTheCause_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("code");
    QTest::newRow("garbage") << QStringList{"--behave=garbage"} << int(ErrorCode::Protocol);
    QTest::newRow("oversize") << QStringList{"--behave=oversize"} << int(ErrorCode::Protocol);
    QTest::newRow("wrong-token") << QStringList{"--behave=wrong-token"} << int(ErrorCode::Protocol);
    QTest::newRow("wrong-version") << QStringList{"--behave=wrong-version"} << int(ErrorCode::VersionMismatch);
    QTest::newRow("half-frame") << QStringList{"--behave=half-frame"} << int(ErrorCode::WorkerDied);
    QTest::newRow("model-unusable") << QStringList{"--behave=model-unusable"} << int(ErrorCode::ModelUnusable);
    QTest::newRow("garbage in a unit") << QStringList{"--behave=garbage", "--when=unit"} << int(ErrorCode::Protocol);
    QTest::newRow("oversize in a unit") << QStringList{"--behave=oversize", "--when=unit"} << int(ErrorCode::Protocol);
    QTest::newRow("half-frame in a unit") << QStringList{"--behave=half-frame", "--when=unit"} << int(ErrorCode::WorkerDied);
    QTest::newRow("crash") << QStringList{"--behave=crash"} << int(ErrorCode::WorkerDied);
    QTest::newRow("device-lost") << QStringList{"--behave=device-lost"} << int(ErrorCode::DeviceLost);
  }
  void failsWithTheCause() {
    QFETCH(const QStringList, arguments);
    QFETCH(const int, code);
    Watched watched(arguments);
    if (watched.makeReady()) {
      watched.worker->generate(sampleUnit());
    }
    QVERIFY(watched.waitFor(S::Failed));
    QTRY_COMPARE(watched.failures.size(), 1);
    QCOMPARE(int(watched.failures[0].code), code);
    QVERIFY(!watched.failures[0].message.empty());
    QVERIFY(watched.failures[0].detail.find("worker-cpu-0.log") != std::string::npos);
    QVERIFY(watched.results.isEmpty());
    QCOMPARE(watched.cancelled, 0);
  }

  void everyEdgeHasADeadline_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QString>("edge");
    QTest::newRow("slow-start") << QStringList{"--behave=slow-start", "--start-ms=60000"} << "handshake";
    QTest::newRow("never-ready") << QStringList{"--behave=never-ready"} << "load";
    QTest::newRow("hang") << QStringList{"--behave=hang"} << "step";
    QTest::newRow("silent") << QStringList{"--behave=hang"} << "heartbeat";
  }
  void everyEdgeHasADeadline() {
    QFETCH(const QStringList, arguments);
    QFETCH(const QString, edge);
    Deadlines deadlines;
    if (edge == "handshake") {
      deadlines.handshake = milliseconds(300);
    } else if (edge == "load") {
      deadlines.loadBeat = milliseconds(400);
    } else if (edge == "step") {
      deadlines.stepFloor = milliseconds(200);
      deadlines.stepFactor = 2;
    } else {
      deadlines.heartbeat = milliseconds(300);
    }
    Watched watched(arguments, deadlines);
    if (watched.makeReady()) {
      watched.worker->generate(sampleUnit());
    }
    QVERIFY(watched.waitFor(S::Failed));
    QCOMPARE(watched.failures.size(), 1);
    QCOMPARE(watched.failures[0].code, ErrorCode::Timeout);
  }

  /// Limits of what nothing is known of are far away: only measured ones can end this worker.
  void whatUnitsTookIsTheLimitOfTheNext() {
    Deadlines deadlines;
    deadlines.stepFloor = milliseconds(300);
    deadlines.stepFactor = 2;
    Watched watched({"--behave=hang-early", "--only-index=7"}, deadlines);
    QVERIFY(watched.makeReady());
    watched.worker->generate(sampleUnit(1));
    QVERIFY(watched.waitFor(S::Idle));
    QCOMPARE(watched.results.size(), 1);
    domain::UnitOfWork second = sampleUnit(1);
    second.requests[0].index = 7;
    watched.worker->generate(second);
    QVERIFY(watched.waitFor(S::Failed));
    QCOMPARE(watched.failures[0].code, ErrorCode::Timeout);
    QVERIFY(watched.failures[0].detail.find("encoding 1") != std::string::npos);
  }

  void aSlowWorkerThatGoesOnIsLeftAlone() {
    Deadlines deadlines;
    deadlines.stepFloor = milliseconds(20);
    deadlines.stepFactor = 20;
    Watched watched({"--step-ms=60"}, deadlines);  // longer than the floor
    QVERIFY(watched.makeReady());
    for (int unit = 0; unit < 2; ++unit) {
      watched.worker->generate(sampleUnit(2, 5));
      QVERIFY(watched.waitFor(S::Idle));
    }
    QCOMPARE(watched.results.size(), 2);
    QVERIFY(watched.failures.isEmpty());
  }

  void givesItsMemoryBackAndLoadsAgain() {
    Watched watched;
    QSignalSpy unloaded(watched.worker.get(), &Worker::unloaded);
    QVERIFY(watched.makeReady());
    watched.worker->unload();
    QVERIFY(!watched.worker->isReady());
    QVERIFY(QTest::qWaitFor([&] { return unloaded.size() == 1; }, kPatienceMs));
    QVERIFY(watched.worker->isReady());
    QVERIFY(!watched.worker->hasLoaded(samplePlan()));
    watched.worker->load(samplePlan());
    QVERIFY(watched.waitFor(S::Idle));
    watched.worker->generate(sampleUnit());
    QVERIFY(watched.waitFor(S::Idle));
    QCOMPARE(watched.results.size(), 1);
    QVERIFY(watched.failures.isEmpty());
  }

  void aProgramThatIsNotThereFails() {
    Watched watched({}, {}, "/nowhere/polyptych-worker");
    watched.worker->start(samplePlan());
    QVERIFY(watched.waitFor(S::Failed));
    QCOMPARE(watched.failures.size(), 1);
    QCOMPARE(watched.failures[0].code, ErrorCode::NotFound);
  }

  void aWorkerWithoutTheGpuAskedForFails_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QString>("message");
    QTest::newRow("another device") << QStringList{"--device", "cpu"} << "another device";
    QTest::newRow("none") << QStringList{"--device", "cuda", "--behave", "no-device"} << "The GPU is not there.";
  }
  void aWorkerWithoutTheGpuAskedForFails() {
    QFETCH(QStringList, arguments);
    QFETCH(QString, message);
    Worker worker(WorkerSpec{{"cuda:0", domain::DeviceKind::Cuda, "GPU", "GPU-1", {}}, FAKE_WORKER, arguments, 1});
    QList<base::Error> failures;
    connect(&worker, &Worker::failed, this, [&failures](const base::Error& error) { failures << error; });
    worker.start(samplePlan());
    QTRY_COMPARE_WITH_TIMEOUT(failures.size(), 1, kPatienceMs);
    QCOMPARE(failures[0].code, ErrorCode::DeviceLost);
    QVERIFY2(QString::fromStdString(failures[0].message).contains(message), failures[0].message.c_str());
  }

  void cancelIsAnsweredWithinAStep() {
    Watched watched({"--step-ms", "20"});
    QVERIFY(watched.makeReady());
    watched.worker->generate(sampleUnit(1, 1000));
    QTRY_VERIFY(watched.steps.size() >= 3);
    watched.worker->cancelUnit();
    watched.worker->cancelUnit();
    QVERIFY(watched.waitFor(S::Idle));
    QCOMPARE(watched.cancelled, 1);
    QVERIFY(watched.results.isEmpty());
    // The next unit is made by the same process; what is left of the old one is dropped.
    watched.worker->generate(sampleUnit());
    QVERIFY(watched.waitFor(S::Idle));
    QCOMPARE(watched.results.size(), 1);
    QVERIFY(watched.failures.isEmpty());
  }

  void aCancelThatIsIgnoredIsEnforced() {
    Deadlines deadlines;
    deadlines.cancel = milliseconds(100);
    deadlines.shutdown = milliseconds(200);
    Watched watched({"--behave", "ignore-cancel", "--step-ms", "60000"}, deadlines);
    QVERIFY(watched.makeReady());
    watched.worker->generate(sampleUnit());
    QTRY_COMPARE(watched.steps.size(), 1);  // encoding: the unit is begun
    QElapsedTimer since;
    since.start();
    watched.worker->cancelUnit();
    QVERIFY(watched.waitFor(S::Stopped));
    QCOMPARE(watched.cancelled, 1);
    QVERIFY(watched.failures.isEmpty());
    QVERIFY2(since.elapsed() < 5000, qPrintable(QString::number(since.elapsed())));
  }

  void outOfMemoryLeavesTheWorkerWell() {
    Watched watched({"--behave", "out-of-memory"});
    QVERIFY(watched.makeReady());
    watched.worker->generate(sampleUnit());
    QVERIFY(watched.waitFor(S::Idle));
    QCOMPARE(watched.unitFailures.size(), 1);
    QCOMPARE(watched.unitFailures[0].code, ErrorCode::OutOfMemory);
    QVERIFY(watched.worker->hasLoaded(samplePlan()));
  }

  void stoppingABusyWorkerCountsAsCancelled() {
    Watched watched({"--step-ms", "20"});
    QVERIFY(watched.makeReady());
    watched.worker->generate(sampleUnit(1, 1000));
    QTRY_VERIFY(!watched.steps.isEmpty());
    watched.worker->stop();
    QCOMPARE(watched.cancelled, 1);
    QVERIFY(watched.waitFor(S::Stopped));
    QVERIFY(watched.failures.isEmpty());
  }

  void stoppingWhileItStartsIsQuick() {
    Watched watched({"--behave=slow-start", "--start-ms=60000"});
    watched.worker->start(samplePlan());
    QVERIFY(watched.waitFor(S::Handshaking));
    QElapsedTimer since;
    since.start();
    watched.worker->stop();
    QVERIFY(watched.waitFor(S::Stopped));
    QVERIFY2(since.elapsed() < 5000, qPrintable(QString::number(since.elapsed())));
  }

  void theDestructorLeavesNoProcess() {
    for (const QStringList& arguments : {QStringList{"--behave=hang"}, QStringList{"--behave=never-ready"}, QStringList{}}) {
      Watched watched(arguments);
      watched.worker->start(samplePlan());
      const auto isReached = [&] { return !watched.loaded.isEmpty() || watched.worker->state() == S::Idle; };
      QVERIFY(QTest::qWaitFor(isReached, kPatienceMs));
      const QByteArray before = children();
      QVERIFY(!before.isEmpty());
      QElapsedTimer since;
      since.start();
      watched.worker.reset();
      QVERIFY2(since.elapsed() < 2000, qPrintable(QString::number(since.elapsed())));
      QCOMPARE(children(), QByteArray());
    }
  }

 private:
  static QByteArray children() {
    QFile file(QStringLiteral("/proc/self/task/%1/children").arg(QCoreApplication::applicationPid()));
    return file.open(QIODevice::ReadOnly) ? file.readAll().trimmed() : QByteArray("unknown");
  }
};

QTEST_GUILESS_MAIN(TestPool)
#include "tst_pool.moc"
