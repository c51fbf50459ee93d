#include <QtTest>
#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <random>
#include <set>

#include "core/queue/dispatcher.h"
#include "core/queue/speed_meter.h"

using namespace polyptych::queue;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kModelA = 0xa;
constexpr std::uint64_t kModelB = 0xb;
constexpr std::uint64_t kProcess = 1;
constexpr std::uint64_t kShape = 7;

WaitingUnit unitOf(std::int64_t jobId, std::uint64_t model = kModelA, double work = 1, std::uint64_t shape = kShape) {
  WaitingUnit unit;
  unit.jobId = jobId;
  unit.loadKey = model;
  unit.processKey = kProcess;
  unit.shapeKey = shape;
  unit.work = work;
  return unit;
}

std::vector<WaitingUnit> unitsOf(int count, std::uint64_t model = kModelA) {
  std::vector<WaitingUnit> units;
  for (int i = 0; i < count; ++i) {
    units.push_back(unitOf(i, model));
  }
  return units;
}

SlotView idleSlot(int slot, std::optional<std::uint64_t> model = kModelA, double secondsPerWork = 0) {
  SlotView view;
  view.slot = slot;
  view.canBegin = true;
  view.isStarted = model.has_value();
  view.loadedKey = model;
  view.processKey = model ? std::optional(kProcess) : std::nullopt;
  view.lastShape = model ? std::optional(kShape) : std::nullopt;
  view.secondsPerWork = secondsPerWork;
  view.loadSeconds = 10;
  view.startSeconds = 2;
  return view;
}

SlotView busySlot(int slot, double secondsUntilFree, double secondsPerWork = 0, std::uint64_t model = kModelA) {
  SlotView view = idleSlot(slot, model, secondsPerWork);
  view.canBegin = false;
  view.canPrefetch = true;
  view.secondsUntilFree = secondsUntilFree;
  return view;
}

/// "slot:job" of each, "slot+job" for a prefetch.
QString textOf(const std::vector<Assignment>& assignments) {
  QStringList words;
  for (const Assignment& it : assignments) {
    words << QString("%1%2%3").arg(it.slot).arg(it.isPrefetch ? '+' : ':').arg(it.jobId);
  }
  words.sort();
  return words.join(' ');
}

const DispatchRules kRules;

/// A machine that does units in the time they take; asks the dispatcher whenever a slot is done.
struct Simulation {
  struct Card {
    double secondsPerWork = 1;
    double loadSeconds = 0;
    double startSeconds = 0;
    std::optional<std::uint64_t> loaded;
    std::optional<WaitingUnit> unit;
    std::optional<WaitingUnit> reserved;
    std::optional<std::uint64_t> lastShape;
    double begin = 0;
    double end = 0;
    double usefulSince = 0;
    int unitsDone = 0;
  };

  DispatchRules rules;
  std::vector<Card> cards;
  std::deque<WaitingUnit> waiting;
  SpeedMeter meter;
  FairnessBook book{rules};
  std::size_t windowSize = 256;
  double noise = 0;
  std::mt19937 random{20240501};
  double now = 0;
  int loads = 0;
  int prefetches = 0;
  int mostPassedOver = 0;
  bool hasPrefetchedWhileIdle = false;
  std::map<std::int64_t, double> begunAt;

  void begin(Card& card, const WaitingUnit& unit) {
    card.usefulSince = now;
    if (card.loaded != unit.loadKey) {
      ++loads;
      card.usefulSince += card.loadSeconds + (card.loaded ? 0 : card.startSeconds);
      meter.noteLoaded(static_cast<int>(&card - cards.data()));
    }
    card.loaded = unit.loadKey;
    card.begin = now;
    const double factor = noise > 0 ? std::uniform_real_distribution(1 - noise, 1 + noise)(random) : 1;
    card.end = card.usefulSince + unit.work * card.secondsPerWork * factor;
    card.unit = unit;
    begunAt[unit.jobId] = now;
  }

