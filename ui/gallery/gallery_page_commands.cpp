#include "ui/gallery/gallery_page.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QDesktopServices>
#include <QFileInfo>
#include <QImageReader>
#include <QLineEdit>
#include <QMenu>
#include <QMimeData>
#include <QUrl>
#include <algorithm>
#include <utility>

#include "ui/gallery/compare.h"
#include "ui/gallery/filter_bar.h"
#include "ui/gallery/gallery_view.h"
#include "ui/gallery/info_panel.h"
#include "ui/gallery/loupe.h"
#include "ui/gallery/marker.h"
#include "ui/shell/pop_up.h"

/// What can be done with the pictures that are chosen: the actions with their keys, the menu, marks, copies.
namespace polyptych::ui {
namespace {

/// Larger pictures than that are copied as files alone: a clipboard keeps them in memory.
constexpr qint64 kMostCopiedPixels = qint64{64} << 20;

QByteArray starsId(int stars) { return "gallery.stars" + QByteArray::number(stars); }

}  // namespace

void GalleryPage::addActions(Actions& actions) {
  m_actions = &actions;
  using Keys = QList<QKeySequence>;
  const auto add = [&](const char* id, const char* text, const Keys& keys, std::function<void()> run) {
    // Letters are keys where pictures have the focus, and letters wherever somebody writes.
    actions.add(QLatin1String(id), text, ActionCategory::Gallery, keys, std::move(run), this);
  };
  add("gallery.open", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Open the picture large"), {Qt::Key_E}, [this] {
    if (m_grid->currentIndex().isValid()) {
      openLoupe(m_grid->currentIndex().row());
    }
  });
  add("gallery.grid", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Back to the grid"), {Qt::Key_G}, [this] { leave(); });
  add("gallery.compare", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Compare two pictures"), {Qt::Key_C},
      [this] { openCompare(); });
  add("gallery.info", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Show or hide how the picture was made"), {Qt::Key_I},
      [this] { toggleInfo(); });
  add("gallery.fullScreen", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Picture on the whole screen"), {Qt::Key_F},
      [this] { toggleFullScreen(); });
  const char* const stars[] = {
      QT_TRANSLATE_NOOP("polyptych::ui::Actions", "No stars"),   QT_TRANSLATE_NOOP("polyptych::ui::Actions", "One star"),
      QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Two stars"),  QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Three stars"),
      QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Four stars"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Five stars")};
  static_assert(std::size(stars) == gallery::kMaxStars + 1);
  for (int i = 0; i <= gallery::kMaxStars; ++i) {
    add(starsId(i).constData(), stars[i], {QKeySequence(Qt::Key_0 + i)}, [this, i] { setStars(i); });
  }
  add("gallery.pick", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Pick"), {Qt::Key_P}, [this] { setPick(1); });
  add("gallery.reject", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Reject"), {Qt::Key_X}, [this] { setPick(-1); });
  add("gallery.unmark", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Neither pick nor reject"), {Qt::Key_U},
      [this] { setPick(0); });
  add("gallery.tag", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Add a tag, or add to an album"), {Qt::Key_T}, [this] {
    if (!m_info->isVisible()) {
      toggleInfo();
    }
    m_wantsTags = true;
    m_infoTimer.start();
  });
  add("gallery.trash", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Move to the trash, or out of it"), {Qt::Key_Delete},
      [this] { trash(); });
  add("gallery.undo", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Undo the last mark"), {Qt::CTRL | Qt::Key_Z}, [this] {
    if (!m_marker->undo()) {
      say(tr("There is no mark to undo."));
    }
  });
  add("gallery.export", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Export pictures"), {Qt::CTRL | Qt::Key_E},
      [this] { openExport(); });
  add("gallery.copyPicture", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Copy the picture"), {Qt::CTRL | Qt::Key_C},
      [this] { copyPicture(); });
  add("gallery.copyPrompt", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Copy the prompt"), {Qt::CTRL | Qt::SHIFT | Qt::Key_C},
      [this] { copyPrompt(); });
  add("gallery.useSettings", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Use the picture's settings"), {}, [this] {
    withDetails([this](const gallery::PictureDetails& details) { Q_EMIT useSettingsRequested(details.metadata, {}); });
  });
  add("gallery.useSeed", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Use the picture's seed"), {}, [this] {
    withDetails([this](const gallery::PictureDetails& details) { Q_EMIT useSeedRequested(details.metadata.request.seed); });
  });
  add("gallery.showFile", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Show the picture in the file manager"), {},
      [this] { showInFileManager(); });
  actions.add(QStringLiteral("gallery.search"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Search prompts"),
              ActionCategory::Gallery, {Qt::CTRL | Qt::Key_F}, [this] {
                leave();
                searchField()->setFocus(Qt::ShortcutFocusReason);
                searchField()->selectAll();
              });
}

