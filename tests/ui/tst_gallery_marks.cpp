#include <QLineEdit>
#include <QSignalSpy>

#include "tests/ui/gallery_desk.h"

using namespace polyptych;
using tests::Desk;
using tests::Stage;
using ui::GalleryModel;

/// Stars, picks, tags, albums and the trash, by mouse and keys, in a library that is really there.
class TestGalleryMarks : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  // Marks

  void digitsGiveStarsThatStay() {
    Desk desk;
    desk.click(4);
    desk.key(Qt::Key_3);
    QTRY_COMPARE(desk.stars(4), 3);
    desk.key(Qt::Key_5);
    QTRY_COMPARE(desk.stars(4), 5);
    desk.click(0);
    desk.key(Qt::Key_2);
    QTRY_COMPARE(desk.stars(0), 2);
    desk.key(Qt::Key_0);
    QTRY_COMPARE(desk.stars(0), 0);
    // Its tile does not lose its picture meanwhile.
    QSignalSpy changes(desk.model(), &QAbstractItemModel::dataChanged);
    bool wasBlank = false;
    connect(desk.model(), &QAbstractItemModel::dataChanged, desk.grid(),
            [&] { wasBlank = wasBlank || desk.data(0, GalleryModel::PathRole).toString().isEmpty(); });
    desk.key(Qt::Key_1);
    QTRY_COMPARE(desk.starsInLibrary()[0], 1);
    QTRY_VERIFY(changes.size() >= 2);
    desk.key(Qt::Key_0);
    QTRY_COMPARE(desk.starsInLibrary()[0], 0);
    QVERIFY(!wasBlank);
    QTRY_COMPARE(desk.starsInLibrary(), (QList<int>{0, 0, 0, 0, 5, 0, 0, 0, 0}));
    desk.reopen();
    QCOMPARE(desk.stars(4), 5);
    QCOMPARE(desk.stars(0), 0);
  }

  void marksAreUndoneOneByOne() {
    Desk desk;
    desk.click(1);
    desk.key(Qt::Key_3);
    desk.key(Qt::Key_4);
    desk.key(Qt::Key_P);
    QTRY_COMPARE(desk.starsInLibrary(), (QList<int>{0, 4, 0, 0, 0, 0, 0, 0, 0}));
    QTRY_COMPARE(desk.pick(1), 1);
    QTRY_COMPARE(desk.find<QPushButton>("showPicks")->text(), QStringLiteral("Picks 1"));
    desk.key(Qt::Key_Z, Qt::ControlModifier);
    QTRY_COMPARE(desk.pick(1), 0);
    QCOMPARE(desk.stars(1), 4);
    desk.key(Qt::Key_Z, Qt::ControlModifier);
    QTRY_COMPARE(desk.stars(1), 3);
    desk.key(Qt::Key_Z, Qt::ControlModifier);
    QTRY_COMPARE(desk.stars(1), 0);
    desk.key(Qt::Key_Z, Qt::ControlModifier);
    QTRY_COMPARE(desk.message(), QStringLiteral("There is no mark to undo."));
  }

  void picksAndRejectsAreShownAlone() {
    Desk desk;
    desk.click(0);
    desk.key(Qt::Key_P);
    desk.click(2);
    desk.key(Qt::Key_P);
    desk.click(3);
    desk.key(Qt::Key_X);
    desk.click(5);
    desk.key(Qt::Key_X);
    desk.key(Qt::Key_U);
    QTRY_COMPARE(desk.find<QPushButton>("showPicks")->text(), QStringLiteral("Picks 2"));
    QTRY_COMPARE(desk.find<QPushButton>("showRejects")->text(), QStringLiteral("Rejects 1"));
    desk.press("showPicks");
    QTRY_COMPARE(desk.shown(), (QStringList{"a dog", "a dog & a cat"}));
    QCOMPARE(desk.chips(), QStringList{"Picks"});
    desk.press("showRejects");
    QTRY_COMPARE(desk.shown(), QStringList{"a lighthouse"});
    QCOMPARE(desk.chips(), QStringList{"Rejects"});
    desk.press("showAll");
    QTRY_COMPARE(desk.shown(), Desk::prompts());
    // A picture that does not fit any more leaves.
    desk.press("showPicks");
    QTRY_COMPARE(desk.count(), 2);
    desk.click(0);
    desk.key(Qt::Key_U);
    QTRY_COMPARE(desk.shown(), QStringList{"a dog & a cat"});
  }

  void manyAreMarkedAtOnceAndUndoneAtOnce() {
    Desk desk;
    desk.click(1);
    desk.click(3, Qt::ShiftModifier);
    desk.click(7, Qt::ControlModifier);
    desk.key(Qt::Key_4);
    QTRY_COMPARE(desk.starsInLibrary(), (QList<int>{0, 4, 4, 4, 0, 0, 0, 4, 0}));
    QTRY_COMPARE(desk.message(), QStringLiteral("4 pictures marked."));
    QCOMPARE(desk.find<QPushButton>("messageAction")->text(), QStringLiteral("Undo"));
    desk.act();
    QTRY_COMPARE(desk.starsInLibrary(), QList<int>(9, 0));
    QTRY_COMPARE(desk.stars(3), 0);
  }

  void marksThatAreRefusedAreTakenBack() {
    tests::SampleLibrary library;
    library.addRun(Desk::records()[0]);
    library.addPictures(Desk::records()[0]);
    Stage stage({tests::cpuDevice()}, {}, [&](ui::MainWindowOptions& options) { options.location = library.location; });
    QTRY_COMPARE(stage.grid()->model()->rowCount(), 6);
    stage.grid()->setFocus();
    QTest::mouseClick(stage.grid()->viewport(), Qt::LeftButton, {}, stage.grid()->visualRect(stage.tile(2)).center());
    QTest::keyClick(stage.grid(), Qt::Key_3);
    QCOMPARE(stage.tile(2).data(GalleryModel::StarsRole).toInt(), 3);
    QCOMPARE(stage.backend.commands.size(), std::size_t(1));
    stage.backend.answer(0, base::Error{base::ErrorCode::DiskFull, "The disk is full.", {}});
    QCOMPARE(stage.tile(2).data(GalleryModel::StarsRole).toInt(), 0);
    QCOMPARE(stage.message(), QStringLiteral("The mark was taken back. The disk is full."));
    // There is nothing to undo then.
    QTest::keyClick(stage.grid(), Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(stage.backend.commands.size(), std::size_t(1));
    QCOMPARE(stage.message(), QStringLiteral("There is no mark to undo."));
  }

  void tagsAndAlbumsAreTypedAndChosenBy() {
    Desk desk;
    desk.click(3);
    desk.click(6, Qt::ControlModifier);
    desk.key(Qt::Key_T);
    QTRY_VERIFY(desk.find<QLineEdit>("tagField")->hasFocus());
    QTest::keyClicks(desk.find<QLineEdit>("tagField"), QStringLiteral("sea"));
    desk.key(Qt::Key_Return);
    QTRY_COMPARE(desk.message(), QStringLiteral("2 pictures marked."));
    QCOMPARE(desk.stars(3) + desk.pick(3), 0);
    auto* album = desk.find<QLineEdit>("albumField");
    album->setFocus();
    QTest::keyClicks(album, QStringLiteral("A & B"));
    desk.key(Qt::Key_Return);
    QTRY_COMPARE(desk.namesInMenu("Tags"), QStringList{"sea 2"});
    QTRY_COMPARE(desk.namesInMenu("Albums"), QStringList{"A && B 2"});
    desk.choose("filter", {"Albums", "A && B"});
    QTRY_COMPARE(desk.shown(), (QStringList{"a lighthouse", "a lighthouse at night"}));
    QCOMPARE(desk.chips(), QStringList{"Album A & B"});
  }

  // Trash

  void trashedPicturesComeBack() {
    Desk desk;
    desk.click(2);
    desk.click(4, Qt::ControlModifier);
    desk.key(Qt::Key_Delete);
    QTRY_COMPARE(desk.count(), 7);
    QTRY_COMPARE(desk.message(), QStringLiteral("2 pictures moved to the trash."));
    // The ring stands where they were, so that the next Delete goes on from there.
    QCOMPARE(desk.grid()->currentIndex().data(GalleryModel::PromptRole).toString(), QStringLiteral("바다 위의 달"));
    QTRY_COMPARE(desk.find<QPushButton>("showAll")->text(), QStringLiteral("All 7"));
    QCOMPARE(QApplication::activeModalWidget(), nullptr);
    desk.act();
    QTRY_COMPARE(desk.shown(), Desk::prompts());
  }

  void undoDoesNotWaitForTheDisk() {
    Desk desk;
    desk.click(8);
    desk.key(Qt::Key_Delete);
    QCOMPARE(desk.count(), 8);
    desk.key(Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(desk.count(), 9);
    desk.click(8);
    desk.key(Qt::Key_3);
    // Nothing of it comes back when the library has it all.
    QTRY_COMPARE(desk.starsInLibrary(), (QList<int>{0, 0, 0, 0, 0, 0, 0, 0, 3}));
    QTRY_COMPARE(desk.find<QPushButton>("showAll")->text(), QStringLiteral("All 9"));
    QCOMPARE(desk.shown(), Desk::prompts());
    desk.key(Qt::Key_4);
    desk.key(Qt::Key_5);
    desk.key(Qt::Key_Z, Qt::ControlModifier);
    desk.key(Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(desk.stars(8), 3);
    desk.key(Qt::Key_Z, Qt::ControlModifier);
    QTRY_COMPARE(desk.starsInLibrary(), QList<int>(9, 0));
    QTRY_COMPARE(desk.stars(8), 0);
  }

  void theTrashIsALookAway() {
    Desk desk;
    desk.click(0);
    desk.click(1, Qt::ShiftModifier);
    desk.key(Qt::Key_Delete);
    QTRY_COMPARE(desk.find<QPushButton>("showAll")->text(), QStringLiteral("All 7"));
    desk.inMenuOf("filter", [&](QMenu& menu) {
      QCOMPARE(Desk::entriesOf(menu).last(), QStringLiteral("Trash 2"));
      Desk::clickWay(menu, {QStringLiteral("Trash")});
    });
    QTRY_COMPARE(desk.shown(), (QStringList{"a dog", "a red boat"}));
    // The files are still there: it is a mark.
    QVERIFY(QFile::exists(desk.data(0, GalleryModel::PathRole).toString()));
    desk.grid()->setFocus();
    desk.key(Qt::Key_A, Qt::ControlModifier);
    QCOMPARE(desk.selected(), (QList<int>{0, 1}));
    desk.key(Qt::Key_Delete);
    QTRY_COMPARE(desk.message(), QStringLiteral("2 pictures taken out of the trash."));
    QTRY_COMPARE(desk.count(), 0);
    auto* empty = desk.find<QLabel>("empty");
    QTRY_VERIFY(empty->isVisible());
    QVERIFY(empty->text().startsWith(QStringLiteral("The trash is empty.")));
    desk.press("showAll");
    QTRY_COMPARE(desk.shown(), Desk::prompts());
  }
};

int main(int argc, char** argv) {
  QTEST_SET_MAIN_SOURCE_PATH
  return tests::runUiTest<TestGalleryMarks>(argc, argv);
}

#include "tst_gallery_marks.moc"