  std::vector<SlotView> views() const {
    std::vector<SlotView> all;
    for (std::size_t i = 0; i < cards.size(); ++i) {
      const Card& card = cards[i];
      SlotView view;
      view.slot = static_cast<int>(i);
      view.canBegin = !card.unit;
      view.canPrefetch = card.unit && !card.reserved;
      view.isStarted = card.loaded.has_value();
      view.loadedKey = card.loaded;
      view.processKey = card.loaded ? std::optional(kProcess) : std::nullopt;
      view.lastShape = card.lastShape;
      view.loadSeconds = card.loadSeconds;
      view.startSeconds = card.startSeconds;
      view.secondsPerWork = meter.secondsPerWork(view.slot, card.lastShape.value_or(kShape));
      if (card.unit) {
        const double work = card.unit->work;
        view.secondsUntilFree = view.secondsPerWork > 0 ? std::max(card.usefulSince + work * view.secondsPerWork - now, 0.0) +
                                                              (card.reserved ? card.reserved->work * view.secondsPerWork : 0)
                                                        : kUnknownSeconds;
      }
      all.push_back(view);
    }
    return all;
  }

  void dispatch() {
    std::vector<WaitingUnit> window(waiting.begin(),
                                    waiting.begin() + static_cast<std::ptrdiff_t>(std::min(windowSize, waiting.size())));
    book.fill(window, std::chrono::milliseconds(static_cast<std::int64_t>(now * 1000)));
    for (const WaitingUnit& unit : window) {
      mostPassedOver = std::max(mostPassedOver, unit.passedOver);
    }
    const auto made = assign(window, static_cast<std::int64_t>(waiting.size()), views(), rules);
    book.note(window, made);
    for (const Assignment& it : made) {
      const auto found =
          std::find_if(waiting.begin(), waiting.end(), [&it](const WaitingUnit& unit) { return unit.jobId == it.jobId; });
      QVERIFY(found != waiting.end());
      Card& card = cards[static_cast<std::size_t>(it.slot)];
      if (it.isPrefetch) {
        ++prefetches;
        QVERIFY(card.unit && !card.reserved);
        card.reserved = *found;
      } else {
        QVERIFY(!card.unit);
        begin(card, *found);
      }
      waiting.erase(found);
    }
    const bool isAnyIdle = std::any_of(cards.begin(), cards.end(), [](const Card& card) { return !card.unit; });
    const bool isAnyPrefetched = std::any_of(made.begin(), made.end(), [](const Assignment& it) { return it.isPrefetch; });
    hasPrefetchedWhileIdle = hasPrefetchedWhileIdle || (isAnyIdle && isAnyPrefetched);
  }

  /// @return the time when the last unit was done
  double run() {
    for (;;) {
      dispatch();
      Card* next = nullptr;
      for (Card& card : cards) {
        if (card.unit && (next == nullptr || card.end < next->end)) {
          next = &card;
        }
      }
      if (next == nullptr) {
        return now;
      }
      now = next->end;
      meter.noteFinished(static_cast<int>(next - cards.data()), next->unit->shapeKey, next->unit->work,
                         next->end - next->usefulSince);
      ++next->unitsDone;
      next->lastShape = next->unit->shapeKey;
      next->unit.reset();
      if (next->reserved) {
        const WaitingUnit reserved = *next->reserved;
        next->reserved.reset();
        begin(*next, reserved);
      }
    }
  }

  void addCards(const std::vector<double>& secondsPerWork, double loadSeconds = 0, double startSeconds = 0) {
    for (const double seconds : secondsPerWork) {
      Card card;
      card.secondsPerWork = seconds;
      card.loadSeconds = loadSeconds;
      card.startSeconds = startSeconds;
      cards.push_back(card);
    }
  }
  void addUnits(int count, std::uint64_t model = kModelA) {
    for (int i = 0; i < count; ++i) {
      waiting.push_back(unitOf(static_cast<std::int64_t>(waiting.size()), model));
    }
  }
  /// As if every card had done units before.
  void measureCards() {
    for (std::size_t i = 0; i < cards.size(); ++i) {
      meter.noteFinished(static_cast<int>(i), kShape, 1, cards[i].secondsPerWork);
      cards[i].loaded = kModelA;
      cards[i].lastShape = kShape;
    }
  }
};

double idealSeconds(int units, const std::vector<double>& secondsPerWork) {
  double rate = 0;
  for (const double seconds : secondsPerWork) {
    rate += 1 / seconds;
  }
  return units / rate;
}

/// The earliest end of equal units: the least multiple of a card's time by which all cards together have done enough.
double bestSeconds(int units, const std::vector<double>& secondsPerWork) {
  std::set<double> ends;
  for (const double seconds : secondsPerWork) {
    for (int i = 1; i <= units; ++i) {
      ends.insert(i * seconds);
    }
  }
  for (const double end : ends) {
    int done = 0;
    for (const double seconds : secondsPerWork) {
      done += static_cast<int>(std::floor(end / seconds + 1e-9));
    }
    if (done >= units) {
      return end;
    }
  }
  return 0;
}

