#include "ui/gallery/gallery_page.h"

#include <QContextMenuEvent>
#include <QDragEnterEvent>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMimeData>
#include <QScrollBar>
#include <QSettings>
#include <QUrl>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "core/gallery/picture_settings.h"
#include "ui/gallery/compare.h"
#include "ui/gallery/export_page.h"
#include "ui/gallery/filter_bar.h"
#include "ui/gallery/gallery_session.h"
#include "ui/gallery/gallery_view.h"
#include "ui/gallery/info_panel.h"
#include "ui/gallery/loupe.h"
#include "ui/gallery/marker.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

constexpr int kInfoDelayMs = 40;
/// Group of the settings.
constexpr QLatin1String kGroup("gallery");

}  // namespace

GalleryPage::GalleryPage(backend::Backend& backend, const GalleryPageOptions& options, QWidget* parent)
    : QWidget(parent), m_backend(backend), m_options(options) {
  setObjectName(QStringLiteral("galleryPage"));
  setAcceptDrops(true);
  m_threads.setMaxThreadCount(1);
  m_model = new GalleryModel(this, GalleryModel::kThumbnailBytes, options.library);
  m_marker = new Marker(m_backend, *m_model, this);
  m_bar = new FilterBar(this);
  m_gridPage = new QWidget(this);
  m_grid = new GalleryView(m_gridPage);
  m_grid->setGallery(m_model);
  m_grid->setContextMenuPolicy(Qt::CustomContextMenu);
  m_empty = new QLabel(m_grid->viewport());
  m_empty->setObjectName(QStringLiteral("empty"));
  m_empty->setProperty("role", QStringLiteral("hint"));
  m_empty->setAlignment(Qt::AlignCenter);
  m_empty->setWordWrap(true);
  m_empty->setAttribute(Qt::WA_TransparentForMouseEvents);
  auto* over = new QVBoxLayout(m_grid->viewport());
  over->addWidget(m_empty);
  auto* gridLayout = new QVBoxLayout(m_gridPage);
  gridLayout->setContentsMargins(0, 0, 0, 0);
  gridLayout->setSpacing(0);
  gridLayout->addWidget(m_bar);
  auto* search = m_bar->searchField();
  search->setParent(m_gridPage);
  gridLayout->addWidget(search);
  gridLayout->addWidget(m_grid, 1);
  m_loupe = new Loupe(this);
  m_compare = new Compare(this);
  m_export = new ExportPage(m_model->library(), options.restoresSettings, this);
  m_pages = new QStackedWidget(this);
  for (QWidget* page :
       {m_gridPage, static_cast<QWidget*>(m_loupe), static_cast<QWidget*>(m_compare), static_cast<QWidget*>(m_export)}) {
    m_pages->addWidget(page);
  }
  m_info = new InfoPanel(this);
  m_info->hide();
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  layout->addWidget(m_pages, 1);
  layout->addWidget(m_info);
  m_infoTimer.setSingleShot(true);
  m_infoTimer.setInterval(kInfoDelayMs);
  connectParts();
  restore();
  retranslated(this, [this] {
    m_grid->setAccessibleName(tr("Gallery"));
    updateEmpty();
  });
}

GalleryPage::~GalleryPage() {
  m_threads.clear();
  m_threads.waitForDone();
}

bool GalleryPage::isOwn(quint64 command) const { return m_marker->isOwn(command); }

QLineEdit* GalleryPage::searchField() const { return m_bar->searchField(); }

void GalleryPage::toggleFullScreen() {
  if (m_pages->currentWidget() == m_gridPage && m_grid->currentIndex().isValid()) {
    openLoupe(m_grid->currentIndex().row());
  }
  m_isFullScreen = !m_isFullScreen;
  Q_EMIT fullScreenWanted(m_isFullScreen);
}

