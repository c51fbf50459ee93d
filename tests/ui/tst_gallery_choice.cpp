#include <QContextMenuEvent>
#include <QInputMethodEvent>
#include <QLineEdit>
#include <QSlider>

#include "tests/ui/gallery_desk.h"

using namespace polyptych;
using tests::Desk;
using ui::GalleryModel;

/// What is shown and what is chosen, by mouse and keys, in a library that is really there.
class TestGalleryChoice : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  // Filters, order, search

  void filterMenusSayHowManyThereAre() {
    Desk desk;
    desk.click(0);
    desk.key(Qt::Key_5);
    desk.click(4);
    desk.key(Qt::Key_3);
    QTRY_COMPARE(desk.namesInMenu("Stars"),
                 (QStringList{"★★★★★ 1", "★★★★ or more 1", "★★★ or more 2", "★★ or more 2", "★ or more 2"}));
    QCOMPARE(desk.namesInMenu("Model"), (QStringList{"org/tiny 6", "org/other 3"}));
    QCOMPARE(desk.namesInMenu("Run").size(), 2);
    QVERIFY2(desk.namesInMenu("Run")[0].startsWith(QStringLiteral("2 · ")), qPrintable(desk.namesInMenu("Run")[0]));
    QVERIFY(desk.namesInMenu("Run")[0].endsWith(QStringLiteral(" 3")));
    QCOMPARE(desk.namesInMenu("Day").size(), 1);
    desk.choose("filter", {"Model", "org/tiny"});
    QTRY_COMPARE(desk.shown(), Desk::prompts().mid(3));
    desk.choose("filter", {"Stars", "★★★ or more"});
    QTRY_COMPARE(desk.shown(), QStringList{"a red boat"});
    QCOMPARE(desk.chips(), (QStringList{"★★★ or more", "org/tiny"}));
    // What is chosen is marked, and goes by choosing it once more.
    desk.inMenuOf("filter", [&](QMenu& menu) {
      const QMenu* stars = menu.actions().first()->menu();
      QCOMPARE(checkedOf(*stars), QStringList{"★★★ or more"});
      Desk::clickWay(menu, {"Stars", "★★★ or more"});
    });
    QTRY_COMPARE(desk.count(), 6);
    QVERIFY(removeChip(desk, "org/tiny"));
    QTRY_COMPARE(desk.shown(), Desk::prompts());
    QVERIFY(desk.chips().isEmpty());
  }

  void menusDoNotPileUp() {
    Desk desk;
    const auto menus = [&] { return desk.find<QPushButton>("filter")->findChildren<QMenu*>().size(); };
    (void)desk.namesInMenu("Stars");
    const auto once = menus();
    for (int i = 0; i < 3; ++i) {
      (void)desk.namesInMenu("Stars");
    }
    QCOMPARE(menus(), once);
  }

  void aFilterThatNothingFitsSaysSo() {
    Desk desk;
    desk.press("showPicks");
    QTRY_COMPARE(desk.count(), 0);
    auto* empty = desk.find<QLabel>("empty");
    QTRY_VERIFY(empty->isVisible());
    QVERIFY2(empty->text().startsWith(QStringLiteral("No picture fits the filter.")), qPrintable(empty->text()));
  }

  void ordersAreChosenFromTheMenu() {
    Desk desk;
    desk.click(5);
    desk.key(Qt::Key_4);
    desk.click(1);
    desk.key(Qt::Key_2);
    QTRY_COMPARE(desk.starsInLibrary(), (QList<int>{0, 2, 0, 0, 0, 4, 0, 0, 0}));
    desk.choose("view", {"Without groups"});
    desk.choose("view", {"Oldest first"});
    const QStringList oldest = Desk::prompts().mid(3) + Desk::prompts().mid(0, 3);
    QTRY_COMPARE(desk.shown(), oldest);
    desk.choose("view", {"Newest first"});
    QStringList newest = oldest;
    std::reverse(newest.begin(), newest.end());
    QTRY_COMPARE(desk.shown(), newest);
    desk.choose("view", {"Most stars first"});
    QTRY_COMPARE(desk.shown().mid(0, 2), (QStringList{"바다 위의 달", "a red boat"}));
    QCOMPARE(desk.count(), 9);
    desk.inMenuOf("view", [](QMenu& menu) { QCOMPARE(checkedOf(menu), (QStringList{"Most stars first", "Without groups"})); });
    desk.choose("view", {"Run order"});
    QTRY_COMPARE(desk.shown(), Desk::prompts());
  }

  void groupsStandUnderHeadings() {
    Desk desk;
    const auto groups = [&] {
      QStringList titles;
      const auto* model = static_cast<const GalleryModel*>(desk.model());
      for (const auto& section : model->sections()) {
        titles << QStringLiteral("%1: %2").arg(model->titleOf(section)).arg(section.count);
      }
      return titles;
    };
    QCOMPARE(groups().size(), 2);
    QVERIFY2(groups()[0].endsWith(QStringLiteral(": 3")), qPrintable(groups()[0]));
    desk.choose("view", {"By prompt"});
    QTRY_COMPARE(groups().size(), 8);
    QVERIFY2(groups().contains(QStringLiteral("a red boat: 2")), qPrintable(groups().join(u'|')));
    desk.choose("view", {"By day"});
    QTRY_COMPARE(groups().size(), 1);
    desk.choose("view", {"Without groups"});
    QTRY_COMPARE(desk.grid()->visualRect(desk.model()->index(0, 0)).top(), 0);
  }

  void searchFindsAsOneTypes() {
    Desk desk;
    desk.key(Qt::Key_F, Qt::ControlModifier);
    auto* search = desk.find<QLineEdit>("search");
    QVERIFY(search->hasFocus());
    QTest::keyClicks(search, QStringLiteral("l"));
    QTRY_COMPARE(desk.shown(), (QStringList{"a lighthouse", "a lighthouse at night", "a yellow house", "a castle"}));
    QTest::keyClicks(search, QStringLiteral("IGHT"));
    QTRY_COMPARE(desk.shown(), (QStringList{"a lighthouse", "a lighthouse at night"}));
    QCOMPARE(desk.chips(), QStringList{"“lIGHT”"});
    // Letters are letters here: no picture is picked by the p of a prompt.
    QTest::keyClicks(search, QStringLiteral("px5"));
    QTRY_COMPARE(desk.count(), 0);
    desk.key(Qt::Key_Escape);
    QTRY_COMPARE(desk.shown(), Desk::prompts());
    QVERIFY(search->hasFocus());
    desk.key(Qt::Key_Escape);
    QVERIFY(desk.grid()->hasFocus());
    QCOMPARE(desk.starsInLibrary(), QList<int>(9, 0));
    desk.key(Qt::Key_F, Qt::ControlModifier);
    QInputMethodEvent typed;
    typed.setCommitString(QStringLiteral("달"));
    QCoreApplication::sendEvent(search, &typed);
    QTRY_COMPARE(desk.count(), 1);
    desk.key(Qt::Key_Down);
    QVERIFY(desk.grid()->hasFocus());
  }

  void tilesGrowAndShrink() {
    Desk desk;
    const auto side = [&] { return desk.grid()->visualRect(desk.model()->index(0, 0)).width(); };
    const int before = side();
    QWheelEvent wheel(QPointF(50, 50), desk.grid()->viewport()->mapToGlobal(QPointF(50, 50)), {}, {0, 120}, Qt::NoButton,
                      Qt::ControlModifier, Qt::NoScrollPhase, false);
    for (int i = 0; i < 4; ++i) {
      QCoreApplication::sendEvent(desk.grid()->viewport(), &wheel);
    }
    QVERIFY2(side() > before, qPrintable(QString::number(side())));
    auto* slider = desk.find<QSlider>("tileSize");
    QCOMPARE(slider->value(), desk.grid()->tileSide());
    slider->setFocus();
    QTest::keyClick(slider, Qt::Key_Home);
    QVERIFY(side() < before);
  }

  // Choosing

  void clicksChoose() {
    Desk desk;
    auto* words = desk.find<QLabel>("selected");
    desk.click(1);
    QCOMPARE(desk.selected(), QList<int>{1});
    QCOMPARE(words->text(), QStringLiteral("1 selected"));
    desk.click(4, Qt::ShiftModifier);
    QCOMPARE(desk.selected(), (QList<int>{1, 2, 3, 4}));
    desk.click(2, Qt::ControlModifier);
    desk.click(8, Qt::ControlModifier);
    QCOMPARE(desk.selected(), (QList<int>{1, 3, 4, 8}));
    QCOMPARE(words->text(), QStringLiteral("4 selected"));
    desk.key(Qt::Key_Escape);
    QCOMPARE(desk.selected(), QList<int>());
    QVERIFY(words->text().isEmpty());
    desk.key(Qt::Key_A, Qt::ControlModifier);
    QCOMPARE(desk.selected().size(), 9);
  }

  void keysChoose() {
    Desk desk;
    desk.click(0);
    desk.key(Qt::Key_Right);
    QCOMPARE(desk.selected(), QList<int>{1});
    desk.key(Qt::Key_Right);
    desk.key(Qt::Key_Right);
    QCOMPARE(desk.selected(), QList<int>{3});
    desk.key(Qt::Key_Right, Qt::ShiftModifier);
    desk.key(Qt::Key_Right, Qt::ShiftModifier);
    QCOMPARE(desk.selected(), (QList<int>{3, 4, 5}));
    desk.key(Qt::Key_Left, Qt::ShiftModifier);
    QCOMPARE(desk.selected(), (QList<int>{3, 4}));
    desk.key(Qt::Key_Left, Qt::ShiftModifier);
    desk.key(Qt::Key_Left, Qt::ShiftModifier);
    QCOMPARE(desk.selected(), (QList<int>{2, 3}));
    desk.key(Qt::Key_Up, Qt::ShiftModifier);
    QCOMPARE(desk.selected(), (QList<int>{2, 3}));
    desk.key(Qt::Key_End, Qt::ShiftModifier);
    QCOMPARE(desk.selected(), (QList<int>{3, 4, 5, 6, 7, 8}));
    desk.key(Qt::Key_Home, Qt::ShiftModifier);
    QCOMPARE(desk.selected(), (QList<int>{0, 1, 2, 3}));
    // Backwards in a line.
    desk.key(Qt::Key_End);
    desk.key(Qt::Key_Left, Qt::ShiftModifier);
    desk.key(Qt::Key_Left, Qt::ShiftModifier);
    QCOMPARE(desk.selected(), (QList<int>{6, 7, 8}));
    // A click with Shift goes on from where the keys began.
    desk.key(Qt::Key_End);
    desk.key(Qt::Key_Left);
    QCOMPARE(desk.selected(), QList<int>{7});
    desk.click(5, Qt::ShiftModifier);
    QCOMPARE(desk.selected(), (QList<int>{5, 6, 7}));
  }

  void aBandChooses() {
    Desk desk;
    desk.click(8);
    const QRect first = desk.grid()->visualRect(desk.model()->index(3, 0));
    const QRect last = desk.grid()->visualRect(desk.model()->index(5, 0));
    QCOMPARE(first.top(), last.top());
    // From the heading above them into them.
    tests::drag(*desk.grid()->viewport(), {first.left() + 5, first.top() - 5}, {last.center().x(), last.center().y()});
    QCOMPARE(desk.selected(), (QList<int>{3, 4, 5}));
  }

  void theMenuOfTheRightButtonMarks() {
    Desk desk;
    desk.click(2);
    desk.click(3, Qt::ShiftModifier);
    const auto open = [&] {
      QContextMenuEvent event(QContextMenuEvent::Mouse, desk.centreOf(3), desk.grid()->viewport()->mapToGlobal(desk.centreOf(3)));
      QCoreApplication::sendEvent(desk.grid()->viewport(), &event);
    };
    desk.inMenu(open, [](QMenu& menu) { Desk::clickWay(menu, {"Pick"}); });
    QTRY_COMPARE(desk.pick(2) + desk.pick(3), 2);
    desk.inMenu(open, [](QMenu& menu) { Desk::clickWay(menu, {"Stars", "Five stars"}); });
    QTRY_COMPARE(desk.stars(2) + desk.stars(3), 10);
  }

 private:
  static QStringList checkedOf(const QMenu& menu) {
    QStringList words;
    for (const QAction* action : menu.actions()) {
      if (action->isChecked()) {
        words << Desk::wordsOf(action);
      }
    }
    return words;
  }
  static bool removeChip(const Desk& desk, const char* words) {
    for (auto* button : desk.window->findChild<ui::FilterBar*>()->findChildren<QPushButton*>()) {
      if (button->property("role") == QLatin1String("chip") && button->text().startsWith(QLatin1String(words))) {
        QTest::mouseClick(button, Qt::LeftButton);
        return true;
      }
    }
    return false;
  }
};

int main(int argc, char** argv) {
  QTEST_SET_MAIN_SOURCE_PATH
  return tests::runUiTest<TestGalleryChoice>(argc, argv);
}

#include "tst_gallery_choice.moc"
