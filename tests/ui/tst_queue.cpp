#include <QCheckBox>
#include <QDir>
#include <QFile>
#include <QPushButton>

#include "core/gallery/run_folder.h"
#include "core/library/run_file.h"
#include "tests/ui/stage.h"

using namespace polyptych;
using backend::PauseReason;
using tests::Application;
using tests::Stage;
using ui::GalleryModel;
using Kind = backend::Command::Kind;

namespace {

constexpr quint64 kForeign = 77;

/// A run as the backend keeps it: its file, and pictures of the given indices.
struct ForeignRun {
  ForeignRun(const Stage& stage, int count, const std::vector<int>& made, int begin = 0) {
    record.id = kForeign;
    for (int i = 0; i < count; ++i) {
      domain::GenerationRequest request;
      request.index = request.promptIndex = i;
      request.prompt = "prompt " + std::to_string(begin + i);
      request.width = request.height = 64;
      request.scheduler = "Euler";
      record.requests.push_back(request);
    }
    status.runId = kForeign;
    status.folder = stage.folder.filePath(QStringLiteral("foreign"));
    status.total = count;
    status.made = static_cast<qint64>(made.size());
    QDir().mkpath(status.folder);
    QFile file(status.folder + u'/' + QLatin1String(library::kRunFileName));
    if (!file.open(QIODevice::WriteOnly) || file.write(library::toRunFile(record)) <= 0) {
      qFatal("cannot write the run's file");
    }
    QImage image(64, 64, QImage::Format_RGB888);
    image.fill(Qt::red);
    const QString picture = stage.folder.filePath(QStringLiteral("one.png"));
    image.save(picture);
    for (const int index : made) {
      QFile::link(picture, pathOf(index));
    }
  }
  QString pathOf(int index) const {
    domain::PictureMetadata metadata;
    metadata.request = record.requests[static_cast<std::size_t>(index)];
    return status.folder + u'/' + gallery::RunFolder::nameOf(metadata);
  }

  library::RunRecord record;
  backend::RunStatus status;
};

int rows(const Stage& stage) { return stage.grid()->model()->rowCount(); }

}  // namespace

