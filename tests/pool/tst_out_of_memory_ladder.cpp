#include <QtTest>
#include <algorithm>
#include <map>
#include <random>

#include "core/pool/out_of_memory_ladder.h"

using namespace polyptych::pool;
using polyptych::domain::GenerationRequest;
using polyptych::domain::Stage;
using polyptych::domain::UnitOfWork;

namespace {

constexpr std::uint64_t kShape = 1;
const std::vector<std::string> kOne{"cuda:0"};
const std::vector<std::string> kTwo{"cuda:0", "cuda:1"};

SupervisionLimits limitsOf(bool allowsSmallerSize = false) {
  SupervisionLimits limits;
  limits.allowsSmallerSize = allowsSmallerSize;
  return limits;
}

UnitOfWork unitOf(int pictures, int width = 1024, int height = 1024, int batch = 0) {
  UnitOfWork unit;
  unit.id = 7;
  unit.plan.batch = batch > 0 ? batch : pictures;
  for (int i = 0; i < pictures; ++i) {
    GenerationRequest request;
    request.index = i;
    request.seed = 100 + static_cast<std::uint64_t>(i);
    request.width = width;
    request.height = height;
    unit.requests.push_back(request);
  }
  return unit;
}

QString textOf(const Rung& rung) {
  return QString("%1@%2x%3%4%5")
      .arg(rung.pictures)
      .arg(rung.width)
      .arg(rung.height)
      .arg(rung.vaeSlicing ? " sliced" : "", rung.vaeTiling ? " tiled" : "");
}

/// All rungs from `rung` on, if memory always runs out in `stage`.
QStringList wayDown(Rung rung, Stage stage, int tileSide, const SupervisionLimits& limits) {
  QStringList way{textOf(rung)};
  for (int i = 0; i < 100; ++i) {
    const auto step = nextStep(rung, stage, tileSide, limits);
    if (!step) {
      return way;
    }
    rung = step->to;
    way << textOf(rung);
  }
  return {"endless"};
}

using Kind = OutOfMemoryLadder::Decision::Kind;

}  // namespace