void GalleryPage::connectParts() {
  connect(m_grid, &QAbstractItemView::activated, this, [this](const QModelIndex& index) { openLoupe(index.row()); });
  connect(m_grid, &QAbstractItemView::doubleClicked, this, [this](const QModelIndex& index) { openLoupe(index.row()); });
  connect(m_grid, &QWidget::customContextMenuRequested, this, &GalleryPage::showMenu);
  connect(m_grid, &GalleryView::tileSideChanged, m_bar, &FilterBar::setTileSide);
  connect(m_grid, &GalleryView::selectionCountChanged, this, [this](int count) {
    m_bar->setSelected(count);
    m_info->setSelected(count);
    m_infoTimer.start();
  });
  connect(m_grid->selectionModel(), &QItemSelectionModel::currentChanged, this, [this] { m_infoTimer.start(); });
  connect(&m_infoTimer, &QTimer::timeout, this, &GalleryPage::updateInfo);
  connect(m_bar, &FilterBar::tileSideChosen, m_grid, &GalleryView::setTileSide);
  connect(m_bar, &FilterBar::queryChanged, this, [this](const GalleryQuery& query) {
    m_model->setQuery(query);
    m_grid->verticalScrollBar()->setValue(0);
    m_grid->viewport()->update();
  });
  connect(m_bar, &FilterBar::compareWanted, this, &GalleryPage::openCompare);
  connect(m_bar, &FilterBar::exportWanted, this, &GalleryPage::openExport);
  connect(m_model, &GalleryModel::facetsWanted, &m_model->library(), &PictureLibrary::askFacets);
  connect(&m_model->library(), &PictureLibrary::facetsCounted, this, [this](const Facets& facets) {
    m_bar->setFacets(facets);
    m_info->setFacets(facets);
  });
  connect(&m_model->library(), &PictureLibrary::detailsRead, this, [this](const gallery::PictureDetails& details) {
    if (details.row.id == m_waitingId && m_waitingForDetails) {
      std::exchange(m_waitingForDetails, {})(details);
    }
    m_compare->setDetails(details);
    const std::vector<qint64> ids = targets();
    if (m_info->isVisible() && std::ranges::find(ids, details.row.id) != ids.end()) {
      m_info->show(details);
      if (std::exchange(m_wantsTags, false)) {
        m_info->focusTags();
      }
    }
  });
  connect(m_model, &GalleryModel::troubled, this,
          [this](const base::Error& error) { Q_EMIT told(MessageBar::Kind::Trouble, textOf(error), {}); });
  connect(m_model, &QAbstractItemModel::modelReset, this, &GalleryPage::updateEmpty);
  connect(m_model, &QAbstractItemModel::rowsInserted, this, &GalleryPage::updateEmpty);
  connect(m_model, &QAbstractItemModel::rowsRemoved, this, &GalleryPage::updateEmpty);
  connect(m_model, &GalleryModel::settled, this, &GalleryPage::updateEmpty);
  connect(m_model, &GalleryModel::completed, this, [this] {
    updateEmpty();
    m_infoTimer.start();
  });
  connect(m_model, &QAbstractItemModel::dataChanged, this, [this](const QModelIndex& from, const QModelIndex& to) {
    if (m_pages->currentWidget() == m_loupe && m_inLoupe.isValid() && m_inLoupe.row() >= from.row() &&
        m_inLoupe.row() <= to.row()) {
      renewLoupe();
    }
  });
  connect(m_loupe, &Loupe::left, this, [this] { leave(); });
  connect(m_loupe, &Loupe::neighbourWanted, this, [this](int direction) {
    const int row = m_inLoupe.row() + direction;
    int next = row;
    // Pictures that are there or being made; what only waits has nothing to show.
    while (next >= 0 && next < m_model->rowCount()) {
      const auto state = m_model->index(next).data(GalleryModel::StateRole).value<GalleryModel::State>();
      if (state == GalleryModel::State::Done || state == GalleryModel::State::Working) {
        openLoupe(next);
        return;
      }
      next += direction;
    }
  });
  connect(m_compare, &Compare::left, this, [this] { leave(); });
  connect(m_compare, &Compare::detailsWanted, &m_model->library(), &PictureLibrary::askDetails);
  connect(m_compare, &Compare::neighbourWanted, this, [this](int direction) {
    QPersistentModelIndex& place = m_inCompare[m_compare->active()];
    const int row = m_model->nextDone(place.row() + direction, direction);
    if (place.isValid() && row >= 0) {
      const QModelIndex index = m_model->index(row);
      place = index;
      m_compare->replaceActive({index.data(GalleryModel::IdRole).toLongLong(), index.data(GalleryModel::PathRole).toString(),
                                index.data(Qt::DecorationRole).value<QPixmap>(), m_model->sizeOf(row)});
    }
  });
  connect(m_export, &ExportPage::left, this, [this] { leave(); });
  connect(m_export, &ExportPage::told, this, &GalleryPage::told);
  connect(m_info, &InfoPanel::useSettingsRequested, this,
          [this](const domain::PictureMetadata& metadata) { Q_EMIT useSettingsRequested(metadata, {}); });
  connect(m_info, &InfoPanel::useSeedRequested, this, &GalleryPage::useSeedRequested);
  connect(m_info, &InfoPanel::copyPromptRequested, this, &GalleryPage::copyPrompt);
  connect(m_info, &InfoPanel::changeWanted, this, &GalleryPage::mark);
  connect(m_marker, &Marker::marked, this, &GalleryPage::tellMarked);
  connect(m_marker, &Marker::refused, this, [this](const base::Error& error) {
    ErrorText text = textOf(error);
    text.sentence.prepend(tr("The mark was taken back.") + u' ');
    Q_EMIT told(MessageBar::Kind::Trouble, text, {});
  });
  connect(&m_backend, &backend::Backend::picturesMarked, this, [this] { m_infoTimer.start(); });
  searchField()->installEventFilter(this);
}

