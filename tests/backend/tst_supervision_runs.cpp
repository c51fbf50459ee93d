#include <QElapsedTimer>
#include <QSet>
#include <QTemporaryDir>
#include <QtTest>

#include "tests/backend/library_faults.h"
#include "tests/backend/watched_library.h"

using namespace polyptych;
using namespace polyptych::tests;
using backend::Backend;
using backend::Command;
using backend::PauseReason;
using backend::QueueStatus;
using backend::RunState;
using backend::RunStatus;
using backend::SlotState;
using backend::SlotStatus;
using base::ErrorCode;
using std::chrono::milliseconds;

/// What becomes of units, workers, devices and the queue when things go wrong: the whole backend over fake workers.
class TestSupervisionRuns : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() { m_folder = std::make_unique<QTemporaryDir>(); }

  /// Every behaviour of the fake worker on the only device: where the run, the slot and the queue are when all is over, what is
  /// said, and that it does not take longer than the deadlines say.
  void everyBehaviourEndsAsPromised_data() {
    using Arguments = QStringList;
    enum End { Made, RunEnded, Paused };
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("end");
    QTest::addColumn<int>("made");      // of three pictures
    QTest::addColumn<int>("jobState");  // of the job of picture 1
    QTest::addColumn<int>("code");      // -1: no error
    QTest::addColumn<QString>("words");
    QTest::addColumn<int>("limitMs");  // by the deadlines of this test: attempts x what they may take
    const auto row = [](const char* name, const Arguments& arguments, End end, int made, queue::JobState job,
                        std::optional<ErrorCode> code, const char* words, int limitMs = 0) {
      QTest::newRow(name) << arguments << int(end) << made << int(job) << (code ? int(*code) : -1) << QString(words) << limitMs;
    };
    using Job = queue::JobState;
    const Arguments second{"--only-index=1"};
    const Arguments inUnit{"--when=unit", "--only-index=1"};
    row("good", {}, Made, 3, Job::Done, {}, "");
    row("slow-start, in time", {"--behave=slow-start", "--start-ms=200"}, Made, 3, Job::Done, {}, "");
    row("slow-start", {"--behave=slow-start", "--start-ms=60000"}, Paused, 0, Job::Waiting, ErrorCode::Timeout,
        "did not start in time", 2 * kHandshakeMs);
    row("never-ready", {"--behave=never-ready"}, Paused, 0, Job::Waiting, ErrorCode::Timeout, "in the middle of loading",
        2 * kLoadBeatMs);
    row("no-device", {"--behave=no-device"}, Paused, 0, Job::Waiting, ErrorCode::DeviceLost, "The GPU is not there");
    row("garbage", {"--behave=garbage"}, Paused, 0, Job::Waiting, ErrorCode::Protocol, "does not speak Polyptych's protocol");
    row("oversize", {"--behave=oversize"}, Paused, 0, Job::Waiting, ErrorCode::Protocol, "announces a map of");
    row("half-frame", {"--behave=half-frame"}, Paused, 0, Job::Waiting, ErrorCode::WorkerDied, "ended unexpectedly");
    row("wrong-token", {"--behave=wrong-token"}, Paused, 0, Job::Waiting, ErrorCode::Protocol, "did not greet");
    row("wrong-version", {"--behave=wrong-version"}, Paused, 0, Job::Waiting, ErrorCode::VersionMismatch, "version");
    row("load-out-of-memory", {"--behave=load-out-of-memory"}, Paused, 0, Job::Waiting, ErrorCode::OutOfMemory,
        "not enough memory");
    row("model-unusable", {"--behave=model-unusable"}, RunEnded, 0, Job::Failed, ErrorCode::ModelUnusable, "lacks 3 tensors");
    row("refuse-settings", {"--behave=refuse-settings"}, RunEnded, 0, Job::Failed, ErrorCode::InvalidArgument, "so many steps");
    row("hang", Arguments{"--behave=hang"} + second, Made, 2, Job::Parked, ErrorCode::Timeout, "in the middle of a picture",
        2 * kStepMs);
    row("hang-early", Arguments{"--behave=hang-early"} + second, Made, 2, Job::Parked, ErrorCode::Timeout,
        "in the middle of a picture", 2 * kStepMs);
    row("crash", Arguments{"--behave=crash"} + second, Made, 2, Job::Parked, ErrorCode::WorkerDied, "ended");
    row("crash-once", {"--behave=crash-once", "--state", "STATE"}, Made, 3, Job::Done, {}, "");
    row("garbage in a unit", Arguments{"--behave=garbage"} + inUnit, Made, 2, Job::Parked, ErrorCode::Protocol, "");
    row("oversize in a unit", Arguments{"--behave=oversize"} + inUnit, Made, 2, Job::Parked, ErrorCode::Protocol, "");
    row("half-frame in a unit", Arguments{"--behave=half-frame"} + inUnit, Made, 2, Job::Parked, ErrorCode::WorkerDied, "");
    row("device-lost", Arguments{"--behave=device-lost"} + second, Made, 2, Job::Parked, ErrorCode::DeviceLost, "");
    row("out-of-memory", Arguments{"--behave=out-of-memory"} + second, Made, 2, Job::Parked, ErrorCode::OutOfMemory, "");
    row("fail-unit", Arguments{"--behave=fail-unit"} + second, Made, 2, Job::Failed, ErrorCode::Internal, "could not be made");
    row("ignore-cancel, uncancelled", {"--behave=ignore-cancel"}, Made, 3, Job::Done, {}, "");
  }
  void everyBehaviourEndsAsPromised() {
    QFETCH(QStringList, arguments);
    arguments.replaceInStrings("STATE", m_folder->filePath("state"));
    QFETCH(const int, end);
    QFETCH(const int, made);
    QFETCH(const int, jobState);
    QFETCH(const int, code);
    QFETCH(const QString, words);
    QFETCH(const int, limitMs);
    backend::LocalBackendTuning tuning = quickTuning();
    const bool isSlow = arguments.contains("--start-ms=60000");
    tuning.deadlines.handshake = milliseconds(isSlow ? kHandshakeMs : 20'000);
    tuning.deadlines.loadBeat = milliseconds(kLoadBeatMs);
    tuning.deadlines.firstBeat = tuning.deadlines.stepFloor = milliseconds(kStepMs);
    pool::SupervisionLimits limits = quickLimits();
    limits.maxDeathsPerUnit = 2;
    limits.deviceBreaker = 2;
    if (arguments.contains("--only-index=1")) {
      limits.deviceBreaker = 0;
    }
    WatchedLibrary library(m_folder->path(), arguments, tuning, limits);
    QElapsedTimer clock;
    clock.start();
    SampleRun run = sampleRun({}, 3, arguments.contains("--behave=no-device") ? 0 : 1);
    if (run.slots.empty()) {
      run.slots.push_back({"cuda:0", domain::DeviceKind::Cuda, "GPU", "GPU-1", {}});
    }
    const quint64 id = library.submit(run);
    QVERIFY(end == 2 ? library.waitForPause(PauseReason::Breaker) : library.waitForEnd());
    constexpr int kForTheMachine = 12'000;
    QVERIFY2(clock.elapsed() < limitMs + kForTheMachine, qPrintable(QString::number(clock.elapsed())));
    QCOMPARE(library.runs[id].made, made);
    QCOMPARE(int(library.runs[id].state), int(end == 0 ? RunState::Finished : end == 1 ? RunState::Failed : RunState::Open));
    const SlotStatus slot = library.slot(QString::fromStdString(run.slots[0].id));
    if (end == 2) {
      QVERIFY(slot.state == SlotState::Failed || slot.state == SlotState::Stopped);
      QVERIFY(!slot.willRestart);
      QVERIFY2(library.queue.back().sentence.contains(words), qPrintable(library.queue.back().sentence));
      QVERIFY(std::any_of(library.states.begin(), library.states.end(),
                          [code](const SlotStatus& status) { return status.failure && int(*status.failure) == code; }));
    } else if (end == 1) {
      QCOMPARE(codeOf(library.summaries[0]), code);
      QVERIFY2(library.summaries[0].error->message.find(words.toStdString()) != std::string::npos,
               library.summaries[0].error->message.c_str());
    } else if (code >= 0) {
      QCOMPARE(library.failures.size(), 1);
      QCOMPARE(library.failures[0].index, 1);
      QCOMPARE(int(library.failures[0].error.code), code);
      QVERIFY2(library.failures[0].error.message.find(words.toStdString()) != std::string::npos,
               library.failures[0].error.message.c_str());
    } else {
      QVERIFY(library.failures.isEmpty());
      QCOMPARE(library.count(SlotState::Failed), arguments.contains("--behave=crash-once") ? 1 : 0);
    }
    library.destroy();
    QCOMPARE(
        library.column(QStringLiteral("SELECT j.state FROM jobs j JOIN requests r ON r.id = j.first_request WHERE r.idx = 1")),
        QVariantList{jobState});
  }

  // Memory of the fake device: see kTilePixels and kDenoisingSaves in tests/fake_worker/fake_engine.cpp.
  void memoryThatIsTooSmallTakesTheLadder_data() {
    QTest::addColumn<int>("side");
    QTest::addColumn<int>("memory");
    QTest::addColumn<bool>("allowsSmaller");
    QTest::addColumn<QString>("plan");  // batch, slicing, tiling, width of what was made
    QTest::newRow("enough") << 64 << 16384 << false << "4 0 0 64";
    QTest::newRow("sliced VAE") << 64 << 4096 << false << "4 1 0 64";
    QTest::newRow("sliced and tiled VAE") << 64 << 2048 << false << "4 1 1 64";
    QTest::newRow("smaller batch, then tiles") << 64 << 1100 << false << "2 1 1 64";
    QTest::newRow("smaller size") << 256 << 3000 << true << "1 0 1 128";
  }
  void memoryThatIsTooSmallTakesTheLadder() {
    QFETCH(const int, side);
    QFETCH(const int, memory);
    QFETCH(const bool, allowsSmaller);
    QFETCH(const QString, plan);
    pool::SupervisionLimits limits = quickLimits();
    limits.allowsSmallerSize = allowsSmaller;
    limits.smallestSide = 64;
    WatchedLibrary library(m_folder->path(), {"--memory", QString::number(memory)}, quickTuning(), limits);
    const quint64 run = library.submit(squares(8, side, 4));
    QVERIFY(library.waitForEnd());
    QCOMPARE(library.summaries[0].made, 8);
    QCOMPARE(library.summaries[0].failed, 0);
    library.destroy();
    // The pictures say how they were made, and the jobs what was changed.
    const auto pictures =
        library.column(QStringLiteral("SELECT p.batch || ' ' || p.vae_slicing || ' ' || p.vae_tiling || ' ' || s.width FROM "
                                      "pictures i JOIN plans p ON p.id = i.plan "
                                      "JOIN settings s ON s.id = i.settings ORDER BY i.idx"));
    QCOMPARE(pictures.size(), 8);
    for (const QVariant& made : pictures) {
      QCOMPARE(made.toString(), plan);
    }
    const bool isChanged = plan != "4 0 0 64";
    for (const QVariant& change : library.column(QStringLiteral("SELECT change FROM jobs"))) {
      QCOMPARE(!change.isNull(), isChanged);
    }
    Q_UNUSED(run);
  }

  /// `--out` again after the lack of memory had changed some pictures: they are that run's, and finished.
  void aFlatRunGoesOnAfterTheLadderChangedIt() {
    const QString folder = m_folder->filePath("out");
    SampleRun run = squares(8, 64, 4);
    run.outputFolder = folder;
    const auto ladder = [&](int memory) {
      LocalBackends backends({"--memory", QString::number(memory)});
      return backends.run(run);
    };
    QCOMPARE(ladder(2048).made, 8);
    QVERIFY(QFile::remove(folder + "/00007-a-lighthouse-7.png"));
    const backend::RunSummary again = ladder(2048);
    QVERIFY2(!again.error, again.error ? again.error->message.c_str() : "");
    QCOMPARE(again.alreadyThere, 7);
    QCOMPARE(again.made, 1);
    QCOMPARE(ladder(1 << 20).alreadyThere, 8);
    // Another batch that somebody asked for is another run, as ever.
    run.plan.batch = 8;
    const backend::RunSummary other = ladder(2048);
    QCOMPARE(codeOf(other), int(ErrorCode::AlreadyExists));
  }

  void whatNoRungHelpsIsParkedWithASentence() {
    WatchedLibrary library(m_folder->path(), {"--memory", "100"});
    const quint64 run = library.submit(squares(2, 64, 2));
    QVERIFY(library.waitFor([&] { return library.failures.size() == 2; }));
    QCOMPARE(library.failures[0].error.code, ErrorCode::OutOfMemory);
    QVERIFY2(library.failures[0].error.message.size() > 40, library.failures[0].error.message.c_str());
    QVERIFY(library.waitFor([&] { return library.runs[run].failed == 2; }));
    QCOMPARE(library.column(QStringLiteral("SELECT state FROM jobs")), QVariantList{4});
  }

  void aJobThatKillsTwoWorkersIsParkedAndTheOthersAreMade() {
    pool::SupervisionLimits limits = quickLimits();
    limits.maxDeathsPerUnit = 2;
    WatchedLibrary library(m_folder->path(), {"--behave", "crash", "--only-index", "2"}, quickTuning(), limits);
    const quint64 run = library.submit(sampleRun({}, 6, 2));
    QVERIFY(library.waitForEnd());
    QCOMPARE(library.runs[run].made, 5);
    QCOMPARE(library.runs[run].failed, 1);
    QCOMPARE(library.failures.size(), 1);
    QCOMPARE(library.failures[0].index, 2);
    QVERIFY2(library.failures[0].error.message.find("2") != std::string::npos, library.failures[0].error.message.c_str());
    QCOMPARE(library.column(QStringLiteral("SELECT idx FROM pictures ORDER BY idx")), QVariantList({0, 1, 3, 4, 5}));
    QCOMPARE(library.column(QStringLiteral("SELECT deaths FROM jobs WHERE state = 4")), QVariantList{2});
  }

  void failuresOnEveryDevicePauseTheQueueOnceUntilItIsMended() {
    const QString program = mendableWorker("--behave=device-lost");
    pool::SupervisionLimits limits = quickLimits();
    limits.maxDeathsPerUnit = 0;
    limits.deviceBreaker = 0;
    limits.maxRestartsInWindow = 0;
    limits.overallBreaker = 4;
    WatchedLibrary library(m_folder->path(), {}, quickTuning(), limits);
    library.options().cpuWorker = program;
    const quint64 run = library.submit(sampleRun({}, 8, 2));
    QVERIFY(library.waitForPause(PauseReason::Breaker));
    QVERIFY(!library.queue.back().sentence.isEmpty());
    QCOMPARE(library.runs[run].made, 0);
    QCOMPARE(library.runs[run].failed, 0);
    int pauses = 0;
    for (qsizetype i = 1; i < library.queue.size(); ++i) {
      pauses += library.queue[i].pause == PauseReason::Breaker && library.queue[i - 1].pause != PauseReason::Breaker ? 1 : 0;
    }
    QCOMPARE(pauses, 1);
    mend();
    library.command(Command::Kind::ResumeQueue);
    QVERIFY(library.waitForEnd());
    QCOMPARE(library.summaries[0].made, 8);
  }

  void aDeviceThatFailsAgainAndAgainIsSetAsideUntilItIsStartedAgain() {
    const QString program = mendableWorker("--behave=crash");
    pool::SupervisionLimits limits = quickLimits();
    limits.maxDeathsPerUnit = 0;
    limits.deviceBreaker = 3;
    limits.overallBreaker = 0;
    WatchedLibrary library(m_folder->path(), {"--step-ms", "20"}, quickTuning(), limits);
    library.options().cudaWorker = program;
    SampleRun run = sampleRun({}, 12, 1);
    run.slots.push_back({"cuda:0", domain::DeviceKind::Cuda, "GPU", "GPU-1", {}});
    const quint64 id = library.submit(run);
    QVERIFY(library.waitFor([&] { return library.slot("cuda:0").reason.contains("3"); }));
    const SlotStatus aside = library.slot("cuda:0");
    QVERIFY2(!aside.willRestart, qPrintable(aside.reason));
    QVERIFY(library.waitForEnd());
    QCOMPARE(library.runs[id].made, 12);
    QVERIFY(library.column(QStringLiteral("SELECT DISTINCT device FROM pictures")) == QVariantList{"cpu:0"});
    mend();
    library.command(Command::Kind::RestartDevice, QStringLiteral("cuda:0"));
    SampleRun second = sampleRun({}, 12, 0);
    library.submit(second);
    QVERIFY(library.waitForEnd(2));
    QVERIFY(library.column(QStringLiteral("SELECT DISTINCT device FROM pictures")).contains("cuda:0"));
  }

  void aDeviceThatCannotHoldAModelIsLeftOutOfIt() {
    WatchedLibrary library(m_folder->path(), {});
    library.options().cudaWorker = scriptWith("exec " FAKE_WORKER " --behave=load-out-of-memory \"$@\"");
    SampleRun run = sampleRun({}, 6, 1);
    run.slots.push_back({"cuda:0", domain::DeviceKind::Cuda, "GPU", "GPU-1", {}});
    library.submit(run);
    QVERIFY(library.waitForEnd());
    QCOMPARE(library.summaries[0].made, 6);
    QCOMPARE(library.summaries[0].failed, 0);
    QVERIFY(library.column(QStringLiteral("SELECT DISTINCT device FROM pictures")) == QVariantList{"cpu:0"});
  }

  void idleWorkersGiveTheirMemoryBackThenEndAndStartAgain() {
    pool::SupervisionLimits limits = quickLimits();
    limits.releaseAfter = milliseconds(50);
    limits.stopAfter = milliseconds(600);
    WatchedLibrary library(m_folder->path(), {}, quickTuning(), limits);
    library.submit(sampleRun({}, 2));
    QVERIFY(library.waitForEnd());
    QVERIFY(library.waitFor([&] { return library.slot("cpu:0").reason.contains("memory was given back"); }));
    QCOMPARE(library.slot("cpu:0").state, SlotState::Idle);
    QVERIFY(library.waitFor([&] { return library.slot("cpu:0").state == SlotState::Stopped; }));
    library.submit(sampleRun({}, 2));
    QVERIFY(library.waitForEnd(2));
    QCOMPARE(library.summaries[1].made, 2);
    QVERIFY(library.waitFor([&] { return library.slot("cpu:0").reason.contains("memory was given back"); }));
    // And from its memory given back alone.
    library.submit(sampleRun({}, 2));
    QVERIFY(library.waitForEnd(3));
    QCOMPARE(library.summaries[2].made, 2);
  }

  void loadsWaitForTheHostsMemory() {
    backend::LocalBackendTuning tuning = quickTuning();
    tuning.freeHostBytes = [] { return std::uint64_t(2'500'000'000); };  // one load and the reserve
    WatchedLibrary library(m_folder->path(), {"--load-ms", "200"}, tuning);
    SampleRun run = sampleRun({}, 6, 3);
    QFile weights(m_folder->filePath("model.safetensors"));
    QVERIFY(weights.open(QIODevice::WriteOnly) && weights.resize(1'200'000'000));
    run.plan.model.folder = m_folder->path().toStdString();
    library.submit(run);
    QVERIFY(library.waitForEnd());
    QCOMPARE(library.summaries[0].made, 6);
    QSet<QString> loading;
    bool hasWaited = false;
    for (const SlotStatus& status : library.states) {
      const bool isLoading = status.state == SlotState::Starting || status.state == SlotState::Handshaking ||
                             status.state == SlotState::LoadingModel;
      isLoading ? (void)loading.insert(status.slotId) : (void)loading.remove(status.slotId);
      QVERIFY(loading.size() <= 1);
      hasWaited = hasWaited || status.reason.contains("Waits for memory of the computer");
    }
    QVERIFY(hasWaited);
  }

  void devicesComeAndGoInTheMiddleOfARun() {
    WatchedLibrary library(m_folder->path(), {"--step-ms", "15"});
    const quint64 run = library.submit(sampleRun({}, 60, 2));
    const auto made = [&] { return library.runs[run].made; };
    const auto devicesOf = [&] {
      QSet<QString> devices;
      for (const backend::PictureEvent& picture : std::exchange(library.pictures, {})) {
        devices << picture.slotId;
      }
      return devices;
    };
    QVERIFY(library.waitFor([&] { return made() >= 6; }));
    library.command(Command::Kind::SetDevices, {}, {cpuSlot(1)});
    QVERIFY(library.waitFor([&] { return library.slot("cpu:0").state == SlotState::Stopped; }));
    QCOMPARE(library.slot("cpu:0").reason, QString("not chosen any more"));
    QVERIFY(library.waitFor([&, saved = made()] { return made() >= saved + 3; }));  // what cpu:0 made is on the disk by now
    (void)devicesOf();
    const qint64 before = made();
    QVERIFY(library.waitFor([&] { return made() >= before + 6; }));
    QCOMPARE(devicesOf(), QSet<QString>{"cpu:1"});
    library.command(Command::Kind::SetDevices, {}, {cpuSlot(1), cpuSlot(2), cpuSlot(3)});
    QVERIFY(library.waitForEnd());
    QCOMPARE(devicesOf(), QSet<QString>({"cpu:1", "cpu:2", "cpu:3"}));
    QCOMPARE(made(), 60);
    library.destroy();
    QTemporaryDir good;
    WatchedLibrary undisturbed(good.path(), {});
    const quint64 other = undisturbed.submit(sampleRun({}, 60, 1));
    QVERIFY(undisturbed.waitForEnd());
    const Pictures expected = picturesIn(undisturbed.runs[other].folder);
    undisturbed.destroy();
    QCOMPARE(faultsOf(library.location, {{0, expected}}), QStringList());
  }

 private:
  static constexpr int kHandshakeMs = 300;
  static constexpr int kLoadBeatMs = 1000;
  static constexpr int kStepMs = 500;

  QString scriptWith(const QByteArray& line) {
    QFile script(m_folder->filePath("worker.sh"));
    if (!script.open(QIODevice::WriteOnly) || script.write("#!/bin/sh\n" + line + "\n") < 0) {
      return {};
    }
    script.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    return script.fileName();
  }
  /// A worker that misbehaves until mend().
  QString mendableWorker(const QByteArray& behaviour) {
    const QByteArray mended = QFile::encodeName(m_folder->filePath("mended"));
    return scriptWith("[ -e '" + mended + "' ] && exec " FAKE_WORKER " \"$@\"\nexec " FAKE_WORKER " " + behaviour + " \"$@\"");
  }
  void mend() {
    QFile file(m_folder->filePath("mended"));
    QVERIFY(file.open(QIODevice::WriteOnly));
  }

  std::unique_ptr<QTemporaryDir> m_folder;
};

QTEST_GUILESS_MAIN(TestSupervisionRuns)
#include "tst_supervision_runs.moc"