class TestOutOfMemoryLadder : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void goesDownInOrder_data() {
    QTest::addColumn<Rung>("rung");
    QTest::addColumn<int>("stage");
    QTest::addColumn<int>("tileSide");
    QTest::addColumn<bool>("allowsSmallerSize");
    QTest::addColumn<QStringList>("way");
    const int denoising = static_cast<int>(Stage::Denoising);
    const int decoding = static_cast<int>(Stage::Decoding);
    QTest::newRow("a batch of five while denoising")
        << Rung{5, 1024, 1024} << denoising << 512 << false
        << QStringList{"5@1024x1024", "3@1024x1024", "2@1024x1024", "1@1024x1024", "1@1024x1024 tiled"};
    QTest::newRow("while encoding") << Rung{2, 1024, 1024} << static_cast<int>(Stage::Encoding) << 512 << false
                                    << QStringList{"2@1024x1024", "1@1024x1024", "1@1024x1024 tiled"};
    QTest::newRow("a batch while decoding") << Rung{4, 1024, 1024} << decoding << 512 << false
                                            << QStringList{"4@1024x1024", "4@1024x1024 sliced", "4@1024x1024 sliced tiled",
                                                           "2@1024x1024 sliced tiled", "1@1024x1024 sliced tiled"};
    QTest::newRow("one picture while decoding")
        << Rung{1, 1024, 1024} << decoding << 512 << false << QStringList{"1@1024x1024", "1@1024x1024 tiled"};
    QTest::newRow("no larger than a tile") << Rung{1, 512, 512} << decoding << 512 << false << QStringList{"1@512x512"};
    QTest::newRow("tile not known") << Rung{1, 512, 512} << decoding << 0 << false << QStringList{"1@512x512", "1@512x512 tiled"};
    QTest::newRow("smaller sizes") << Rung{2, 768, 512} << denoising << 512 << true
                                   << QStringList{"2@768x512", "1@768x512", "1@768x512 tiled", "1@576x384 tiled",
                                                  "1@384x256 tiled"};
    QTest::newRow("smaller sizes, tall") << Rung{1, 512, 1024} << denoising << 2048 << true
                                         << QStringList{"1@512x1024", "1@384x768", "1@320x576"};
    QTest::newRow("too small already") << Rung{1, 64, 64} << denoising << 512 << true << QStringList{"1@64x64"};
    QTest::newRow("smaller than the grid") << Rung{1, 8, 8} << denoising << 512 << true << QStringList{"1@8x8"};
  }
  void goesDownInOrder() {
    QFETCH(Rung, rung);
    QFETCH(int, stage);
    QFETCH(int, tileSide);
    QFETCH(bool, allowsSmallerSize);
    QFETCH(QStringList, way);
    QCOMPARE(wayDown(rung, static_cast<Stage>(stage), tileSide, limitsOf(allowsSmallerSize)), way);
  }

  void everyStepTakesLessMemoryAndSaysWhatChanged() {
    for (const Stage stage : {Stage::Encoding, Stage::Denoising, Stage::Decoding, Stage::Saving}) {
      for (const int side : {8, 64, 512, 776, 8192}) {
        for (int pictures = 1; pictures <= 64; ++pictures) {
          Rung rung{pictures, side, side / 16 * 8 + 8};
          int steps = 0;
          while (const auto step = nextStep(rung, stage, 512, limitsOf(true))) {
            QVERIFY(isAtMost(step->to, rung) && step->to != rung);
            QVERIFY(step->to.width % 8 == 0 && step->to.height % 8 == 0);
            QVERIFY(!step->sentence.empty() && !nameOf(step->kind).empty());
            rung = step->to;
            QVERIFY(++steps < 64);
          }
        }
      }
    }
    QCOMPARE(QString::fromStdString(nextStep({4, 512, 512}, Stage::Denoising, 512, {})->sentence),
             QString("Memory was too small for 4 pictures at once; the batch is now 2."));
    const std::vector<std::pair<LadderStepKind, std::string_view>> names{{LadderStepKind::SmallerBatch, "smaller_batch"},
                                                                         {LadderStepKind::VaeSlicing, "vae_slicing"},
                                                                         {LadderStepKind::VaeTiling, "vae_tiling"},
                                                                         {LadderStepKind::SmallerSize, "smaller_size"}};
    for (const auto& [kind, name] : names) {
      QVERIFY(nameOf(kind) == name);
    }
  }

  void aUnitIsSplitInOrder() {
    const auto parts = splitToRung(unitOf(5), Rung{2, 1024, 1024, true, false});
    QCOMPARE(parts.size(), std::size_t(3));
    std::int64_t next = 0;
    for (const UnitOfWork& part : parts) {
      QCOMPARE(part.plan.batch, 2);
      QVERIFY(part.plan.vaeSlicing && !part.plan.vaeTiling);
      QVERIFY(polyptych::domain::validate(part).isOk() || part.requests.front().scheduler.empty());
      for (const GenerationRequest& request : part.requests) {
        QCOMPARE(request.index, next++);
      }
    }
    QCOMPARE(next, std::int64_t(5));
    QCOMPARE(parts.back().requests.size(), std::size_t(1));
  }

  void anotherSizeIsInTheRequests() {
    const auto parts = splitToRung(unitOf(1), Rung{1, 768, 768, false, true});
    QCOMPARE(parts.size(), std::size_t(1));
    QCOMPARE(parts[0].requests[0].width, 768);
    QCOMPARE(parts[0].requests[0].seed, std::uint64_t(100));
    QVERIFY(rungOf(parts[0]) == (Rung{1, 768, 768, false, true}));
  }

  void aShortLastUnitKeepsThePlansBatch() {
    const auto parts = splitToRung(unitOf(3, 1024, 1024, 4), Rung{3, 1024, 1024, true, false});
    QCOMPARE(parts.size(), std::size_t(1));
    QCOMPARE(parts[0].plan.batch, 4);
  }

  void latentsAreNeverLost() {
    UnitOfWork unit = unitOf(2);
    unit.initialLatents.resize(10);
    QCOMPARE(splitToRung(unit, Rung{2, 1024, 1024, true, true}).at(0).initialLatents.size(), std::size_t(10));
    QVERIFY(splitToRung(unit, Rung{1, 1024, 1024}).empty());
    QVERIFY(splitToRung(unit, Rung{2, 768, 768}).empty());
  }

  void aLoneDeviceTriesTwiceBeforeThePlanChanges() {
    OutOfMemoryLadder ladder(limitsOf());
    const Rung four{4, 512, 512};
    ladder.noteRefused("cuda:0", kShape, four, Stage::Denoising);
    auto decision = ladder.decide(kShape, four, 1, kOne, 512);
    QVERIFY(decision.kind == Kind::Retry);
    QVERIFY(ladder.startingSteps(kShape, four, kOne, 512).empty());
    ladder.noteRefused("cuda:0", kShape, four, Stage::Denoising);
    decision = ladder.decide(kShape, four, 2, kOne, 512);
    QVERIFY(decision.kind == Kind::StepDown);
    QVERIFY(decision.step->to == (Rung{2, 512, 512}));
    QCOMPARE(ladder.startingSteps(kShape, four, kOne, 512).size(), std::size_t(1));
  }

  void thePlanStaysWhileAnotherDeviceMayDoIt() {
    OutOfMemoryLadder ladder(limitsOf());
    const Rung four{4, 512, 512};
    for (int i = 0; i < 5; ++i) {
      ladder.noteRefused("cuda:0", kShape, four, Stage::Denoising);
    }
    QVERIFY(ladder.decide(kShape, four, 1, kTwo, 512).kind == Kind::Retry);
    QVERIFY(ladder.isTooMuch("cuda:0", kShape, four));
    QVERIFY(!ladder.isTooMuch("cuda:1", kShape, four));
    QVERIFY(ladder.startingSteps(kShape, four, kTwo, 512).empty());
    ladder.noteRefused("cuda:1", kShape, four, Stage::Denoising);
    QVERIFY(ladder.decide(kShape, four, 2, kTwo, 512).kind == Kind::StepDown);
  }

  void knowsWhatIsMoreAndWhatIsLess() {
    OutOfMemoryLadder ladder(limitsOf());
    ladder.noteRefused("cuda:0", kShape, Rung{2, 512, 512}, Stage::Denoising);
    QVERIFY(ladder.isTooMuch("cuda:0", kShape, Rung{4, 512, 512}));
    QVERIFY(ladder.isTooMuch("cuda:0", kShape, Rung{2, 768, 512}));
    QVERIFY(!ladder.isTooMuch("cuda:0", kShape, Rung{1, 1024, 1024}));
    QVERIFY(!ladder.isTooMuch("cuda:0", kShape, Rung{4, 512, 512, false, true}));
    QVERIFY(!ladder.isTooMuch("cuda:0", kShape + 1, Rung{4, 512, 512}));
    QVERIFY(!ladder.isTooMuch("cuda:1", kShape, Rung{4, 512, 512}));
    ladder.noteMade("cuda:0", kShape, Rung{1, 512, 512});
    QVERIFY(ladder.isTooMuch("cuda:0", kShape, Rung{2, 512, 512}));
    ladder.noteMade("cuda:0", kShape, Rung{2, 512, 512});
    QVERIFY(!ladder.isTooMuch("cuda:0", kShape, Rung{2, 512, 512}));
  }

  void parksAtTheFootWithAProposal_data() {
    QTest::addColumn<bool>("allowsSmallerSize");
    QTest::addColumn<QString>("proposal");
    QTest::newRow("smaller sizes are not allowed") << false << "allow smaller sizes";
    QTest::newRow("smaller sizes did not help") << true << "smaller model";
  }
  void parksAtTheFootWithAProposal() {
    QFETCH(bool, allowsSmallerSize);
    QFETCH(QString, proposal);
    OutOfMemoryLadder ladder(limitsOf(allowsSmallerSize));
    Rung rung{1, 320, 320, false, true};
    ladder.noteRefused("cuda:0", kShape, rung, Stage::Denoising);
    ladder.noteRefused("cuda:0", kShape, rung, Stage::Denoising);
    const auto decision = ladder.decide(kShape, rung, 2, kOne, 512);
    QVERIFY(decision.kind == Kind::Park);
    QVERIFY2(QString::fromStdString(decision.sentence).contains(proposal), decision.sentence.c_str());
  }

  void aUnitThatAloneIsRefusedStepsDownAlone() {
    OutOfMemoryLadder ladder(limitsOf());
    const Rung four{4, 512, 512};
    for (int refusals = 1; refusals <= 4; ++refusals) {
      ladder.noteRefused("cuda:0", kShape, four, Stage::Denoising);
      const auto decision = ladder.decide(kShape, four, refusals, kTwo, 512);
      QVERIFY(decision.kind == (refusals < 4 ? Kind::Retry : Kind::StepDown));
      ladder.noteMade("cuda:0", kShape, four);
      QVERIFY(ladder.startingSteps(kShape, four, kTwo, 512).empty());
    }
  }

  void aChangedMachineIsAskedAnew() {
    OutOfMemoryLadder ladder(limitsOf());
    const Rung two{2, 512, 512};
    ladder.noteRefused("cuda:0", kShape, two, Stage::Denoising);
    ladder.noteRefused("cuda:0", kShape, two, Stage::Denoising);
    QCOMPARE(ladder.startingSteps(kShape, two, kOne, 512).size(), std::size_t(1));
    QVERIFY(ladder.startingSteps(kShape, two, kTwo, 512).empty());  // a device was added
    ladder.forget("cuda:0");
    QVERIFY(ladder.startingSteps(kShape, two, kOne, 512).empty());
  }

  /// The rule: where equal units end depends on the devices that there are, never on which of them took what.
  void equalUnitsEndOnTheSameRung_data() {
    QTest::addColumn<std::vector<int>>("capacities");  // in pictures of 512x512 while denoising
    QTest::addColumn<std::vector<int>>("decodes");     // the same while decoding
    QTest::addColumn<QString>("rung");
    using V = std::vector<int>;
    QTest::newRow("all large enough") << V{8, 8, 8} << V{8, 8, 8} << "8@512x512";
    QTest::newRow("one large enough") << V{1, 2, 8} << V{8, 8, 8} << "8@512x512";
    QTest::newRow("none large enough, one for half") << V{1, 2, 5} << V{8, 8, 8} << "4@512x512";
    QTest::newRow("all for two") << V{2, 2, 3} << V{8, 8, 8} << "2@512x512";
    QTest::newRow("none can decode all at once") << V{8, 8, 8} << V{1, 2, 3} << "8@512x512 sliced";
    QTest::newRow("some stop early, some late") << V{3, 8, 8} << V{8, 2, 2} << "2@512x512";
    QTest::newRow("a lone device") << V{2} << V{8} << "2@512x512";
    QTest::newRow("not even one") << V{0, 0} << V{8, 8} << "parked";
  }
  void equalUnitsEndOnTheSameRung() {
    QFETCH(std::vector<int>, capacities);
    QFETCH(std::vector<int>, decodes);
    QFETCH(QString, rung);
    std::vector<std::string> devices;
    for (std::size_t i = 0; i < capacities.size(); ++i) {
      devices.push_back("cuda:" + std::to_string(i));
    }
    for (unsigned seed = 0; seed < 50; ++seed) {
      std::mt19937 random(seed);
      OutOfMemoryLadder ladder(limitsOf());
      std::map<QString, int> ends;
      for (int unit = 0; unit < 10; ++unit) {
        Rung at{8, 512, 512};
        int refusals = 0;
        for (int attempts = 0;; ++attempts) {
          QVERIFY(attempts < 100);
          if (const auto steps = ladder.startingSteps(kShape, at, devices, 512); !steps.empty()) {
            at = steps.back().to;
            refusals = 0;
          }
          std::vector<std::size_t> roomy;
          for (std::size_t i = 0; i < devices.size(); ++i) {
            if (!ladder.isTooMuch(devices[i], kShape, at)) {
              roomy.push_back(i);
            }
          }
          const std::size_t device = roomy.empty() ? random() % devices.size() : roomy[random() % roomy.size()];
          const bool fits = at.pictures <= capacities[device];
          if (fits && (at.vaeSlicing ? 1 : at.pictures) <= decodes[device]) {
            ladder.noteMade(devices[device], kShape, at);
            ++ends[textOf(at)];
            break;
          }
          ladder.noteRefused(devices[device], kShape, at, fits ? Stage::Decoding : Stage::Denoising);
          const auto decision = ladder.decide(kShape, at, ++refusals, devices, 512);
          if (decision.kind == Kind::Park) {
            ++ends["parked"];
            break;
          }
          if (decision.kind == Kind::StepDown) {
            at = decision.step->to;
            refusals = 0;
          }
        }
      }
      QCOMPARE(ends.size(), std::size_t(1));
      QCOMPARE(ends.begin()->first, rung);
    }
  }
};

QTEST_APPLESS_MAIN(TestOutOfMemoryLadder)
#include "tst_out_of_memory_ladder.moc"