const std::vector<double> kUnequal{6, 3, 2};  // speeds 1x, 2x, 3x

}  // namespace

class TestDispatcher : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void rulesAreChecked_data() {
    QTest::addColumn<int>("affinityWindow");
    QTest::addColumn<int>("maxPassedOver");
    QTest::addColumn<int>("maxAtHeadMs");
    QTest::addColumn<double>("endGameFactor");
    QTest::addColumn<bool>("isGood");
    QTest::newRow("defaults") << 32 << 32 << 120000 << 2.0 << true;
    QTest::newRow("no window") << 0 << 32 << 1000 << 2.0 << false;
    QTest::newRow("endless window") << 5000 << 32 << 1000 << 2.0 << false;
    QTest::newRow("never passed over") << 32 << 0 << 1000 << 2.0 << false;
    QTest::newRow("negative time") << 32 << 32 << -1 << 2.0 << false;
    QTest::newRow("negative factor") << 32 << 32 << 1000 << -0.5 << false;
    QTest::newRow("factor is no number") << 32 << 32 << 1000 << std::nan("") << false;
  }
  void rulesAreChecked() {
    QFETCH(int, affinityWindow);
    QFETCH(int, maxPassedOver);
    QFETCH(int, maxAtHeadMs);
    QFETCH(double, endGameFactor);
    QFETCH(bool, isGood);
    const auto checked =
        validate(DispatchRules{affinityWindow, maxPassedOver, std::chrono::milliseconds(maxAtHeadMs), endGameFactor});
    QCOMPARE(checked.isOk(), isGood);
  }

  void nothingToDoGivesNothing() {
    QVERIFY(assign({}, 0, {}, kRules).empty());
    const std::vector<SlotView> idle{idleSlot(0)};
    const DispatchPlan made = plan({}, 0, idle, kRules);
    QVERIFY(made.assignments.empty());
    QVERIFY(made.abstentions == (std::vector<Abstention>{{0, WhyIdle::NoUnitWaits}}));
    QVERIFY(assign(unitsOf(5), 5, {}, kRules).empty());
  }

  void spreadsBeforeItPrefetches_data() {
    QTest::addColumn<int>("units");
    QTest::addColumn<QString>("given");
    QTest::newRow("fewer units than slots") << 3 << "0:0 1:1 2:2";
    QTest::newRow("four units on four slots") << 4 << "0:0 1:1 2:2 3:3";
    QTest::newRow("more units than slots") << 9 << "0:0 1:1 2:2 3:3";
    QTest::newRow("very many") << 200 << "0:0 1:1 2:2 3:3";
  }
  void spreadsBeforeItPrefetches() {
    QFETCH(int, units);
    QFETCH(QString, given);
    for (const double secondsPerWork : {0.0, 2.0}) {
      for (const bool isStarted : {false, true}) {
        std::vector<SlotView> slots;
        for (int s = 0; s < 4; ++s) {
          slots.push_back(idleSlot(s, isStarted ? std::optional(kModelA) : std::nullopt, secondsPerWork));
        }
        QCOMPARE(textOf(assign(unitsOf(units), units, slots, kRules)), given);
      }
    }
  }

  void prefetchesOnlyBehindFullSlots_data() {
    QTest::addColumn<int>("units");
    QTest::addColumn<bool>("isOneIdle");
    QTest::addColumn<QString>("given");
    QTest::newRow("all busy, many wait") << 100 << false << "0+0 1+1 2+2";
    QTest::newRow("all busy, as many as slots") << 3 << false << "";
    QTest::newRow("all busy, one more than slots") << 4 << false << "0+0";
    QTest::newRow("one idle, many wait") << 100 << true << "0+1 1+2 2:0";
    QTest::newRow("one idle, as many as slots after it") << 4 << true << "2:0";
  }
  void prefetchesOnlyBehindFullSlots() {
    QFETCH(int, units);
    QFETCH(bool, isOneIdle);
    QFETCH(QString, given);
    const std::vector<SlotView> slots{busySlot(0, 1, 2), busySlot(1, 2, 2),
                                      isOneIdle ? idleSlot(2, kModelA, 2) : busySlot(2, 3, 2)};
    QCOMPARE(textOf(assign(unitsOf(units), units, slots, kRules)), given);
  }

  void reservesNothingWhileASlotHoldsBack() {
    // Slot 1 would have to load for 100 s what slot 0 does in 30: it gets nothing, and slot 0 no second unit.
    std::vector<SlotView> slots{busySlot(0, 1, 1), idleSlot(1, kModelB, 1)};
    slots[1].loadSeconds = 100;
    const DispatchPlan made = plan(unitsOf(30), 30, slots, kRules);
    QCOMPARE(textOf(made.assignments), QString());
    QVERIFY(made.abstentions == (std::vector<Abstention>{{1, WhyIdle::NotWorthLoading}}));
  }

  void reservesForASlotAlthoughAnotherCanDoNothing() {
    // Every unit avoids slot 1: it does not stand in the way of a prefetch.
    std::vector<WaitingUnit> units = unitsOf(30);
    for (WaitingUnit& unit : units) {
      unit.avoidedSlots = {1};
    }
    const std::vector<SlotView> slots{busySlot(0, 1, 1), idleSlot(1)};
    const DispatchPlan made = plan(units, 30, slots, kRules);
    QCOMPARE(textOf(made.assignments), QString("0+0"));
    QVERIFY(made.abstentions == (std::vector<Abstention>{{1, WhyIdle::NoUnitForThisSlot}}));
  }

  void reservesNoUnitThatTheOthersWouldEndSooner() {
    // Twelve units wait. The slow slot would be through with a reserved one after 60 s, the fast ones with all after about 13.
    const std::vector<SlotView> slots{busySlot(0, 30, 30), busySlot(1, 1, 2), busySlot(2, 1, 2)};
    QCOMPARE(textOf(assign(unitsOf(12), 12, slots, kRules)), QString("1+0 2+1"));
  }

  void takesUnitsOfItsOwnModelFirst_data() {
    QTest::addColumn<int>("position");
    QTest::addColumn<QString>("given");
    QTest::newRow("at the head") << 0 << "0:0";
    QTest::newRow("within the window") << 31 << "0:31";
    QTest::newRow("beyond the window") << 32 << "0:0";
  }
  void takesUnitsOfItsOwnModelFirst() {
    QFETCH(int, position);
    QFETCH(QString, given);
    std::vector<WaitingUnit> units = unitsOf(100, kModelB);
    units[static_cast<std::size_t>(position)].loadKey = kModelA;
    const std::vector<SlotView> slots{idleSlot(0, kModelA, 1)};
    QCOMPARE(textOf(assign(units, 100, slots, kRules)), given);
  }

  void looksPastUnitsThatAvoidTheSlot() {
    std::vector<WaitingUnit> units = unitsOf(60);
    for (std::size_t i = 0; i < 50; ++i) {
      units[i].avoidedSlots = {0};
    }
    QCOMPARE(textOf(assign(units, 60, std::vector{idleSlot(0, kModelA, 1)}, kRules)), QString("0:50"));
  }

  void prefersItsOwnShapeWithinTheWindow() {
    std::vector<WaitingUnit> units = unitsOf(100);
    for (std::size_t i = 0; i < 100; ++i) {
      units[i].shapeKey = i == 5 || i == 40 ? kShape : 99;
    }
    QCOMPARE(textOf(assign(units, 100, std::vector{idleSlot(0, kModelA, 1)}, kRules)), QString("0:5"));
    units[2].passedOver = kRules.maxPassedOver;
    QCOMPARE(textOf(assign(units, 100, std::vector{idleSlot(0, kModelA, 1)}, kRules)), QString("0:2"));
  }

  void anotherProcessIsAnotherModel() {
    std::vector<WaitingUnit> units = unitsOf(50);
    units[0].processKey = 2;
    QCOMPARE(textOf(assign(units, 50, std::vector{idleSlot(0, kModelA, 1)}, kRules)), QString("0:1"));
  }

  void loadsAnotherModelIfThatIsWorthIt_data() {
    QTest::addColumn<double>("loadSeconds");
    QTest::addColumn<double>("ownersSecondsPerWork");
    QTest::addColumn<QString>("given");
    // Forty units of B wait, slot 0 has B and is busy, slot 1 has A.
    QTest::newRow("owner needs 40 s, load takes 20") << 20.0 << 1.0 << "1:0";
    QTest::newRow("owner needs 40 s, load takes 60") << 60.0 << 1.0 << "";
    QTest::newRow("owner needs 400 s, load takes 60") << 60.0 << 10.0 << "1:0";
    QTest::newRow("nothing is known of the owner") << 60.0 << 0.0 << "";
  }
  void loadsAnotherModelIfThatIsWorthIt() {
    QFETCH(double, loadSeconds);
    QFETCH(double, ownersSecondsPerWork);
    QFETCH(QString, given);
    std::vector<SlotView> slots{busySlot(0, 1, ownersSecondsPerWork, kModelB), idleSlot(1, kModelA, 1)};
    slots[0].canPrefetch = false;
    slots[1].loadSeconds = loadSeconds;
    QCOMPARE(textOf(assign(unitsOf(40, kModelB), 40, slots, kRules)), given);
  }

  void loadsWhatNobodyHas() {
    std::vector<SlotView> slots{busySlot(0, 1, 1, kModelA), idleSlot(1, kModelA, 1)};
    slots[1].loadSeconds = 1000;
    QCOMPARE(textOf(assign(unitsOf(40, kModelB), 40, slots, kRules)), QString("1:0"));
  }

  void aModelThatIsNotWorthALoadLeavesTheSlotToTheNext() {
    std::vector<WaitingUnit> units = unitsOf(40, kModelB);
    units[7].loadKey = 0xc;
    std::vector<SlotView> slots{busySlot(0, 1, 0.1, kModelB), idleSlot(1, kModelA, 1)};
    slots[0].canPrefetch = false;
    QCOMPARE(textOf(assign(units, 40, slots, kRules)), QString("1:7"));
  }

  void countsWhatWaitsBeyondTheWindow() {
    std::vector<SlotView> slots{busySlot(0, 1, 1, kModelB), idleSlot(1, kModelA, 1)};
    slots[0].canPrefetch = false;
    slots[1].loadSeconds = 60;
    QCOMPARE(textOf(assign(unitsOf(40, kModelB), 40, slots, kRules)), QString());
    QCOMPARE(textOf(assign(unitsOf(40, kModelB), 4000, slots, kRules)), QString("1:0"));
  }

  void lastUnitsGoWhereTheyEndSooner_data() {
    QTest::addColumn<double>("idleSecondsPerWork");
    QTest::addColumn<double>("busyUntil");
    QTest::addColumn<double>("busySecondsPerWork");
    QTest::addColumn<QString>("given");
    QTest::newRow("slow idle slot leaves it") << 10.0 << 1.0 << 2.0 << "";
    QTest::newRow("slow idle slot is sooner all the same") << 10.0 << 9.0 << 2.0 << "0:0";
    QTest::newRow("a tie is begun at once") << 10.0 << 8.0 << 2.0 << "0:0";
    QTest::newRow("idle slot of unknown speed is tried") << 0.0 << 1.0 << 2.0 << "0:0";
    QTest::newRow("busy slot of unknown speed is not waited for") << 10.0 << kUnknownSeconds << 0.0 << "0:0";
    QTest::newRow("nothing is known") << 0.0 << kUnknownSeconds << 0.0 << "0:0";
  }
  void lastUnitsGoWhereTheyEndSooner() {
    QFETCH(double, idleSecondsPerWork);
    QFETCH(double, busyUntil);
    QFETCH(double, busySecondsPerWork);
    QFETCH(QString, given);
    const std::vector<SlotView> slots{idleSlot(0, kModelA, idleSecondsPerWork), busySlot(1, busyUntil, busySecondsPerWork)};
    const DispatchPlan made = plan(unitsOf(1), 1, slots, kRules);
    QCOMPARE(textOf(made.assignments), given);
    if (given.isEmpty()) {
      QVERIFY(made.abstentions == (std::vector<Abstention>{{0, WhyIdle::OthersFinishSooner}}));
    }
  }

  void unitsBeforeItFillTheFastSlotFirst() {
    // The fast slot ends its unit and three more within 8 s; the fourth is sooner on the slow one.
    const std::vector<SlotView> slots{idleSlot(0, kModelA, 9), busySlot(1, 2, 2)};
    QCOMPARE(textOf(assign(unitsOf(3), 3, slots, kRules)), QString());
    QCOMPARE(textOf(assign(unitsOf(4), 4, slots, kRules)), QString("0:3 1+0"));
  }

  void aStoppedSlotIsStartedForTheLastUnitOnlyIfThatPays() {
    std::vector<SlotView> slots{busySlot(0, 2, 2), idleSlot(1, std::nullopt, 2)};
    QCOMPARE(textOf(assign(unitsOf(1), 1, slots, kRules)), QString());  // 4 s there, 2 + 10 + 2 s here
    slots[0].secondsUntilFree = 30;
    QCOMPARE(textOf(assign(unitsOf(1), 1, slots, kRules)), QString("1:0"));
  }

  void theSlotWithTheModelGetsTheOnlyUnit() {
    const std::vector<SlotView> slots{idleSlot(0, std::nullopt), idleSlot(1, kModelB), idleSlot(2, kModelA)};
    QCOMPARE(textOf(assign(unitsOf(1), 1, slots, kRules)), QString("2:0"));
  }

  void aSlotOfUnknownSpeedKeepsItsModelWhileThatHasUnits() {
    const std::vector<WaitingUnit> units{unitOf(0, kModelB), unitOf(1, kModelA)};
    const std::vector<SlotView> slots{idleSlot(0, kModelA), busySlot(1, 1, 1, kModelB)};
    QCOMPARE(textOf(assign(units, 2, slots, kRules)), QString("0:1"));
  }

  void avoidedSlotsGetNothing() {
    std::vector<WaitingUnit> units = unitsOf(3);
    units[0].avoidedSlots = {0};
    units[1].avoidedSlots = {0, 1};
    const std::vector<SlotView> slots{idleSlot(0), idleSlot(1)};
    const DispatchPlan made = plan(units, 3, slots, kRules);
    QCOMPARE(textOf(made.assignments), QString("0:2 1:0"));
    QVERIFY(made.impossible == std::vector<std::int64_t>{1});
  }

  void passedOverUnitsGoFirst_data() {
    QTest::addColumn<int>("passedOver");
    QTest::addColumn<bool>("isLongAtHead");
    QTest::addColumn<bool>("hasOwner");
    QTest::addColumn<QString>("given");
    QTest::newRow("not yet") << 31 << false << false << "0:1";
    QTest::newRow("too often, nobody has its model") << 32 << false << false << "0:0";
    QTest::newRow("too often, a busy slot has its model") << 32 << false << true << "0:1";
    QTest::newRow("far too often") << 128 << false << true << "0:0";
    QTest::newRow("too long at the head") << 0 << true << true << "0:0";
  }
  void passedOverUnitsGoFirst() {
    QFETCH(int, passedOver);
    QFETCH(bool, isLongAtHead);
    QFETCH(bool, hasOwner);
    QFETCH(QString, given);
    std::vector<WaitingUnit> units = unitsOf(100);
    units[0].loadKey = kModelB;
    units[0].passedOver = passedOver;
    units[0].isLongAtHead = isLongAtHead;
    std::vector<SlotView> slots{idleSlot(0, kModelA, 1), busySlot(1, 5, 1, hasOwner ? kModelB : 0xc)};
    slots[1].canPrefetch = false;
    QCOMPARE(textOf(assign(units, 100, slots, kRules)), given);
  }

  void nothingIsReservedBeforeAnOverdueUnit() {
    std::vector<WaitingUnit> units = unitsOf(100);
    units[0].loadKey = kModelB;
    const std::vector<SlotView> slots{busySlot(0, 1, 1)};
    QCOMPARE(textOf(assign(units, 100, slots, kRules)), QString("0+1"));
    units[0].passedOver = 32;
    QCOMPARE(textOf(assign(units, 100, slots, kRules)), QString());
  }

  void theBookCountsWhatWasPassedOver() {
    FairnessBook book(kRules);
    std::vector<WaitingUnit> units = unitsOf(5);
    units[1].avoidedSlots = {0};
    book.fill(units, 0ms);
    book.note(units, std::vector<Assignment>{{0, 3, false}, {1, 4, true}});
    units.erase(units.begin() + 3, units.end());
    book.fill(units, 1ms);
    QCOMPARE(units[0].passedOver, 2);
    QCOMPARE(units[1].passedOver, 1);
    QCOMPARE(units[2].passedOver, 2);
    // Out of sight, out of the book.
    std::vector<WaitingUnit> others{units[0]};
    book.note(others, {});
    book.fill(units, 2ms);
    QCOMPARE(units[0].passedOver, 2);
    QCOMPARE(units[2].passedOver, 0);
  }

  void theBookKnowsSinceWhenAUnitIsTheFirst() {
    FairnessBook book(kRules);
    std::vector<WaitingUnit> units = unitsOf(2);
    book.fill(units, 1000ms);
    QVERIFY(!units[0].isLongAtHead);
    book.fill(units, 1000ms + kRules.maxAtHead - 1ms);
    QVERIFY(!units[0].isLongAtHead);
    book.fill(units, 1000ms + kRules.maxAtHead);
    QVERIFY(units[0].isLongAtHead);
    QVERIFY(!units[1].isLongAtHead);
    std::swap(units[0], units[1]);
    book.fill(units, 1000ms + kRules.maxAtHead + 1ms);
    QVERIFY(!units[0].isLongAtHead && !units[1].isLongAtHead);
  }

  void sameViewSamePlan() {
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
      std::vector<WaitingUnit> units;
      const int count = static_cast<int>(random() % 80);
      for (int i = 0; i < count; ++i) {
        units.push_back(unitOf(i, random() % 3, 1 + random() % 3, random() % 2));
        units.back().passedOver = static_cast<int>(random() % 40);
        if (random() % 5 == 0) {
          units.back().avoidedSlots = {static_cast<int>(random() % 6)};
        }
      }
      std::vector<SlotView> slots;
      for (int s = 0; s < 6; ++s) {
        const auto model = random() % 4;
        const double speed = static_cast<double>(random() % 4);
        slots.push_back(random() % 2 == 0 ? idleSlot(s, model == 3 ? std::nullopt : std::optional<std::uint64_t>(model), speed)
                                          : busySlot(s, static_cast<double>(random() % 9), speed, model));
      }
      const DispatchPlan made = plan(units, count, slots, kRules);
      QVERIFY(made.assignments == plan(units, count, slots, kRules).assignments);
      std::set<int> usedSlots;
      std::set<std::int64_t> usedJobs;
      for (const Assignment& it : made.assignments) {
        const SlotView& slot = slots[static_cast<std::size_t>(it.slot)];
        const WaitingUnit& unit = units[static_cast<std::size_t>(it.jobId)];
        QVERIFY(usedSlots.insert(it.slot).second);
        QVERIFY(usedJobs.insert(it.jobId).second);
        QVERIFY(it.isPrefetch ? slot.canPrefetch : slot.canBegin);
        QVERIFY(std::count(unit.avoidedSlots.begin(), unit.avoidedSlots.end(), it.slot) == 0);
      }
      for (const Abstention& it : made.abstentions) {
        QVERIFY(slots[static_cast<std::size_t>(it.slot)].canBegin);
        QVERIFY(usedSlots.insert(it.slot).second);
      }
      const auto idle = std::count_if(slots.begin(), slots.end(), [](const SlotView& slot) { return slot.canBegin; });
      const auto begun =
          std::count_if(made.assignments.begin(), made.assignments.end(), [](const Assignment& it) { return !it.isPrefetch; });
      QCOMPARE(static_cast<std::ptrdiff_t>(made.abstentions.size()) + begun, idle);
    }
  }

  // From here on: whole runs.

  void unequalSlotsEndTogether_data() {
    QTest::addColumn<double>("noise");
    QTest::addColumn<std::vector<double>>("cards");
    QTest::newRow("1x 2x 3x") << 0.0 << kUnequal;
    QTest::newRow("1x 2x 3x, times vary by a tenth") << 0.1 << kUnequal;
    QTest::newRow("four alike") << 0.0 << std::vector<double>{2, 2, 2, 2};
    QTest::newRow("1x and 10x") << 0.0 << std::vector<double>{10, 1};
    QTest::newRow("eight of four speeds") << 0.05 << std::vector<double>{8, 8, 4, 4, 3, 3, 1, 1};
  }
  void unequalSlotsEndTogether() {
    QFETCH(double, noise);
    QFETCH(std::vector<double>, cards);
    Simulation machine;
    machine.noise = noise;
    machine.addCards(cards);
    machine.addUnits(600);
    const double took = machine.run();
    const double ideal = idealSeconds(600, cards);
    QVERIFY2(took <= ideal * 1.03, qPrintable(QString("%1 s, ideal %2 s").arg(took).arg(ideal)));
    QVERIFY(!machine.hasPrefetchedWhileIdle);
    QVERIFY(machine.prefetches > 100);
  }

  void fewUnitsEndAsSoonAsTheyCan() {
    for (int units = 1; units <= 40; ++units) {
      Simulation machine;
      machine.addCards(kUnequal);
      machine.measureCards();
      machine.addUnits(units);
      const double took = machine.run();
      const double ideal = idealSeconds(units, kUnequal);
      QVERIFY2(took <= ideal + kUnequal.front(),
               qPrintable(QString("%1 units: %2 s, ideal %3 s").arg(units).arg(took).arg(ideal)));
      const double best = bestSeconds(units, kUnequal);
      QVERIFY2(took <= best + kUnequal.back() + 1e-9,
               qPrintable(QString("%1 units: %2 s, best %3 s").arg(units).arg(took).arg(best)));
      if (units <= 6) {  // the end game alone
        QCOMPARE(took, best);
      }
      QVERIFY(!machine.hasPrefetchedWhileIdle);
    }
  }

  void fewUnitsOnSlotsOfUnknownSpeed() {
    for (int units = 1; units <= 40; ++units) {
      Simulation machine;
      machine.addCards(kUnequal);
      machine.addUnits(units);
      const double took = machine.run();
      QVERIFY(took <= idealSeconds(units, kUnequal) + kUnequal.front());
    }
  }

  void fourUnitsUseFourSlots() {
    Simulation machine;
    machine.addCards({2, 2, 2, 2}, 5, 3);
    machine.addUnits(4);
    QCOMPARE(machine.run(), 10.0);
    for (const Simulation::Card& card : machine.cards) {
      QCOMPARE(card.unitsDone, 1);
    }
  }

  void affinitySavesLoads_data() {
    QTest::addColumn<int>("models");
    QTest::addColumn<int>("slots");
    QTest::addColumn<double>("atMostOfPlain");
    QTest::newRow("two models mixed, two slots") << 2 << 2 << 0.05;
    QTest::newRow("three models mixed, two slots") << 3 << 2 << 0.15;
    QTest::newRow("two models mixed, one slot") << 2 << 1 << 0.10;
    QTest::newRow("four models mixed, three slots") << 4 << 3 << 0.15;
  }
  void affinitySavesLoads() {
    QFETCH(int, models);
    QFETCH(int, slots);
    QFETCH(double, atMostOfPlain);
    const auto runOf = [&](int affinityWindow) {
      Simulation machine;
      machine.rules.affinityWindow = affinityWindow;
      machine.addCards(std::vector<double>(static_cast<std::size_t>(slots), 1.0), 4);
      for (int i = 0; i < 600; ++i) {
        machine.waiting.push_back(unitOf(i, machine.random() % static_cast<unsigned>(models)));
      }
      const double took = machine.run();
      return std::tuple(machine.loads, took, machine.mostPassedOver);
    };
    const auto [plainLoads, plainSeconds, plainPassed] = runOf(1);
    const auto [loads, seconds, passed] = runOf(32);
    const QString text = QString("%1 loads in %2 s, plain order %3 in %4 s; passed over %5 times at most")
                             .arg(loads)
                             .arg(seconds)
                             .arg(plainLoads)
                             .arg(plainSeconds)
                             .arg(passed);
    qInfo("%s", qPrintable(text));
    QVERIFY2(loads <= plainLoads * atMostOfPlain, qPrintable(text));
    QVERIFY2(seconds < plainSeconds, qPrintable(text));
    QVERIFY2(passed <= 32 * 4 + slots, qPrintable(text));
  }

  void nothingStarves() {
    // One unit of B stands before an endless stream of A: it is begun after a bounded number of others.
    Simulation machine;
    machine.addCards({1, 1}, 10);
    machine.measureCards();
    machine.waiting.push_back(unitOf(100000, kModelB));
    machine.addUnits(2000);
    machine.run();
    QVERIFY2(machine.begunAt[100000] <= 20, qPrintable(QString::number(machine.begunAt[100000])));
    QVERIFY(machine.loads <= 3);
  }

  void aUnitWhoseOwnerHangsIsTakenAnyway() {
    std::vector<WaitingUnit> units = unitsOf(100);
    units[0].loadKey = kModelB;
    FairnessBook book(kRules);
    std::vector<SlotView> slots{idleSlot(0, kModelA, 1), busySlot(1, 5, 1, kModelB)};
    slots[1].canPrefetch = false;
    int calls = 0;
    for (;; ++calls) {
      QVERIFY(calls < 1000 && !units.empty());
      while (units.size() < 100) {
        units.push_back(unitOf(1000 + calls));
      }
      book.fill(units, 1ms * calls);
      const auto made = assign(units, 100, slots, kRules);
      QCOMPARE(made.size(), std::size_t(1));
      if (made[0].jobId == 0) {
        break;
      }
      book.note(units, made);
      std::erase_if(units, [&made](const WaitingUnit& unit) { return unit.jobId == made[0].jobId; });
    }
    QCOMPARE(calls, 128);
  }
};

QTEST_APPLESS_MAIN(TestDispatcher)
#include "tst_dispatcher.moc"