bool GalleryPage::eventFilter(QObject* watched, QEvent* event) {
  if (watched == searchField() && event->type() == QEvent::KeyPress) {
    const auto* pressed = static_cast<QKeyEvent*>(event);
    if (pressed->key() == Qt::Key_Escape) {
      if (searchField()->text().isEmpty()) {
        m_grid->setFocus();
      } else {
        searchField()->clear();
      }
      return true;
    }
    if (pressed->key() == Qt::Key_Down || pressed->key() == Qt::Key_Return) {
      m_grid->setFocus();
      return true;
    }
  }
  return QWidget::eventFilter(watched, event);
}

void GalleryPage::restore() {
  GalleryQuery query;
  if (m_options.restoresSettings) {
    QSettings settings;
    settings.beginGroup(kGroup);
    query = readQuery(settings);
    m_grid->setTileSide(settings.value(QStringLiteral("tile"), Metrics::kTile).toInt());
    m_info->setVisible(settings.value(QStringLiteral("info"), false).toBool());
  }
  m_bar->setTileSide(m_grid->tileSide());
  m_bar->setQuery(query);
  m_model->library().askFacets();
}

void GalleryPage::save() const {
  if (!m_options.restoresSettings) {
    return;
  }
  QSettings settings;
  settings.remove(kGroup);
  settings.beginGroup(kGroup);
  writeQuery(settings, m_bar->query());
  settings.setValue(QStringLiteral("tile"), m_grid->tileSide());
  settings.setValue(QStringLiteral("info"), m_info->isVisibleTo(this));
}

void GalleryPage::say(const QString& sentence, MessageBar::Action action) {
  Q_EMIT told(MessageBar::Kind::Notice, ErrorText{sentence, {}}, action);
}

void GalleryPage::updateEmpty() {
  const bool isEmpty = m_model->rowCount() == 0 && m_model->isSettled();
  m_empty->setVisible(isEmpty);
  m_bar->setShown(m_model->rowCount());
  const gallery::PictureFilter& filter = m_bar->query().filter;
  if (filter.trash == gallery::PictureFilter::Trash::Only) {
    m_empty->setText(tr("The trash is empty.\nDelete moves a picture here; Ctrl+Z brings it back."));
  } else if (m_bar->isFiltered()) {
    m_empty->setText(tr("No picture fits the filter.\nTake out one of the filters above, or clear the search."));
  } else {
    m_empty->setText(
        tr("Your pictures appear here, each in its place while it is being made.\nPress Ctrl+Enter to make what stands on the "
           "left, or type your own first."));
  }
}

