#include <signal.h>
#include <sys/resource.h>

#include <QtTest>
#include <cmath>

#include "core/picture/png.h"
#include "tests/distributed/processes.h"
#include "tests/worker/worker_process.h"

using namespace polyptych;
using namespace polyptych::protocol;
using tests::childOf;
using tests::isGone;
using tests::WorkerProcess;
using tests::workOf;

namespace {

constexpr int kPatienceMs = 60'000;
/// Time within which both processes must be gone, and what a loaded machine may need for anything else.
constexpr int kEndMs = 5000;

const domain::ModelSpec kModel{MODEL_FOLDER, "demo", "00ff", ""};

Generate unitOf(std::uint64_t id, int steps, int pictures = 1, double guidance = 5.0) {
  Generate generate;
  generate.lease = id + 100;
  generate.unit.id = id;
  generate.unit.plan.model = kModel;
  generate.unit.plan.batch = pictures;
  for (int i = 0; i < pictures; ++i) {
    domain::GenerationRequest request;
    request.index = i;
    request.prompt = i % 2 == 0 ? "a red boat at sunset" : "a blue house in the snow";
    request.negativePrompt = "rain";
    request.seed = 42 + std::uint64_t(i);
    request.width = request.height = 128;
    request.steps = steps;
    request.guidanceScale = guidance;
    request.scheduler = "Euler a";
    generate.unit.requests.push_back(request);
  }
  return generate;
}

struct Made {
  std::vector<std::vector<std::byte>> pictures;
  std::vector<domain::Warning> warnings;
  double helpersShare = 0;  ///< of the work that two engines would do alike, 1 for each half
};

/// A worker of the demo model, alone or the first of a pair.
class Engines {
 public:
  explicit Engines(bool isPair) : m_worker(isPair ? QStringList{"--partner", "cpu"} : QStringList{}) {}

  bool makeReady() { return m_worker.accept(kPatienceMs) && m_worker.expect<Hello>(kPatienceMs) && load(1); }
  bool load(std::uint64_t id) {
    m_worker.send(LoadModel{id, kModel, domain::ComputeType::Fp32});
    return m_worker.waitUntil<Ready>(kPatienceMs).has_value();
  }
  /// Until the unit in work has finished so many steps.
  bool waitForStep(int step) {
    for (;;) {
      const auto progress = m_worker.waitUntil<Progress>(kPatienceMs);
      if (!progress || (progress->progress.stage == domain::Stage::Denoising && progress->progress.step >= step)) {
        return progress.has_value();
      }
    }
  }
  /// What becomes of the unit in work.
  std::optional<Made> finish() {
    Made made;
    Message message;
    while (m_worker.receive(message, kPatienceMs) == WorkerProcess::Received::Message) {
      if (auto* picture = std::get_if<PictureMade>(&message)) {
        made.pictures.push_back(std::move(picture->png));
      } else if (auto* done = std::get_if<UnitDone>(&message)) {
        made.warnings = std::move(done->warnings);
        return made;
      } else if (!std::holds_alternative<Progress>(message)) {
        qWarning("%s", nameOf(typeOf(message)));
        return std::nullopt;
      }
    }
    return std::nullopt;
  }
  std::optional<Made> make(const Generate& unit) {
    const qint64 helper = childOf(pid());
    const double before = workOf(pid());
    const double helpersBefore = workOf(helper);
    m_worker.send(unit);
    std::optional<Made> made = finish();
    if (made) {
      made->helpersShare = (workOf(helper) - helpersBefore) / std::max(1.0, workOf(pid()) - before);
    }
    return made;
  }
  qint64 pid() { return m_worker.process().processId(); }
  qint64 helper() { return childOf(pid()); }
  WorkerProcess& worker() { return m_worker; }