std::vector<int> GalleryPage::targetRows() const {
  const QWidget* page = m_pages->currentWidget();
  if (page == m_loupe) {
    return m_inLoupe.isValid() ? std::vector{m_inLoupe.row()} : std::vector<int>();
  }
  if (page == m_compare) {
    const QPersistentModelIndex& at = m_inCompare[m_compare->active()];
    return at.isValid() ? std::vector{at.row()} : std::vector<int>();
  }
  std::vector<int> rows;
  for (const QItemSelectionRange& range : m_grid->selectionModel()->selection()) {
    for (int row = range.top(); row <= range.bottom(); ++row) {
      rows.push_back(row);
    }
  }
  if (rows.empty() && m_grid->currentIndex().isValid()) {
    rows.push_back(m_grid->currentIndex().row());
  }
  std::ranges::sort(rows);
  return rows;
}

std::vector<qint64> GalleryPage::targets() const {
  std::vector<qint64> ids;
  for (const int row : targetRows()) {
    if (const qint64 id = m_model->entryAt(row).id; id != 0) {
      ids.push_back(id);
    }
  }
  return ids;
}

void GalleryPage::mark(backend::MarkChange change) {
  change.pictures = targets();
  if (change.pictures.empty()) {
    say(tr("Choose a finished picture first."));
    return;
  }
  m_marker->mark(std::move(change));
}

void GalleryPage::setStars(int stars) {
  backend::MarkChange change;
  change.stars = stars;
  mark(std::move(change));
}

void GalleryPage::setPick(int pick) {
  backend::MarkChange change;
  change.pick = pick;
  mark(std::move(change));
}

void GalleryPage::trash() {
  const std::vector<int> rows = targetRows();
  if (rows.empty()) {
    return;
  }
  // The next picture takes the place of the ones that go.
  const int after = rows.back() + 1 < m_model->rowCount() ? rows.back() + 1 : rows.front() - 1;
  const QPersistentModelIndex next = m_model->index(after);
  backend::MarkChange change;
  change.isTrashed = m_bar->query().filter.trash != gallery::PictureFilter::Trash::Only;
  mark(std::move(change));
  if (m_pages->currentWidget() == m_loupe) {
    const int row = next.isValid() ? m_model->nextDone(next.row(), 1) : -1;
    const int other = row >= 0 ? row : m_model->nextDone(m_model->rowCount() - 1, -1);
    other >= 0 ? openLoupe(other) : leave();
  } else if (next.isValid() && m_pages->currentWidget() == m_gridPage) {
    m_grid->selectionModel()->setCurrentIndex(next, QItemSelectionModel::ClearAndSelect);
  }
}

void GalleryPage::tellMarked(const backend::MarkChange& change, qint64 undoId) {
  const int count = static_cast<int>(change.pictures.size());
  MessageBar::Action undo;
  if (undoId != 0) {
    undo = {tr("Undo"), [this] { m_marker->undo(); }};
  }
  if (change.isTrashed) {
    say(*change.isTrashed ? tr("%n picture(s) moved to the trash.", nullptr, count)
                          : tr("%n picture(s) taken out of the trash.", nullptr, count),
        undo);
  } else if (count > 1) {
    // A mark on one picture is seen; on many it may be out of sight.
    say(tr("%n picture(s) marked.", nullptr, count), undo);
  }
}

