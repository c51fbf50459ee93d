#include <QAbstractItemModelTester>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QContextMenuEvent>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>

#include "tests/ui/stage.h"
#include "ui/devices/device_log.h"
#include "ui/devices/step_rate.h"

using namespace polyptych;
using Kind = backend::Command::Kind;
using tests::Stage;
using ui::DeviceCard;

/// The cards of the devices: what each does and how it does.
class TestDevices : public QObject {
  Q_OBJECT

 private:
  static std::vector<domain::DeviceInfo> gpus(int count) {
    std::vector<domain::DeviceInfo> devices;
    for (int i = 0; i < count; ++i) {
      devices.push_back(tests::gpuDevice(i));
    }
    devices.push_back(tests::cpuDevice());
    return devices;
  }
  static DeviceCard* cardOf(const Stage& stage, const char* slotId) {
    return stage.find<ui::DevicePanel>("rightPanel")->cardOf(QLatin1String(slotId));
  }

 private Q_SLOTS:
  void readingsAreShown() {
    Stage stage(gpus(1));
    QVERIFY(stage.backend.isWatched);
    auto* meters = stage.find<ui::DeviceMeters>("meters-cuda:0");
    backend::DeviceReading reading;
    reading.deviceId = QStringLiteral("cuda:0");
    reading.totalBytes = 24ull << 30;
    reading.usedBytes = 15ull << 30;
    reading.oursBytes = 10ull << 30;
    reading.utilisation = 0.98;
    reading.temperatureCelsius = 66;
    reading.powerWatts = 402;
    stage.backend.measure({reading});
    QCOMPARE(meters->memoryText(), QStringLiteral("15.0 / 24 GB"));
    QCOMPARE(meters->figures(), QStringLiteral("98 %  66 °C  402 W"));
    QVERIFY(meters->accessibleDescription().contains(QStringLiteral("Other programs: 5.0 GB")));
    // Nobody's memory becomes that of others because the driver does not say whose it is.
    const QImage known = meters->grab().toImage();
    reading.isOursKnown = false;
    stage.backend.measure({reading});
    QVERIFY(!meters->accessibleDescription().contains(QStringLiteral("Other programs")));
    QVERIFY(meters->accessibleDescription().contains(QStringLiteral("The driver does not say")));
    QVERIFY(meters->grab().toImage() != known);
    // What is not known is left out.
    reading.temperatureCelsius = -1;
    reading.powerWatts = -1;
    stage.backend.measure({reading});
    QCOMPARE(meters->figures(), QStringLiteral("98 %"));
    QCOMPARE(meters->utilisations().size(), std::size_t(3));
  }

  void nobodyMeasuresWhatNobodySees() {
    Stage stage(gpus(1));
    QVERIFY(stage.backend.isWatched);
    stage.window->shell().panels().setShown(ui::SidePanels::Right, false);
    QVERIFY(!stage.backend.isWatched);
    stage.window->shell().panels().setShown(ui::SidePanels::Right, true);
    QVERIFY(stage.backend.isWatched);
    stage.window->hide();
    QVERIFY(!stage.backend.isWatched);
  }

  void theRateIsThatOfTheLastSteps() {
    ui::StepRate rate;
    const auto start = ui::StepRate::Clock::now();
    using std::chrono::milliseconds;
    rate.add({domain::Stage::Denoising, 1, 25}, start);
    QVERIFY(!rate.perSecond());
    rate.add({domain::Stage::Denoising, 2, 25}, start + milliseconds(100));
    rate.add({domain::Stage::Denoising, 3, 25}, start + milliseconds(200));
    QCOMPARE(*rate.perSecond(), 10.0);
    // The next unit begins: what is between two of them does not count.
    rate.add({domain::Stage::Decoding, 25, 25}, start + milliseconds(300));
    rate.add({domain::Stage::Denoising, 1, 25}, start + milliseconds(9000));
    QCOMPARE(*rate.perSecond(), 10.0);
    rate.add({domain::Stage::Denoising, 2, 25}, start + milliseconds(9050));
    QCOMPARE(*rate.perSecond(), 20.0);
  }