void GalleryPage::takeFocus() {
  QWidget* page = m_pages->currentWidget();
  (page == m_gridPage ? m_grid : page)->setFocus();
}

void GalleryPage::showPage(QWidget* page, bool takesFocus) {
  m_pages->setCurrentWidget(page);
  if (takesFocus) {
    takeFocus();
  }
  m_infoTimer.start();
}

void GalleryPage::leave(bool takesFocus) {
  if (m_pages->currentWidget() == m_gridPage) {
    if (takesFocus) {
      m_grid->setFocus();
    }
    return;
  }
  const QWidget* from = m_pages->currentWidget();
  showPage(m_gridPage, takesFocus);
  const QPersistentModelIndex at = from == m_loupe     ? m_inLoupe
                                   : from == m_compare ? m_inCompare[m_compare->active()]
                                                       : QPersistentModelIndex();
  if (at.isValid()) {
    if (from == m_loupe && !m_grid->selectionModel()->isSelected(at)) {
      m_grid->selectionModel()->select(at, QItemSelectionModel::ClearAndSelect);
    }
    m_grid->selectionModel()->setCurrentIndex(at, QItemSelectionModel::NoUpdate);
    m_grid->scrollTo(at);
  }
  if (std::exchange(m_isFullScreen, false)) {
    Q_EMIT fullScreenWanted(false);
  }
}

void GalleryPage::openLoupe(int row) {
  const QModelIndex index = m_model->index(row);
  const auto state = index.data(GalleryModel::StateRole).value<GalleryModel::State>();
  if (!index.isValid() || (state != GalleryModel::State::Done && state != GalleryModel::State::Working)) {
    return;
  }
  m_inLoupe = index;
  renewLoupe();
  if (m_pages->currentWidget() != m_loupe) {
    showPage(m_loupe);
  }
  m_infoTimer.start();
}

void GalleryPage::renewLoupe() {
  const QModelIndex index = m_inLoupe;
  const auto state = index.data(GalleryModel::StateRole).value<GalleryModel::State>();
  Loupe::Subject subject;
  subject.path = index.data(GalleryModel::PathRole).toString();
  subject.small = index.data(Qt::DecorationRole).value<QPixmap>();
  subject.size = m_model->sizeOf(index.row());
  subject.prompt = index.data(GalleryModel::PromptRole).toString().simplified();
  QString facts;
  if (const int stars = index.data(GalleryModel::StarsRole).toInt(); stars > 0) {
    facts += QStringLiteral(" · ") + QString(stars, QChar(0x2605));
  }
  if (const int pick = index.data(GalleryModel::PickRole).toInt(); pick != 0) {
    facts += QStringLiteral(" · ") + (pick > 0 ? tr("picked") : tr("rejected"));
  }
  if (const QVariant seed = index.data(GalleryModel::SeedRole); seed.isValid()) {
    facts += QStringLiteral(" · ") + tr("seed %1").arg(seed.toULongLong());
  }
  subject.facts = facts;
  subject.part = state == GalleryModel::State::Working ? index.data(GalleryModel::PartRole).toDouble() : -1;
  for (const int direction : {1, -1}) {
    if (const int next = m_model->nextDone(index.row() + direction, direction); next >= 0) {
      subject.neighbours << m_model->index(next).data(GalleryModel::PathRole).toString();
    }
  }
  m_loupe->renew(subject);
}

