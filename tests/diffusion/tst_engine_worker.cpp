#include <QtTest>

#include "core/picture/png.h"
#include "core/worker/worker.h"
#include "tests/worker/worker_process.h"

using namespace polyptych;
using namespace polyptych::protocol;
using tests::WorkerProcess;

namespace {

/// Time within which a worker must be gone once its socket closed, and what a loaded machine may need for anything else.
constexpr int kEndMs = 2000;
constexpr int kPatienceMs = 30'000;

const domain::ModelSpec kModel{MODEL_FOLDER, "demo", "00ff", ""};

Generate unitOf(std::uint64_t id, int side, int steps, int pictures = 1) {
  Generate generate;
  generate.lease = id + 100;
  generate.unit.id = id;
  generate.unit.plan.model = kModel;
  generate.unit.plan.batch = pictures;
  for (int i = 0; i < pictures; ++i) {
    domain::GenerationRequest request;
    request.index = std::int64_t(id) * 10 + i;
    request.prompt = "a red boat at sunset";
    request.seed = 42 + std::uint64_t(i);
    request.width = request.height = side;
    request.steps = steps;
    request.scheduler = "DPM++ 2M";
    generate.unit.requests.push_back(request);
  }
  return generate;
}

bool makeReady(WorkerProcess& worker) {
  if (!worker.accept(kPatienceMs) || !worker.expect<Hello>(kPatienceMs)) {
    return false;
  }
  worker.send(LoadModel{1, kModel, domain::ComputeType::Fp32});
  return worker.waitUntil<Ready>(kPatienceMs).has_value();
}

}  // namespace

/// The worker with the real engine, as the pool meets it.
class TestEngineWorker : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void tellsWhatItIsAndLoadsInBytes() {
    WorkerProcess worker({});
    QVERIFY(worker.accept(kPatienceMs));
    const auto hello = worker.expect<Hello>(kPatienceMs);
    QVERIFY(hello);
    QCOMPARE(hello->device.kind, domain::DeviceKind::Cpu);
    QVERIFY(hello->device.totalBytes > 0);
    worker.send(LoadModel{1, kModel, domain::ComputeType::Fp32});
    std::uint64_t last = 0;
    Message message;
    while (worker.receive(message, kPatienceMs) == WorkerProcess::Received::Message &&
           std::holds_alternative<LoadProgress>(message)) {
      const auto& progress = std::get<LoadProgress>(message);
      QVERIFY(progress.doneBytes > last && progress.doneBytes <= progress.totalBytes);
      last = progress.doneBytes;
    }
    QVERIFY(std::holds_alternative<Ready>(message));
    QVERIFY(last > 0);
    QCOMPARE(std::get<Ready>(message).weightBytes, last);
  }

  void picturesDependOnTheRequestAlone() {
    std::vector<std::byte> first;
    for (int run = 0; run < 2; ++run) {
      WorkerProcess worker({});
      QVERIFY(makeReady(worker));
      if (run == 1) {
        worker.send(unitOf(9, 64, 3, 2));
        QVERIFY(worker.waitUntil<UnitDone>(kPatienceMs));
      }
      worker.send(unitOf(4, 64, 4));
      const auto made = worker.waitUntil<PictureMade>(kPatienceMs);
      QVERIFY(made);
      QVERIFY(picture::checkPng(made->png, 64, 64).isOk());
      QVERIFY(run == 0 || made->png == first);
      first = made->png;
    }
  }

  void tellsOfWordsThatDoNotFit() {
    WorkerProcess worker({});
    QVERIFY(makeReady(worker));
    Generate generate = unitOf(1, 64, 1);
    for (int i = 0; i < 100; ++i) {
      generate.unit.requests[0].prompt += " boat";
    }
    generate.unit.requests[0].prompt += " lastword";
    worker.send(generate);
    const auto done = worker.waitUntil<UnitDone>(kPatienceMs);
    QVERIFY(done);
    QCOMPARE(done->warnings.size(), std::size_t{1});
    QCOMPARE(done->warnings[0].code, domain::WarningCode::PromptCut);
    QVERIFY2(done->warnings[0].sentence.find("lastword") != std::string::npos, done->warnings[0].sentence.c_str());
  }

  void cancelsBetweenStepsAndGoesOn() {
    WorkerProcess worker({});
    QVERIFY(makeReady(worker));
    const Generate generate = unitOf(1, 128, 1000);
    worker.send(generate);
    QVERIFY(worker.waitUntil<Progress>(kPatienceMs));
    worker.send(Cancel{generate.key()});
    // Steps that were under way when the word was sent may still be told; the unit's end may not be its last step.
    int steps = 0;
    for (;;) {
      Message message;
      QCOMPARE(int(worker.receive(message, kPatienceMs)), int(WorkerProcess::Received::Message));
      if (std::holds_alternative<UnitCancelled>(message)) {
        QVERIFY(std::get<UnitCancelled>(message).key == generate.key());
        break;
      }
      QVERIFY(std::holds_alternative<Progress>(message));
      ++steps;
    }
    QVERIFY2(steps < 500, qPrintable(QString::number(steps)));
    worker.send(unitOf(2, 64, 2));
    QVERIFY(worker.waitUntil<UnitDone>(kPatienceMs));
  }

  void endsInTheMiddleOfALongStep() {
    WorkerProcess worker({});
    QVERIFY(makeReady(worker));
    worker.send(unitOf(1, 2048, 1000));
    Message message;
    QCOMPARE(int(worker.receive(message, kPatienceMs)), int(WorkerProcess::Received::Message));
    do {
      const auto* progress = std::get_if<Progress>(&message);
      QVERIFY2(progress != nullptr && progress->progress.stage == domain::Stage::Encoding, nameOf(typeOf(message)));
    } while (worker.receive(message, 500) == WorkerProcess::Received::Message);  // the first step takes seconds
    const auto took = worker.endByClosing();
    QVERIFY2(took && *took < kEndMs, qPrintable(QString::number(took.value_or(-1))));
  }

  void failuresAreCodedAndTheWorkerGoesOn() {
    WorkerProcess worker({});
    QVERIFY(worker.accept(kPatienceMs));
    QVERIFY(worker.expect<Hello>(kPatienceMs));
    QTemporaryDir empty;
    worker.send(LoadModel{1, {empty.path().toStdString(), "nothing", "", ""}, domain::ComputeType::Fp32});
    const auto failed = worker.waitUntil<LoadFailed>(kPatienceMs);
    QVERIFY(failed && failed->loadId == 1);
    QCOMPARE(failed->error.code, base::ErrorCode::NotFound);
    QVERIFY2(failed->error.message.find("model_index.json") != std::string::npos, failed->error.message.c_str());
    worker.send(LoadModel{2, kModel, domain::ComputeType::Fp32});
    QVERIFY(worker.waitUntil<Ready>(kPatienceMs));
    Generate broken = unitOf(1, 64, 2);
    broken.unit.initialLatents = {std::byte{1}, std::byte{2}};
    worker.send(broken);
    const auto refused = worker.waitUntil<UnitFailed>(kPatienceMs);
    QVERIFY(refused && refused->key == broken.key());
    QCOMPARE(refused->error.code, base::ErrorCode::InvalidArgument);
    worker.send(unitOf(2, 64, 2));
    QVERIFY(worker.waitUntil<UnitDone>(kPatienceMs));
    worker.send(Shutdown{});
    QVERIFY(worker.waitForEnd(kPatienceMs));
    QCOMPARE(worker.process().exitCode(), worker::kExitOk);
  }
};

QTEST_GUILESS_MAIN(TestEngineWorker)
#include "tst_engine_worker.moc"