  void aCardTellsItsStepAndRate() {
    Stage stage(gpus(1));
    QVERIFY(stage.run({QStringLiteral("a tree")}));
    auto* rate = stage.find<QLabel>("rate-cuda:0");
    for (int step = 1; step <= 3; ++step) {
      stage.backend.step(QStringLiteral("cuda:0"), 0, step, 25);
      QTest::qSleep(5);
    }
    QVERIFY(rate->isVisible());
    QVERIFY2(rate->text().endsWith(QStringLiteral(" it/s")), qPrintable(rate->text()));
    QCOMPARE(stage.find<QLabel>("state-cuda:0")->text(), QStringLiteral("Generating 3 / 25"));
    stage.backend.state(QStringLiteral("cuda:0"), backend::SlotState::Idle);
    QVERIFY(!rate->isVisible());
  }

  void picturesAndFailuresAreCounted() {
    Stage stage;
    QVERIFY(stage.run({QStringLiteral("a tree"), QStringLiteral("a house")}));
    stage.backend.step(QStringLiteral("cpu:0"), 0, 3, 25, domain::Stage::Denoising, 1, 4);
    QCOMPARE(stage.find<QLabel>("count-cpu")->text(), QStringLiteral("4 done"));
    stage.backend.fail(1, {base::ErrorCode::OutOfMemory, "No room.", {}});
    QCOMPARE(stage.find<QLabel>("count-cpu")->text(), QStringLiteral("4 done, 1 failed"));
  }

