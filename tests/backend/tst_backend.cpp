#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QtTest>
#include <span>

#include "core/picture/png.h"
#include "tests/backend/local_backends.h"

using namespace polyptych;
using namespace polyptych::tests;
using backend::Backend;
using backend::FailureEvent;
using backend::LocalBackend;
using backend::LocalBackendOptions;
using backend::LocalBackendTuning;
using backend::RunSpec;
using backend::RunSummary;
using backend::SlotState;
using backend::SlotStatus;
using base::ErrorCode;
using std::chrono::milliseconds;

class TestBackend : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() { m_folder = std::make_unique<QTemporaryDir>(); }

  void makesEveryPictureAndTellsOfEveryStep() {
    LocalBackends recorder;
    SampleRun spec = sampleRun(out(), 5, 2);
    spec.wantsPreviews = true;
    const RunSummary summary = recorder.run(spec);
    QVERIFY2(!summary.error, summary.error ? (summary.error->message + " / " + summary.error->detail).c_str() : "");
    QCOMPARE(summary.total, 5);
    QCOMPARE(summary.made, 5);
    QCOMPARE(summary.failed, 0);
    QVERIFY(!summary.wasCancelled);
    QCOMPARE(recorder.started.size(), 1);
    QCOMPARE(recorder.pictures.size(), 5);
    QCOMPARE(recorder.previews.size(), 15);
    QCOMPARE(contentOf(out()).keys().front(), QString("00000-a-lighthouse-0.png"));
    QCOMPARE(indicesOf(out()), QList<int>({0, 1, 2, 3, 4}));
    // Each picture's steps are 1, 2, 3, in order.
    QMap<qint64, QList<int>> stepsOf;
    for (const SlotStatus& status : recorder.steps) {
      QCOMPARE(status.progress.stage, domain::Stage::Denoising);
      QCOMPARE(status.progress.steps, 3);
      stepsOf[status.index] << status.progress.step;
    }
    QCOMPARE(stepsOf.size(), 5);
    for (const QList<int>& steps : stepsOf) {
      QCOMPARE(steps, QList<int>({1, 2, 3}));
    }
    for (const SlotState state : {SlotState::Starting, SlotState::Handshaking, SlotState::LoadingModel, SlotState::Busy}) {
      QVERIFY(recorder.saw(state));
    }
    const QJsonObject row = rowsOf(out())[0];
    QCOMPARE(row["status"].toString(), QString("done"));
    QCOMPARE(row["deviceName"].toString(), QString("Fake CPU"));
    QCOMPARE(row["model"].toObject()["hash"].toString(), QString("00ff"));
    QVERIFY(row.contains("negative") && row["negative"].isNull());
    QVERIFY(row["seconds"].toDouble() > 0);
    QFile manifest(out() + "/manifest.jsonl");
    QVERIFY(manifest.open(QIODevice::ReadOnly));
    QVERIFY(manifest.readAll().contains("\"seed\":18446744073709551360"));
  }

  void theBytesDoNotDependOnTheNumberOfWorkers_data() {
    QTest::addColumn<int>("batch");
    QTest::newRow("batch 1") << 1;
    QTest::newRow("batch 3") << 3;
  }
  void theBytesDoNotDependOnTheNumberOfWorkers() {
    QFETCH(const int, batch);
    QMap<QString, QByteArray> first;
    for (int workers = 1; workers <= 4; ++workers) {
      QTemporaryDir folder;
      LocalBackends recorder;
      QCOMPARE(recorder.run(sampleRun(folder.path(), 7, workers, batch)).made, 7);
      const auto content = contentOf(folder.path());
      QCOMPARE(content.size(), 7);
      first = first.isEmpty() ? content : first;
      QVERIFY(content == first);
    }
  }

  void aDeadWorkersUnitIsMadeAgain() {
    QTemporaryDir good;
    LocalBackends(QStringList{}).run(sampleRun(good.path(), 6, 2));
    LocalBackends recorder({"--behave", "crash-once", "--state", m_folder->filePath("state")});
    const RunSummary summary = recorder.run(sampleRun(out(), 6, 2));
    QVERIFY(!summary.error);
    QCOMPARE(summary.made, 6);
    QCOMPARE(recorder.failures.size(), 0);
    QVERIFY(recorder.saw(SlotState::Failed));
    QVERIFY(contentOf(out()) == contentOf(good.path()));
  }

  void aUnitThatKillsItsWorkersFailsAlone() {
    LocalBackends recorder({"--behave", "crash", "--only-index", "2"});
    const RunSummary summary = recorder.run(sampleRun(out(), 5, 2));
    QVERIFY(!summary.error);
    QCOMPARE(summary.made, 4);
    QCOMPARE(summary.failed, 1);
    QCOMPARE(recorder.failures.size(), 1);
    QCOMPARE(recorder.failures[0].index, 2);
    QCOMPARE(recorder.failures[0].error.code, ErrorCode::WorkerDied);
    QCOMPARE(recorder.count(SlotState::Failed), 2);
    QCOMPARE(indicesOf(out()), QList<int>({0, 1, 3, 4}));
    QCOMPARE(indicesOf(out(), "failed"), QList<int>({2}));
    // The next run tries the failed picture again and takes its row out.
    LocalBackends again;
    QCOMPARE(again.run(sampleRun(out(), 5, 2)).made, 1);
    QCOMPARE(indicesOf(out()), QList<int>({0, 1, 2, 3, 4}));
    QCOMPARE(rowsOf(out()).size(), 5);
  }

  void whenEveryWorkerFailsTheRunEnds_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("code");
    QTest::newRow("garbage") << QStringList{"--behave=garbage"} << int(ErrorCode::Protocol);
    QTest::newRow("oversize") << QStringList{"--behave=oversize"} << int(ErrorCode::Protocol);
    QTest::newRow("half-frame") << QStringList{"--behave=half-frame"} << int(ErrorCode::WorkerDied);
    QTest::newRow("wrong-version") << QStringList{"--behave=wrong-version"} << int(ErrorCode::VersionMismatch);
    QTest::newRow("wrong-token") << QStringList{"--behave=wrong-token"} << int(ErrorCode::Protocol);
    QTest::newRow("slow-start") << QStringList{"--behave=slow-start", "--start-ms=60000"} << int(ErrorCode::Timeout);
    QTest::newRow("never-ready") << QStringList{"--behave=never-ready"} << int(ErrorCode::Timeout);
    QTest::newRow("unknown argument") << QStringList{"--bad=1"} << int(ErrorCode::WorkerDied);
  }
  void whenEveryWorkerFailsTheRunEnds() {
    QFETCH(const QStringList, arguments);
    QFETCH(const int, code);
    LocalBackendTuning tuning = quickTuning();
    // Quick where time is what the row is about, patient where a loaded machine must not decide.
    const bool isSlow = arguments[0].contains("slow-start");
    tuning.deadlines.handshake = milliseconds(isSlow ? 300 : 10000);
    tuning.deadlines.loadBeat = milliseconds(500);
    LocalBackends recorder(arguments, tuning);
    recorder.limits().deviceBreaker = 2;
    const RunSummary summary = recorder.run(sampleRun(out(), 3, 2));
    QCOMPARE(codeOf(summary), code);
    QCOMPARE(summary.made, 0);
    QCOMPARE(summary.failed, 3);
    QCOMPARE(recorder.failures.size(), 3);
    QCOMPARE(int(recorder.failures[0].error.code), code);
    QCOMPARE(indicesOf(out(), "failed"), QList<int>({0, 1, 2}));
    QVERIFY(recorder.saw(SlotState::Failed));
  }

  void brokenFramesInTheMiddleCostOneWorker_data() {
    QTest::addColumn<QString>("behave");
    QTest::newRow("garbage") << "garbage";
    QTest::newRow("oversize") << "oversize";
    QTest::newRow("half-frame") << "half-frame";
    QTest::newRow("device-lost") << "device-lost";
  }
  void brokenFramesInTheMiddleCostOneWorker() {
    QFETCH(const QString, behave);
    LocalBackends recorder({"--behave", behave, "--when", "unit", "--only-index", "1"});
    const RunSummary summary = recorder.run(sampleRun(out(), 4, 2));
    QVERIFY(!summary.error);
    QCOMPARE(summary.made, 3);
    QCOMPARE(recorder.failures.size(), 1);
    QCOMPARE(recorder.failures[0].index, 1);
    QVERIFY(!recorder.failures[0].error.message.empty());
  }

  void settingsThatNoUnitCanMeetEndTheRunOnce() {
    LocalBackends recorder({"--behave", "refuse-settings"});
    const RunSummary summary = recorder.run(sampleRun(out(), 5, 2));
    QVERIFY(summary.error);
    QCOMPARE(summary.error->code, ErrorCode::InvalidArgument);
    QCOMPARE(summary.made, 0);
    QCOMPARE(summary.failed, 0);
    QVERIFY(recorder.failures.isEmpty());
    QVERIFY(!recorder.saw(SlotState::Failed));
  }

  void tellsARestartFromGivingUp() {
    LocalBackendTuning tuning = quickTuning();
    LocalBackends recorder({"--behave", "crash"}, tuning);
    recorder.limits().deviceBreaker = 2;
    recorder.run(sampleRun(out(), 2, 1));
    QList<bool> restarts;
    for (const SlotStatus& status : recorder.states) {
      if (status.state == SlotState::Failed && status.failure) {
        QCOMPARE(*status.failure, ErrorCode::WorkerDied);
        if (restarts.isEmpty() || restarts.back() != status.willRestart) {
          restarts << status.willRestart;
        }
      }
    }
    QVERIFY(restarts.contains(true));
    QCOMPARE(restarts.back(), false);
  }

  void aWorkerThatHangsIsGivenUp() {
    LocalBackendTuning tuning = quickTuning();
    tuning.deadlines.firstBeat = milliseconds(400);
    tuning.deadlines.stepFloor = milliseconds(400);
    LocalBackends recorder({"--behave", "hang", "--only-index", "0"}, tuning);
    const RunSummary summary = recorder.run(sampleRun(out(), 3, 1));
    QVERIFY(!summary.error);
    QCOMPARE(summary.made, 2);
    QCOMPARE(recorder.failures.size(), 1);
    QCOMPARE(recorder.failures[0].error.code, ErrorCode::Timeout);
  }

  void aWorkerWithoutHeartbeatIsGivenUp() {
    LocalBackendTuning tuning = quickTuning();
    tuning.deadlines.heartbeat = milliseconds(200);  // a worker beats every second
    LocalBackends recorder({"--behave", "hang"}, tuning, 1);
    recorder.limits().deviceBreaker = 1;
    const RunSummary summary = recorder.run(sampleRun(out(), 1));
    QCOMPARE(summary.failed, 1);
    QCOMPARE(recorder.failures[0].error.code, ErrorCode::Timeout);
    QVERIFY(recorder.failures[0].error.detail.find("heartbeat") != std::string::npos);
  }

  void outOfMemoryFailsTheUnitWithItsCode() {
    LocalBackends recorder({"--behave", "out-of-memory", "--only-index", "1"});
    const RunSummary summary = recorder.run(sampleRun(out(), 3));
    QVERIFY(!summary.error);
    QCOMPARE(summary.made, 2);
    QCOMPARE(recorder.failures.size(), 1);
    QCOMPARE(recorder.failures[0].error.code, ErrorCode::OutOfMemory);
    QCOMPARE(recorder.count(SlotState::Failed), 0);
  }

  void anUnusableModelEndsTheRun() {
    LocalBackends recorder({"--behave", "model-unusable"});
    const RunSummary summary = recorder.run(sampleRun(out(), 3, 2));
    QCOMPARE(codeOf(summary), int(ErrorCode::ModelUnusable));
    QCOMPARE(recorder.failures.size(), 0);
    QCOMPARE(summary.made, 0);
    QCOMPARE(contentOf(out(), "*").size(), 0);
  }

  void aModelThatIsNotThereEndsTheRun() {
    LocalBackends recorder;
    SampleRun spec = sampleRun(out(), 1);
    spec.plan.model = {"/nowhere/at/all", "m", "", ""};
    const RunSummary summary = recorder.run(spec);
    QVERIFY(summary.error);
    QVERIFY(recorder.started.isEmpty());
    recorder.destroy();
    QCOMPARE(contentOf(out(), "*").size(), 0);
    QVERIFY(!QFileInfo::exists(out() + "/.polyptych/library.sqlite"));
  }

  void cancelLeavesTheManifestTrue() {
    LocalBackends recorder({"--step-ms", "30"});
    const quint64 id = recorder.submit(sampleRun(out(), 50, 2));
    QVERIFY(QTest::qWaitFor([&] { return recorder.pictures.size() >= 2; }, kPatienceMs));
    recorder.backend(out()).cancelRun(id);
    recorder.backend(out()).cancelRun(id);
    recorder.backend(out()).cancelRun(12345);
    QElapsedTimer since;
    since.start();
    QVERIFY(recorder.waitForEnd());
    QVERIFY2(since.elapsed() < 2000, qPrintable(QString::number(since.elapsed())));
    const RunSummary summary = recorder.summaries[0];
    QVERIFY(summary.wasCancelled);
    QVERIFY(!summary.error);
    QCOMPARE(summary.failed, 0);
    QVERIFY(summary.made >= 2 && summary.made < 50);
    QCOMPARE(qsizetype(summary.made), contentOf(out()).size());
    QCOMPARE(qsizetype(summary.made), rowsOf(out()).size());
    QCOMPARE(recorder.run(sampleRun(out(), 50, 2)).alreadyThere, summary.made);
  }

  void aCancelThatIsIgnoredIsEnforced() {
    LocalBackendTuning tuning = quickTuning();
    tuning.deadlines.cancel = milliseconds(100);
    tuning.deadlines.shutdown = milliseconds(100);
    LocalBackends recorder({"--behave", "ignore-cancel", "--step-ms", "5000"}, tuning);
    const quint64 id = recorder.submit(sampleRun(out(), 3));
    QVERIFY(
        QTest::qWaitFor([&] { return !recorder.states.isEmpty() && recorder.states.back().progress.step == 1; }, kPatienceMs));
    recorder.backend(out()).cancelRun(id);
    QVERIFY(recorder.waitForEnd());
    QVERIFY(recorder.summaries[0].wasCancelled);
    QTRY_COMPARE_WITH_TIMEOUT(recorder.states.back().state, SlotState::Stopped, kPatienceMs);
  }

  void aCancelBeforeTheStartIsHeard() {
    LocalBackends recorder;
    const quint64 id = recorder.submit(sampleRun(out(), 3));
    recorder.backend(out()).cancelRun(id);
    QVERIFY(recorder.waitForEnd());
    QVERIFY(recorder.summaries[0].wasCancelled);
    QCOMPARE(recorder.pictures.size(), 0);
  }

  void runsGoOneAfterAnotherOnTheSameWorkers() {
    LocalBackends recorder;
    Backend& backend = recorder.backend(library::locationAt(out(), library::Location::Layout::Dated));
    const quint64 first = backend.submit(sampleRun({}, 3, 2));
    const quint64 second = backend.submit(sampleRun({}, 3, 2));
    QVERIFY(first != second);
    QVERIFY(recorder.waitForEnd(2));
    QCOMPARE(recorder.summaries[0].runId, first);
    QCOMPARE(recorder.summaries[1].runId, second);
    QCOMPARE(recorder.summaries[1].made, 3);
    const auto starts = [&recorder] {
      return std::count_if(recorder.states.begin(), recorder.states.end(),
                           [](const SlotStatus& status) { return status.state == SlotState::Handshaking; });
    };
    QCOMPARE(starts(), 2);
    // Another model in the same workers; another number of threads in new ones.
    SampleRun other = sampleRun({}, 2, 2);
    other.plan.model.hash = "11aa";
    backend.submit(other);
    QVERIFY(recorder.waitForEnd(3));
    QCOMPARE(recorder.summaries[2].made, 2);
    QCOMPARE(starts(), 2);
    SampleRun threads = sampleRun({}, 2, 2);
    threads.plan.threads = 2;
    backend.submit(threads);
    QVERIFY(recorder.waitForEnd(4));
    QCOMPARE(recorder.summaries[3].made, 2);
    QVERIFY(starts() > 2);
  }

  void aUnitThatIsHalfThereIsMadeWhole() {
    QTemporaryDir good;
    LocalBackends(QStringList{}).run(sampleRun(good.path(), 4, 1, 2));
    LocalBackends recorder;
    recorder.run(sampleRun(out(), 4, 1, 2));
    QVERIFY(QFile::remove(out() + "/00001-a-lighthouse-1.png"));
    const QDateTime before = QFileInfo(out() + "/00000-a-lighthouse-0.png").lastModified();
    const RunSummary summary = recorder.run(sampleRun(out(), 4, 1, 2));
    QVERIFY2(!summary.error, summary.error ? (summary.error->message + summary.error->detail).c_str() : "");
    QCOMPARE(summary.made, 1);
    QCOMPARE(summary.alreadyThere, 3);
    QVERIFY(recorder.warnings.empty());
    QCOMPARE(QFileInfo(out() + "/00000-a-lighthouse-0.png").lastModified(), before);
    QVERIFY(contentOf(out()) == contentOf(good.path()));
    QCOMPARE(indicesOf(out()), QList<int>({0, 1, 2, 3}));
  }

  void aFileThatDiffersIsLeftAndTold() {
    LocalBackends recorder;
    recorder.run(sampleRun(out(), 2, 1, 2));
    // As another version of the engine would have made it: the metadata is this run's, the picture is not.
    const QString kept = out() + "/00000-a-lighthouse-0.png";
    QFile file(kept);
    QVERIFY(file.open(QIODevice::ReadWrite));
    const QByteArray bytes = file.readAll();
    const auto metadata = picture::readPngMetadata(std::as_bytes(std::span(bytes.constData(), std::size_t(bytes.size()))));
    QVERIFY(metadata);
    const auto other =
        picture::encodePng({metadata->request.width, metadata->request.height,
                            std::vector<std::uint8_t>(std::size_t(3 * metadata->request.width * metadata->request.height), 9)},
                           *metadata);
    QVERIFY(other);
    QVERIFY(file.resize(0) && file.seek(0));
    QCOMPARE(file.write(reinterpret_cast<const char*>(other->data()), qint64(other->size())), qint64(other->size()));
    file.close();
    QVERIFY(QFile::remove(out() + "/00001-a-lighthouse-1.png"));
    QCOMPARE(recorder.run(sampleRun(out(), 2, 1, 2)).made, 1);
    QCOMPARE(recorder.warnings.size(), std::size_t{1});
    QCOMPARE(recorder.warnings[0].code, domain::WarningCode::FileDiffers);
    QVERIFY(recorder.warnings[0].sentence.find("00000-a-lighthouse-0.png") != std::string::npos);
    QVERIFY(file.open(QIODevice::ReadOnly));
    QCOMPARE(file.size(), qint64(other->size()));
  }

  void aTraceComesWithItsUnit() {
    LocalBackends recorder;
    SampleRun spec = sampleRun(out(), 2, 1, 2);
    spec.wantsTrace = true;
    QCOMPARE(recorder.run(spec).made, 2);
    QCOMPARE(recorder.traces.size(), 1);
    QVERIFY(recorder.traces[0].size() >= 16);
  }

  void refusesBeforeWorkStarts_data() {
    QTest::addColumn<QString>("fault");
    QTest::addColumn<int>("code");
    for (const char* fault : {"no requests", "no slots", "one slot twice", "batch 0", "threads", "index", "width", "steps",
                              "guidance", "trace of two units"}) {
      QTest::newRow(fault) << QString(fault) << int(ErrorCode::InvalidArgument);
    }
    QTest::newRow("no worker") << "no worker" << int(ErrorCode::NotFound);
  }
  void refusesBeforeWorkStarts() {
    QFETCH(const QString, fault);
    QFETCH(const int, code);
    SampleRun spec = sampleRun(out(), 4, 2);
    LocalBackendOptions options;
    options.cpuWorker = fault == "no worker" ? "/nowhere/polyptych-worker" : FAKE_WORKER;
    if (fault == "no requests") {
      spec.requests.clear();
    } else if (fault == "no slots") {
      spec.slots.clear();
    } else if (fault == "one slot twice") {
      spec.slots[1] = spec.slots[0];
    } else if (fault == "batch 0") {
      spec.plan.batch = 0;
    } else if (fault == "threads") {
      spec.plan.threads = 5000;
    } else if (fault == "index") {
      spec.requests[2].index = 7;
    } else if (fault == "width") {
      spec.requests[3].width = 33;
    } else if (fault == "steps") {
      spec.requests[1].steps = 0;
    } else if (fault == "guidance") {
      spec.requests[1].guidanceScale = std::numeric_limits<double>::quiet_NaN();
    } else if (fault == "trace of two units") {
      spec.wantsTrace = true;
    }
    const auto made = LocalBackend::open(flatLibrary(out()), options, quickTuning()).value();
    LocalBackend& local = *made;
    QSignalSpy started(&local, &Backend::runStarted);
    QSignalSpy finished(&local, &Backend::runFinished);
    QSignalSpy changed(&local, &Backend::slotChanged);
    local.submit(spec);
    QVERIFY(finished.wait());
    const auto summary = finished[0][0].value<RunSummary>();
    QCOMPARE(codeOf(summary), code);
    QVERIFY(summary.error->message.size() > 20);
    QVERIFY(started.isEmpty());
    QVERIFY(changed.isEmpty());
    QVERIFY(contentOf(out(), "*").isEmpty());
  }

  void refusesAFolderThatCannotBeALibrary() {
    QFile file(out());
    QVERIFY(file.open(QIODevice::WriteOnly));
    const auto onFile = LocalBackend::open(flatLibrary(out()), {});
    QVERIFY(!onFile);
    QCOMPARE(onFile.error().code, ErrorCode::AlreadyExists);
    const auto forbidden = LocalBackend::open(flatLibrary("/proc/polyptych-pictures"), {});
    QVERIFY(!forbidden);
    QCOMPARE(forbidden.error().code, ErrorCode::Io);
  }

  void unitsAreOfOneShape() {
    SampleRun spec = sampleRun(out(), 6, 2, 2);
    spec.requests[1].steps = spec.requests[4].steps = 4;
    spec.requests[3].width = 40;
    LocalBackends recorder;
    const RunSummary summary = recorder.run(spec);
    QVERIFY(!summary.error);
    QCOMPARE(summary.made, 6);
    QCOMPARE(indicesOf(out()), QList<int>({0, 1, 2, 3, 4, 5}));
  }

  void aClashIsAnErrorBeforeWorkStarts() {
    LocalBackends recorder;
    QCOMPARE(recorder.run(sampleRun(out(), 3)).made, 3);
    const auto before = contentOf(out(), "*");
    SampleRun other = sampleRun(out(), 3);
    other.requests[1].steps = 4;
    const RunSummary summary = recorder.run(other);
    QCOMPARE(codeOf(summary), int(ErrorCode::AlreadyExists));
    QVERIFY(summary.error->message.find("number of steps") != std::string::npos);
    QVERIFY(contentOf(out(), "*") == before);
  }

  void fixesWhatThePlanLeavesOpen() {
    SampleRun spec = sampleRun(out(), 1);
    spec.plan.computeType = domain::ComputeType::Auto;
    spec.plan.threads = 0;
    spec.slots[0].cores = {0, 1, 2, 3, 4, 5};
    spec.slots.push_back(cpuSlot(1));
    spec.slots[1].cores = {6, 7};
    auto plan = backend::fixPlan(spec);
    QVERIFY(plan.isOk());
    QCOMPARE(plan->threads, 4);
    QCOMPARE(plan->computeType, domain::ComputeType::Fp32);
    spec.slots = {{"cuda:0", domain::DeviceKind::Cuda, "GPU", "GPU-1", {}}};
    plan = backend::fixPlan(spec);
    QCOMPARE(plan->computeType, domain::ComputeType::Fp16);
    QCOMPARE(plan->threads, 1);
    spec.slots.push_back(cpuSlot(0));
    QCOMPARE(backend::fixPlan(spec)->computeType, domain::ComputeType::Fp32);
  }

  void aGpuWorkerSeesItsGpuAlone() {
    LocalBackends recorder;
    SampleRun spec = sampleRun(out(), 2);
    spec.slots = {{"cuda:0", domain::DeviceKind::Cuda, "GPU", "GPU-1234", {}}};
    QCOMPARE(recorder.run(spec).made, 2);  // the fake GPU takes its UUID from the environment, and the pool compares it
    QCOMPARE(rowsOf(out())[0]["deviceName"].toString(), QString("Fake GPU"));
  }

  void listsDevices() {
    LocalBackends recorder;
    QSignalSpy listed(&recorder.backend(out()), &Backend::devicesListed);
    recorder.backend(out()).listDevices();
    QVERIFY(listed.wait());
    const auto found = listed[0][0].value<std::vector<domain::DeviceInfo>>();
    QCOMPARE(found.front().id, std::string("cpu"));
  }

  void theDestructorEndsBusyWorkersInTime() {
    LocalBackendTuning tuning;
    LocalBackends recorder({"--behave", "hang"}, tuning);
    recorder.submit(sampleRun(out(), 4, 4));
    QVERIFY(QTest::qWaitFor([&] { return recorder.steps.size() >= 4; }, kPatienceMs));
    QElapsedTimer since;
    since.start();
    recorder.destroy();
    QVERIFY2(since.elapsed() < 2000, qPrintable(QString::number(since.elapsed())));
  }

 private:
  QString out() const { return m_folder->filePath("out"); }

  std::unique_ptr<QTemporaryDir> m_folder;
};

QTEST_GUILESS_MAIN(TestBackend)
#include "tst_backend.moc"
