#include <QAbstractItemModelTester>
#include <QComboBox>
#include <QDBusConnection>
#include <QLineEdit>
#include <QMimeData>
#include <QProcess>
#include <QPushButton>
#include <QSignalSpy>
#include <QStandardPaths>
#include <atomic>

#include "core/queue/changes.h"
#include "core/queue/jobs.h"
#include "tests/gallery/sample_library.h"
#include "tests/ui/stage.h"
#include "ui/queue/time_line.h"

using namespace polyptych;
using Kind = backend::Command::Kind;
using queue::JobState;
using tests::SampleLibrary;
using tests::Stage;
using ui::QueueModel;

namespace {

QStringList prompts(int count, const QString& word) {
  QStringList list;
  for (int i = 0; i < count; ++i) {
    list << QStringLiteral("%1, %2").arg(word).arg(i);
  }
  return list;
}

}  // namespace

/// The part of org.freedesktop.Notifications that is used.
class NotificationService : public QObject {
  Q_OBJECT
  Q_CLASSINFO("D-Bus Interface", "org.freedesktop.Notifications")

 public Q_SLOTS:
  Q_SCRIPTABLE uint Notify(const QString&, uint, const QString&, const QString& title, const QString& body, const QStringList&,
                           const QVariantMap&, int) {
    told << title + QStringLiteral(": ") + body;
    return 42;
  }

 Q_SIGNALS:
  Q_SCRIPTABLE void ActionInvoked(uint id, const QString& action);

 public:
  QStringList told;
};

/// The queue over the gallery: its table, its commands and the time line. Units of two pictures: jobs 1, 2, 3... in their order.
class TestQueuePage : public QObject {
  Q_OBJECT

 private:
  std::unique_ptr<Stage> openStage() {
    auto stage = std::make_unique<Stage>(std::vector{tests::gpuDevice(0), tests::cpuDevice()}, QString(),
                                         [this](ui::MainWindowOptions& options) {
                                           options.model = QStringLiteral("test/small-model");
                                           options.location = m_library->location;
                                         });
    stage->window->resize(1280, 800);
    QTest::mouseClick(stage->find<QPushButton>("queueDoor"), Qt::LeftButton);
    return stage;
  }
  static QAbstractItemView* tableOf(const Stage& stage) { return stage.find<QAbstractItemView>("queue"); }
  static QStringList columnOf(const Stage& stage, int column) {
    QStringList cells;
    const auto* model = tableOf(stage)->model();
    for (int row = 0; row < model->rowCount(); ++row) {
      cells << model->index(row, column).data().toString();
    }
    return cells;
  }
  static void select(const Stage& stage, int row,
                     QItemSelectionModel::SelectionFlags flags = QItemSelectionModel::ClearAndSelect) {
    auto* table = tableOf(stage);
    table->selectionModel()->select(table->model()->index(row, 0), flags | QItemSelectionModel::Rows);
    table->selectionModel()->setCurrentIndex(table->model()->index(row, 0), QItemSelectionModel::NoUpdate);
  }
  void fail(qint64 job, base::ErrorCode code, JobState next) {
    const auto lease = queue::lease(*m_library->database, job, QStringLiteral("cuda:0"), true, 1000);
    QVERIFY(lease && *lease);
    queue::AttemptEnd end;
    end.jobId = job;
    end.lease = (*lease)->number;
    end.outcome = next == JobState::Done ? queue::AttemptOutcome::Done : queue::AttemptOutcome::Failed;
    end.next = next;
    if (next != JobState::Done) {
      end.error = base::Error{code, "It did not work.", {}};
    }
    end.nowMs = 4000;
    QVERIFY(queue::endAttempt(*m_library->database, end));
  }

 private Q_SLOTS:
  void init() {
    m_library = std::make_unique<SampleLibrary>();
    m_library->addRun(tests::recordOf(1, prompts(6, QStringLiteral("a cat")), QStringLiteral("2026/1")));
    m_library->addRun(tests::recordOf(2, prompts(4, QStringLiteral("a dog")), QStringLiteral("2026/2")));
  }
  void cleanup() { m_library.reset(); }