/// What the window makes of a backend that has a life of its own: runs of others, pauses, its end.
class TestQueue : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void aRunOfAnotherFaceAppears() {
    Stage stage;
    QCOMPARE(stage.backend.refreshes, 1);
    ForeignRun run(stage, 5, {0, 3});
    stage.backend.tell(run.status);
    // Told while the run's file is still being read.
    stage.backend.picture(1, run.pathOf(0), QStringLiteral("cpu:0"), kForeign);
    stage.backend.fail(4, {base::ErrorCode::OutOfMemory, "The device ran out of memory.", {}}, kForeign);
    QTRY_COMPARE(rows(stage), 5);
    QCOMPARE(stage.tile(2).data(GalleryModel::PromptRole).toString(), QStringLiteral("prompt 2"));
    const std::vector states{GalleryModel::State::Done, GalleryModel::State::Done, GalleryModel::State::Waiting,
                             GalleryModel::State::Done, GalleryModel::State::Failed};
    for (int row = 0; row < 5; ++row) {
      QCOMPARE(stage.stateOf(row), states[static_cast<std::size_t>(row)]);
    }
    QTRY_COMPARE(Stage::colourOf(stage.tile(3).data(Qt::DecorationRole).value<QPixmap>()), QColor(Qt::red));
    QVERIFY(stage.find<QLabel>("progress")->text().startsWith(QStringLiteral("3 of 5")));
    QVERIFY(stage.find<QPushButton>("stop")->isEnabled());
    QVERIFY(stage.find<QPushButton>("showFolder")->toolTip().contains(run.status.folder));
    stage.backend.step(QStringLiteral("cpu:0"), 2, 5, 20, domain::Stage::Denoising, kForeign);
    QCOMPARE(stage.stateOf(2), GalleryModel::State::Working);
    stage.backend.picture(2, run.pathOf(3), QStringLiteral("cpu:0"), kForeign);
    QVERIFY(stage.find<QLabel>("progress")->text().startsWith(QStringLiteral("4 of 5")));
    stage.backend.finish(4, 1, false, kForeign);
    QVERIFY(stage.message().startsWith(QStringLiteral("1 picture failed; the others are there.")));
    QVERIFY(!stage.find<QPushButton>("stop")->isEnabled());
  }

  void aRunThatEndsWhileItIsReadIsShown() {
    Stage stage;
    ForeignRun run(stage, 3, {0, 1});
    stage.backend.tell(run.status);
    stage.backend.picture(2, run.pathOf(0), QStringLiteral("cpu:0"), kForeign);
    stage.backend.finish(3, 0, false, kForeign);
    QTRY_COMPARE(stage.message(), QStringLiteral("All 3 pictures are there."));
    QCOMPARE(rows(stage), 3);
    QCOMPARE(stage.stateOf(2), GalleryModel::State::Done);
  }

  void aRunWithoutItsFileSaysSo() {
    Stage stage;
    ForeignRun run(stage, 3, {});
    QFile::remove(run.status.folder + u'/' + QLatin1String(library::kRunFileName));
    stage.backend.tell(run.status);
    QTRY_VERIFY(stage.message().contains(QStringLiteral("list of prompts")));
    QVERIFY(stage.find<QLabel>("progress")->text().startsWith(QStringLiteral("0 of 3")));
    stage.backend.finish(3, 0, false, kForeign);
    QVERIFY(!stage.find<QPushButton>("stop")->isEnabled());
  }

  void twentyThousandPicturesDoNotBlock() {
    Stage stage;
    stage.window->resize(1280, 800);
    std::vector<int> made(20'000);
    for (int i = 0; i < 20'000; ++i) {
      made[static_cast<std::size_t>(i)] = i;
    }
    made.resize(10'000);
    ForeignRun run(stage, 20'000, made);
    QCoreApplication::processEvents();
    auto* application = static_cast<Application*>(qApp);
    application->longest = 0;
    stage.backend.tell(run.status);
    QTRY_COMPARE_WITH_TIMEOUT(rows(stage), 20'000, 60'000);
    QTRY_VERIFY(stage.grid()->visualRect(stage.tile(0)).isValid());
    QCoreApplication::processEvents();
    QCOMPARE(stage.stateOf(9'999), GalleryModel::State::Done);
    QCOMPARE(stage.stateOf(10'000), GalleryModel::State::Waiting);
    qInfo("longest event: %.1f ms of processor time", application->longest);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    QVERIFY2(application->longest <= 100, qPrintable(QString::number(application->longest)));
#endif
  }

  void anotherConnectionFillsWhatWasMissed() {
    Stage stage;
    stage.window->onJoined();
    ForeignRun run(stage, 4, {0});
    stage.backend.tell(run.status);
    QTRY_COMPARE(rows(stage), 4);
    backend::RunStatus other = run.status;
    other.runId = 5;
    stage.backend.tell(other);
    QTRY_COMPARE(rows(stage), 8);
    // The connection breaks; two pictures are made and the other run ends meanwhile.
    QFile::copy(run.pathOf(0), run.pathOf(1));
    QFile::copy(run.pathOf(0), run.pathOf(2));
    stage.window->onJoined();
    QCOMPARE(stage.backend.refreshes, 2);
    run.status.made = 3;
    stage.backend.tell(run.status);
    QTRY_COMPARE(stage.stateOf(2), GalleryModel::State::Done);
    QTRY_COMPARE(rows(stage), 7);
    QVERIFY(stage.find<QPushButton>("stop")->isEnabled());
    stage.backend.finish(4, 0, false, kForeign);
    QVERIFY(!stage.find<QPushButton>("stop")->isEnabled());
  }

  void workWithoutADeviceGetsTheTickedOnes() {
    Stage stage({tests::gpuDevice(0), tests::cpuDevice()});
    ForeignRun run(stage, 3, {});
    stage.window->onJoined();
    stage.window->onJoined();
    stage.backend.tell(run.status);
    QTRY_COMPARE(stage.backend.commands.size(), std::size_t(1));
    QCOMPARE(stage.backend.commands[0].kind, Kind::SetDevices);
    QCOMPARE(stage.backend.commands[0].slots.size(), std::size_t(1));
    QCOMPARE(stage.backend.commands[0].slots[0].kind, domain::DeviceKind::Cuda);
  }

  void devicesThatWorkAreLeftAlone() {
    Stage stage({tests::gpuDevice(0), tests::cpuDevice()});
    ForeignRun run(stage, 3, {});
    stage.window->onJoined();
    stage.window->onJoined();
    stage.backend.tell(run.status);
    stage.backend.state(QStringLiteral("cpu:0"), backend::SlotState::LoadingModel, 1'000'000'000, 2'000'000'000);
    QTRY_COMPARE(rows(stage), 3);
    QCoreApplication::processEvents();
    QVERIFY(stage.backend.commands.empty());
  }

  void whatADeviceDoesIsShownThoughItWasToldBeforeTheList() {
    tests::FakeBackend backend({tests::cpuDevice()});
    ui::MainWindow window(backend, tests::windowOptions());
    backend.state(QStringLiteral("cpu:0"), backend::SlotState::LoadingModel, 1'000'000'000, 2'000'000'000);
    QTRY_VERIFY(window.findChild<QLabel*>(QStringLiteral("state-cpu")) != nullptr);
    QCOMPARE(window.findChild<QLabel*>(QStringLiteral("state-cpu"))->text(), QStringLiteral("Loading model 1.0 of 2.0 GB"));
  }

  void aPauseHasItsWordsAndAWayOn_data() {
    QTest::addColumn<PauseReason>("reason");
    QTest::addColumn<QString>("told");
    QTest::addColumn<QString>("shown");
    QTest::addColumn<bool>("hasButton");
    QTest::newRow("user") << PauseReason::User << "In English."
                          << "The queue is paused." << true;
    QTest::newRow("unclean end") << PauseReason::UncleanEnd << "In English."
                                 << "Polyptych or the machine ended in the middle of its work. Nothing is lost." << true;
    QTest::newRow("storage") << PauseReason::Storage << "The disk is full."
                             << "The disk is full." << false;
    QTest::newRow("breaker") << PauseReason::Breaker << "No worker is left."
                             << "No worker is left." << true;
  }

  void aPauseHasItsWordsAndAWayOn() {
    QFETCH(PauseReason, reason);
    QFETCH(QString, told);
    QFETCH(QString, shown);
    QFETCH(bool, hasButton);
    Stage stage;
    QVERIFY(stage.run({QStringLiteral("one"), QStringLiteral("two")}));
    stage.backend.state(QStringLiteral("cpu:0"), backend::SlotState::Idle);
    stage.backend.warn(domain::WarningCode::Other, "An older message.");
    stage.backend.pause(reason, told);
    QCOMPARE(stage.message(), shown);
    auto* button = stage.find<QPushButton>("messageAction");
    QCOMPARE(button->isVisible(), hasButton);
    QVERIFY2(!stage.find<QPushButton>("dismiss")->isVisible(), "it goes with its cause alone");
    QCOMPARE(stage.find<QLabel>("state-cpu")->text(), QStringLiteral("Idle: the queue is paused"));
    QVERIFY(stage.find<QLabel>("progress")->text().endsWith(QStringLiteral("paused")));
    // A message stands over it for a while.
    stage.backend.warn(domain::WarningCode::Other, "A newer message.");
    QCOMPARE(stage.message(), QStringLiteral("A newer message."));
    QTest::mouseClick(stage.find<QPushButton>("dismiss"), Qt::LeftButton);
    QCOMPARE(stage.message(), shown);
    if (hasButton) {
      QCOMPARE(button->text(), QStringLiteral("Go on"));
      QTest::mouseClick(button, Qt::LeftButton);
      QCOMPARE(stage.backend.commands.size(), std::size_t(1));
      QCOMPARE(stage.backend.commands[0].kind, Kind::ResumeQueue);
      stage.backend.answer();
    }
    stage.backend.pause(PauseReason::None);
    QCOMPARE(stage.message(), QString());
    QVERIFY(!button->isVisible());
    QVERIFY(!stage.find<QLabel>("progress")->text().contains(QStringLiteral("paused")));
    QCOMPARE(stage.find<QLabel>("state-cpu")->text(), QStringLiteral("Idle: nothing waiting"));
  }

  void pauseAndResumeBesideStop() {
    Stage stage;
    auto* pause = stage.find<QPushButton>("pause");
    QVERIFY2(!pause->isEnabled(), "there is nothing to be paused");
    QVERIFY(stage.run({QStringLiteral("one")}));
    QVERIFY(pause->isEnabled());
    QCOMPARE(pause->text(), QStringLiteral("Pause"));
    const int width = pause->width();
    QTest::mouseClick(pause, Qt::LeftButton);
    QCOMPARE(stage.backend.commands.size(), std::size_t(1));
    QCOMPARE(stage.backend.commands[0].kind, Kind::PauseQueue);
    stage.backend.answer();
    stage.backend.pause(PauseReason::User);
    QCOMPARE(pause->text(), QStringLiteral("Resume"));
    QCoreApplication::processEvents();
    QCOMPARE(pause->width(), width);
    QTest::mouseClick(pause, Qt::LeftButton);
    QCOMPARE(stage.backend.commands.back().kind, Kind::ResumeQueue);
    stage.backend.pause(PauseReason::None);
    QCOMPARE(pause->text(), QStringLiteral("Pause"));
    // A queue that is paused can go on without a run too.
    stage.backend.pause(PauseReason::User);
    stage.backend.finish(1);
    QVERIFY(pause->isEnabled());
    stage.backend.pause(PauseReason::None);
    QVERIFY(!pause->isEnabled());
  }

  void goingOnNeedsADevice() {
    Stage stage;
    ForeignRun run(stage, 3, {});
    stage.find<QCheckBox>("tick-cpu")->setChecked(false);
    stage.backend.tell(run.status);
    stage.backend.pause(PauseReason::UncleanEnd);
    QTest::mouseClick(stage.find<QPushButton>("messageAction"), Qt::LeftButton);
    QVERIFY(stage.message().contains(QStringLiteral("No device is ticked")));
    QVERIFY(stage.backend.commands.empty());
    stage.find<QCheckBox>("tick-cpu")->setChecked(true);
    QCOMPARE(stage.backend.commands.size(), std::size_t(1));
    QCOMPARE(stage.backend.commands[0].kind, Kind::SetDevices);
  }

  void stopIsTakenBack() {
    Stage stage;
    ForeignRun run(stage, 4, {1});
    stage.backend.tell(run.status);
    QTRY_COMPARE(rows(stage), 4);
    QTest::mouseClick(stage.find<QPushButton>("stop"), Qt::LeftButton);
    QCOMPARE(stage.backend.commands.back().kind, Kind::CancelAll);
    stage.backend.answer(31);
    QVERIFY2(stage.message().isEmpty(), "a picture is still in work");
    stage.backend.finish(1, 0, true, kForeign);
    QCOMPARE(stage.message(), QStringLiteral("Stopped. 1 picture kept."));
    QCOMPARE(rows(stage), 1);
    auto* undo = stage.find<QPushButton>("messageAction");
    QCOMPARE(undo->text(), QStringLiteral("Undo"));
    QTest::mouseClick(undo, Qt::LeftButton);
    QCOMPARE(stage.backend.commands.back().kind, Kind::Undo);
    QCOMPARE(stage.backend.commands.back().undoId, qint64(31));
    QCOMPARE(stage.message(), QString());
    stage.backend.answer();
    stage.backend.tell(run.status);
    QTRY_COMPARE(rows(stage), 4);
    QCOMPARE(stage.stateOf(1), GalleryModel::State::Done);
    QCOMPARE(stage.tile(3).data(GalleryModel::PromptRole).toString(), QStringLiteral("prompt 3"));
    QVERIFY(stage.find<QLabel>("progress")->text().startsWith(QStringLiteral("1 of 4")));
    QVERIFY(stage.find<QPushButton>("stop")->isEnabled());
  }

  void stopReachesARunThatIsNotStoredYet() {
    Stage stage;
    stage.type({QStringLiteral("one")});
    QTest::mouseClick(stage.find<QPushButton>("generate"), Qt::LeftButton);
    QTRY_COMPARE(stage.backend.specs.size(), std::size_t(1));
    QTest::mouseClick(stage.find<QPushButton>("stop"), Qt::LeftButton);
    QCOMPARE(stage.backend.cancelled, std::vector<quint64>{1});
  }

  void aCommandThatFailsSaysWhy() {
    Stage stage;
    QVERIFY(stage.run({QStringLiteral("one")}));
    auto* stop = stage.find<QPushButton>("stop");
    QTest::mouseClick(stop, Qt::LeftButton);
    stage.backend.answer(0, base::Error{base::ErrorCode::DiskFull, "The disk is full.", {}});
    QCOMPARE(stage.message(), QStringLiteral("The disk is full."));
    QVERIFY(stop->isEnabled());
  }

  void theEndOfTheBackendIsToldAndGenerateIsOff() {
    Stage stage;
    QVERIFY(stage.run({QStringLiteral("one"), QStringLiteral("two")}));
    stage.backend.step(QStringLiteral("cpu:0"), 0, 5, 20);
    stage.backend.pause(PauseReason::User);
    stage.backend.lose({base::ErrorCode::Io, "The connection to polyptych-core broke. Try again.", {}});
    QVERIFY(stage.message().contains(QStringLiteral("start Polyptych again")));
    QVERIFY(stage.find<QLabel>("message")->toolTip().contains(QStringLiteral("polyptych-core broke")));
    for (const char* name : {"generate", "pause", "stop"}) {
      QVERIFY2(!stage.find<QPushButton>(name)->isEnabled(), name);
    }
    QVERIFY(!stage.find<QPushButton>("dismiss")->isVisible());
    QVERIFY(!stage.find<QPushButton>("messageAction")->isVisible());
    QCOMPARE(stage.stateOf(0), GalleryModel::State::Waiting);
    QCOMPARE(stage.find<QLabel>("state-cpu")->text(), QStringLiteral("Stopped"));
    QTest::keyClick(stage.find<QPlainTextEdit>("prompts"), Qt::Key_Return, Qt::ControlModifier);
    QCoreApplication::processEvents();
    QCOMPARE(stage.backend.specs.size(), std::size_t(1));
  }

  void closingOverWorkIsToldOnce() {
    QSettings().clear();
    QSettings().setValue(QStringLiteral("preferences/closing"), QStringLiteral("goOn"));
    auto options = tests::windowOptions();
    options.restoresSettings = true;
    const auto messageOf = [](const ui::MainWindow& window) {
      return window.findChild<QLabel*>(QStringLiteral("message"))->text();
    };
    for (const char* expected : {"", "went on with its work", ""}) {
      tests::FakeBackend backend({tests::cpuDevice()});
      ui::MainWindow window(backend, options);
      window.show();
      QCoreApplication::processEvents();
      QVERIFY2(messageOf(window).contains(QLatin1String(expected)), expected);
      QCOMPARE(messageOf(window).isEmpty(), *expected == '\0');
      backend::RunStatus status;
      status.runId = 1;
      status.total = 3;
      status.folder = QStringLiteral("/nowhere");
      backend.tell(status);
      QVERIFY(window.close());
      QCOMPARE(QApplication::activeModalWidget(), nullptr);
    }
    QSettings().clear();
  }
};

int main(int argc, char** argv) {
  QTEST_SET_MAIN_SOURCE_PATH
  return tests::runUiTest<TestQueue>(argc, argv);
}

#include "tst_queue.moc"