  void troubleBringsItsButtons() {
    Stage stage(gpus(2));
    QVERIFY(stage.run({QStringLiteral("a tree")}));
    auto* restart = stage.find<QPushButton>("restart-cuda:1");
    QVERIFY(!restart->isVisible());
    stage.backend.failSlot(QStringLiteral("cuda:1"), base::ErrorCode::OutOfMemory, QStringLiteral("The device is full."), false);
    QVERIFY(restart->isVisible());
    QVERIFY(!stage.find<QPushButton>("restart-cuda:0")->isVisible());
    // By key as well as by mouse.
    restart->setFocus();
    QTest::keyClick(restart, Qt::Key_Space);
    QCOMPARE(stage.backend.commands.back().kind, Kind::RestartDevice);
    QCOMPARE(stage.backend.commands.back().slotId, QStringLiteral("cuda:1"));
    const std::size_t sent = stage.backend.commands.size();
    stage.window->shell().actions().trigger(QStringLiteral("devices.restart"));
    QCOMPARE(stage.backend.commands.size(), sent + 1);
    QTest::mouseClick(stage.find<QPushButton>("log-cuda:1"), Qt::LeftButton);
    QCOMPARE(stage.window->shell().pages().current(), QStringLiteral("log"));
    QCOMPARE(stage.find<QComboBox>("logDevice")->currentText(), QStringLiteral("GPU 1"));
    const auto* log = stage.find<QAbstractItemView>("log")->model();
    QCOMPARE(log->rowCount(), 1);
    QVERIFY(log->index(0, ui::DeviceLog::Event).data().toString().contains(QStringLiteral("The device is full.")));
    QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape);
    QCOMPARE(stage.window->shell().pages().current(), QString());
    stage.backend.state(QStringLiteral("cuda:1"), backend::SlotState::Starting);
    QVERIFY(!restart->isVisible());
  }

  void theLogKeepsWhatHappened() {
    ui::DeviceLog log;
    auto tester = std::make_unique<QAbstractItemModelTester>(&log, QAbstractItemModelTester::FailureReportingMode::QtTest);
    backend::SlotStatus status;
    status.slotId = QStringLiteral("cuda:0");
    using State = backend::SlotState;
    const auto note = [&](State state) {
      status.state = state;
      log.noteStatus(QStringLiteral("GPU 0"), status);
    };
    note(State::Starting);
    note(State::LoadingModel);
    note(State::LoadingModel);
    note(State::Idle);
    for (int i = 0; i < 10; ++i) {
      note(State::Busy);
      note(State::Idle);
    }
    QCOMPARE(log.rowCount(), 3);
    log.notePicture(QStringLiteral("GPU 0"), {1, 0, QStringLiteral("/library/pictures/0001.png"), status.slotId, 1.26, false});
    QCOMPARE(log.index(0, ui::DeviceLog::Event).data().toString(), QStringLiteral("Picture 0001.png in 1.3 s"));
    log.noteFailure(QStringLiteral("GPU 1"), {1, 6, QStringLiteral("cuda:1"), {base::ErrorCode::OutOfMemory, "No room.", {}}});
    QVERIFY(log.index(0, ui::DeviceLog::Event).data().toString().startsWith(QStringLiteral("■ Picture 7 failed: ")));
    QCOMPARE(log.text(QStringLiteral("GPU 1")).count(u'\n'), 1);
    QCOMPARE(log.text({}).count(u'\n'), 5);
    // It walks through every row after each.
    tester.reset();
    for (int i = 0; i < ui::DeviceLog::kMost + 10; ++i) {
      log.add(QStringLiteral("GPU 0"), QString::number(i));
    }
    QCOMPARE(log.rowCount(), ui::DeviceLog::kMost);
    QCOMPARE(log.index(0, ui::DeviceLog::Event).data().toString(), QString::number(ui::DeviceLog::kMost + 9));
  }

  void theLogIsCopied() {
    Stage stage;
    stage.window->shell().actions().trigger(QStringLiteral("devices.log"));
    QVERIFY(!stage.find<QAbstractItemView>("log")->isVisible());
    stage.backend.state(QStringLiteral("cpu:0"), backend::SlotState::Starting);
    QVERIFY(stage.find<QAbstractItemView>("log")->isVisible());
    QTest::mouseClick(stage.find<QPushButton>("logCopy"), Qt::LeftButton);
    QVERIFY2(QApplication::clipboard()->text().endsWith(QStringLiteral("CPU\tStarting\n")),
             qPrintable(QApplication::clipboard()->text()));
  }

  void eightCardsAreSeenAtOnce() {
    Stage stage(gpus(8));
    stage.window->resize(1920, 1080);
    QVERIFY(stage.run({QStringLiteral("a tree")}));
    for (int i = 0; i < 8; ++i) {
      stage.backend.step(QStringLiteral("cuda:%1").arg(i), i, 3 + i, 25);
    }
    stage.backend.failSlot(QStringLiteral("cuda:2"), base::ErrorCode::OutOfMemory, QStringLiteral("The device is full."), false);
    QCoreApplication::processEvents();
    auto* scroll = stage.find<QWidget>("rightPanel")->findChild<QScrollArea*>();
    QTRY_COMPARE(scroll->verticalScrollBar()->maximum(), 0);
    QVERIFY(cardOf(stage, "cuda:0")->isFolded());
    QVERIFY(!cardOf(stage, "cuda:2")->isFolded());
    QCOMPARE(stage.find<QLabel>("state-cuda:0")->text(), QStringLiteral("Generating 3 / 25"));
    QVERIFY(stage.find<QLabel>("state-cuda:0")->isVisible());
    QVERIFY(stage.find<ui::DeviceMeters>("brief-cuda:0")->isVisible());
    // A press opens it, another folds it again.
    DeviceCard* card = cardOf(stage, "cuda:0");
    QTest::mouseClick(card, Qt::LeftButton, {}, QPoint(card->width() / 2, card->height() - 4));
    QVERIFY(!card->isFolded());
    QVERIFY(stage.find<ui::DeviceMeters>("meters-cuda:0")->isVisible());
    QTest::mouseClick(card, Qt::LeftButton, {}, QPoint(card->width() / 2, card->height() - 4));
    QVERIFY(card->isFolded());
  }

  void theCardWithTheKeyboardUnfolds() {
    const Stage stage(gpus(7));
    stage.window->resize(1280, 640);
    auto* first = cardOf(stage, "cuda:0");
    QTRY_VERIFY(first->tick()->isVisible());
    auto* second = cardOf(stage, "cuda:1");
    stage.window->shell().actions().trigger(QStringLiteral("devices.focus"));
    QVERIFY(first->tick()->hasFocus());
    QVERIFY(!first->isFolded());
    QTest::keyClick(first->tick(), Qt::Key_Tab);
    QVERIFY(second->tick()->hasFocus());
    QVERIFY(first->isFolded());
    QVERIFY(!second->isFolded());
    // Where one clicks nothing moves away.
    auto* third = cardOf(stage, "cuda:2");
    QTest::mouseClick(third->tick(), Qt::LeftButton, {}, QPoint(8, third->tick()->height() / 2));
    QVERIFY(third->tick()->hasFocus());
    QVERIFY(third->isFolded());
    QVERIFY(second->isFolded());
    // All of it is seen.
    auto* last = cardOf(stage, "cpu");
    last->tick()->setFocus(Qt::TabFocusReason);
    QTRY_COMPARE(last->visibleRegion().boundingRect().height(), last->height());
    QVERIFY(!last->isFolded());
  }

  void fiveCardsAreWhole() {
    Stage stage(gpus(4));
    QVERIFY(!cardOf(stage, "cuda:3")->isFolded());
  }

  void aDeviceWithSeveralWorkersHasALineForEach() {
    Stage stage;
    QVERIFY(stage.run({QStringLiteral("a tree")}));
    auto* state = stage.find<QLabel>("state-cpu");
    stage.backend.step(QStringLiteral("cpu:0"), 0, 3, 25);
    QCOMPARE(state->text(), QStringLiteral("Generating 3 / 25"));
    for (int i = 1; i < 4; ++i) {
      stage.backend.step(QStringLiteral("cpu:%1").arg(i), i, 3 + i, 25);
    }
    QCOMPARE(state->text(), QStringLiteral("4 of 4 workers at work"));
    QStringList lines;
    for (const QLabel* label : cardOf(stage, "cpu")->findChildren<QLabel*>()) {
      if (label->isVisible() && label->text().contains(QStringLiteral(" / 25"))) {
        lines << label->text();
      }
    }
    QCOMPARE(lines, (QStringList{QStringLiteral("3 / 25"), QStringLiteral("4 / 25"), QStringLiteral("5 / 25"),
                                 QStringLiteral("6 / 25")}));
    for (int i = 1; i < 4; ++i) {
      stage.backend.state(QStringLiteral("cpu:%1").arg(i), backend::SlotState::Stopped);
    }
    QCOMPARE(state->text(), QStringLiteral("Generating 3 / 25"));
    QCOMPARE(cardOf(stage, "cpu:2"), cardOf(stage, "cpu"));
    // Whoever is left is told of, and all that were set aside are started again.
    stage.backend.step(QStringLiteral("cpu:1"), 1, 9, 25);
    stage.backend.state(QStringLiteral("cpu:0"), backend::SlotState::Stopped);
    QCOMPARE(state->text(), QStringLiteral("Generating 9 / 25"));
    for (const auto& slotId : {QStringLiteral("cpu:1"), QStringLiteral("cpu:2")}) {
      stage.backend.failSlot(slotId, base::ErrorCode::OutOfMemory, QStringLiteral("Full."), false);
    }
    const std::size_t sent = stage.backend.commands.size();
    QTest::mouseClick(stage.find<QPushButton>("restart-cpu"), Qt::LeftButton);
    QCOMPARE(stage.backend.commands.size(), sent + 2);
  }

  void theCpuMayHaveSeveralWorkers() {
    Stage stage;
    stage.window->shell().actions().trigger(QStringLiteral("devices.moreWorkers"));
    QVERIFY(stage.run({QStringLiteral("a tree")}));
    const auto& chosen = stage.backend.specs[0].slots;
    QCOMPARE(chosen.size(), std::size_t(2));
    QCOMPARE(chosen[1].id, std::string("cpu:1"));
    // While work goes on it counts at once.
    stage.window->shell().actions().trigger(QStringLiteral("devices.fewerWorkers"));
    QCOMPARE(stage.backend.commands.back().kind, Kind::SetDevices);
    QCOMPARE(stage.backend.commands.back().slots.size(), std::size_t(1));
    stage.window->shell().actions().trigger(QStringLiteral("devices.fewerWorkers"));
    QCOMPARE(stage.find<ui::DevicePanel>("rightPanel")->cpuWorkers(), 1);
  }

  void twoGpusOfAKindMayWorkTogether() {
    auto devices = gpus(4);
    devices[3].name = "Another GPU";
    Stage stage(devices);
    auto* together = stage.find<QCheckBox>("together");
    QVERIFY(together->isVisible());
    QVERIFY(!together->isChecked());
    QVERIFY(!together->accessibleDescription().isEmpty());
    auto* last = stage.find<QCheckBox>("tick-cpu");
    last->setFocus(Qt::TabFocusReason);
    QTest::keyClick(last, Qt::Key_Tab);
    QVERIFY(together->hasFocus());
    stage.window->shell().actions().trigger(QStringLiteral("devices.focus"));
    QVERIFY(stage.find<QCheckBox>("tick-cuda:0")->hasFocus());
    QTest::mouseClick(together, Qt::LeftButton, {}, QPoint(8, together->height() / 2));
    QVERIFY(together->isChecked());
    QVERIFY(stage.run({QStringLiteral("a tree"), QStringLiteral("a house")}));
    const auto& slotList = stage.backend.specs[0].slots;
    QStringList ids;
    for (const auto& slot : slotList) {
      ids << QString::fromStdString(slot.id);
    }
    QCOMPARE(ids.join(u' '), QStringLiteral("cuda:0+cuda:1 cuda:2 cuda:3"));
    QCOMPARE(slotList[0].partner->uuid, std::string("GPU-00000001"));
    // The first card tells what they make, the other that it takes part.
    const QString pair = QStringLiteral("cuda:0+cuda:1");
    for (int step = 1; step < 4; ++step) {
      stage.backend.step(pair, 0, step, 25, domain::Stage::Denoising, 1, 3);
      QTest::qSleep(5);
    }
    stage.backend.preview(pair, 0, tests::plainImage(8, 90));
    QCOMPARE(stage.find<QLabel>("state-cuda:0")->text(), QStringLiteral("Generating 3 / 25"));
    QCOMPARE(stage.find<QLabel>("state-cuda:1")->text(), QStringLiteral("Works together with GPU 0"));
    QVERIFY(stage.find<QLabel>("count-cuda:0")->isVisible());
    QVERIFY(!stage.find<QLabel>("count-cuda:1")->isVisible());
    QVERIFY(stage.find<QLabel>("rate-cuda:0")->isVisible());
    QVERIFY(!stage.find<QLabel>("rate-cuda:1")->isVisible());
    QCOMPARE(cardOf(stage, "cuda:0+cuda:1"), cardOf(stage, "cuda:0"));
    // Trouble is both's, and so is what helps.
    stage.backend.failSlot(pair, base::ErrorCode::OutOfMemory, QStringLiteral("Full."), false);
    for (const char* state : {"state-cuda:0", "state-cuda:1"}) {
      QCOMPARE(stage.find<QLabel>(state)->text(), QStringLiteral("Set aside: out of memory"));
    }
    QTest::mouseClick(stage.find<QPushButton>("restart-cuda:1"), Qt::LeftButton);
    QCOMPARE(stage.backend.commands.back().kind, Kind::RestartDevice);
    QCOMPARE(stage.backend.commands.back().slotId, pair);
    QTest::mouseClick(stage.find<QPushButton>("log-cuda:1"), Qt::LeftButton);
    QCOMPARE(stage.find<QComboBox>("logDevice")->currentText(), QStringLiteral("GPU 0"));
    // By an action too; it counts at once.
    stage.window->shell().actions().trigger(QStringLiteral("devices.together"));
    QVERIFY(!together->isChecked());
    QCOMPARE(stage.backend.commands.back().kind, Kind::SetDevices);
    QCOMPARE(stage.backend.commands.back().slots.size(), std::size_t(4));
    stage.backend.state(pair, backend::SlotState::Stopped);
    stage.backend.step(QStringLiteral("cuda:1"), 1, 7, 25);
    QCOMPARE(stage.find<QLabel>("state-cuda:1")->text(), QStringLiteral("Generating 7 / 25"));
  }

  void togetherIsOfferedToTickedGpusOfAKindAlone() {
    Stage stage(gpus(2));
    auto* together = stage.find<QCheckBox>("together");
    QVERIFY(together->isVisible());
    together->setChecked(true);
    auto* tick = stage.find<QCheckBox>("tick-cuda:1");
    tick->setChecked(false);
    QVERIFY(!together->isVisible());
    QCOMPARE(stage.find<ui::DevicePanel>("rightPanel")->tickedList(), QStringLiteral("GPU-00000000"));
    QVERIFY(!stage.window->shell().actions().action(QStringLiteral("devices.together"))->isEnabled());
    // The wish is kept.
    tick->setChecked(true);
    QVERIFY(together->isVisible());
    QCOMPARE(stage.find<ui::DevicePanel>("rightPanel")->tickedList(), QStringLiteral("GPU-00000000+GPU-00000001"));
    const Stage alone(gpus(0));
    QVERIFY(!alone.find<QCheckBox>("together")->isVisible());
  }

  void workersHaveTheNamesThatPeopleUse() {
    QCOMPARE(ui::slotName(QStringLiteral("cuda:3")), QStringLiteral("GPU 3"));
    QCOMPARE(ui::slotName(QStringLiteral("cuda:3#2")), QStringLiteral("GPU 3 (2)"));
    QCOMPARE(ui::slotName(QStringLiteral("cpu:0")), QStringLiteral("CPU 1"));
    QCOMPARE(ui::slotName(QStringLiteral("cuda:0+cuda:11")), QStringLiteral("GPU 0 + 11"));
    QCOMPARE(ui::slotName(QStringLiteral("cpu:0+cpu:1")), QStringLiteral("CPU 1 + 2"));
  }

  void everyGpuIsTickedByOneAction() {
    Stage stage(gpus(3));
    stage.find<QCheckBox>("tick-cuda:0")->setChecked(false);
    stage.find<QCheckBox>("tick-cuda:2")->setChecked(false);
    stage.window->shell().actions().trigger(QStringLiteral("devices.tickAll"));
    QVERIFY(stage.find<QCheckBox>("tick-cuda:0")->isChecked() && stage.find<QCheckBox>("tick-cuda:2")->isChecked());
    QVERIFY(!stage.find<QCheckBox>("tick-cpu")->isChecked());
    stage.window->shell().actions().trigger(QStringLiteral("devices.focus"));
    QVERIFY(stage.find<QCheckBox>("tick-cuda:0")->hasFocus());
  }
};

int main(int argc, char** argv) {
  QTEST_SET_MAIN_SOURCE_PATH
  return tests::runUiTest<TestDevices>(argc, argv);
}

#include "tst_device_cards.moc"