  void theDoorOpensTheQueueAndEscClosesIt() {
    const auto stage = openStage();
    auto* page = stage->find<QWidget>("queuePage");
    QVERIFY(page->isVisible());
    QTRY_COMPARE(columnOf(*stage, QueueModel::Prompt).size(), 5);
    QCOMPARE(columnOf(*stage, QueueModel::Run).join(u' '), QStringLiteral("1 1 1 2 2"));
    QCOMPARE(columnOf(*stage, QueueModel::Pictures)[1], QStringLiteral("3–4"));
    QCOMPARE(columnOf(*stage, QueueModel::State)[0], QStringLiteral("○ Waiting"));
    // Half of the centre, below the gallery.
    QVERIFY(page->height() > stage->window->height() / 4);
    QVERIFY(stage->grid()->isVisible());
    QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape);
    QVERIFY(!page->isVisible());
    QCOMPARE(QApplication::focusWidget(), stage->grid());
    QTest::keyClick(stage->grid(), Qt::Key_Q);
    QVERIFY(page->isVisible());
  }

  void theDoorSaysHowManyWait() {
    Stage stage;
    auto* door = stage.find<QPushButton>("queueDoor");
    QCOMPARE(door->text(), QStringLiteral("Queue"));
    backend::QueueStatus status;
    status.waiting = 1888;
    Q_EMIT stage.backend.queueChanged(status);
    QCOMPARE(door->text(), QStringLiteral("Queue 1,888"));
  }

  void statesAreCountedAndChosen() {
    fail(1, base::ErrorCode::OutOfMemory, JobState::Failed);
    fail(2, base::ErrorCode::WorkerDied, JobState::Parked);
    const auto stage = openStage();
    auto* state = stage->find<QComboBox>("queueState");
    QTRY_COMPARE(state->itemText(0), QStringLiteral("Open 5"));
    QCOMPARE(state->itemText(1), QStringLiteral("○ Waiting 3"));
    QCOMPARE(state->itemText(3), QStringLiteral("■ Failed 1"));
    QCOMPARE(state->itemText(4), QStringLiteral("▲ Parked 1"));
    state->setCurrentIndex(3);
    Q_EMIT state->activated(3);
    QTRY_COMPARE(columnOf(*stage, QueueModel::State), QStringList{QStringLiteral("■ Failed")});
    QCOMPARE(columnOf(*stage, QueueModel::Why), QStringList{QStringLiteral("out of memory")});
    auto* run = stage->find<QComboBox>("queueRun");
    QCOMPARE(run->count(), 3);
    state->setCurrentIndex(0);
    run->setCurrentIndex(run->findData(quint64(2)));
    Q_EMIT run->activated(run->currentIndex());
    QTRY_COMPARE(columnOf(*stage, QueueModel::Run), (QStringList{QStringLiteral("2"), QStringLiteral("2")}));
    state->setCurrentIndex(6);
    Q_EMIT state->activated(6);
    QTRY_VERIFY(stage->find<QLabel>("queueNothing")->isVisible());
  }

  void aSelectedRowKeepsTheColourOfItsState() {
    fail(1, base::ErrorCode::OutOfMemory, JobState::Failed);
    fail(2, base::ErrorCode::WorkerDied, JobState::Parked);
    for (const auto kind : {ui::ThemeKind::Light, ui::ThemeKind::Dark}) {
      ui::applyTheme(*qApp, kind);
      const ui::Tokens& t = ui::currentTokens();
      const auto stage = openStage();
      auto* table = tableOf(*stage);
      QTRY_COMPARE(columnOf(*stage, QueueModel::State).filter(QStringLiteral("Parked")).size(), 1);
      for (const bool isSelected : {false, true}) {
        if (isSelected) {
          table->selectAll();
        }
        QCoreApplication::processEvents();
        const QImage image = stage->window->grab().toImage();
        for (int row = 0; row < table->model()->rowCount(); ++row) {
          const QModelIndex index = table->model()->index(row, QueueModel::State);
          const QString words = index.data().toString();
          const QColor wanted = words.contains(QStringLiteral("Failed"))   ? t.bad
                                : words.contains(QStringLiteral("Parked")) ? t.warning
                                                                           : t.secondary;
          const QRect inside = table->visualRect(index);
          const QRect cell(table->viewport()->mapTo(stage->window.get(), inside.topLeft()), inside.size());
          QCOMPARE(image.pixelColor(cell.topRight() - QPoint(2, -2)), isSelected ? t.raised : t.surface);
          int inColour = 0;
          for (int y = cell.top(); y <= cell.bottom(); ++y) {
            for (int x = cell.left(); x <= cell.right(); ++x) {
              inColour += image.pixelColor(x, y) == wanted;
            }
          }
          QVERIFY2(inColour > 8, qPrintable(words + QStringLiteral(": %1").arg(inColour)));
        }
      }
    }
  }

  void theKeyboardStaysNearJobsThatGo() {
    const auto stage = openStage();
    auto* table = tableOf(*stage);
    QTRY_COMPARE(table->model()->rowCount(), 5);
    QVERIFY(table->hasFocus());
    QVERIFY(queue::cancelWaiting(*m_library->database, {}, 5));
    stage->backend.tell({});
    QTRY_VERIFY(stage->find<QLabel>("queueNothing")->isVisible());
    QCOMPARE(QApplication::focusWidget(), stage->find<QComboBox>("queueState"));
    m_library->addRun(tests::recordOf(3, prompts(2, QStringLiteral("a bird")), QStringLiteral("2026/3")));
    stage->backend.tell({});
    QTRY_VERIFY(table->isVisible());
    QVERIFY(table->hasFocus());
    // Nobody is called away from elsewhere.
    QVERIFY(queue::cancelWaiting(*m_library->database, {}, 6));
    stage->backend.tell({});
    QTRY_VERIFY(!table->isVisible());
    stage->find<QWidget>("prompts")->setFocus();
    m_library->addRun(tests::recordOf(4, prompts(2, QStringLiteral("a bird")), QStringLiteral("2026/4")));
    stage->backend.tell({});
    QTRY_VERIFY(table->isVisible());
    QVERIFY(stage->find<QWidget>("prompts")->hasFocus());
  }

  void changesComeWithoutLosingTheSelection() {
    const auto stage = openStage();
    auto* model = qobject_cast<QueueModel*>(tableOf(*stage)->model());
    QAbstractItemModelTester tester(model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    QTRY_COMPARE(model->rowCount(), 5);
    select(*stage, 2);
    QSignalSpy resets(model, &QAbstractItemModel::modelReset);
    // The first is made, the last goes to the front, one fails, another run comes.
    fail(1, {}, JobState::Done);
    fail(4, base::ErrorCode::OutOfMemory, JobState::Failed);
    QVERIFY(queue::moveToFront(*m_library->database, {{5}, 0}, 5));
    m_library->addRun(tests::recordOf(3, prompts(2, QStringLiteral("a bird")), QStringLiteral("2026/3")));
    stage->backend.tell({});
    QTRY_COMPARE(model->rowCount(), 5);
    QTRY_COMPARE(columnOf(*stage, QueueModel::Run).join(u' '), QStringLiteral("2 1 1 3 2"));
    QCOMPARE(resets.size(), 0);
    const QModelIndexList selected = tableOf(*stage)->selectionModel()->selectedRows();
    QCOMPARE(selected.size(), 1);
    QCOMPARE(selected[0].data(QueueModel::IdRole).toLongLong(), qint64(3));
    QCOMPARE(selected[0].row(), 2);
    QCOMPARE(columnOf(*stage, QueueModel::State)[4], QStringLiteral("■ Failed"));
  }

  void commandsGoToTheBackendAndCanBeUndone() {
    const auto stage = openStage();
    QTRY_COMPARE(tableOf(*stage)->model()->rowCount(), 5);
    auto* cancel = stage->find<QPushButton>("queueCancel");
    QVERIFY(!cancel->isVisible());
    select(*stage, 1);
    select(*stage, 3, QItemSelectionModel::Select);
    QVERIFY(cancel->isVisible());
    QVERIFY(!stage->find<QPushButton>("queueRetry")->isVisible());
    QTest::mouseClick(cancel, Qt::LeftButton);
    QCOMPARE(stage->backend.commands.back().kind, Kind::CancelAll);
    QCOMPARE(stage->backend.commands.back().jobs.jobIds, (std::vector<qint64>{2, 4}));
    stage->backend.answer(77);
    QCOMPARE(stage->message(), QStringLiteral("1 picture cancelled."));
    QTest::mouseClick(stage->find<QPushButton>("messageAction"), Qt::LeftButton);
    QCOMPARE(stage->backend.commands.back().kind, Kind::Undo);
    QCOMPARE(stage->backend.commands.back().undoId, qint64(77));
    tableOf(*stage)->setFocus();
    QTest::keyClick(tableOf(*stage), Qt::Key_Home, Qt::ControlModifier);
    QCOMPARE(stage->backend.commands.back().kind, Kind::MoveToFront);
    stage->backend.answer(78);
    QCOMPARE(stage->message(), QStringLiteral("1 picture moved to the front."));
    // Taken back by a key, newest first and each once.
    QTest::keyClick(tableOf(*stage), Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(stage->backend.commands.back().kind, Kind::Undo);
    QCOMPARE(stage->backend.commands.back().undoId, qint64(78));
    stage->backend.answer();
    QCOMPARE(stage->message(), QStringLiteral("The queue is as it was before."));
    QTest::keyClick(tableOf(*stage), Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(stage->message(), QStringLiteral("There is nothing to undo in the queue."));
    select(*stage, 1);
    QTest::keyClick(tableOf(*stage), Qt::Key_Down, Qt::AltModifier);
    QCOMPARE(stage->backend.commands.back().kind, Kind::MoveBefore);
    QCOMPARE(stage->backend.commands.back().jobs.jobIds, std::vector<qint64>{2});
    QCOMPARE(stage->backend.commands.back().before, qint64(4));
    QTest::keyClick(tableOf(*stage), Qt::Key_Up, Qt::AltModifier);
    QCOMPARE(stage->backend.commands.back().before, qint64(1));
    // The last but one goes behind the last: that one goes before it.
    select(*stage, 3);
    QTest::keyClick(tableOf(*stage), Qt::Key_Down, Qt::AltModifier);
    QCOMPARE(stage->backend.commands.back().jobs.jobIds, std::vector<qint64>{5});
    QCOMPARE(stage->backend.commands.back().before, qint64(4));
    stage->window->shell().actions().trigger(QStringLiteral("queue.pauseRun"));
    QCOMPARE(stage->backend.commands.back().kind, Kind::PauseRun);
    QCOMPARE(stage->backend.commands.back().jobs.runId, quint64(2));
  }

  void jobsAreDragged() {
    const auto stage = openStage();
    auto* model = tableOf(*stage)->model();
    QTRY_COMPARE(model->rowCount(), 5);
    const std::unique_ptr<QMimeData> dragged(model->mimeData({model->index(3, 0), model->index(3, 1)}));
    model->dropMimeData(dragged.get(), Qt::MoveAction, 1, 0, {});
    QCOMPARE(stage->backend.commands.back().kind, Kind::MoveBefore);
    QCOMPARE(stage->backend.commands.back().jobs.jobIds, std::vector<qint64>{4});
    QCOMPARE(stage->backend.commands.back().before, qint64(2));
    QCOMPARE(model->rowCount(), 5);
    stage->backend.answer(9);
    QCOMPARE(stage->message(), QStringLiteral("1 picture moved."));
    QVERIFY(stage->find<QPushButton>("messageAction")->isVisible());
    // Behind the last one: to the end.
    model->dropMimeData(dragged.get(), Qt::MoveAction, 5, 0, {});
    QCOMPARE(stage->backend.commands.back().kind, Kind::MoveBefore);
    QCOMPARE(stage->backend.commands.back().before, qint64(0));
    select(*stage, 0);
    QTest::keyClick(tableOf(*stage), Qt::Key_End, Qt::ControlModifier);
    QCOMPARE(stage->backend.commands.back().jobs.jobIds, std::vector<qint64>{1});
    QCOMPARE(stage->backend.commands.back().before, qint64(0));
  }

  void jobsAreMadeAgainWithOtherSettings() {
    fail(2, base::ErrorCode::OutOfMemory, JobState::Parked);
    const auto stage = openStage();
    QTRY_COMPARE(columnOf(*stage, QueueModel::State).value(1), QStringLiteral("▲ Parked"));
    select(*stage, 1);
    QTest::mouseClick(stage->find<QPushButton>("queueRequeue"), Qt::LeftButton);
    auto* steps = stage->find<QLineEdit>("requeueSteps");
    QVERIFY(steps->isVisible());
    // Tab goes as the eye does.
    QStringList fields;
    stage->find<QLineEdit>("requeuePrompt")->setFocus();
    for (int i = 0; i < 7; ++i) {
      fields << QApplication::focusWidget()->objectName();
      QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab);
    }
    QCOMPARE(fields.join(u' '), QStringLiteral("requeuePrompt requeueNegative requeueSize requeueSteps requeueGuidance "
                                               "requeueScheduler requeueSeed"));
    QTest::keyClicks(steps, QStringLiteral("0"));
    QTest::keyClick(steps, Qt::Key_Return);
    QVERIFY(stage->find<QLabel>("requeueProblem")->text().contains(QStringLiteral("Steps are")));
    steps->clear();
    QTest::keyClicks(steps, QStringLiteral("9"));
    QTest::keyClicks(stage->find<QLineEdit>("requeueSize"), QStringLiteral("64x32"));
    QTest::keyClicks(stage->find<QLineEdit>("requeueSeed"), QStringLiteral("5"));
    QTest::keyClick(steps, Qt::Key_Return);
    QTRY_COMPARE(stage->backend.specs.size(), std::size_t(1));
    const auto& spec = stage->backend.specs[0];
    QCOMPARE(spec.requests.size(), std::size_t(2));
    QCOMPARE(spec.requests[1].prompt, std::string("a cat, 3"));
    QCOMPARE(spec.requests[1].steps, 9);
    QCOMPARE(spec.requests[1].width, 64);
    QCOMPARE(spec.requests[1].seed, std::uint64_t(6));
    QCOMPARE(spec.requests[1].index, std::int64_t(1));
    QCOMPARE(spec.plan.model.name, std::string("org/tiny"));
    // The old ones go once the new ones are stored, not before.
    QVERIFY(std::ranges::none_of(stage->backend.commands, [](const auto& c) { return c.kind == Kind::Dismiss; }));
    Q_EMIT stage->backend.runStarted(spec.id, 2, 0);
    QCOMPARE(stage->backend.commands.back().kind, Kind::Dismiss);
    QCOMPARE(stage->backend.commands.back().jobs.jobIds, std::vector<qint64>{2});
    // Those that still waited would be made twice.
    QCOMPARE((stage->backend.commands.end() - 2)->kind, Kind::CancelWaiting);
    QCOMPARE((stage->backend.commands.end() - 2)->jobs.jobIds, std::vector<qint64>{2});
    // One undo for all of it: the new run goes, what had failed is there again; nothing had waited.
    const quint64 last = stage->backend.commands.size();
    Q_EMIT stage->backend.commandDone({last - 1, std::nullopt, 0, 70});
    Q_EMIT stage->backend.commandDone({last, std::nullopt, 2, 71});
    QCOMPARE(stage->message(), QStringLiteral("2 pictures wait again with other settings."));
    QTest::mouseClick(stage->find<QPushButton>("messageAction"), Qt::LeftButton);
    QCOMPARE(stage->backend.commands.size(), std::size_t(last + 2));
    QCOMPARE(stage->backend.commands[last].kind, Kind::CancelAll);
    QCOMPARE(stage->backend.commands[last].jobs.runId, spec.id);
    QCOMPARE(stage->backend.commands[last + 1].kind, Kind::Undo);
    QCOMPARE(stage->backend.commands[last + 1].undoId, qint64(71));
    Q_EMIT stage->backend.commandDone({last + 1, std::nullopt, 2, 72});
    Q_EMIT stage->backend.commandDone({last + 2, std::nullopt, 2, 0});
    QCOMPARE(stage->message(), QStringLiteral("The queue is as it was before."));
    // That its run has ended is no news.
    backend::RunSummary summary;
    summary.runId = spec.id;
    summary.wasCancelled = true;
    Q_EMIT stage->backend.runFinished(summary);
    QCOMPARE(stage->message(), QStringLiteral("The queue is as it was before."));
  }

  void jobsOfTwoRunsGoOnceBothAreStored() {
    fail(2, base::ErrorCode::OutOfMemory, JobState::Parked);
    fail(4, base::ErrorCode::OutOfMemory, JobState::Parked);
    const auto stage = openStage();
    QTRY_COMPARE(columnOf(*stage, QueueModel::State).count(QStringLiteral("▲ Parked")), 2);
    tableOf(*stage)->selectAll();
    QTest::mouseClick(stage->find<QPushButton>("queueRequeue"), Qt::LeftButton);
    QTest::keyClick(QApplication::focusWidget(), Qt::Key_Return);
    QTRY_COMPARE(stage->backend.specs.size(), std::size_t(2));
    const auto sent = stage->backend.commands.size();
    Q_EMIT stage->backend.runStarted(stage->backend.specs[1].id, 2, 0);
    QCOMPARE(stage->backend.commands.size(), sent);
    backend::RunSummary refused;
    refused.runId = stage->backend.specs[0].id;
    refused.error = base::Error{base::ErrorCode::Io, "No room.", {}};
    Q_EMIT stage->backend.runFinished(refused);
    Q_EMIT stage->backend.runStarted(stage->backend.specs[0].id, 2, 0);
    QCOMPARE(stage->backend.commands.size(), sent);
  }

  void aLongQueueIsReadAsOneScrolls() {
    m_library->addRun(tests::recordOf(3, prompts(3000, QStringLiteral("a bird")), QStringLiteral("2026/3")));
    const auto stage = openStage();
    auto* table = tableOf(*stage);
    QTRY_COMPARE(table->model()->rowCount(), 200);
    for (int i = 0; i < 10 && table->model()->rowCount() < 1505; ++i) {
      table->scrollToBottom();
      QTest::qWait(30);
    }
    QTRY_COMPARE(table->model()->rowCount(), 1505);
  }

  void whatIsKnownIsNotReadAgainAsOneScrolls() {
    m_library->addRun(tests::recordOf(3, prompts(3000, QStringLiteral("a bird")), QStringLiteral("2026/3")));
    ui::QueueLibrary library(m_library->location);
    QueueModel model(library);
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    std::vector<std::size_t> read;
    connect(&library, &ui::QueueLibrary::partRead, this,
            [&read](const ui::QueuePart& part) { read.push_back(part.rows.size()); });
    model.setActive(true);
    QTRY_COMPARE(model.rowCount(), 200);
    QCOMPARE(model.counts().waiting, 1505);
    model.readMore();
    QTRY_VERIFY(model.rowCount() >= 399);
    model.readMore();
    QTRY_VERIFY(model.rowCount() >= 797);
    QCOMPARE(read, (std::vector<std::size_t>{200, 200, 399}));
    QCOMPARE(model.counts().waiting, 1505);
    QVERIFY(!model.isWhole());
    // All of them, each once and in their order.
    model.readMore();
    QTRY_VERIFY(model.isWhole());
    QCOMPARE(model.rowCount(), 1505);
    for (int row = 1; row < model.rowCount(); ++row) {
      QVERIFY(model.at(row - 1).rank < model.at(row).rank);
    }
    // What has changed meanwhile comes with the next reading of all.
    QVERIFY(queue::moveToFront(*m_library->database, {{1505}, 0}, 5));
    model.refresh();
    QTRY_COMPARE(model.at(0).id, qint64(1505));
    QCOMPARE(model.rowCount(), 1505);
  }

  void allThatIsSelectedIsAllOfTheFilter() {
    m_library->addRun(tests::recordOf(3, prompts(3000, QStringLiteral("a bird")), QStringLiteral("2026/3")));
    fail(1, base::ErrorCode::OutOfMemory, JobState::Failed);
    const auto stage = openStage();
    auto* table = tableOf(*stage);
    QTRY_COMPARE(table->model()->rowCount(), 200);
    table->setFocus();
    QTest::keyClick(table, Qt::Key_A, Qt::ControlModifier);
    auto* selected = stage->find<QLabel>("queueSelected");
    QCOMPARE(selected->text(), QStringLiteral("1,505 selected"));
    // Said where there is room for it.
    QVERIFY(!selected->isVisible());
    stage->window->resize(1600, 900);
    QTRY_VERIFY(selected->isVisible());
    QVERIFY(stage->find<QPushButton>("queueRetry")->isVisible());
    // What comes by scrolling belongs to it.
    table->scrollToBottom();
    QTRY_VERIFY(table->model()->rowCount() > 200);
    QCOMPARE(table->selectionModel()->selectedRows().size(), table->model()->rowCount());
    QVERIFY(table->model()->rowCount() < 1505);
    QTest::keyClick(table, Qt::Key_Delete);
    QTRY_VERIFY(!stage->backend.commands.empty() && stage->backend.commands.back().kind == Kind::CancelAll);
    QCOMPARE(stage->backend.commands.back().jobs.jobIds.size(), std::size_t(1505));
    // One row more or less is a choice of rows again.
    table->selectionModel()->select(table->model()->index(1, 0), QItemSelectionModel::Deselect | QItemSelectionModel::Rows);
    QTest::keyClick(table, Qt::Key_Delete);
    QCOMPARE(stage->backend.commands.back().jobs.jobIds.size(), static_cast<std::size_t>(table->model()->rowCount() - 1));
    // And of a run alone.
    auto* run = stage->find<QComboBox>("queueRun");
    run->setCurrentIndex(run->findData(quint64(3)));
    Q_EMIT run->activated(run->currentIndex());
    QTRY_COMPARE(table->model()->index(0, 0).data().toString(), QStringLiteral("3"));
    QTest::keyClick(table, Qt::Key_A, Qt::ControlModifier);
    QTest::keyClick(table, Qt::Key_Delete);
    QTRY_COMPARE(stage->backend.commands.back().jobs.jobIds.size(), std::size_t(1500));
  }

  void theTimeLineHasABarForEachAttempt() {
    ui::TimeLine line;
    line.resize(700, 200);
    const qint64 now = QDateTime::currentMSecsSinceEpoch();
    const auto attempt = [&](const char* device, qint64 ago, std::optional<qint64> seconds,
                             std::optional<queue::AttemptOutcome> outcome) {
      queue::AttemptRow row;
      row.device = QLatin1String(device);
      row.startedMs = now - ago * 1000;
      row.endedMs = seconds ? std::optional(row.startedMs + *seconds * 1000) : std::nullopt;
      row.outcome = outcome;
      row.prompt = QStringLiteral("a cat");
      row.count = 1;
      return row;
    };
    line.setAttempts(
        {attempt("cuda:1", 3000, 300, queue::AttemptOutcome::Done), attempt("cuda:0", 600, 300, queue::AttemptOutcome::Failed),
         attempt("cuda:0", 100, std::nullopt, std::nullopt)},
        now);
    QCOMPARE(line.devices(), (QStringList{QStringLiteral("cuda:0"), QStringLiteral("cuda:1")}));
    ui::TimeLine many;
    many.setAttempts({attempt("cuda:10", 60, 30, {}), attempt("cuda:2", 60, 30, {}), attempt("cpu:0", 60, 30, {})}, now);
    QCOMPARE(many.devices().join(u' '), QStringLiteral("cpu:0 cuda:2 cuda:10"));
    const auto* found = line.attemptAt(line.barOf(attempt("cuda:0", 600, 300, {})).center());
    QVERIFY(found != nullptr);
    QCOMPARE(*found->outcome, queue::AttemptOutcome::Failed);
    QVERIFY(line.barOf(*found).left() < line.barOf(attempt("cuda:0", 100, 100, {})).left());
    QVERIFY(line.attemptAt(QPoint(2, 2)) == nullptr);
    // Keys: to and fro, in and out.
    const qint64 span = line.end() - line.begin();
    QSignalSpy earlier(&line, &ui::TimeLine::earlierWanted);
    QTest::keyClick(&line, Qt::Key_Left);
    QCOMPARE(line.end(), now - span / 4);
    QVERIFY(!earlier.isEmpty());
    QTest::keyClick(&line, Qt::Key_Home);
    QCOMPARE(line.end(), now);
    QTest::keyClick(&line, Qt::Key_Plus);
    QVERIFY(std::abs(line.end() - line.begin() - span / 2) < 10);
    QTest::keyClick(&line, Qt::Key_Minus);
    QVERIFY(std::abs(line.end() - line.begin() - span) < 20);
    QVERIFY(!line.grab().isNull());
  }

  void theTimeLineReadsTheHistory() {
    fail(1, base::ErrorCode::OutOfMemory, JobState::Failed);
    QVERIFY(m_library->database != nullptr);
    const auto stage = openStage();
    QTest::mouseClick(stage->find<QPushButton>("queueTime"), Qt::LeftButton);
    auto* line = stage->find<ui::TimeLine>("timeLine");
    QVERIFY(line->isVisible());
    QVERIFY(!stage->find<QComboBox>("queueState")->isVisible());
    // The sample's attempts are of 1970.
    Q_EMIT line->earlierWanted(0);
    QTRY_COMPARE(line->devices(), QStringList{QStringLiteral("cuda:0")});
  }

  void theEndIsToldToWhoLooksElsewhere() {
    Stage stage;
    QStringList told;
    stage.window->notifier().setSink(
        [&told](const QString& title, const QString& body) { told << title + QStringLiteral(": ") + body; });
    QVERIFY(stage.run({QStringLiteral("a"), QStringLiteral("b")}));
    stage.backend.finish(2);
    QCOMPARE(told, QStringList());
    QCOMPARE(stage.window->windowTitle(), QStringLiteral("Polyptych"));
    QTest::mouseClick(stage.find<QPushButton>("generate"), Qt::LeftButton);
    QTRY_COMPARE(stage.backend.specs.size(), std::size_t(2));
    stage.backend.start(2);
    stage.backend.picture(0, QStringLiteral("/nowhere/0.png"), QStringLiteral("cpu:0"), 2);
    QCOMPARE(stage.window->windowTitle(), QStringLiteral("50 % – Polyptych"));
    QWidget other;
    other.show();
    QApplication::setActiveWindow(&other);
    backend::RunSummary summary;
    summary.runId = 2;
    summary.total = 2;
    summary.made = 1;
    summary.failed = 1;
    Q_EMIT stage.backend.runFinished(summary);
    QCOMPARE(told, QStringList{QStringLiteral("The work has ended: 1 picture, 1 failed")});
  }

  void whereTheDesktopTakesNoNotificationsTheTrayShowsThem() {
    ui::WorkNotifier notifier;
    QStringList tray;
    std::atomic<uint> number = 0;
    notifier.setTray([&tray](const QString& title, const QString& body) { tray << title + QStringLiteral(": ") + body; });
    notifier.setDesktop(
        [&number](const QString&, const QString&) { return number == 0 ? std::nullopt : std::optional(+number); });
    notifier.notify(QStringLiteral("End"), QStringLiteral("2 pictures"));
    QTRY_COMPARE(tray, QStringList{QStringLiteral("End: 2 pictures")});
    number = 7;
    notifier.notify(QStringLiteral("End"), QStringLiteral("3 pictures"));
    QSignalSpy clicked(&notifier, &ui::WorkNotifier::clicked);
    // Only of our own, once it is known.
    QTRY_VERIFY((notifier.onActionInvoked(7, QStringLiteral("default")), !clicked.isEmpty()));
    clicked.clear();
    notifier.onActionInvoked(8, QStringLiteral("default"));
    notifier.onActionInvoked(7, QStringLiteral("close"));
    QCOMPARE(clicked.size(), 0);
    QCOMPARE(tray.size(), 1);
  }

  void notificationsGoOverTheBus() {
    const QString daemon = QStandardPaths::findExecutable(QStringLiteral("dbus-daemon"));
    if (daemon.isEmpty()) {
      QSKIP("there is no dbus-daemon on this machine");
    }
    QProcess process;
    process.start(daemon, {QStringLiteral("--session"), QStringLiteral("--nofork"), QStringLiteral("--print-address")});
    QVERIFY(process.waitForStarted());
    QTRY_VERIFY(process.canReadLine());
    const QByteArray address = process.readLine().trimmed();
    const QByteArray before = qgetenv("DBUS_SESSION_BUS_ADDRESS");
    qputenv("DBUS_SESSION_BUS_ADDRESS", address);
    {
      ui::WorkNotifier notifier;
      QStringList tray;
      notifier.setTray([&tray](const QString& title, const QString&) { tray << title; });
      notifier.notify(QStringLiteral("Early"), QString());
      QTRY_COMPARE(tray, QStringList{QStringLiteral("Early")});
      NotificationService service;
      QDBusConnection bus = QDBusConnection::connectToBus(QString::fromUtf8(address), QStringLiteral("test-service"));
      QVERIFY(bus.registerObject(QStringLiteral("/org/freedesktop/Notifications"), &service,
                                 QDBusConnection::ExportScriptableSlots | QDBusConnection::ExportScriptableSignals));
      QVERIFY(bus.registerService(QStringLiteral("org.freedesktop.Notifications")));
      QSignalSpy clicked(&notifier, &ui::WorkNotifier::clicked);
      notifier.notify(QStringLiteral("End"), QStringLiteral("2 pictures"));
      QTRY_COMPARE(service.told, QStringList{QStringLiteral("End: 2 pictures")});
      QTRY_VERIFY((Q_EMIT service.ActionInvoked(42, QStringLiteral("default")), !clicked.isEmpty()));
      QCOMPARE(tray.size(), 1);
    }
    QDBusConnection::disconnectFromBus(QStringLiteral("test-service"));
    before.isNull() ? qunsetenv("DBUS_SESSION_BUS_ADDRESS") : qputenv("DBUS_SESSION_BUS_ADDRESS", before);
    process.terminate();
    QVERIFY(process.waitForFinished());
  }

  void aClickOnTheNotificationBringsTheWindow() {
    Stage stage;
    stage.window->setWindowState(Qt::WindowMinimized);
    QWidget other;
    other.show();
    QApplication::setActiveWindow(&other);
    QVERIFY(!stage.window->isActiveWindow());
    Q_EMIT stage.window->notifier().clicked();
    QVERIFY(!stage.window->isMinimized());
    QTRY_VERIFY(stage.window->isActiveWindow());
  }

 private:
  std::unique_ptr<SampleLibrary> m_library;
};

int main(int argc, char** argv) {
  QTEST_SET_MAIN_SOURCE_PATH
  return tests::runUiTest<TestQueuePage>(argc, argv);
}

#include "tst_queue_page.moc"
