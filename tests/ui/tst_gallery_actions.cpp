#include <QAbstractItemModelTester>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QContextMenuEvent>
#include <QDoubleSpinBox>
#include <QDragEnterEvent>
#include <QInputMethodEvent>
#include <QLineEdit>
#include <QMenu>
#include <QMimeData>
#include <QPushButton>
#include <QSignalSpy>
#include <QSlider>
#include <QSpinBox>
#include <QTimer>
#include <QWheelEvent>
#include <functional>

#include "core/backend/local_backend.h"
#include "core/gallery/picture_reader.h"
#include "tests/gallery/foreign_png.h"
#include "tests/gallery/sample_library.h"
#include "tests/ui/stage.h"
#include "ui/gallery/compare.h"
#include "ui/gallery/filter_bar.h"
#include "ui/gallery/gallery_view.h"
#include "ui/gallery/info_panel.h"
#include "ui/gallery/loupe.h"

using namespace polyptych;
using tests::Stage;
using ui::GalleryModel;

namespace {

constexpr int kPatienceMs = 20'000;

/// Nine pictures of two runs in a library, and the window on a backend that keeps their marks.
class Desk {
 public:
  explicit Desk(const std::vector<library::RunRecord>& records = Desk::records()) {
    for (const library::RunRecord& record : records) {
      m_count += int(record.requests.size());
      m_library.addRun(record);
      QVERIFY(m_library.database->change("BEGIN").isOk());
      m_library.addPictures(record);
      QVERIFY(m_library.database->change("COMMIT").isOk());
    }
    m_library.database.reset();
    open();
  }

  /// As they stand in the gallery: the newest run first.
  static QStringList prompts() {
    return {"a dog",      "a red boat",   "a dog & a cat",         "a lighthouse",
            "a red boat", "바다 위의 달", "a lighthouse at night", "a yellow house",
            "a castle"};
  }
  static std::vector<library::RunRecord> records() {
    std::vector<library::RunRecord> records{tests::recordOf(1, prompts().mid(3), "2023-11-14/001-a"),
                                            tests::recordOf(2, prompts().mid(0, 3), "2023-11-14/002-b")};
    records[1].plan.model.name = "org/other";
    for (library::RunRecord& record : records) {
      for (domain::GenerationRequest& request : record.requests) {
        request.width = record.id == 1 ? 64 : 1200;
        request.height = record.id == 1 ? 48 : 900;
        request.steps = 20 + int(record.id);
        request.guidanceScale = 6.5;
        request.negativePrompt = "blurry";
      }
    }
    return records;
  }

  /// Ends the window and its backend, and starts others.
  void reopen() {
    window.reset();
    m_backend.reset();
    open();
  }

