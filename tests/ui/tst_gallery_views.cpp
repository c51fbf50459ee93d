#include "tests/ui/gallery_desk.h"

using namespace polyptych;
using tests::Desk;

/// One picture, and two beside each other, by mouse and keys.
class TestGalleryViews : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  // Loupe

  void theLoupeGoesByKeys() {
    Desk desk;
    desk.click(3);
    desk.key(Qt::Key_Return);
    QVERIFY(desk.loupe()->isVisible());
    QTRY_COMPARE(shadeIn(*desk.loupe()->pane()), 0);
    desk.key(Qt::Key_Right);
    QTRY_COMPARE(shadeIn(*desk.loupe()->pane()), 1);
    desk.key(Qt::Key_Down);
    desk.key(Qt::Key_Left);
    QTRY_COMPARE(shadeIn(*desk.loupe()->pane()), 1);
    // Marks, and what they say below the picture.
    desk.key(Qt::Key_4);
    desk.key(Qt::Key_P);
    QTRY_COMPARE(desk.stars(4), 4);
    QTRY_VERIFY(desk.loupe()->accessibleName().contains(QStringLiteral("★★★★")));
    QTRY_VERIFY(desk.loupe()->accessibleName().contains(QStringLiteral("picked")));
    // Fit and 100 %.
    QVERIFY(desk.loupe()->isFit());
    desk.key(Qt::Key_Space);
    QVERIFY(!desk.loupe()->isFit());
    QCOMPARE(desk.loupe()->pane()->view().scale, 1.0);
    desk.key(Qt::Key_Plus);
    QCOMPARE(desk.loupe()->pane()->view().scale, 1.25);
    desk.key(Qt::Key_Minus);
    QCOMPARE(desk.loupe()->pane()->view().scale, 1.0);
    desk.key(Qt::Key_Z);
    QVERIFY(desk.loupe()->isFit());
    // What is trashed gives its place to the next one.
    desk.key(Qt::Key_Delete);
    QTRY_COMPARE(desk.count(), 8);
    QVERIFY(desk.loupe()->isVisible());
    QTRY_COMPARE(shadeIn(*desk.loupe()->pane()), 2);
    QVERIFY(desk.loupe()->accessibleName().startsWith(QStringLiteral("바다 위의 달")));
    desk.key(Qt::Key_G);
    QVERIFY(!desk.loupe()->isVisible());
    QVERIFY(desk.grid()->hasFocus());
    QCOMPARE(desk.grid()->currentIndex().row(), 4);
    desk.key(Qt::Key_E);
    QVERIFY(desk.loupe()->isVisible());
    desk.key(Qt::Key_Escape);
    QVERIFY(!desk.loupe()->isVisible());
  }

  void theLoupeStaysAtTheEnds() {
    Desk desk;
    desk.click(0);
    desk.key(Qt::Key_E);
    desk.key(Qt::Key_Left);
    QVERIFY(desk.loupe()->accessibleName().startsWith(QStringLiteral("a dog ")));
    for (int i = 0; i < 12; ++i) {
      desk.key(Qt::Key_Right);
    }
    QVERIFY(desk.loupe()->accessibleName().startsWith(QStringLiteral("a castle")));
    QVERIFY(desk.loupe()->isVisible());
  }

  void oneHundredPercentIsAtThePointer() {
    Desk desk;
    desk.click(1);
    desk.key(Qt::Key_E);
    ui::PicturePane* pane = desk.loupe()->pane();
    // The picture fills the height of the pane: its right half is right of the middle.
    const QPoint at = pane->rect().center() + QPoint(pane->height() / 3, 0);
    QTest::mouseDClick(pane, Qt::LeftButton, {}, at);
    QCOMPARE(pane->view().scale, 1.0);
    QVERIFY2(pane->view().centre.x() > 0.6, qPrintable(QString::number(pane->view().centre.x())));
    QTest::mouseDClick(pane, Qt::LeftButton, {}, at);
    QVERIFY(pane->view().isFit);
    tests::turnWheel(*pane, pane->rect().center(), 240);
    QVERIFY(!pane->view().isFit);
    const QPointF before = pane->view().centre;
    tests::drag(*pane, {100, 100}, {60, 100});
    QVERIFY(pane->view().centre.x() > before.x());
    QCOMPARE(pane->view().centre.y(), before.y());
  }

  void aPictureFillsTheScreenAndGivesItBack() {
    Desk desk;
    desk.click(1);
    desk.key(Qt::Key_F);
    QVERIFY(desk.loupe()->isVisible());
    QTRY_VERIFY(desk.window->isFullScreen());
    QTRY_VERIFY(!desk.find<QWidget>("leftPanel")->isVisible());
    QVERIFY(!desk.find<QWidget>("topBar")->isVisible());
    desk.key(Qt::Key_Escape);
    QTRY_VERIFY(!desk.window->isFullScreen());
    QVERIFY(!desk.loupe()->isVisible());
    QVERIFY(desk.find<QWidget>("leftPanel")->isVisible());
    QVERIFY(desk.find<QWidget>("topBar")->isVisible());
  }

  // Comparison

  void twoArePutSideBySideWithOneView() {
    Desk desk;
    desk.click(0);
    desk.click(2, Qt::ControlModifier);
    desk.key(Qt::Key_C);
    ui::Compare* compare = desk.compare();
    QVERIFY(compare->isVisible());
    ui::PicturePane* left = compare->pane(0);
    ui::PicturePane* right = compare->pane(1);
    QTRY_COMPARE(shadeIn(*left), 0);
    QTRY_COMPARE(shadeIn(*right), 2);
    QTRY_COMPARE(compare->differences(), (QStringList{"Prompt", "Seed", "Number in the run", "File", "File size"}));
    // Whatever one is made to show, the other shows.
    desk.key(Qt::Key_Space);
    QCOMPARE(left->view().scale, 1.0);
    QVERIFY(right->view() == left->view());
    tests::turnWheel(*right, {40, 60}, 360);
    QVERIFY(right->view().scale > 1.5);
    QVERIFY(left->view() == right->view());
    const auto before = left->view();
    tests::drag(*left, {200, 200}, {150, 240});
    QVERIFY(left->view() != before);
    QVERIFY(right->view() == left->view());
    desk.key(Qt::Key_Minus);
    QVERIFY(right->view() == left->view());
    QTest::mouseDClick(right, Qt::LeftButton, {}, right->rect().center());
    QVERIFY(left->view().isFit && right->view().isFit);
    desk.key(Qt::Key_Escape);
    QVERIFY(!compare->isVisible());
    QVERIFY(desk.grid()->hasFocus());
  }

  void marksGoToTheSideWithTheRing() {
    Desk desk;
    desk.click(3);
    desk.click(4, Qt::ControlModifier);
    desk.press("compareButton");
    ui::Compare* compare = desk.compare();
    QVERIFY(compare->isVisible());
    QCOMPARE(compare->active(), 0);
    desk.key(Qt::Key_5);
    QTRY_COMPARE(desk.starsInLibrary(), (QList<int>{0, 0, 0, 5, 0, 0, 0, 0, 0}));
    desk.key(Qt::Key_Tab);
    QCOMPARE(compare->active(), 1);
    desk.key(Qt::Key_X);
    QTRY_COMPARE(desk.pick(4), -1);
    QCOMPARE(desk.pick(3), 0);
    // The arrow keys change the picture there.
    desk.key(Qt::Key_Right);
    QTRY_COMPARE(shadeIn(*compare->pane(1)), 2);
    QCOMPARE(shadeIn(*compare->pane(0)), 0);
    desk.key(Qt::Key_2);
    QTRY_COMPARE(desk.starsInLibrary(), (QList<int>{0, 0, 0, 5, 0, 2, 0, 0, 0}));
    // And a press on the other side.
    QTest::mouseClick(compare->pane(0), Qt::LeftButton, {}, compare->pane(0)->rect().center());
    QCOMPARE(compare->active(), 0);
  }

  void oneIsComparedWithTheNext() {
    Desk desk;
    desk.click(6);
    desk.key(Qt::Key_C);
    QVERIFY(desk.compare()->isVisible());
    QTRY_COMPARE(shadeIn(*desk.compare()->pane(0)), 3);
    QTRY_COMPARE(shadeIn(*desk.compare()->pane(1)), 4);
    desk.press("closeCompare");
    QVERIFY(!desk.compare()->isVisible());
    // The last one has none.
    desk.click(8);
    desk.key(Qt::Key_C);
    QVERIFY(!desk.compare()->isVisible());
    QVERIFY(desk.message().startsWith(QStringLiteral("Choose two pictures to compare")));
  }

 private:
  /// Pictures are plain, each with its number in the run as colour.
  static int shadeIn(ui::PicturePane& pane) { return qRed(pane.grab().toImage().pixel(pane.rect().center())); }
};

int main(int argc, char** argv) {
  QTEST_SET_MAIN_SOURCE_PATH
  return tests::runUiTest<TestGalleryViews>(argc, argv);
}

#include "tst_gallery_views.moc"
