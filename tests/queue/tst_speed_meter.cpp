#include <QtTest>

#include "core/queue/speed_meter.h"

using namespace polyptych::queue;

namespace {

SlotView slotOf(int slot, double secondsPerWork, double secondsUntilFree = 0) {
  SlotView view;
  view.slot = slot;
  view.canBegin = secondsUntilFree <= 0;
  view.isStarted = true;
  view.loadedKey = 1;
  view.processKey = 1;
  view.secondsPerWork = secondsPerWork;
  view.secondsUntilFree = secondsUntilFree;
  return view;
}

SpeedMeter warmMeter() {
  SpeedMeter meter;
  meter.noteFinished(0, 1, 1, 1);
  meter.noteFinished(0, 1, 1, 1);
  return meter;
}

}  // namespace

class TestSpeedMeter : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void knowsNothingAtFirst() {
    SpeedMeter meter;
    QCOMPARE(meter.secondsPerWork(0, 1), 0.0);
    QCOMPARE(meter.unitsDone(), std::int64_t(0));
  }

  void oneOutlierChangesNothing() {
    SpeedMeter meter;
    for (const double seconds : {10.0, 10.2, 9.8, 900.0, 10.1}) {
      meter.noteFinished(0, 1, 5, seconds);
    }
    QCOMPARE(meter.secondsPerWork(0, 1), 10.1 / 5);
  }

  void aLastingChangeIsFollowed() {
    SpeedMeter meter;
    for (int i = 0; i < 20; ++i) {
      meter.noteFinished(0, 1, 1, 10);
    }
    for (int i = 0; i < 5; ++i) {
      meter.noteFinished(0, 1, 1, 20);
    }
    QCOMPARE(meter.secondsPerWork(0, 1), 20.0);
  }

  void theFirstAfterALoadCountsOnlyWhileItIsAlone() {
    SpeedMeter meter;
    meter.noteLoaded(0);
    meter.noteFinished(0, 1, 1, 30);
    QCOMPARE(meter.secondsPerWork(0, 1), 30.0);
    meter.noteFinished(0, 1, 1, 10);
    QCOMPARE(meter.secondsPerWork(0, 1), 10.0);
    meter.noteLoaded(0);
    meter.noteFinished(0, 1, 1, 30);
    QCOMPARE(meter.secondsPerWork(0, 1), 10.0);
  }

  void shapesAreKeptApart() {
    SpeedMeter meter;
    meter.noteFinished(0, 1, 1, 10);
    meter.noteFinished(0, 2, 1, 30);
    QCOMPARE(meter.secondsPerWork(0, 1), 10.0);
    QCOMPARE(meter.secondsPerWork(0, 2), 30.0);
    QCOMPARE(meter.secondsPerWork(0, 3), 30.0);  // the middle of all, the upper one of two
    QCOMPARE(meter.secondsPerWork(1, 1), 0.0);
  }

  void oldShapesAreForgotten() {
    SpeedMeter meter;
    meter.noteFinished(0, 0, 1, 100);
    for (std::uint64_t shape = 1; shape <= 64; ++shape) {
      meter.noteFinished(0, shape, 1, 1);
    }
    QCOMPARE(meter.secondsPerWork(0, 0), 1.0);
    meter.forget(0);
    QCOMPARE(meter.secondsPerWork(0, 0), 0.0);
  }

  void nonsenseIsIgnored_data() {
    QTest::addColumn<double>("work");
    QTest::addColumn<double>("seconds");
    QTest::newRow("no work") << 0.0 << 1.0;
    QTest::newRow("no time") << 1.0 << 0.0;
    QTest::newRow("negative") << 1.0 << -1.0;
    QTest::newRow("not a number") << std::nan("") << 1.0;
    QTest::newRow("endless") << 1.0 << std::numeric_limits<double>::infinity();
  }
  void nonsenseIsIgnored() {
    QFETCH(double, work);
    QFETCH(double, seconds);
    SpeedMeter meter;
    meter.noteFinished(0, 1, work, seconds);
    QCOMPARE(meter.secondsPerWork(0, 1), 0.0);
    QCOMPARE(meter.unitsDone(), std::int64_t(0));
  }

  void estimatesOnlyFromTwoUnitsOn() {
    SpeedMeter meter;
    const std::vector<SlotView> slots{slotOf(0, 1)};
    QVERIFY(!meter.secondsLeft(10, 1, slots));
    meter.noteFinished(0, 1, 1, 1);
    QVERIFY(!meter.secondsLeft(10, 1, slots));
    meter.noteFinished(0, 1, 1, 1);
    QCOMPARE(meter.secondsLeft(10, 1, slots), std::optional(10.0));
  }

  void timeLeft_data() {
    QTest::addColumn<int>("units");
    QTest::addColumn<std::vector<double>>("secondsPerWork");
    QTest::addColumn<std::vector<double>>("untilFree");
    QTest::addColumn<double>("seconds");
    using V = std::vector<double>;
    QTest::newRow("nothing left") << 0 << V{1, 2} << V{0, 0} << 0.0;
    QTest::newRow("what is in work ends first") << 0 << V{1, 2} << V{3, 7} << 7.0;
    QTest::newRow("one unit on the fast one") << 1 << V{6, 2} << V{0, 0} << 2.0;
    QTest::newRow("the slow one is free sooner") << 1 << V{6, 2} << V{0, 5} << 6.0;
    QTest::newRow("1x 2x 3x") << 600 << V{6, 3, 2} << V{0, 0, 0} << 600.0;
    QTest::newRow("one of unknown speed counts as the mean") << 60 << V{2, 0} << V{0, 0} << 60.0;
    QTest::newRow("a slot that nobody knows the end of is left out") << 60 << V{2, 2} << V{0, kUnknownSeconds} << 120.0;
    QTest::newRow("a slot that is free late") << 100 << V{1, 1} << V{0, 1000} << 1000.0;
  }
  void timeLeft() {
    QFETCH(int, units);
    QFETCH(std::vector<double>, secondsPerWork);
    QFETCH(std::vector<double>, untilFree);
    QFETCH(double, seconds);
    std::vector<SlotView> slots;
    for (std::size_t i = 0; i < secondsPerWork.size(); ++i) {
      slots.push_back(slotOf(static_cast<int>(i), secondsPerWork[i], untilFree[i]));
    }
    const std::optional<double> left = warmMeter().secondsLeft(units, 1, slots);
    QVERIFY(left.has_value());
    QVERIFY2(std::abs(*left - seconds) < 1e-6, qPrintable(QString::number(*left)));
  }

  void timeLeftShrinksAsUnitsAreDone() {
    const SpeedMeter meter = warmMeter();
    const std::vector<SlotView> slots{slotOf(0, 6), slotOf(1, 3), slotOf(2, 2)};
    double before = *meter.secondsLeft(201, 1, slots);
    for (int units = 200; units >= 0; --units) {
      const double left = *meter.secondsLeft(units, 1, slots);
      QVERIFY2(left <= before + 1e-9, qPrintable(QString::number(units)));
      QVERIFY(left >= units - 1e-9);
      before = left;
    }
  }

  void coldSlotsNeedTimeToStart() {
    SlotView cold = slotOf(0, 1);
    cold.isStarted = false;
    cold.loadedKey.reset();
    cold.startSeconds = 3;
    cold.loadSeconds = 5;
    QCOMPARE(warmMeter().secondsLeft(2, 1, std::vector{cold}), std::optional(10.0));
  }

  void noSlotNoEstimate() {
    QVERIFY(!warmMeter().secondsLeft(3, 1, {}));
    QVERIFY(!warmMeter().secondsLeft(3, 1, std::vector{slotOf(0, 1, kUnknownSeconds)}));
  }
};

QTEST_APPLESS_MAIN(TestSpeedMeter)
#include "tst_speed_meter.moc"