  template <typename Widget>
  Widget* find(const char* name) const {
    auto* widget = window->findChild<Widget*>(QLatin1String(name));
    if (widget == nullptr) {
      qFatal("no widget %s", name);
    }
    return widget;
  }
  ui::GalleryView* grid() const { return find<ui::GalleryView>("gallery"); }
  ui::Loupe* loupe() const { return find<ui::Loupe>("loupe"); }
  ui::Compare* compare() const { return find<ui::Compare>("compare"); }
  QAbstractItemModel* model() const { return grid()->model(); }
  int count() const { return model()->rowCount(); }
  QVariant data(int row, int role) const { return model()->index(row, 0).data(role); }
  int stars(int row) const { return data(row, GalleryModel::StarsRole).toInt(); }
  int pick(int row) const { return data(row, GalleryModel::PickRole).toInt(); }
  QString message() const { return find<QLabel>("message")->text(); }
  QStringList shown() const {
    QStringList prompts;
    for (int row = 0; row < count(); ++row) {
      prompts << data(row, GalleryModel::PromptRole).toString();
    }
    return prompts;
  }
  QList<int> selected() const {
    QList<int> rows;
    for (const QModelIndex& index : grid()->selectionModel()->selectedIndexes()) {
      rows << index.row();
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  QPoint centreOf(int row) const { return grid()->visualRect(model()->index(row, 0)).center(); }
  void click(int row, Qt::KeyboardModifiers modifiers = {}) const {
    QTest::mouseClick(grid()->viewport(), Qt::LeftButton, modifiers, centreOf(row));
  }
  void press(const char* button) const { QTest::mouseClick(find<QPushButton>(button), Qt::LeftButton); }
  void key(Qt::Key key, Qt::KeyboardModifiers modifiers = {}) const {
    QTest::keyClick(QApplication::focusWidget(), key, modifiers);
  }
  /// The button of the message at the bottom.
  void act() const { press("messageAction"); }

  /// Runs `look` while the menu is open that `opens` opens; closes it afterwards if it is still there.
  void inMenu(const std::function<void()>& opens, const std::function<void(QMenu&)>& look) const {
    bool hasLooked = false;
    QTimer::singleShot(0, qApp, [&] {
      auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
      QVERIFY(menu != nullptr);
      look(*menu);
      hasLooked = true;
      while (QWidget* open = QApplication::activePopupWidget()) {
        open->close();
      }
    });
    opens();
    // The menu of a button waits in its own loop, any other does not.
    QTRY_VERIFY(hasLooked);
    // The platform "offscreen" tells late that the menu was the active window.
    QCoreApplication::processEvents();
    QApplication::setActiveWindow(window.get());
  }
  void inMenuOf(const char* button, const std::function<void(QMenu&)>& look) const {
    inMenu([&] { press(button); }, look);
  }
  static QString wordsOf(const QAction* action) { return action->text().section(u'\t', 0, 0); }
  /// An entry by its words, in submenus too; clicks its way to it.
  static QMenu* clickWay(QMenu& menu, const QStringList& way) {
    QMenu* at = &menu;
    for (const QString& words : way) {
      const auto actions = at->actions();
      const auto found = std::find_if(actions.begin(), actions.end(), [&](const QAction* one) { return wordsOf(one) == words; });
      if (found == actions.end()) {
        qWarning() << "no entry" << words << "among" << entriesOf(*at);
        return nullptr;
      }
      QMenu* below = (*found)->menu();
      QTest::mouseClick(at, Qt::LeftButton, {}, at->actionGeometry(*found).center());
      if (below != nullptr && !QTest::qWaitFor([below] { return below->isVisible(); })) {
        return nullptr;
      }
      at = below;
    }
    return at;
  }
  void choose(const char* button, const QStringList& way) const {
    inMenuOf(button, [&](QMenu& menu) { clickWay(menu, way); });
  }
  /// "words count" of each entry.
  static QStringList entriesOf(const QMenu& menu) {
    QStringList entries;
    for (const QAction* action : menu.actions()) {
      if (!action->isSeparator()) {
        entries << QString(action->text()).replace(u'\t', u' ');
      }
    }
    return entries;
  }
  QStringList chips() const { return window->findChild<ui::FilterBar*>()->chipTexts(); }

  const library::Location& location() const { return m_library.location; }

  std::unique_ptr<ui::MainWindow> window;

 private:
  void open() {
    auto opened = backend::LocalBackend::open(m_library.location, {});
    if (!opened) {
      qFatal("no backend: %s", opened.error().message.c_str());
    }
    m_backend = *std::move(opened);
    auto options = tests::windowOptions();
    options.library = m_library.location.root;
    options.location = m_library.location;
    window = std::make_unique<ui::MainWindow>(*m_backend, options);
    new QAbstractItemModelTester(model(), QAbstractItemModelTester::FailureReportingMode::QtTest, window.get());
    window->resize(1280, 800);
    window->show();
    QApplication::setActiveWindow(window.get());
    if (!QTest::qWaitFor([this] { return count() == m_count; }, kPatienceMs)) {
      qFatal("%d pictures", count());
    }
    // Rows are read and facets are counted a moment later.
    if (!QTest::qWaitFor([this] { return !data(0, GalleryModel::PromptRole).toString().isEmpty(); }, kPatienceMs)) {
      qFatal("no row is read");
    }
    if (!QTest::qWaitFor([this] { return find<QPushButton>("showAll")->text() == QStringLiteral("All %1").arg(m_count); },
                         kPatienceMs)) {
      qFatal("nothing is counted");
    }
    grid()->setFocus();
  }

  tests::SampleLibrary m_library;
  int m_count = 0;
  std::unique_ptr<backend::LocalBackend> m_backend;
};

/// As the window system gives it: to whatever stands at that place of the window.
bool drop(ui::MainWindow& window, const QWidget& target, const QString& path) {
  QMimeData data;
  data.setUrls({QUrl::fromLocalFile(path)});
  const QPoint at = target.mapTo(&window, target.rect().center());
  QDragEnterEvent enter(at, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QCoreApplication::sendEvent(window.windowHandle(), &enter);
  QDragMoveEvent move(at, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QCoreApplication::sendEvent(window.windowHandle(), &move);
  QDropEvent event(at, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QCoreApplication::sendEvent(window.windowHandle(), &event);
  return enter.isAccepted() && event.isAccepted();
}

void turnWheel(QWidget& widget, QPointF at, int delta) {
  QWheelEvent event(at, widget.mapToGlobal(at), {}, {0, delta}, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
  QCoreApplication::sendEvent(&widget, &event);
}

void drag(QWidget& widget, QPoint from, QPoint to) {
  QTest::mousePress(&widget, Qt::LeftButton, {}, from);
  for (const QPoint at : {(from + to) / 2, to}) {
    QMouseEvent move(QEvent::MouseMove, at, widget.mapToGlobal(at), Qt::NoButton, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(&widget, &move);
  }
  QTest::mouseRelease(&widget, Qt::LeftButton, {}, to);
}

}  // namespace

/// What a person does with pictures, by mouse and keys, in a library that is really there.
class TestGalleryActions : public QObject {
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
    QTRY_COMPARE(starsInLibrary(desk)[0], 1);
    QTRY_VERIFY(changes.size() >= 2);
    desk.key(Qt::Key_0);
    QTRY_COMPARE(starsInLibrary(desk)[0], 0);
    QVERIFY(!wasBlank);
    QTRY_COMPARE(starsInLibrary(desk), (QList<int>{0, 0, 0, 0, 5, 0, 0, 0, 0}));
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
    QTRY_COMPARE(starsInLibrary(desk), (QList<int>{0, 4, 0, 0, 0, 0, 0, 0, 0}));
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
    QTRY_COMPARE(starsInLibrary(desk), (QList<int>{0, 4, 4, 4, 0, 0, 0, 4, 0}));
    QTRY_COMPARE(desk.message(), QStringLiteral("4 pictures marked."));
    QCOMPARE(desk.find<QPushButton>("messageAction")->text(), QStringLiteral("Undo"));
    desk.act();
    QTRY_COMPARE(starsInLibrary(desk), QList<int>(9, 0));
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
    QTRY_COMPARE(namesInMenu(desk, "Tags"), QStringList{"sea 2"});
    QTRY_COMPARE(namesInMenu(desk, "Albums"), QStringList{"A && B 2"});
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
    QTRY_COMPARE(starsInLibrary(desk), (QList<int>{0, 0, 0, 0, 0, 0, 0, 0, 3}));
    QTRY_COMPARE(desk.find<QPushButton>("showAll")->text(), QStringLiteral("All 9"));
    QCOMPARE(desk.shown(), Desk::prompts());
    desk.key(Qt::Key_4);
    desk.key(Qt::Key_5);
    desk.key(Qt::Key_Z, Qt::ControlModifier);
    desk.key(Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(desk.stars(8), 3);
    desk.key(Qt::Key_Z, Qt::ControlModifier);
    QTRY_COMPARE(starsInLibrary(desk), QList<int>(9, 0));
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

  // Filters, order, search

  void filterMenusSayHowManyThereAre() {
    Desk desk;
    desk.click(0);
    desk.key(Qt::Key_5);
    desk.click(4);
    desk.key(Qt::Key_3);
    QTRY_COMPARE(namesInMenu(desk, "Stars"),
                 (QStringList{"★★★★★ 1", "★★★★ or more 1", "★★★ or more 2", "★★ or more 2", "★ or more 2"}));
    QCOMPARE(namesInMenu(desk, "Model"), (QStringList{"org/tiny 6", "org/other 3"}));
    QCOMPARE(namesInMenu(desk, "Run").size(), 2);
    QVERIFY2(namesInMenu(desk, "Run")[0].startsWith(QStringLiteral("2 · ")), qPrintable(namesInMenu(desk, "Run")[0]));
    QVERIFY(namesInMenu(desk, "Run")[0].endsWith(QStringLiteral(" 3")));
    QCOMPARE(namesInMenu(desk, "Day").size(), 1);
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
    (void)namesInMenu(desk, "Stars");
    const auto once = menus();
    for (int i = 0; i < 3; ++i) {
      (void)namesInMenu(desk, "Stars");
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
    QTRY_COMPARE(starsInLibrary(desk), (QList<int>{0, 2, 0, 0, 0, 4, 0, 0, 0}));
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
    QCOMPARE(starsInLibrary(desk), QList<int>(9, 0));
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
    drag(*desk.grid()->viewport(), {first.left() + 5, first.top() - 5}, {last.center().x(), last.center().y()});
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
    turnWheel(*pane, pane->rect().center(), 240);
    QVERIFY(!pane->view().isFit);
    const QPointF before = pane->view().centre;
    drag(*pane, {100, 100}, {60, 100});
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
    turnWheel(*right, {40, 60}, 360);
    QVERIFY(right->view().scale > 1.5);
    QVERIFY(left->view() == right->view());
    const auto before = left->view();
    drag(*left, {200, 200}, {150, 240});
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
    QTRY_COMPARE(starsInLibrary(desk), (QList<int>{0, 0, 0, 5, 0, 0, 0, 0, 0}));
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
    QTRY_COMPARE(starsInLibrary(desk), (QList<int>{0, 0, 0, 5, 0, 2, 0, 0, 0}));
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

  // What leaves the gallery

  void promptsAreCopied() {
    Desk desk;
    desk.click(1);
    desk.click(5, Qt::ControlModifier);
    // The same prompt twice is one line.
    desk.click(4, Qt::ControlModifier);
    desk.key(Qt::Key_C, Qt::ControlModifier | Qt::ShiftModifier);
    QTRY_COMPARE(desk.message(), QStringLiteral("2 prompts copied."));
    QCOMPARE(QApplication::clipboard()->text(), QStringLiteral("a red boat\n바다 위의 달"));
    desk.key(Qt::Key_I);
    desk.click(7);
    QTRY_VERIFY(desk.find<QPushButton>("copyPrompt")->isVisible());
    desk.press("copyPrompt");
    QTRY_COMPARE(QApplication::clipboard()->text(), QStringLiteral("a yellow house"));
  }

  void aChoiceThatIsLongerThanTheScreenIsWhole() {
    constexpr int kMany = 400;
    QStringList prompts;
    for (int i = 0; i < kMany; ++i) {
      prompts << QStringLiteral("prompt %1").arg(i);
    }
    Desk desk({tests::recordOf(1, prompts, "2023-11-14/001-a")});
    bool isRead = false;
    connect(desk.model(), &QAbstractItemModel::dataChanged, desk.grid(),
            [&](const QModelIndex&, const QModelIndex& to) { isRead = isRead || to.row() == kMany - 1; });
    desk.key(Qt::Key_A, Qt::ControlModifier);
    desk.key(Qt::Key_C, Qt::ControlModifier | Qt::ShiftModifier);
    QTRY_COMPARE(desk.message(), QStringLiteral("400 prompts copied."));
    QCOMPARE(QApplication::clipboard()->text(), prompts.join(u'\n'));
    desk.key(Qt::Key_C, Qt::ControlModifier);
    QTRY_COMPARE(desk.message(), QStringLiteral("400 pictures copied."));
    QCOMPARE(QApplication::clipboard()->mimeData()->urls().size(), kMany);
    // And is dragged whole, without being asked twice.
    QTRY_VERIFY(isRead);
    const std::unique_ptr<QMimeData> dragged(desk.model()->mimeData(desk.grid()->selectionModel()->selectedIndexes()));
    QCOMPARE(dragged->urls().size(), kMany);
  }

  void picturesAreCopied() {
    Desk desk;
    desk.click(4);
    desk.key(Qt::Key_C, Qt::ControlModifier);
    QTRY_COMPARE(desk.message(), QStringLiteral("1 picture copied."));
    const QMimeData* copied = QApplication::clipboard()->mimeData();
    QCOMPARE(copied->urls(), QList<QUrl>{QUrl::fromLocalFile(desk.data(4, GalleryModel::PathRole).toString())});
    QCOMPARE(qvariant_cast<QImage>(copied->imageData()).size(), QSize(64, 48));
    desk.click(6, Qt::ShiftModifier);
    desk.key(Qt::Key_C, Qt::ControlModifier);
    QTRY_COMPARE(desk.message(), QStringLiteral("3 pictures copied."));
    QCOMPARE(QApplication::clipboard()->mimeData()->urls().size(), 3);
  }

  void theChosenOnesAreSavedAsThePageSays() {
    Desk desk;
    const QTemporaryDir folder;
    desk.click(1);
    desk.click(4, Qt::ControlModifier);
    desk.key(Qt::Key_E, Qt::ControlModifier);
    auto* page = desk.find<QWidget>("exportPage");
    QVERIFY(page->isVisible());
    auto* start = desk.find<QPushButton>("exportStart");
    auto* example = desk.find<QLabel>("exportExample");
    desk.press("exportZip");
    auto* place = desk.find<QLineEdit>("exportPlace");
    QVERIFY2(place->text().endsWith(QStringLiteral(".zip")), qPrintable(place->text()));
    typeOver(place, folder.filePath(QStringLiteral("mine.zip")));
    auto* name = desk.find<QLineEdit>("exportName");
    typeOver(name, QStringLiteral("{promt}"));
    QVERIFY(!start->isEnabled());
    QCOMPARE(example->text(), QStringLiteral("There is no {promt}. Take one of the words above."));
    typeOver(name, QStringLiteral("{prompt}"));
    QTRY_COMPARE(example->text(), QStringLiteral("Becomes a-red-boat.png, a-red-boat-2.png"));
    desk.find<QComboBox>("exportFormat")->setFocus();
    desk.key(Qt::Key_Down);
    QTRY_COMPARE(example->text(), QStringLiteral("Becomes a-red-boat.jpg, a-red-boat-2.jpg"));
    QVERIFY(desk.find<QSpinBox>("exportQuality")->isVisible());
    QTest::mouseClick(start, Qt::LeftButton);
    QTRY_COMPARE(desk.message(), QStringLiteral("2 pictures exported."));
    QVERIFY(!page->isVisible());
    QVERIFY(desk.grid()->hasFocus());
    const QByteArray zip = tests::readFile(folder.filePath(QStringLiteral("mine.zip")));
    QVERIFY(zip.contains("a-red-boat.jpg") && zip.contains("a-red-boat-2.jpg"));
    // A place that cannot be is told in the window, and what was typed is still there.
    desk.key(Qt::Key_E, Qt::ControlModifier);
    typeOver(place, folder.filePath(QStringLiteral("mine.zip/below.zip")));
    QTest::mouseClick(start, Qt::LeftButton);
    QTRY_VERIFY2(desk.message().contains(QStringLiteral("cannot be written. Choose another place.")), qPrintable(desk.message()));
    QVERIFY(page->isVisible());
    QCOMPARE(name->text(), QStringLiteral("{prompt}"));
    desk.key(Qt::Key_Escape);
    QVERIFY(!page->isVisible());
  }

  void allThatIsShownIsSavedWhereNothingIsChosen() {
    Desk desk;
    const QTemporaryDir folder;
    desk.choose("filter", {"Model", "org/other"});
    QTRY_COMPARE(desk.count(), 3);
    desk.grid()->setFocus();
    desk.press("exportButton");
    desk.press("exportFolder");
    typeOver(desk.find<QLineEdit>("exportPlace"), folder.filePath(QStringLiteral("all")));
    desk.find<QCheckBox>("exportMetadata")->setFocus();
    desk.key(Qt::Key_Space);
    QTest::mouseClick(desk.find<QPushButton>("exportStart"), Qt::LeftButton);
    QTRY_COMPARE(desk.message(), QStringLiteral("3 pictures exported."));
    const QDir made(folder.filePath(QStringLiteral("all")));
    QCOMPARE(made.entryList(QDir::Files), (QStringList{"001-a-dog.png", "002-a-red-boat.png", "003-a-dog-a-cat.png"}));
    QVERIFY(!tests::readFile(made.filePath(QStringLiteral("001-a-dog.png"))).contains("a dog"));
  }

  void settingsAndSeedAreTakenOver() {
    Desk desk;
    desk.find<QPlainTextEdit>("prompts")->setFocus();
    QTest::keyClicks(desk.find<QPlainTextEdit>("prompts"), QStringLiteral("what stood here"));
    desk.key(Qt::Key_Return);
    desk.click(5);
    desk.key(Qt::Key_I);
    QTRY_VERIFY(desk.window->findChild<QWidget*>("facts") != nullptr);
    desk.press("useSeed");
    QCOMPARE(desk.find<QLineEdit>("seed")->text(), QStringLiteral("18446744073709551362"));
    QCOMPARE(Stage::promptsOf(*desk.window), QStringList{"what stood here"});
    desk.click(1);
    QTRY_COMPARE(desk.window->findChild<ui::InfoPanel*>()->picture(), desk.data(1, GalleryModel::IdRole).toLongLong());
    desk.press("useSettings");
    checkForm(desk, "a red boat", "18446744073709551361", 22);
    // The list that stood there comes back.
    desk.find<QAbstractItemView>("promptList")->setFocus();
    desk.key(Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(Stage::promptsOf(*desk.window), QStringList{"what stood here"});
    // All of it does by the message.
    desk.find<QSpinBox>("steps")->setValue(9);
    desk.find<QLineEdit>("seed")->clear();
    desk.press("useSettings");
    QCOMPARE(desk.message(), QStringLiteral("The picture's settings are taken over."));
    checkForm(desk, "a red boat", "18446744073709551361", 22);
    desk.act();
    QCOMPARE(Stage::promptsOf(*desk.window), QStringList{"what stood here"});
    QCOMPARE(desk.find<QSpinBox>("steps")->value(), 9);
    QCOMPARE(desk.find<QLineEdit>("seed")->text(), QString());
    QCOMPARE(desk.find<QComboBox>("seedRule")->currentIndex(), 0);
    // By the action list, without the panel.
    desk.click(5);
    desk.window->shell().actions().trigger(QStringLiteral("gallery.useSettings"));
    QTRY_COMPARE(Stage::promptsOf(*desk.window), QStringList{"바다 위의 달"});
    QCOMPARE(desk.find<QSpinBox>("steps")->value(), 21);
  }

  // Drops

  void droppedPicturesGiveTheirSettings_data() {
    QTest::addColumn<QByteArray>("chunk");  // that keeps A1111's text; nothing: a picture of ours
    QTest::addColumn<QString>("place");
    for (const char* place : {"gallery", "promptList", "settingsBox", "rightPanel", "topBar"}) {
      QTest::addRow("ours on %s", place) << QByteArray() << QString::fromLatin1(place);
      QTest::addRow("A1111's on %s", place) << QByteArray("tEXt") << QString::fromLatin1(place);
    }
    QTest::newRow("A1111's, packed") << QByteArray("zTXt") << QStringLiteral("gallery");
    QTest::newRow("ours on the loupe") << QByteArray() << QStringLiteral("loupe");
  }
  void droppedPicturesGiveTheirSettings() {
    QFETCH(QByteArray, chunk);
    QFETCH(QString, place);
    Desk desk;
    const QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("picture.png"));
    if (chunk.isEmpty()) {
      QVERIFY(QFile::copy(desk.data(1, GalleryModel::PathRole).toString(), path));
    } else {
      const QByteArray text(
          "a red boat\nNegative prompt: blurry\nSteps: 22, Sampler: DPM++ 2M, CFG scale: 6.5, "
          "Seed: 18446744073709551361, Size: 1200x900, Model: other, Version: v1.9");
      // qCompress() puts the length in front of the stream.
      tests::writeFile(path, tests::pngWithChunk(chunk, QByteArray("parameters") + '\0' +
                                                            (chunk == "zTXt" ? '\0' + qCompress(text).mid(4) : text)));
    }
    if (place == QLatin1String("loupe")) {
      desk.click(0);
      desk.key(Qt::Key_E);
    }
    QVERIFY(drop(*desk.window, *desk.window->findChild<QWidget*>(place), path));
    QTRY_COMPARE(desk.message(), QStringLiteral("Settings taken over from picture.png."));
    checkForm(desk, "a red boat", "18446744073709551361", 22);
    QVERIFY(!desk.find<QPushButton>("stop")->isEnabled());
    QCOMPARE(desk.find<QPushButton>("messageAction")->text(), QStringLiteral("Undo"));
  }

  void droppedPicturesWithoutSettingsSaySo() {
    Desk desk;
    const QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("holiday.png"));
    QImage image(8, 8, QImage::Format_RGB888);
    image.fill(Qt::red);
    QVERIFY(image.save(path));
    const QStringList before = Stage::promptsOf(*desk.window);
    const QString steps = desk.find<QSpinBox>("steps")->text();
    QVERIFY(drop(*desk.window, *desk.grid(), path));
    QTRY_COMPARE(desk.message(), QStringLiteral("holiday.png has no settings in it that can be read."));
    QCOMPARE(Stage::promptsOf(*desk.window), before);
    QCOMPARE(desk.find<QSpinBox>("steps")->text(), steps);
    // And other files are not taken at all.
    QVERIFY(!drop(*desk.window, *desk.grid(), folder.filePath(QStringLiteral("film.mkv"))));
  }

 private:
  /// By row of the gallery as it stands at first.
  static QList<int> starsInLibrary(const Desk& desk) {
    QList<int> stars;
    auto reader = gallery::PictureReader::open(desk.location());
    for (const quint64 run : {2, 1}) {
      gallery::PictureFilter filter;
      filter.runId = run;
      filter.trash = gallery::PictureFilter::Trash::With;
      const auto rows = reader ? (*reader)->page(filter, gallery::PictureOrder::Run, 100) : reader.error();
      for (const auto& row : rows ? *rows : std::vector<gallery::PictureRow>()) {
        stars << row.stars;
      }
    }
    return stars;
  }
  static QStringList namesInMenu(const Desk& desk, const char* title) {
    QStringList names;
    desk.inMenuOf("filter", [&](QMenu& menu) {
      for (const QAction* action : menu.actions()) {
        if (action->menu() != nullptr && action->text() == QLatin1String(title)) {
          names = Desk::entriesOf(*action->menu());
        }
      }
    });
    return names;
  }
  static void typeOver(QLineEdit* field, const QString& text) {
    field->setFocus();
    field->selectAll();
    QTest::keyClicks(field, text);
  }
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
  /// Pictures are plain, each with its number in the run as colour.
  static int shadeIn(ui::PicturePane& pane) { return qRed(pane.grab().toImage().pixel(pane.rect().center())); }
  static void checkForm(const Desk& desk, const char* prompt, const char* seed, int steps) {
    QCOMPARE(Stage::promptsOf(*desk.window), QStringList{QLatin1String(prompt)});
    QCOMPARE(desk.find<QLineEdit>("seed")->text(), QLatin1String(seed));
    QCOMPARE(desk.find<QSpinBox>("steps")->value(), steps);
    QCOMPARE(desk.find<QLineEdit>("negative")->text(), QStringLiteral("blurry"));
    QCOMPARE(desk.find<QDoubleSpinBox>("guidance")->value(), 6.5);
    QCOMPARE(desk.find<QComboBox>("scheduler")->currentText(), QStringLiteral("DPM++ 2M"));
    QVERIFY2(desk.find<QComboBox>("size")->currentText().startsWith(QStringLiteral("1200")),
             qPrintable(desk.find<QComboBox>("size")->currentText()));
    QCOMPARE(desk.find<QSpinBox>("images")->value(), 1);
  }
};

int main(int argc, char** argv) {
  QTEST_SET_MAIN_SOURCE_PATH
  return tests::runUiTest<TestGalleryActions>(argc, argv);
}

#include "tst_gallery_actions.moc"
