#pragma once

#include <QAbstractItemModelTester>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QTimer>
#include <QWheelEvent>
#include <algorithm>
#include <functional>
#include <memory>

#include "core/backend/local_backend.h"
#include "core/gallery/picture_reader.h"
#include "tests/gallery/sample_library.h"
#include "tests/ui/stage.h"
#include "ui/gallery/compare.h"
#include "ui/gallery/filter_bar.h"
#include "ui/gallery/gallery_view.h"
#include "ui/gallery/loupe.h"

namespace polyptych::tests {

inline constexpr int kPatienceMs = 20'000;

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
    std::vector<library::RunRecord> records{recordOf(1, prompts().mid(3), "2023-11-14/001-a"),
                                            recordOf(2, prompts().mid(0, 3), "2023-11-14/002-b")};
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

  /// By row of the gallery as it stands at first.
  QList<int> starsInLibrary() const {
    QList<int> stars;
    auto reader = gallery::PictureReader::open(location());
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
  QStringList namesInMenu(const char* title) const {
    QStringList names;
    inMenuOf("filter", [&](QMenu& menu) {
      for (const QAction* action : menu.actions()) {
        if (action->menu() != nullptr && action->text() == QLatin1String(title)) {
          names = entriesOf(*action->menu());
        }
      }
    });
    return names;
  }

  const library::Location& location() const { return m_library.location; }

  std::unique_ptr<ui::MainWindow> window;

 private:
  void open() {
    auto opened = backend::LocalBackend::open(m_library.location, {});
    if (!opened) {
      qFatal("no backend: %s", opened.error().message.c_str());
    }
    m_backend = *std::move(opened);
    auto options = windowOptions();
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

  SampleLibrary m_library;
  int m_count = 0;
  std::unique_ptr<backend::LocalBackend> m_backend;
};

inline void turnWheel(QWidget& widget, QPointF at, int delta) {
  QWheelEvent event(at, widget.mapToGlobal(at), {}, {0, delta}, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
  QCoreApplication::sendEvent(&widget, &event);
}

inline void drag(QWidget& widget, QPoint from, QPoint to) {
  QTest::mousePress(&widget, Qt::LeftButton, {}, from);
  for (const QPoint at : {(from + to) / 2, to}) {
    QMouseEvent move(QEvent::MouseMove, at, widget.mapToGlobal(at), Qt::NoButton, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(&widget, &move);
  }
  QTest::mouseRelease(&widget, Qt::LeftButton, {}, to);
}

}  // namespace polyptych::tests
