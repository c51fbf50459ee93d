#include <sched.h>

#include <QtTest>

#include "core/picture/png.h"
#include "core/worker/worker.h"
#include "tests/worker/worker_process.h"

using namespace polyptych;
using namespace polyptych::protocol;
using tests::WorkerProcess;
using Received = WorkerProcess::Received;

namespace {

/// Time within which a worker must be gone once its socket closed, and what a loaded machine may add.
constexpr int kEndMs = 2000;
constexpr int kSlackMs = 1500;

const domain::ModelSpec kModel{"/models/m", "m", "00ff", ""};

Generate unitOf(std::uint64_t id, int pictures = 1, int steps = 3) {
  Generate generate;
  generate.lease = id + 100;
  generate.unit.id = id;
  generate.unit.plan.model = kModel;
  generate.unit.plan.batch = pictures;
  for (int i = 0; i < pictures; ++i) {
    domain::GenerationRequest request;
    request.index = std::int64_t(id) * 10 + i;
    request.prompt = "a lighthouse, " + std::to_string(i);
    request.seed = 42 + std::uint64_t(i);
    request.width = 64;
    request.height = 32;
    request.steps = steps;
    request.scheduler = "Euler";
    generate.unit.requests.push_back(request);
  }
  return generate;
}

/// Through Hello and Ready.
bool makeReady(WorkerProcess& worker) {
  if (!worker.accept() || !worker.expect<Hello>()) {
    return false;
  }
  worker.send(LoadModel{1, kModel, domain::ComputeType::Fp32});
  return worker.waitUntil<Ready>().has_value();
}

}  // namespace

