#include <QtTest>
#include <algorithm>
#include <set>

#include "core/pool/supervision.h"

using namespace polyptych::pool;
using namespace std::chrono_literals;
using polyptych::base::Error;
using polyptych::base::ErrorCode;
using polyptych::domain::Stage;
using polyptych::domain::StepProgress;
using Where = FailureContext::Where;

namespace {

constexpr ErrorCode kAllCodes[] = {
    ErrorCode::InvalidArgument, ErrorCode::NotFound,   ErrorCode::Unsupported,     ErrorCode::Corrupt, ErrorCode::ModelUnusable,
    ErrorCode::OutOfMemory,     ErrorCode::DeviceLost, ErrorCode::WorkerDied,      ErrorCode::Io,      ErrorCode::DiskFull,
    ErrorCode::AlreadyExists,   ErrorCode::Protocol,   ErrorCode::VersionMismatch, ErrorCode::Timeout, ErrorCode::Cancelled,
    ErrorCode::Internal,
};
constexpr Where kAllPlaces[] = {Where::StartingWorker, Where::LoadingModel, Where::InWork, Where::Idle, Where::SavingPictures};

const Error kDeath{ErrorCode::WorkerDied, "The worker process ended unexpectedly (signal 9).", {}};

QString textOf(const std::vector<Consequence>& list) {
  QStringList words;
  for (const Consequence it : list) {
    words << QString::fromStdString(std::string(nameOf(it)));
  }
  return words.join(' ');
}

FailureContext contextOf(Where where, bool isWorkerAlive = false) {
  FailureContext context;
  context.where = where;
  context.isWorkerAlive = isWorkerAlive;
  context.hasOtherDevice = true;
  return context;
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

class TestSupervision : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void limitsAreChecked_data() {
    QTest::addColumn<SupervisionLimits>("limits");
    QTest::addColumn<QString>("field");
    const auto row = [](const char* name, auto change, const char* field) {
      SupervisionLimits limits;
      change(limits);
      QTest::newRow(name) << limits << QString(field);
    };
    using L = SupervisionLimits;
    row(
        "defaults", [](L&) {}, "");
    row(
        "everything off", [](L& it) { it.maxDeathsPerUnit = it.maxRestartsInWindow = it.deviceBreaker = it.overallBreaker = 0; },
        "");
    row(
        "negative deaths", [](L& it) { it.maxDeathsPerUnit = -1; }, "maxDeathsPerUnit");
    row(
        "no refusal at all", [](L& it) { it.maxOutOfMemoryPerUnit = 0; }, "maxOutOfMemoryPerUnit");
    row(
        "negative restarts", [](L& it) { it.maxRestartsInWindow = -1; }, "maxRestartsInWindow");
    row(
        "negative breaker", [](L& it) { it.deviceBreaker = -1; }, "deviceBreaker");
    row(
        "negative overall breaker", [](L& it) { it.overallBreaker = -1; }, "overallBreaker");
    row(
        "too many", [](L& it) { it.overallBreaker = 1000001; }, "overallBreaker");
    row(
        "tiny side", [](L& it) { it.smallestSide = 8; }, "smallestSide");
    row(
        "negative back-off", [](L& it) { it.restartBase = -1ms; }, "restartBase");
    row(
        "cap below its base", [](L& it) { it.restartMax = 1ms; }, "restartMax");
    row(
        "shrinking back-off", [](L& it) { it.restartFactor = 0.5; }, "restartFactor");
    row(
        "factor is no number", [](L& it) { it.restartFactor = std::nan(""); }, "restartFactor");
    row(
        "no window", [](L& it) { it.restartWindow = 0ms; }, "restartWindow");
    row(
        "release at once", [](L& it) { it.releaseAfter = 0ms; }, "releaseAfter");
    row(
        "stop before now", [](L& it) { it.stopAfter = -1ms; }, "stopAfter");
  }
  void limitsAreChecked() {
    QFETCH(SupervisionLimits, limits);
    QFETCH(QString, field);
    const auto checked = validate(limits);
    QCOMPARE(checked.isOk(), field.isEmpty());
    if (!checked) {
      QCOMPARE(checked.error().code, ErrorCode::InvalidArgument);
      QVERIFY(QString::fromStdString(checked.error().message).contains(field));
    }
  }

  void everyCodeHasItsConsequences_data() {
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("start");
    QTest::addColumn<QString>("load");
    QTest::addColumn<QString>("idle");
    QTest::addColumn<QString>("alive");
    QTest::addColumn<QString>("ended");
    QTest::addColumn<QString>("saving");
    const QString aside = "set_device_aside";
    const QString restart = "restart_worker";
    const QString device = "count_against_device restart_worker";
    const QString again = "retry_elsewhere count_death";
    const QString keep = "keep_pictures pause_queue";
    const auto row = [](ErrorCode code, const QString& start, const QString& load, const QString& idle, const QString& alive,
                        const QString& ended, const QString& saving) {
      QTest::newRow(std::string(polyptych::base::toString(code)).c_str())
          << static_cast<int>(code) << start << load << idle << alive << ended << saving;
    };
    const QString died = again + ' ' + device;
    const QString oddly = again + ' ' + restart;
    row(ErrorCode::InvalidArgument, aside, "end_run", restart, "end_run", oddly, "fail_unit");
    row(ErrorCode::NotFound, aside, "end_run", restart, "end_run", oddly, keep);
    row(ErrorCode::Unsupported, aside, "avoid_for_model", restart, "end_run", oddly, "fail_unit");
    row(ErrorCode::Corrupt, restart, "end_run", restart, "end_run", oddly, again + " count_against_device recycle_worker");
    row(ErrorCode::ModelUnusable, restart, "end_run", restart, "end_run", oddly, "fail_unit");
    row(ErrorCode::OutOfMemory, device, "avoid_for_model", device, "ask_ladder recycle_worker", "ask_ladder restart_worker",
        keep);
    row(ErrorCode::DeviceLost, device, device, device, died, died, "fail_unit");
    row(ErrorCode::WorkerDied, device, device, device, died, died, "fail_unit");
    row(ErrorCode::Io, device, device, device, again + " count_against_device", died, keep);
    row(ErrorCode::DiskFull, "pause_queue", "pause_queue", restart, "retry_anywhere pause_queue",
        "retry_anywhere restart_worker pause_queue", keep);
    row(ErrorCode::AlreadyExists, restart, restart, restart, "fail_unit", oddly, "end_run");
    row(ErrorCode::Protocol, device, device, device, died, died, "fail_unit");
    row(ErrorCode::VersionMismatch, aside, aside, aside, "retry_anywhere " + aside, "retry_anywhere " + aside, "fail_unit");
    row(ErrorCode::Timeout, device, device, device, died, died, keep);
    row(ErrorCode::Cancelled, "", "", "", "", "", "");
    row(ErrorCode::Internal, device, device, device, again + " count_against_device", died, "fail_unit");
  }
  void everyCodeHasItsConsequences() {
    QFETCH(int, code);
    const auto of = [code](const FailureContext& context) {
      return textOf(consequencesOf(static_cast<ErrorCode>(code), context, SupervisionLimits{}));
    };
    QTEST(of(contextOf(Where::StartingWorker)), "start");
    QTEST(of(contextOf(Where::LoadingModel)), "load");
    QTEST(of(contextOf(Where::Idle)), "idle");
    QTEST(of(contextOf(Where::InWork, true)), "alive");
    QTEST(of(contextOf(Where::InWork, false)), "ended");
    QTEST(of(contextOf(Where::SavingPictures)), "saving");
  }

  void theTableNamesEveryCode() {
    std::set<std::string_view> names;
    for (const ErrorCode code : kAllCodes) {
      names.insert(polyptych::base::toString(code));
      QVERIFY(polyptych::base::errorCodeFromString(polyptych::base::toString(code)) == code);
    }
    QCOMPARE(names.size(), std::size(kAllCodes));
    QCOMPARE(static_cast<std::size_t>(ErrorCode::Internal) + 1, std::size(kAllCodes));  // Internal is the last
  }

  void aUnitHasExactlyOneWayOn() {
    const std::set<Consequence> ways{Consequence::RetryAnywhere, Consequence::RetryElsewhere, Consequence::AskLadder,
                                     Consequence::ParkUnit,      Consequence::FailUnit,       Consequence::KeepPictures,
                                     Consequence::EndRun};
    for (const ErrorCode code : kAllCodes) {
      for (const Where where : kAllPlaces) {
        for (int bits = 0; bits < 16; ++bits) {
          for (const int deaths : {0, 1, 5}) {
            FailureContext context;
            context.where = where;
            context.isWorkerAlive = bits & 1;
            context.hasOtherDevice = bits & 2;
            context.isPlanChanged = bits & 4;
            context.isSharedBySettings = bits & 8;
            context.deaths = deaths;
            const auto list = consequencesOf(code, context, SupervisionLimits{});
            const auto count = std::count_if(list.begin(), list.end(), [&ways](Consequence it) { return ways.contains(it); });
            QVERIFY(std::set<Consequence>(list.begin(), list.end()).size() == list.size());
            if (code == ErrorCode::Cancelled) {
              QVERIFY(list.empty());
            } else if (where == Where::InWork || where == Where::SavingPictures) {
              QCOMPARE(count, std::ptrdiff_t(1));
              QVERIFY(ways.contains(list.front()));
            } else {
              QVERIFY(!list.empty());
              QVERIFY(count == 0 || (where == Where::LoadingModel && list == std::vector{Consequence::EndRun}));
            }
          }
        }
      }
    }
  }

  void consequencesFollowTheContext_data() {
    QTest::addColumn<int>("code");
    QTest::addColumn<FailureContext>("context");
    QTest::addColumn<int>("maxDeaths");
    QTest::addColumn<QString>("text");
    const auto row = [](const char* name, ErrorCode code, Where where, auto change, int maxDeaths, const char* text) {
      FailureContext context = contextOf(where);
      change(context);
      QTest::newRow(name) << static_cast<int>(code) << context << maxDeaths << QString(text);
    };
    using C = FailureContext;
    row(
        "second death", ErrorCode::WorkerDied, Where::InWork, [](C& it) { it.deaths = 1; }, 2,
        "park_unit count_death count_against_device restart_worker");
    row(
        "parking is off", ErrorCode::WorkerDied, Where::InWork, [](C& it) { it.deaths = 900; }, 0,
        "retry_elsewhere count_death count_against_device restart_worker");
    row(
        "death on the only device", ErrorCode::Timeout, Where::InWork, [](C& it) { it.hasOtherDevice = false; }, 2,
        "retry_anywhere count_death count_against_device restart_worker");
    row(
        "refused settings of one unit", ErrorCode::InvalidArgument, Where::InWork,
        [](C& it) { it.isWorkerAlive = true, it.isSharedBySettings = false; }, 2, "fail_unit");
    row(
        "the ladder's change was refused", ErrorCode::Unsupported, Where::InWork,
        [](C& it) { it.isWorkerAlive = it.isPlanChanged = true; }, 2, "park_unit");
    row(
        "engine failed on the only device", ErrorCode::Internal, Where::InWork,
        [](C& it) { it.isWorkerAlive = true, it.hasOtherDevice = false; }, 2, "fail_unit count_against_device");
    row(
        "model too large for the only device", ErrorCode::OutOfMemory, Where::LoadingModel,
        [](C& it) { it.hasOtherDevice = false; }, 2, "count_against_device restart_worker");
    row(
        "model not for the only device", ErrorCode::Unsupported, Where::LoadingModel, [](C& it) { it.hasOtherDevice = false; }, 2,
        "end_run");
    row(
        "wrong picture twice", ErrorCode::Corrupt, Where::SavingPictures, [](C& it) { it.deaths = 1; }, 2,
        "park_unit count_death count_against_device recycle_worker");
  }
  void consequencesFollowTheContext() {
    QFETCH(int, code);
    QFETCH(FailureContext, context);
    QFETCH(int, maxDeaths);
    SupervisionLimits limits;
    limits.maxDeathsPerUnit = maxDeaths;
    QTEST(textOf(consequencesOf(static_cast<ErrorCode>(code), context, limits)), "text");
  }

  void whatCountsAgainstADevice() {
    const std::set<ErrorCode> counting{ErrorCode::DeviceLost, ErrorCode::WorkerDied, ErrorCode::Protocol,
                                       ErrorCode::Timeout,    ErrorCode::Internal,   ErrorCode::Io};
    for (const ErrorCode code : kAllCodes) {
      QCOMPARE(countsAgainstDevice(code, false), counting.contains(code));
      QCOMPARE(countsAgainstDevice(code, true), counting.contains(code) || code == ErrorCode::OutOfMemory);
    }
  }

  void backOffGrowsToItsCapAndStartsAnew() {
    SupervisionLimits limits;
    limits.maxRestartsInWindow = 0;
    RestartPolicy policy(limits);
    std::vector<std::int64_t> delays;
    for (int i = 0; i < 12; ++i) {
      const auto decision = policy.noteDeath(1ms * i, kDeath);
      QVERIFY(!decision.isSetAside);
      delays.push_back(decision.delay.count());
    }
    QCOMPARE(delays, (std::vector<std::int64_t>{250, 500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000, 60000}));
    policy.noteSuccess();
    QCOMPARE(policy.noteDeath(1s, kDeath).delay, 250ms);
    for (int i = 0; i < 5000; ++i) {
      QVERIFY(policy.noteDeath(1s, kDeath).delay <= 60s);
    }
  }

  void theSentenceSaysWhenItStartsAgain() {
    RestartPolicy policy(SupervisionLimits{});
    QCOMPARE(QString::fromStdString(policy.noteDeath(0s, kDeath).sentence),
             QString("The worker process ended unexpectedly (signal 9). It is started again."));
    (void)policy.noteDeath(0s, kDeath);
    QVERIFY(contains(policy.noteDeath(0s, kDeath).sentence, "It is started again in 1 second."));
    QVERIFY(contains(policy.noteDeath(0s, kDeath).sentence, "It is started again in 2 seconds."));
  }

  void tooManyDeathsWithinATimeSetTheDeviceAside() {
    RestartPolicy policy(SupervisionLimits{});
    for (int i = 0; i < 5; ++i) {
      QVERIFY(!policy.noteDeath(1min * i, kDeath).isSetAside);
      policy.noteSuccess();  // the back-off forgets, the count within the window does not
    }
    const auto decision = policy.noteDeath(9min, kDeath);
    QVERIFY(decision.isSetAside && policy.isSetAside());
    QVERIFY2(contains(decision.sentence, "6 times within 10 minutes"), decision.sentence.c_str());
    QVERIFY(contains(decision.sentence, "signal 9"));
    QVERIFY(policy.noteDeath(10h, kDeath).isSetAside);
    policy.reset();
    QVERIFY(!policy.isSetAside());
    QVERIFY(!policy.noteDeath(10h, kDeath).isSetAside);
  }

  void rareDeathsNeverSetTheDeviceAside() {
    RestartPolicy policy(SupervisionLimits{});
    for (int i = 0; i < 500; ++i) {
      QVERIFY(!policy.noteDeath(2min * i, kDeath).isSetAside);
    }
  }

  void deathsOfAParkedUnitAreNotTheDevices() {
    RestartPolicy policy(SupervisionLimits{});
    for (std::uint64_t unit = 0; unit < 20; ++unit) {
      QVERIFY(!policy.noteDeath(1s, kDeath, unit).isSetAside);
      QVERIFY(!policy.noteDeath(2s, kDeath, unit).isSetAside);
      policy.excuse(unit);
    }
    for (int i = 0; i < 5; ++i) {
      QVERIFY(!policy.noteDeath(3s, kDeath).isSetAside);
    }
    QVERIFY(policy.noteDeath(3s, kDeath).isSetAside);
  }

  void aDeviceIsSetAsideAfterFailuresInARow() {
    Breaker breaker(SupervisionLimits{});
    for (int i = 0; i < 4; ++i) {
      QVERIFY(!breaker.noteFailure("cuda:0", "Card A", kDeath).opensDevice);
    }
    breaker.noteSuccess("cuda:0");
    for (int i = 0; i < 4; ++i) {
      QVERIFY(!breaker.noteFailure("cuda:0", "Card A", kDeath).opensDevice);
    }
    QVERIFY(!breaker.isOpen("cuda:0"));
    const auto verdict = breaker.noteFailure("cuda:0", "Card A", kDeath);
    QVERIFY(verdict.opensDevice && !verdict.opensQueue && breaker.isOpen("cuda:0") && !breaker.isOpen("cuda:1"));
    for (const char* part : {"cuda:0 (Card A)", "5 times in a row", "signal 9", "start the device again"}) {
      QVERIFY2(contains(verdict.deviceSentence, part), verdict.deviceSentence.c_str());
    }
    QVERIFY(!breaker.noteFailure("cuda:0", "Card A", kDeath).opensDevice);  // said once
    breaker.closeDevice("cuda:0");
    QVERIFY(!breaker.isOpen("cuda:0"));
    QVERIFY(!breaker.noteFailure("cuda:0", "Card A", kDeath).opensDevice);
  }

  void theQueuePausesAfterFailuresInARowOnAll() {
    Breaker breaker(SupervisionLimits{});
    Breaker::Verdict verdict;
    for (int i = 0; i < 10; ++i) {
      QVERIFY(!verdict.opensQueue);
      verdict = breaker.noteFailure("cuda:" + std::to_string(i % 4), "", {ErrorCode::OutOfMemory, "Memory is full.", {}});
    }
    QVERIFY(verdict.opensQueue && breaker.isQueueOpen());
    for (const char* part : {"paused", "10 attempts in a row", "cuda:1", "Memory is full.", "let the queue go on"}) {
      QVERIFY2(contains(verdict.queueSentence, part), verdict.queueSentence.c_str());
    }
    QVERIFY(!breaker.noteFailure("cuda:1", "", kDeath).opensQueue);
    breaker.closeQueue();
    QVERIFY(!breaker.isQueueOpen());
    for (int i = 0; i < 9; ++i) {
      QVERIFY(!breaker.noteFailure("cpu:" + std::to_string(i), "", kDeath).opensQueue);
    }
    breaker.noteSuccess("cpu:0");
    QVERIFY(!breaker.noteFailure("cpu:1", "", kDeath).opensQueue);
  }

  void breakersCanBeSwitchedOff() {
    SupervisionLimits limits;
    limits.deviceBreaker = limits.overallBreaker = 0;
    Breaker breaker(limits);
    for (int i = 0; i < 1000; ++i) {
      const auto verdict = breaker.noteFailure("cuda:0", "", kDeath);
      QVERIFY(!verdict.opensDevice && !verdict.opensQueue);
    }
  }

  void deathsAreCountedAndParked() {
    const std::set<ErrorCode> notDeaths{ErrorCode::OutOfMemory, ErrorCode::DiskFull, ErrorCode::VersionMismatch,
                                        ErrorCode::Cancelled};
    for (const ErrorCode code : kAllCodes) {
      QCOMPARE(PoisonRule::isDeath(code), !notDeaths.contains(code));
      // What the table counts and what the rule counts is the same.
      const auto list = consequencesOf(code, contextOf(Where::InWork), SupervisionLimits{});
      QCOMPARE(std::count(list.begin(), list.end(), Consequence::CountDeath) > 0, PoisonRule::isDeath(code));
    }
    QVERIFY(PoisonRule::isDeathByUncleanEnd());
    SupervisionLimits limits;
    QVERIFY(!PoisonRule(limits).isParked(1) && PoisonRule(limits).isParked(2) && PoisonRule(limits).isParked(3));
    limits.maxDeathsPerUnit = 0;
    QVERIFY(!PoisonRule(limits).isParked(1000));
  }

  void aParkedUnitComesWithAProposal_data() {
    QTest::addColumn<Rung>("rung");
    QTest::addColumn<QString>("proposal");
    QTest::newRow("all is left to try") << Rung{4, 512, 512} << "with a smaller batch, VAE tiling or a smaller size.";
    QTest::newRow("one picture") << Rung{1, 512, 512} << "with VAE tiling or a smaller size.";
    QTest::newRow("one picture in tiles") << Rung{1, 512, 512, false, true} << "with a smaller size.";
  }
  void aParkedUnitComesWithAProposal() {
    QFETCH(Rung, rung);
    QFETCH(QString, proposal);
    const QString sentence = QString::fromStdString(PoisonRule(SupervisionLimits{}).sentenceFor(2, kDeath, rung));
    QVERIFY2(sentence.startsWith("Parked: 2 workers ended") && sentence.contains("signal 9") && sentence.endsWith(proposal),
             qPrintable(sentence));
  }

  void idleWorkersGiveBackWhatTheUserWants_data() {
    QTest::addColumn<int>("releaseMs");  // 0: not set
    QTest::addColumn<int>("stopMs");
    QTest::addColumn<int>("idleMs");
    QTest::addColumn<int>("action");
    QTest::addColumn<int>("nextMs");  // -1: never
    const auto row = [](const char* name, int release, int stop, int idle, IdleAction action, int next) {
      QTest::newRow(name) << release << stop << idle << static_cast<int>(action) << next;
    };
    row("keep for ever", 0, 0, 1000000, IdleAction::Keep, -1);
    row("not yet", 100, 300, 10, IdleAction::Keep, 90);
    row("release", 100, 300, 100, IdleAction::ReleaseMemory, 200);
    row("stop", 100, 300, 300, IdleAction::StopWorker, -1);
    row("release alone", 100, 0, 5000, IdleAction::ReleaseMemory, -1);
    row("stop alone", 0, 300, 299, IdleAction::Keep, 1);
    row("stop before release", 500, 300, 400, IdleAction::StopWorker, -1);
  }
  void idleWorkersGiveBackWhatTheUserWants() {
    QFETCH(int, releaseMs);
    QFETCH(int, stopMs);
    QFETCH(int, idleMs);
    QFETCH(int, action);
    QFETCH(int, nextMs);
    SupervisionLimits limits;
    if (releaseMs > 0) {
      limits.releaseAfter = 1ms * releaseMs;
    }
    if (stopMs > 0) {
      limits.stopAfter = 1ms * stopMs;
    }
    const IdlePolicy policy(limits);
    QCOMPARE(static_cast<int>(policy.actionAfter(1ms * idleMs)), action);
    QCOMPARE(static_cast<int>(policy.untilNext(1ms * idleMs).value_or(-1ms).count()), nextMs);
  }

  void loadsAreStaggeredByFreeMemory_data() {
    QTest::addColumn<quint64>("freeGigabytes");
    QTest::addColumn<quint64>("neededGigabytes");
    QTest::addColumn<std::vector<LoadInProgress>>("loads");
    QTest::addColumn<bool>("mayStart");
    constexpr std::uint64_t kGigabyte = 1000000000;
    using Loads = std::vector<LoadInProgress>;
    const LoadInProgress fresh{4 * kGigabyte, 0};
    const LoadInProgress nearlyDone{4 * kGigabyte, 4 * kGigabyte};
    const LoadInProgress beyond{4 * kGigabyte, 9 * kGigabyte};
    QTest::newRow("one may always go") << quint64(0) << quint64(100) << Loads{} << true;
    QTest::newRow("enough for two") << quint64(10) << quint64(4) << Loads{fresh} << true;
    QTest::newRow("not enough for two") << quint64(8) << quint64(4) << Loads{fresh} << false;
    QTest::newRow("the other one has its memory") << quint64(6) << quint64(4) << Loads{nearlyDone} << true;
    QTest::newRow("the other one took more than it said") << quint64(6) << quint64(4) << Loads{beyond} << true;
    QTest::newRow("a third one") << quint64(12) << quint64(4) << Loads{fresh, fresh} << false;
    QTest::newRow("absurd sizes") << quint64(12) << quint64(4) << Loads{{~0ull, 0}, {~0ull, 0}} << false;
    QTest::newRow("size of the other one is not known") << quint64(100) << quint64(4) << Loads{{std::nullopt, 0}} << false;
    QTest::newRow("needs nothing") << quint64(10) << quint64(0) << Loads{fresh} << true;
  }
  void loadsAreStaggeredByFreeMemory() {
    QFETCH(quint64, freeGigabytes);
    QFETCH(quint64, neededGigabytes);
    QFETCH(std::vector<LoadInProgress>, loads);
    QFETCH(bool, mayStart);
    const LoadAdmission admission(SupervisionLimits{});
    const auto decision = admission.decide(freeGigabytes * 1000000000, neededGigabytes * 1000000000, loads);
    QCOMPARE(decision.mayStart, mayStart);
    QCOMPARE(decision.reason.empty(), mayStart);
    const auto unknown = admission.decide(freeGigabytes * 1000000000, std::nullopt, loads);
    QCOMPARE(unknown.mayStart, loads.empty());
  }

  void aWaitingLoadSaysWhy() {
    SupervisionLimits limits;
    limits.hostReserveBytes = 1000000000;
    const std::vector<LoadInProgress> loads{{3500000000, 500000000}};
    QCOMPARE(
        QString::fromStdString(LoadAdmission(limits).decide(6240000000, 4200000000, loads).reason),
        QString("Waits for memory of the computer: the load takes 4.2 GB, 6.2 GB are free and 4.0 GB of them are kept for other "
                "loads and programs."));
  }

  void theFirstUnitOfAShapeHasLongLimits() {
    const Deadlines deadlines;
    StepWatchdog watchdog(deadlines);
    QCOMPARE(watchdog.begin(1, 512 * 512), deadlines.firstBeat);
    QCOMPARE(watchdog.begin(1, (1 << 20) + 1), deadlines.firstBeat * 2);
    QCOMPARE(watchdog.beat({Stage::Encoding, 0, 1}, 5s), deadlines.firstBeat * 2);
    QCOMPARE(watchdog.beat({Stage::Denoising, 1, 3}, 30s), 30s * deadlines.stepFactor);
    QCOMPARE(watchdog.beat({Stage::Denoising, 2, 3}, 10s), 30s * deadlines.stepFactor);
    QCOMPARE(watchdog.beat({Stage::Denoising, 3, 3}, 10s), deadlines.firstBeat * 2);
    QCOMPARE(watchdog.beat({Stage::Decoding, 1, 2}, 10s), deadlines.firstBeat * 2);
    QCOMPARE(watchdog.pictureMade(10s), deadlines.firstBeat * 2);
  }

  void theSecondUnitOfAShapeHasTightLimitsFromTheStart() {
    Deadlines deadlines;
    deadlines.stepFloor = 1s;
    deadlines.stepFactor = 10;
    StepWatchdog watchdog(deadlines);
    const auto runUnit = [&watchdog](std::uint64_t shape) {
      std::vector<std::int64_t> limits{watchdog.begin(shape, 1 << 20).count()};
      limits.push_back(watchdog.beat({Stage::Denoising, 1, 3}, 900ms).count());
      limits.push_back(watchdog.beat({Stage::Denoising, 2, 3}, 300ms).count());
      limits.push_back(watchdog.beat({Stage::Denoising, 3, 3}, 310ms).count());
      limits.push_back(watchdog.beat({Stage::Decoding, 1, 1}, 2s).count());
      limits.push_back(watchdog.pictureMade(50ms).count());
      return limits;
    };
    const std::int64_t unknown = deadlines.firstBeat.count();
    const std::vector<std::int64_t> first{unknown, 9000, 9000, unknown, unknown, unknown};
    const std::vector<std::int64_t> second{9000, 9000, 9000, 20000, 20000, 20000};
    QCOMPARE(runUnit(1), first);
    QCOMPARE(runUnit(1), first);  // the one before was not finished
    watchdog.finish();
    QCOMPARE(runUnit(1), second);
    QCOMPARE(runUnit(2), first);
    watchdog.finish();
    QCOMPARE(runUnit(2), second);
    watchdog.forget();
    QCOMPARE(runUnit(2), first);
  }

  void limitsHaveAFloorAndFollowWhatIsSlower() {
    const Deadlines deadlines;
    StepWatchdog watchdog(deadlines);
    (void)watchdog.begin(1, 1 << 20);
    (void)watchdog.beat({Stage::Denoising, 1, 2}, 10ms);
    watchdog.finish();
    QCOMPARE(watchdog.begin(1, 1 << 20), deadlines.stepFloor);
    QCOMPARE(watchdog.beat({Stage::Denoising, 1, 9}, 20s), 20s * deadlines.stepFactor);
    QCOMPARE(watchdog.beat({Stage::Denoising, 2, 9}, 0ms), 20s * deadlines.stepFactor);
  }

  void anOldSlowUnitIsForgotten() {
    const Deadlines deadlines;
    StepWatchdog watchdog(deadlines);
    for (int unit = 0; unit < 9; ++unit) {
      (void)watchdog.begin(1, 1 << 20);
      (void)watchdog.beat({Stage::Denoising, 1, 2}, unit == 0 ? 1h : 1s);
      watchdog.finish();
      QCOMPARE(watchdog.begin(1, 1 << 20), unit < 8 ? 1h * deadlines.stepFactor : deadlines.stepFloor);
    }
  }

  void oldShapesAreForgotten() {
    const Deadlines deadlines;
    StepWatchdog watchdog(deadlines);
    for (std::uint64_t shape = 0; shape < 65; ++shape) {
      (void)watchdog.begin(shape, 1);
      watchdog.finish();
    }
    QCOMPARE(watchdog.begin(0, 1), deadlines.firstBeat);
    QCOMPARE(watchdog.begin(64, 1), deadlines.stepFloor);
  }
};

QTEST_APPLESS_MAIN(TestSupervision)
#include "tst_supervision.moc"