void GalleryPage::openCompare() {
  std::vector<int> rows;
  for (const QModelIndex& index : m_grid->selectionModel()->selectedIndexes()) {
    if (!index.data(GalleryModel::PathRole).toString().isEmpty()) {
      rows.push_back(index.row());
    }
    if (rows.size() > 64) {
      break;
    }
  }
  std::ranges::sort(rows);
  if (rows.size() < 2) {
    // One picture, and the one behind it.
    const int row = m_pages->currentWidget() == m_loupe ? m_inLoupe.row() : m_grid->currentIndex().row();
    if (row >= 0 && m_model->index(row).data(GalleryModel::PathRole).toString().isEmpty()) {
      say(tr("Choose a finished picture first."));
      return;
    }
    const int next = m_model->nextDone(row + 1, 1);
    rows = row >= 0 && next >= 0 ? std::vector{row, next} : std::vector<int>();
  }
  if (rows.size() < 2) {
    say(tr("Choose two pictures to compare: Ctrl+click adds one."));
    return;
  }
  Compare::Side sides[2];
  for (std::size_t i = 0; i < 2; ++i) {
    const QModelIndex index = m_model->index(rows[i]);
    m_inCompare[i] = index;
    sides[i] = {index.data(GalleryModel::IdRole).toLongLong(), index.data(GalleryModel::PathRole).toString(),
                index.data(Qt::DecorationRole).value<QPixmap>(), m_model->sizeOf(rows[i])};
  }
  m_compare->show(sides[0], sides[1]);
  showPage(m_compare);
}

void GalleryPage::openExport() {
  std::vector<qint64> ids = m_model->idsOf(m_grid->selectionModel()->selectedIndexes());
  const bool isSelection = !ids.empty() && m_pages->currentWidget() == m_gridPage;
  if (m_pages->currentWidget() != m_gridPage) {
    ids = targets();
  } else if (!isSelection) {
    ids = m_model->allIds();
  }
  if (ids.empty()) {
    say(tr("There is no picture to export yet."));
    return;
  }
  m_export->begin(ids, isSelection || m_pages->currentWidget() != m_gridPage);
  showPage(m_export);
}

void GalleryPage::toggleInfo() {
  m_info->setVisible(!m_info->isVisible());
  updateInfo();
}

void GalleryPage::updateInfo() {
  if (!m_info->isVisible()) {
    return;
  }
  qint64 id = 0;
  if (m_pages->currentWidget() == m_gridPage) {
    id = m_grid->currentIndex().data(GalleryModel::IdRole).toLongLong();
  } else if (const std::vector<qint64> ids = targets(); !ids.empty()) {
    id = ids.front();
  }
  if (id != 0) {
    m_model->library().askDetails(id);
  } else {
    m_info->showNothing();
  }
}

void GalleryPage::showRun(quint64 runId) {
  for (int row = 0; row < m_model->rowCount(); ++row) {
    if (m_model->entryAt(row).runId == runId) {
      m_grid->scrollTo(m_model->index(row), QAbstractItemView::PositionAtTop);
      return;
    }
  }
}

void GalleryPage::dragEnterEvent(QDragEnterEvent* event) {
  // Pictures that come from here go elsewhere.
  if (event->source() != nullptr) {
    return;
  }
  const QList<QUrl> urls = event->mimeData()->urls();
  if (urls.size() == 1 && urls.front().isLocalFile() &&
      urls.front().toLocalFile().endsWith(QLatin1String(".png"), Qt::CaseInsensitive)) {
    event->acceptProposedAction();
  }
}

void GalleryPage::dropEvent(QDropEvent* event) {
  const QList<QUrl> urls = event->mimeData()->urls();
  if (!urls.isEmpty()) {
    event->acceptProposedAction();
    readSettingsOf(urls.front().toLocalFile());
  }
}

void GalleryPage::readSettingsOf(const QString& path) {
  m_threads.start([this, path] {
    const auto settings = gallery::readPictureSettings(path);
    QMetaObject::invokeMethod(
        this,
        [this, path, settings] {
          if (settings) {
            Q_EMIT useSettingsRequested(*settings, QFileInfo(path).fileName());
          } else {
            Q_EMIT told(MessageBar::Kind::Trouble,
                        ErrorText{tr("%1 has no settings in it that can be read.").arg(QFileInfo(path).fileName()),
                                  QString::fromStdString(settings.error().message)},
                        {});
          }
        },
        Qt::QueuedConnection);
  });
}

}  // namespace polyptych::ui
