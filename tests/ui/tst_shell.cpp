#include <QAbstractButton>
#include <QAbstractItemModelTester>
#include <QAbstractItemView>
#include <QAbstractSpinBox>
#include <QAccessible>
#include <QComboBox>
#include <QLineEdit>
#include <QPushButton>
#include <QTimer>

#include "tests/ui/stage.h"
#include "ui/shell/stall_monitor.h"

using namespace polyptych;
using backend::Command;
using tests::Stage;

/// What the window has around its work: actions and their keys, pages, panels, and how it closes.
class TestShell : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() { QSettings().clear(); }
  void cleanup() { QSettings().clear(); }

  void theActionListFindsAndRuns() {
    Stage stage;
    QTest::keyClick(stage.window.get(), Qt::Key_K, Qt::ControlModifier);
    auto* query = stage.find<QLineEdit>("actionQuery");
    QTRY_VERIFY(query->isVisible());
    QTRY_VERIFY(query->hasFocus());
    auto* list = stage.find<QAbstractItemView>("actionList");
    const int all = list->model()->rowCount();
    QVERIFY(all > 10);
    QTest::keyClicks(query, "settings");
    QTRY_VERIFY(list->model()->rowCount() > 0 && list->model()->rowCount() < all);
    QVERIFY2(list->model()->index(0, 0).data(Qt::DisplayRole).toString().contains("ettings"),
             qPrintable(list->model()->index(0, 0).data(Qt::DisplayRole).toString()));
    QTest::keyClick(query, Qt::Key_Return);
    QTRY_VERIFY(!query->isVisible());
    QTRY_VERIFY(stage.find<QWidget>("openLibrary")->isVisible());
    QVERIFY(QApplication::focusWidget() != nullptr);
    QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape);
    QTRY_VERIFY(!stage.find<QWidget>("openLibrary")->isVisible());
    // Nothing of that name: nothing runs, Esc leaves.
    QTest::keyClick(stage.window.get(), Qt::Key_K, Qt::ControlModifier);
    QTRY_VERIFY(query->isVisible());
    QTest::keyClicks(query, "qqqqzzzz");
    QTRY_COMPARE(list->model()->rowCount(), 0);
    QTest::keyClick(query, Qt::Key_Return);
    QTest::keyClick(query, Qt::Key_Escape);
    QTRY_VERIFY(!query->isVisible());
  }

  void theShortcutSheetShowsEveryKey() {
    Stage stage;
    QTest::keyClick(stage.window.get(), Qt::Key_F1);
    auto* sheet = stage.find<QAbstractItemView>("shortcuts");
    QTRY_VERIFY(sheet->isVisible());
    QAbstractItemModelTester tester(sheet->model(), QAbstractItemModelTester::FailureReportingMode::QtTest);
    const int all = sheet->model()->rowCount();
    QTest::keyClicks(stage.find<QLineEdit>("shortcutQuery"), "full screen");
    QTRY_VERIFY(sheet->model()->rowCount() < all && sheet->model()->rowCount() > 0);
    QVERIFY(QApplication::focusWidget() != nullptr);
    QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape);
    QTRY_VERIFY(!sheet->isVisible());
  }

  void closingOverWorkAsksWhatBecomesOfIt_data() {
    QTest::addColumn<QString>("choice");
    QTest::newRow("go on") << "closing0";
    QTest::newRow("finish current") << "closing1";
    QTest::newRow("stop") << "closing2";
  }
  void closingOverWorkAsksWhatBecomesOfIt() {
    QFETCH(QString, choice);
    Stage stage;
    QVERIFY(stage.run({QStringLiteral("a boat"), QStringLiteral("a cat")}));
    const std::size_t before = stage.backend.commands.size();
    QVERIFY(!stage.window->close());
    QTRY_VERIFY(stage.find<QWidget>("closingSheet")->isVisible());
    // Thinking better of it changes nothing.
    QTest::mouseClick(stage.find<QPushButton>("keepOpen"), Qt::LeftButton);
    QTRY_VERIFY(!stage.find<QWidget>("closingSheet")->isVisible());
    QVERIFY(stage.window->isVisible());
    QCOMPARE(stage.backend.commands.size(), before);
    QVERIFY(!stage.window->close());
    QTest::mouseClick(stage.find<QPushButton>(qPrintable(choice)), Qt::LeftButton);
    // Each command is answered before the next, and before the window goes.
    QTRY_VERIFY([&] {
      if (stage.backend.commands.size() > before && stage.window->isVisible()) {
        stage.backend.answer();
      }
      QCoreApplication::processEvents();
      return !stage.window->isVisible();
    }());
    if (choice == "closing0") {
      QCOMPARE(stage.backend.commands.size(), before);
    } else {
      QVERIFY(stage.backend.commands.size() > before);
      QCOMPARE(stage.backend.commands[before].kind, Command::Kind::PauseQueue);
    }
  }

  void withoutWorkNothingIsAsked() {
    Stage stage;
    QVERIFY(stage.window->close());
  }

  void panelsGiveWayInNarrowWindows() {
    Stage stage;
    stage.window->resize(1400, 800);
    QTRY_VERIFY(stage.find<QWidget>("tick-cpu")->isVisible());
    stage.window->resize(1024, 640);
    QTRY_COMPARE(stage.window->size(), QSize(1024, 640));
    QTRY_VERIFY(!stage.find<QWidget>("tick-cpu")->isVisible());
    QTest::mouseClick(stage.find<QPushButton>("showRight"), Qt::LeftButton);
    QTRY_VERIFY(stage.find<QWidget>("tick-cpu")->isVisible());
  }

  void everyControlHasANameForTheEar() {
    Stage stage({tests::gpuDevice(0), tests::cpuDevice()});
    for (const QWidget* widget : stage.window->findChildren<QWidget*>()) {
      const bool isControl =
          qobject_cast<const QAbstractButton*>(widget) != nullptr || qobject_cast<const QLineEdit*>(widget) != nullptr ||
          qobject_cast<const QComboBox*>(widget) != nullptr || qobject_cast<const QAbstractSpinBox*>(widget) != nullptr ||
          qobject_cast<const QPlainTextEdit*>(widget) != nullptr || qobject_cast<const QAbstractItemView*>(widget) != nullptr;
      // What is inside of a control is read with it.
      const bool isInside =
          widget->parentWidget() != nullptr && (qobject_cast<const QAbstractSpinBox*>(widget->parentWidget()) != nullptr ||
                                                qobject_cast<const QLineEdit*>(widget->parentWidget()) != nullptr ||
                                                qobject_cast<const QComboBox*>(widget->parentWidget()) != nullptr ||
                                                widget->parentWidget()->inherits("QComboBoxPrivateContainer"));
      if (!isControl || isInside || widget->isHidden() || widget->inherits("QHeaderView") ||
          widget->objectName().startsWith(QLatin1String("qt_"))) {
        continue;
      }
      QAccessibleInterface* ear = QAccessible::queryAccessibleInterface(const_cast<QWidget*>(widget));
      QVERIFY(ear != nullptr);
      QVERIFY2(!ear->text(QAccessible::Name).isEmpty(),
               qPrintable(QLatin1String(widget->metaObject()->className()) + QLatin1Char(' ') + widget->objectName()));
    }
  }

  void stallsOfTheWindowAreReported() {
    ui::StallMonitor monitor(ui::StallMonitor::Clock::Elapsed);
    std::vector<ui::StallMonitor::Stall> stalls;
    monitor.report = [&stalls](const ui::StallMonitor::Stall& stall) { stalls.push_back(stall); };
    monitor.limitMs = 20;
    QTimer receiver;
    receiver.setObjectName(QStringLiteral("slow"));
    const QEvent event(QEvent::Timer);
    QVERIFY(monitor.measure(&receiver, &event, [] {
      QTest::qSleep(60);
      return true;
    }));
    QCOMPARE(stalls.size(), std::size_t(1));
    QVERIFY2(stalls[0].receiver.contains("QTimer") && stalls[0].receiver.contains("slow"), stalls[0].receiver.constData());
    QCOMPARE(stalls[0].eventType, int(QEvent::Timer));
    QVERIFY(stalls[0].milliseconds >= 60);
    QVERIFY(!monitor.measure(&receiver, &event, [] { return false; }));
    QCOMPARE(stalls.size(), std::size_t(1));
  }
};

int main(int argc, char** argv) {
  QTEST_SET_MAIN_SOURCE_PATH
  return tests::runUiTest<TestShell>(argc, argv);
}

#include "tst_shell.moc"