 private:
  WorkerProcess m_worker;
};

/// The most values that differ by more than 1 of 255, as a share.
double farShare(const std::vector<std::vector<std::byte>>& some, const std::vector<std::vector<std::byte>>& others) {
  if (some.size() != others.size() || some.empty()) {
    return 1.0;
  }
  double most = 0;
  for (std::size_t i = 0; i < some.size(); ++i) {
    const auto a = picture::decodePng(some[i]);
    const auto b = picture::decodePng(others[i]);
    if (!a || !b || a->pixels.size() != b->pixels.size() || a->pixels.empty()) {
      return 1.0;
    }
    double far = 0;
    for (std::size_t at = 0; at < a->pixels.size(); ++at) {
      far += std::abs(int(a->pixels[at]) - int(b->pixels[at])) > 1 ? 1 : 0;
    }
    most = std::max(most, far / double(a->pixels.size()));
  }
  return most;
}

constexpr double kFarLimit = 0.001;
/// A partner that makes its half has about the leader's work; one that has nothing to do has none.
constexpr double kHelps = 0.3;
constexpr double kRests = 0.1;

}  // namespace

/// One picture on two devices: real workers, the demo model.
class TestPair : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void makesTheSamePictures_data() {
    QTest::addColumn<int>("pictures");
    QTest::newRow("one picture") << 1;
    QTest::newRow("three pictures") << 3;
  }
  void makesTheSamePictures() {
    QFETCH(int, pictures);
    Engines pair(true);
    QVERIFY(pair.makeReady());
    // The second unit has nothing to set up any more.
    for (int i = 0; i < 2; ++i) {
      const auto made = pair.make(unitOf(std::uint64_t(i) + 1, 12, pictures));
      QVERIFY(made);
      QVERIFY2(made->warnings.empty(), made->warnings.empty() ? "" : made->warnings.front().sentence.c_str());
      QVERIFY2(made->helpersShare > kHelps, qPrintable(QString::number(made->helpersShare)));
      const double far = farShare(made->pictures, alone(12, pictures));
      QVERIFY2(far <= kFarLimit, qPrintable(QString::number(far)));
    }
  }

  void worksAloneWithoutGuidance() {
    Engines pair(true);
    QVERIFY(pair.makeReady());
    const auto made = pair.make(unitOf(1, 20, 1, 1.0));
    QVERIFY(made && made->warnings.empty());
    QVERIFY2(made->helpersShare < kRests, qPrintable(QString::number(made->helpersShare)));
    QVERIFY(made->pictures == alone(20, 1, 1.0));  // to the last bit
  }

  void goesOnAloneWhenThePartnerDiesAndStartsItAgain() {
    Engines pair(true);
    QVERIFY(pair.makeReady());
    const qint64 helper = pair.helper();
    QVERIFY(helper != 0);
    pair.worker().send(unitOf(1, 40));
    QVERIFY(pair.waitForStep(3));
    QCOMPARE(::kill(pid_t(helper), SIGKILL), 0);
    const auto made = pair.finish();
    QVERIFY(made);
    QCOMPARE(made->warnings.size(), std::size_t(1));
    QCOMPARE(made->warnings.front().code, domain::WarningCode::PartnerLost);
    const QByteArray sentence = QByteArray::fromStdString(made->warnings.front().sentence);
    QVERIFY2(sentence.startsWith("The second device was lost in the middle of picture 0") && sentence.contains("signal 9"),
             sentence.constData());
    const double far = farShare(made->pictures, alone(40, 1));
    QVERIFY2(far <= kFarLimit, qPrintable(QString::number(far)));

    QTRY_VERIFY_WITH_TIMEOUT(pair.helper() != 0 && pair.helper() != helper, kPatienceMs);
    double share = 0;
    QElapsedTimer clock;
    clock.start();
    for (std::uint64_t id = 2; share < kHelps && clock.elapsed() < kPatienceMs; ++id) {
      const auto next = pair.make(unitOf(id, 12));
      QVERIFY(next && next->warnings.empty());
      share = next->helpersShare;
    }
    QVERIFY2(share > kHelps, qPrintable(QString::number(share)));
  }

  void tellsOfAPartnerThatDiedBetweenPictures() {
    Engines pair(true);
    QVERIFY(pair.makeReady());
    const qint64 helper = pair.helper();
    QVERIFY(helper != 0);
    QCOMPARE(::kill(pid_t(helper), SIGKILL), 0);
    QTRY_VERIFY_WITH_TIMEOUT(isGone(helper), kPatienceMs);
    const auto made = pair.make(unitOf(1, 2));
    QVERIFY(made);
    QCOMPARE(made->warnings.size(), std::size_t(1));
    QVERIFY2(made->warnings.front().sentence.find("its process ended by signal 9") != std::string::npos,
             made->warnings.front().sentence.c_str());
  }

  void goesOnAloneWhenThePartnerHasNoMemory_data() {
    QTest::addColumn<bool>("isFirst");
    QTest::newRow("before the two have met") << true;
    QTest::newRow("at a later picture") << false;
  }
  void goesOnAloneWhenThePartnerHasNoMemory() {
    QFETCH(bool, isFirst);
    Engines pair(true);
    QVERIFY(pair.makeReady());
    const qint64 helper = pair.helper();
    QVERIFY(helper != 0);
    if (!isFirst) {
      const auto together = pair.make(unitOf(1, 2));
      QVERIFY(together && together->warnings.empty());
    }
    const rlimit limit{rlim_t(tests::statOf(helper).value(20).toULongLong()) + (1u << 20),
                       RLIM_INFINITY};  // what it has, and 1 MB
    QCOMPARE(::prlimit(pid_t(helper), RLIMIT_AS, &limit, nullptr), 0);
    const auto made = pair.make(unitOf(2, 12, 16));
    QVERIFY(made);
    QCOMPARE(made->warnings.size(), std::size_t(1));
    QCOMPARE(made->warnings.front().code, domain::WarningCode::PartnerLost);
    const std::string& sentence = made->warnings.front().sentence;
    // A thread of c10d may meet the limit first, and it ends the process.
    const bool isWhy = sentence.find("memory") != std::string::npos || sentence.find("signal 6") != std::string::npos;
    QVERIFY2(isFirst || isWhy, sentence.c_str());
    QVERIFY(farShare(made->pictures, alone(12, 16)) <= kFarLimit);
    QTRY_VERIFY_WITH_TIMEOUT(pair.helper() != 0 && pair.helper() != helper, kPatienceMs);  // a new one, without the limit
  }

  void goesOnAloneWhenThePartnerHangs() {
    Engines pair(true);
    QVERIFY(pair.makeReady());
    const qint64 helper = pair.helper();
    QVERIFY(helper != 0);
    pair.worker().send(unitOf(1, 40));
    QVERIFY(pair.waitForStep(3));
    QCOMPARE(::kill(pid_t(helper), SIGSTOP), 0);
    const auto made = pair.finish();
    QVERIFY(made);
    QCOMPARE(made->warnings.size(), std::size_t(1));
    QVERIFY2(made->warnings.front().sentence.find("no sign of life") != std::string::npos,
             made->warnings.front().sentence.c_str());
    QVERIFY(isGone(helper));
  }

  void leavesNobodyBehind_data() {
    QTest::addColumn<bool>("isKilled");
    QTest::addColumn<bool>("isAtWork");
    QTest::newRow("killed in the middle of a picture") << true << true;
    QTest::newRow("killed at rest") << true << false;
    QTest::newRow("left by the backend in the middle of a picture") << false << true;
    QTest::newRow("left by the backend at rest") << false << false;
  }
  void leavesNobodyBehind() {
    QFETCH(bool, isKilled);
    QFETCH(bool, isAtWork);
    Engines pair(true);
    QVERIFY(pair.makeReady());
    const qint64 helper = pair.helper();
    QVERIFY(helper != 0);
    if (isAtWork) {
      pair.worker().send(unitOf(1, 1000));
      QVERIFY(pair.waitForStep(3));
    }
    if (isKilled) {
      QCOMPARE(::kill(pid_t(pair.pid()), SIGKILL), 0);
      QVERIFY(pair.worker().waitForEnd());
    } else {
      const auto took = pair.worker().endByClosing();
      QVERIFY2(took && *took < kEndMs, qPrintable(QString::number(took.value_or(-1))));
    }
    QTRY_VERIFY_WITH_TIMEOUT(isGone(helper), kEndMs);
  }

  void endsWithBothWhenAskedTo() {
    Engines pair(true);
    QVERIFY(pair.makeReady());
    const qint64 helper = pair.helper();
    pair.worker().send(unitOf(1, 1000));
    QVERIFY(pair.waitForStep(3));
    pair.worker().send(Shutdown{});
    QVERIFY(pair.worker().waitUntil<UnitCancelled>(kPatienceMs));
    QVERIFY(pair.worker().waitForEnd());
    QCOMPARE(pair.worker().process().exitCode(), worker::kExitOk);
    QTRY_VERIFY_WITH_TIMEOUT(isGone(helper), kEndMs);
  }

  void cancelsAndGoesOnTogether() {
    Engines pair(true);
    QVERIFY(pair.makeReady());
    const qint64 helper = pair.helper();
    const Generate unit = unitOf(1, 1000);
    for (int i = 0; i < 3; ++i) {
      pair.worker().send(unit);
      QVERIFY(pair.waitForStep(2 * i + 1));
      pair.worker().send(Cancel{unit.key()});
      const auto cancelled = pair.worker().waitUntil<UnitCancelled>(kPatienceMs);
      QVERIFY(cancelled && cancelled->key == unit.key());
    }
    const auto made = pair.make(unitOf(2, 12));
    QVERIFY(made && made->warnings.empty());
    QCOMPARE(pair.helper(), helper);
    QVERIFY2(made->helpersShare > kHelps, qPrintable(QString::number(made->helpersShare)));
    QVERIFY(farShare(made->pictures, alone(12, 1)) <= kFarLimit);
  }

  void takesAnotherModelTogether() {
    Engines pair(true);
    QVERIFY(pair.makeReady());
    const qint64 helper = pair.helper();
    pair.worker().send(UnloadModel{2});
    QVERIFY(pair.worker().waitUntil<Unloaded>(kPatienceMs));
    QVERIFY(pair.load(3));
    const auto made = pair.make(unitOf(1, 12));
    QVERIFY(made && made->warnings.empty());
    QCOMPARE(pair.helper(), helper);
    QVERIFY2(made->helpersShare > kHelps, qPrintable(QString::number(made->helpersShare)));
  }

  void sendsPreviewsOfTheWholePicture() {
    Engines pair(true);
    QVERIFY(pair.makeReady());
    Generate unit = unitOf(1, 4);
    unit.unit.wantsPreviews = true;
    pair.worker().send(unit);
    int previews = 0;
    Message message;
    while (pair.worker().receive(message, kPatienceMs) == WorkerProcess::Received::Message &&
           !std::holds_alternative<UnitDone>(message)) {
      previews += std::holds_alternative<Preview>(message) ? 1 : 0;
    }
    QCOMPARE(previews, 4);
  }

 private:
  /// Of one device.
  std::vector<std::vector<std::byte>> alone(int steps, int pictures, double guidance = 5.0) {
    Engines one(false);
    if (!one.makeReady()) {
      return {};
    }
    const auto made = one.make(unitOf(9, steps, pictures, guidance));
    return made ? made->pictures : std::vector<std::vector<std::byte>>();
  }
};

QTEST_GUILESS_MAIN(TestPair)
#include "tst_pair.moc"