void GalleryPage::withRows(std::function<void(const QStringList& prompts, const QList<QUrl>& files)> use) {
  // The grid knows the rows that are seen; a choice may be longer.
  const std::vector<qint64> ids = targets();
  QStringList open;
  for (const int row : targetRows()) {
    if (m_model->entryAt(row).id == 0) {
      open << m_model->index(row).data(GalleryModel::PromptRole).toString();
    }
  }
  m_model->library().askRowsThen(ids, [use = std::move(use), open](const std::vector<gallery::PictureRow>& rows) {
    QStringList prompts;
    QList<QUrl> files;
    for (const gallery::PictureRow& row : rows) {
      prompts << row.prompt;
      files << QUrl::fromLocalFile(row.path);
    }
    prompts << open;
    prompts.removeAll(QString());
    prompts.removeDuplicates();
    use(prompts, files);
  });
}

void GalleryPage::copyPrompt() {
  withRows([this](const QStringList& prompts, const QList<QUrl>&) {
    if (!prompts.isEmpty()) {
      QApplication::clipboard()->setText(prompts.join(u'\n'));
      say(tr("%n prompt(s) copied.", nullptr, static_cast<int>(prompts.size())));
    }
  });
}

void GalleryPage::copyPicture() {
  withRows([this](const QStringList&, const QList<QUrl>& urls) {
    if (!urls.isEmpty()) {
      copyFiles(urls);
    }
  });
}

void GalleryPage::copyFiles(const QList<QUrl>& urls) {
  m_threads.start([this, urls] {
    QImage image;
    if (urls.size() == 1) {
      QImageReader reader(urls.front().toLocalFile());
      if (qint64{reader.size().width()} * reader.size().height() <= kMostCopiedPixels) {
        image = reader.read();
      }
    }
    // The page waits for its threads before it goes.
    QMetaObject::invokeMethod(
        this,
        [this, urls, image] {
          auto* copied = new QMimeData;
          copied->setUrls(urls);
          if (!image.isNull()) {
            copied->setImageData(image);
          }
          QApplication::clipboard()->setMimeData(copied);
          say(tr("%n picture(s) copied.", nullptr, static_cast<int>(urls.size())));
        },
        Qt::QueuedConnection);
  });
}

void GalleryPage::showInFileManager() {
  const std::vector<int> rows = targetRows();
  const QString path = rows.empty() ? QString() : m_model->index(rows.front()).data(GalleryModel::PathRole).toString();
  if (!path.isEmpty()) {
    QDesktopServices::openUrl(QUrl::fromLocalFile(QFileInfo(path).path()));
  }
}

void GalleryPage::withDetails(std::function<void(const gallery::PictureDetails&)> use) {
  const std::vector<qint64> ids = targets();
  if (ids.empty()) {
    say(tr("Choose a finished picture first."));
    return;
  }
  m_waitingId = ids.front();
  m_waitingForDetails = std::move(use);
  m_model->library().askDetails(m_waitingId);
}

void GalleryPage::showMenu(const QPoint& at) {
  if (!m_grid->indexAt(at).isValid()) {
    return;
  }
  auto* menu = new QMenu(this);
  const auto add = [this](QMenu* to, const char* id) {
    if (QAction* action = m_actions != nullptr ? m_actions->action(QLatin1String(id)) : nullptr) {
      to->addAction(action);
    }
  };
  add(menu, "gallery.open");
  add(menu, "gallery.compare");
  menu->addSeparator();
  QMenu* stars = menu->addMenu(tr("Stars"));
  for (int i = gallery::kMaxStars; i >= 0; --i) {
    add(stars, starsId(i).constData());
  }
  for (const char* id : {"gallery.pick", "gallery.reject", "gallery.unmark", "gallery.tag"}) {
    add(menu, id);
  }
  menu->addSeparator();
  for (const char* id : {"gallery.useSettings", "gallery.useSeed", "gallery.copyPicture", "gallery.copyPrompt",
                         "gallery.showFile", "gallery.export"}) {
    add(menu, id);
  }
  menu->addSeparator();
  add(menu, "gallery.trash");
  popUp(menu, m_grid->viewport()->mapToGlobal(at));
}

}  // namespace polyptych::ui