class TestWorker : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void saysHelloFirstThenReady() {
    WorkerProcess worker({"--load-ms", "250"}, "a-token");
    QVERIFY(worker.accept());
    const auto hello = worker.expect<Hello>();
    QVERIFY(hello);
    QCOMPARE(hello->token, std::string("a-token"));
    QCOMPARE(hello->pid, std::int64_t(worker.process().processId()));
    QCOMPARE(hello->programVersion, std::string(POLYPTYCH_VERSION));
    QCOMPARE(hello->device.name, std::string("Fake CPU"));
    worker.send(LoadModel{5, kModel, domain::ComputeType::Fp32});
    std::uint64_t last = 0;
    int beats = 0;
    Message message;
    while (worker.receive(message) == Received::Message && std::holds_alternative<LoadProgress>(message)) {
      const auto& progress = std::get<LoadProgress>(message);
      QCOMPARE(progress.loadId, std::uint64_t(5));
      QVERIFY(progress.doneBytes > last && progress.doneBytes <= progress.totalBytes);
      last = progress.doneBytes;
      ++beats;
    }
    QVERIFY(beats >= 2);
    QVERIFY(std::holds_alternative<Ready>(message));
    QCOMPARE(std::get<Ready>(message).loadId, std::uint64_t(5));
    QCOMPARE(std::get<Ready>(message).weightBytes, last);
  }

  void aGpuWorkerTellsTheDeviceItSees() {
    WorkerProcess worker({"--device", "cuda"});
    QVERIFY(worker.accept());
    const auto hello = worker.expect<Hello>();
    QVERIFY(hello);
    QCOMPARE(hello->device.kind, domain::DeviceKind::Cuda);
  }

  void makesAUnitInOrder() {
    WorkerProcess worker({});
    QVERIFY(makeReady(worker));
    Generate generate = unitOf(3, 2, 4);
    generate.unit.wantsPreviews = true;
    generate.unit.wantsTrace = true;
    worker.send(generate);
    QStringList order;
    int pictures = 0;
    for (;;) {
      Message message;
      QCOMPARE(int(worker.receive(message)), int(Received::Message));
      if (const auto* progress = std::get_if<Progress>(&message)) {
        QVERIFY(progress->key == generate.key());
        order << QString("%1 %2/%3")
                     .arg(QString::fromStdString(domain::toString(progress->progress.stage)))
                     .arg(progress->progress.step)
                     .arg(progress->progress.steps);
      } else if (const auto* preview = std::get_if<Preview>(&message)) {
        QVERIFY(preview->key == generate.key());
        QCOMPARE(preview->image.width, 8);
        QCOMPARE(preview->image.height, 4);
        order << QString("preview %1").arg(preview->requestInUnit);
      } else if (const auto* made = std::get_if<PictureMade>(&message)) {
        QVERIFY(made->key == generate.key());
        QCOMPARE(int(made->requestInUnit), pictures);
        QVERIFY(picture::checkPng(made->png, 64, 32).isOk());
        const auto metadata = picture::readPngMetadata(made->png);
        QVERIFY(metadata.isOk());
        QVERIFY(*metadata == domain::metadataOf(generate.unit, std::size_t(pictures)));
        order << QString("picture %1").arg(pictures++);
      } else if (const auto* done = std::get_if<UnitDone>(&message)) {
        QVERIFY(done->key == generate.key());
        QVERIFY(done->seconds > 0);
        QVERIFY(!done->trace.empty());
        break;
      } else {
        QFAIL(nameOf(typeOf(message)));
      }
    }
    QStringList expected{"encoding 1/1"};
    for (int step = 1; step <= 4; ++step) {
      expected << QString("denoising %1/4").arg(step) << "preview 0"
               << "preview 1";
    }
    expected << "decoding 1/2"
             << "decoding 2/2"
             << "picture 0"
             << "saving 1/2"
             << "picture 1"
             << "saving 2/2";
    QCOMPARE(order, expected);
  }

  void picturesDependOnTheRequestAlone() {
    std::vector<std::byte> first;
    for (int run = 0; run < 2; ++run) {
      WorkerProcess worker({"--step-ms", run == 0 ? "1" : "9"});
      QVERIFY(makeReady(worker));
      if (run == 1) {
        worker.send(unitOf(9));
        QVERIFY(worker.waitUntil<UnitDone>());
      }
      worker.send(unitOf(4));
      const auto made = worker.waitUntil<PictureMade>();
      QVERIFY(made);
      QVERIFY(run == 0 || made->png == first);
      first = made->png;
    }
  }

  void cancelsInTheMiddleOfAUnit() {
    WorkerProcess worker({"--step-ms", "20"});
    QVERIFY(makeReady(worker));
    const Generate generate = unitOf(1, 1, 1000);
    worker.send(generate);
    QVERIFY(worker.waitUntil<Progress>());
    worker.send(Cancel{generate.key()});
    QElapsedTimer timer;
    timer.start();
    const auto cancelled = worker.waitUntil<UnitCancelled>();
    QVERIFY(cancelled);
    QVERIFY(cancelled->key == generate.key());
    QVERIFY(timer.elapsed() < kSlackMs);
    worker.send(unitOf(2));
    QVERIFY(worker.waitUntil<UnitDone>());
  }

  void cancelsAUnitThatWaits() {
    WorkerProcess worker({"--step-ms", "20"});
    QVERIFY(makeReady(worker));
    const Generate first = unitOf(1, 1, 10);
    const Generate second = unitOf(2, 1, 1000);
    worker.send(first);
    worker.send(second);
    worker.send(Cancel{second.key()});
    worker.send(Cancel{{99, 99}});
    const auto done = worker.waitUntil<UnitDone>();
    QVERIFY(done && done->key == first.key());
    const auto cancelled = worker.expect<UnitCancelled>();
    QVERIFY(cancelled && cancelled->key == second.key());
  }

  void aCancelOfAnOldLeaseIsIgnored() {
    WorkerProcess worker({"--step-ms", "20"});
    QVERIFY(makeReady(worker));
    const Generate generate = unitOf(1, 1, 5);
    worker.send(generate);
    worker.send(Cancel{{generate.unit.id, generate.lease - 1}});
    QVERIFY(worker.waitUntil<UnitDone>());
  }

  void endsWhenTheSocketCloses_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("steps");
    QTest::newRow("idle") << QStringList{} << 0;
    QTest::newRow("between steps") << QStringList{"--step-ms", "20"} << 1000;
    QTest::newRow("in the middle of a step") << QStringList{"--behave", "hang"} << 1000;
    QTest::newRow("cancel ignored") << QStringList{"--behave", "ignore-cancel", "--step-ms", "100"} << 1000;
  }
  void endsWhenTheSocketCloses() {
    QFETCH(QStringList, arguments);
    QFETCH(int, steps);
    WorkerProcess worker(arguments);
    QVERIFY(makeReady(worker));
    if (steps > 0) {
      worker.send(unitOf(1, 1, steps));
      QVERIFY(worker.waitUntil<Progress>());
      QVERIFY(worker.waitUntil<Progress>());
    }
    const auto took = worker.endByClosing();
    QVERIFY2(took && *took < kEndMs, qPrintable(QString::number(took.value_or(-1))));
  }

  void endsWhenTheSocketClosesDuringALoadThatHangs() {
    WorkerProcess worker({"--behave", "never-ready"});
    QVERIFY(worker.accept());
    QVERIFY(worker.expect<Hello>());
    worker.send(LoadModel{1, kModel, domain::ComputeType::Fp32});
    QVERIFY(worker.expect<LoadProgress>());
    const auto took = worker.endByClosing();
    QVERIFY2(took && *took < kEndMs, qPrintable(QString::number(took.value_or(-1))));
  }

  void shutsDownInOrder() {
    WorkerProcess worker({"--step-ms", "20"});
    QVERIFY(makeReady(worker));
    worker.send(unitOf(1, 1, 1000));
    QVERIFY(worker.waitUntil<Progress>());
    worker.send(unitOf(2));
    worker.send(LoadModel{8, kModel, domain::ComputeType::Fp16});
    worker.send(Shutdown{});
    const auto first = worker.waitUntil<UnitCancelled>();
    QVERIFY(first && first->key == unitOf(1).key());
    const auto second = worker.expect<UnitCancelled>();
    QVERIFY(second && second->key == unitOf(2).key());
    const auto load = worker.expect<LoadFailed>();
    QVERIFY(load && load->loadId == 8 && load->error.code == base::ErrorCode::Cancelled);
    Message message;
    QCOMPARE(int(worker.receive(message)), int(Received::Closed));
    QVERIFY(worker.waitForEnd());
    QCOMPARE(worker.process().exitCode(), worker::kExitOk);
  }

  void aShutdownStopsALoad() {
    WorkerProcess worker({"--load-ms", "4000"});
    QVERIFY(worker.accept());
    QVERIFY(worker.expect<Hello>());
    worker.send(LoadModel{1, kModel, domain::ComputeType::Fp32});
    worker.send(Shutdown{});
    const auto failed = worker.waitUntil<LoadFailed>();
    QVERIFY(failed && failed->error.code == base::ErrorCode::Cancelled);
    QVERIFY(worker.waitForEnd());
    QCOMPARE(worker.process().exitCode(), worker::kExitOk);
  }

  void heartbeatsGoOnWhileAStepHangs() {
    WorkerProcess worker({"--behave", "hang"});
    QVERIFY(makeReady(worker));
    worker.send(unitOf(1));
    QVERIFY(worker.waitUntil<Progress>());
    const int before = worker.heartbeats();
    Message message;
    while (worker.heartbeats() < before + 2 && worker.receive(message, 5000, true) == Received::Message) {
    }
    QCOMPARE(worker.heartbeats(), before + 2);
  }

  void failuresAreCodedAndTheWorkerGoesOn_data() {
    QTest::addColumn<QString>("behave");
    QTest::addColumn<int>("code");
    QTest::newRow("out of memory") << "out-of-memory" << int(base::ErrorCode::OutOfMemory);
    QTest::newRow("internal") << "fail-unit" << int(base::ErrorCode::Internal);
  }
  void failuresAreCodedAndTheWorkerGoesOn() {
    QFETCH(QString, behave);
    QFETCH(int, code);
    WorkerProcess worker({"--behave=" + behave, "--only-index", "10"});
    QVERIFY(makeReady(worker));
    worker.send(unitOf(1));
    const auto failed = worker.waitUntil<UnitFailed>();
    QVERIFY(failed);
    QVERIFY(failed->key == unitOf(1).key());
    QCOMPARE(int(failed->error.code), code);
    worker.send(unitOf(2));
    QVERIFY(worker.waitUntil<UnitDone>());
  }

  void aLostDeviceIsFatal() {
    WorkerProcess worker({"--behave", "device-lost"});
    QVERIFY(makeReady(worker));
    worker.send(unitOf(1));
    const auto fatal = worker.waitUntil<Fatal>();
    QVERIFY(fatal);
    QCOMPARE(fatal->error.code, base::ErrorCode::DeviceLost);
    QVERIFY(worker.waitForEnd());
    QCOMPARE(worker.process().exitCode(), worker::kExitFatal);
  }

  void aModelThatCannotBeUsedIsToldAndNothingIsLoaded() {
    WorkerProcess worker({"--behave", "model-unusable"});
    QVERIFY(worker.accept());
    QVERIFY(worker.expect<Hello>());
    worker.send(LoadModel{2, kModel, domain::ComputeType::Fp32});
    const auto failed = worker.waitUntil<LoadFailed>();
    QVERIFY(failed);
    QCOMPARE(failed->loadId, std::uint64_t(2));
    QCOMPARE(failed->error.code, base::ErrorCode::ModelUnusable);
    worker.send(unitOf(1));
    const auto refused = worker.waitUntil<UnitFailed>();
    QVERIFY(refused && refused->error.code == base::ErrorCode::InvalidArgument);
  }

  void refusesUnitsThatCannotBeMeant_data() {
    QTest::addColumn<int>("what");
    QTest::newRow("steps 0") << 0;
    QTest::newRow("side no multiple of 8") << 1;
    QTest::newRow("no request") << 2;
    QTest::newRow("another model") << 3;
    QTest::newRow("another compute type") << 4;
    QTest::newRow("other threads") << 5;
    QTest::newRow("sizes differ") << 6;
  }
  void refusesUnitsThatCannotBeMeant() {
    QFETCH(int, what);
    WorkerProcess worker({});
    QVERIFY(makeReady(worker));
    Generate generate = unitOf(1, 2);
    domain::UnitOfWork& unit = generate.unit;
    switch (what) {
      case 0:
        unit.requests[0].steps = unit.requests[1].steps = 0;
        break;
      case 1:
        unit.requests[0].width = unit.requests[1].width = 65;
        break;
      case 2:
        unit.requests.clear();
        break;
      case 3:
        unit.plan.model.folder = "/models/other";
        break;
      case 4:
        unit.plan.computeType = domain::ComputeType::Bf16;
        break;
      case 5:
        unit.plan.threads = 2;
        break;
      default:
        unit.requests[1].width = 128;
        break;
    }
    worker.send(generate);
    const auto failed = worker.expect<UnitFailed>();
    QVERIFY(failed);
    QCOMPARE(failed->error.code, base::ErrorCode::InvalidArgument);
    worker.send(unitOf(2));
    QVERIFY(worker.waitUntil<UnitDone>());
  }

  void aBrokenWireIsFatal_data() {
    QTest::addColumn<int>("what");
    QTest::addColumn<bool>("isBusy");
    QTest::newRow("garbage, idle") << 0 << false;
    QTest::newRow("garbage, in a step that hangs") << 0 << true;
    QTest::newRow("message of a worker") << 1 << false;
    QTest::newRow("map that is no map") << 2 << false;
    QTest::newRow("another version") << 3 << false;
    QTest::newRow("nine waiting units") << 4 << true;
  }
  void aBrokenWireIsFatal() {
    QFETCH(int, what);
    QFETCH(bool, isBusy);
    WorkerProcess worker({"--behave", "hang"});
    QVERIFY(makeReady(worker));
    if (isBusy) {
      worker.send(unitOf(1));
      QVERIFY(worker.waitUntil<Progress>());
    }
    std::vector<std::byte> bytes = *encode(Shutdown{});
    switch (what) {
      case 0:
        worker.sendBytes(std::vector<std::byte>(100, std::byte{0x55}));
        break;
      case 1:
        worker.send(Ready{});
        break;
      case 2:
        bytes.back() = std::byte{0xFF};
        worker.sendBytes(bytes);
        break;
      case 3:
        bytes[4] = std::byte{9};
        worker.sendBytes(bytes);
        break;
      default:
        for (std::uint64_t id = 10; id < 19; ++id) {
          worker.send(unitOf(id));
        }
        break;
    }
    QElapsedTimer timer;
    timer.start();
    const auto fatal = worker.waitUntil<Fatal>();
    QVERIFY(fatal);
    QCOMPARE(fatal->error.code, what == 3 ? base::ErrorCode::VersionMismatch : base::ErrorCode::Protocol);
    QVERIFY(worker.waitForEnd());
    QVERIFY(timer.elapsed() < kEndMs);
    QCOMPARE(worker.process().exitCode(), worker::kExitFatal);
  }

  void aFrameCutByTheEndOfTheSocketIsTheEnd() {
    WorkerProcess worker({});
    QVERIFY(makeReady(worker));
    std::vector<std::byte> bytes = *encode(unitOf(1));
    bytes.resize(bytes.size() / 2);
    worker.sendBytes(bytes);
    worker.closeSocket();
    QVERIFY(worker.waitForEnd(kEndMs));
    QCOMPARE(worker.process().exitCode(), worker::kExitSocketClosed);
  }

  void staysOnItsCores() {
    cpu_set_t allowed;
    QCOMPARE(::sched_getaffinity(0, sizeof(allowed), &allowed), 0);
    int core = 0;
    while (!CPU_ISSET(core, &allowed)) {
      ++core;
    }
    WorkerProcess worker({"--cores", QString::number(core)});
    QVERIFY(makeReady(worker));
    QFile status(QString("/proc/%1/status").arg(worker.process().processId()));
    QVERIFY(status.open(QIODevice::ReadOnly));
    QVERIFY(status.readAll().contains("Cpus_allowed_list:\t" + QByteArray::number(core) + "\n"));
  }

  void warnsWhenItsCoresAreNotThere() {
    WorkerProcess worker({"--cores", "4095"});
    QVERIFY(worker.accept());
    QVERIFY(worker.expect<Hello>());
    const auto warning = worker.expect<Warning>();
    QVERIFY(warning);
    QCOMPARE(warning->warning.code, domain::WarningCode::CoresNotPinned);
    worker.send(LoadModel{1, kModel, domain::ComputeType::Fp32});
    QVERIFY(worker.waitUntil<Ready>());
  }

  void wrongUseEndsWithCode2_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QByteArray>("token");
    QTest::newRow("unknown device") << QStringList{"--device", "tpu"} << QByteArray("token");
    QTest::newRow("unknown argument") << QStringList{"--colour", "red"} << QByteArray("token");
    QTest::newRow("no token") << QStringList{} << QByteArray();
    QTest::newRow("no such socket") << QStringList{"--socket", "/nonexistent/socket"} << QByteArray("token");
  }
  void wrongUseEndsWithCode2() {
    QFETCH(QStringList, arguments);
    QFETCH(QByteArray, token);
    WorkerProcess worker(arguments, token);
    QVERIFY(worker.waitForEnd());
    QCOMPARE(worker.process().exitCode(), worker::kExitUsage);
  }

  void misbehavesByName_data() {
    QTest::addColumn<QString>("behave");
    QTest::addColumn<int>("code");
    QTest::newRow("garbage") << "garbage" << int(base::ErrorCode::Protocol);
    QTest::newRow("oversize") << "oversize" << int(base::ErrorCode::Protocol);
    QTest::newRow("wrong version") << "wrong-version" << int(base::ErrorCode::VersionMismatch);
  }
  void misbehavesByName() {
    QFETCH(QString, behave);
    QFETCH(int, code);
    WorkerProcess worker({"--behave", behave});
    QVERIFY(worker.accept());
    Message message;
    QCOMPARE(int(worker.receive(message)), int(Received::Broken));
    QCOMPARE(int(worker.error().code), code);
    worker.closeSocket();
    QVERIFY(worker.waitForEnd());
  }

  void misbehavesInTheMiddleOfAUnit() {
    for (const char* behave : {"garbage", "oversize", "half-frame"}) {
      WorkerProcess worker({"--behave", behave, "--when", "unit"});
      QVERIFY(makeReady(worker));
      worker.send(unitOf(1));
      Message message;
      Received received = Received::Message;
      while (received == Received::Message) {
        received = worker.receive(message);
      }
      const bool isHalf = QByteArray(behave) == "half-frame";
      QCOMPARE(int(received), int(isHalf ? Received::Closed : Received::Broken));
      QCOMPARE(worker.isMidFrame(), isHalf);
    }
  }

  void halfAFrameIsSeen() {
    WorkerProcess worker({"--behave", "half-frame"});
    QVERIFY(worker.accept());
    Message message;
    QCOMPARE(int(worker.receive(message)), int(Received::Closed));
    QVERIFY(worker.isMidFrame());
  }

  void aWrongTokenIsSeen() {
    WorkerProcess worker({"--behave", "wrong-token"}, "right");
    QVERIFY(worker.accept());
    const auto hello = worker.expect<Hello>();
    QVERIFY(hello && hello->token != "right");
  }

  void crashes() {
    QTemporaryDir folder;
    const QStringList once{"--behave", "crash-once", "--state", folder.filePath("crashed")};
    for (const QStringList& arguments : {QStringList{"--behave", "crash"}, once}) {
      WorkerProcess worker(arguments);
      QVERIFY(makeReady(worker));
      worker.send(unitOf(1));
      QVERIFY(!worker.waitUntil<UnitDone>());
      QVERIFY(worker.waitForEnd());
      QCOMPARE(worker.process().exitStatus(), QProcess::CrashExit);
    }
    WorkerProcess second(once);
    QVERIFY(makeReady(second));
    second.send(unitOf(1));
    QVERIFY(second.waitUntil<UnitDone>());
  }

  void goesOnWhenCancelIsIgnored() {
    WorkerProcess worker({"--behave", "ignore-cancel", "--step-ms", "30"});
    QVERIFY(makeReady(worker));
    const Generate generate = unitOf(1, 1, 5);
    worker.send(generate);
    QVERIFY(worker.waitUntil<Progress>());
    worker.send(Cancel{generate.key()});
    for (int step = 1; step <= 5; ++step) {
      const auto progress = worker.expect<Progress>();
      QVERIFY(progress && progress->progress.step == step);
    }
  }
};

QTEST_GUILESS_MAIN(TestWorker)
#include "tst_worker.moc"
