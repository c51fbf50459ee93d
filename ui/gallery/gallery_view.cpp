#include "ui/gallery/gallery_view.h"

#include <QApplication>
#include <QDrag>
#include <QHelpEvent>
#include <QMimeData>
#include <QMouseEvent>
#include <QPaintEvent>
#include <QPainter>
#include <QRubberBand>
#include <QScrollBar>
#include <QStyle>
#include <QToolTip>
#include <algorithm>

#include "ui/gallery/tile_painter.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

constexpr int kVisibleDelayMs = 15;
/// What is kept of a selection over a change of everything.
constexpr int kMostKept = 20000;
/// Files that a program which they are dragged to could do something with.
constexpr int kMostDragged = 4000;

std::pair<quint64, qint64> keyOf(const QModelIndex& index) {
  return {index.data(GalleryModel::RunRole).toULongLong(), index.data(GalleryModel::IndexRole).toLongLong()};
}

}  // namespace

GalleryView::GalleryView(QWidget* parent) : QAbstractItemView(parent), m_wantedSide(Metrics::kTile) {
  setObjectName(QStringLiteral("gallery"));
  setSelectionMode(QAbstractItemView::ExtendedSelection);
  setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  // Always there, so that its coming and going does not change the width that the tiles share.
  setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOn);
  setFrameShape(QFrame::NoFrame);
  setDragEnabled(true);
  setDragDropMode(QAbstractItemView::DragOnly);
  setEditTriggers(QAbstractItemView::NoEditTriggers);
  setMouseTracking(true);
  // Names of prompts are no words to jump to by typing: keys are for marks.
  m_visibleTimer.setSingleShot(true);
  m_visibleTimer.setInterval(kVisibleDelayMs);
  connect(&m_visibleTimer, &QTimer::timeout, this, &GalleryView::tellVisible);
  connect(verticalScrollBar(), &QScrollBar::rangeChanged, this, &GalleryView::updateHandle);
  updateHandle();
}

void GalleryView::setGallery(GalleryModel* model) {
  m_gallery = model;
  connect(model, &QAbstractItemModel::modelAboutToBeReset, this, [this] {
    m_currentKey = currentIndex().isValid() ? keyOf(currentIndex()) : std::pair<quint64, qint64>();
    m_selectedKeys.clear();
    const QModelIndexList selected = selectionModel()->selectedIndexes();
    if (selected.size() <= kMostKept) {
      for (const QModelIndex& index : selected) {
        m_selectedKeys.push_back(keyOf(index));
      }
    }
    keepAnchor();
  });
  connect(model, &QAbstractItemModel::rowsAboutToBeInserted, this, &GalleryView::keepAnchor);
  connect(model, &QAbstractItemModel::rowsAboutToBeRemoved, this, &GalleryView::keepAnchor);
  setModel(model);
  connect(model, &QAbstractItemModel::rowsInserted, this, &GalleryView::returnToAnchor);
  connect(model, &QAbstractItemModel::rowsRemoved, this, [this] {
    invalidate();
    returnToAnchor();
  });
  connect(model, &GalleryModel::regrouped, this, &GalleryView::invalidate);
  connect(model, &QAbstractItemModel::modelReset, this, [this] {
    invalidate();
    if (!m_selectedKeys.empty() || m_currentKey.first != 0) {
      const QSet<std::pair<quint64, qint64>> keys(m_selectedKeys.begin(), m_selectedKeys.end());
      QItemSelection selection;
      for (int row = 0; row < m_gallery->rowCount(); ++row) {
        const gallery::PictureEntry entry = m_gallery->entryAt(row);
        const std::pair key{entry.runId, entry.index};
        if (keys.contains(key)) {
          const QModelIndex index = m_gallery->index(row);
          selection.select(index, index);
        }
        if (key == m_currentKey) {
          selectionModel()->setCurrentIndex(m_gallery->index(row), QItemSelectionModel::NoUpdate);
        }
      }
      selectionModel()->select(selection, QItemSelectionModel::ClearAndSelect);
    }
    returnToAnchor();
    Q_EMIT selectionCountChanged(static_cast<int>(selectionModel()->selectedIndexes().size()));
  });
}

void GalleryView::setTileSide(int side) {
  side = std::clamp(side, Metrics::kTileLeast, Metrics::kTileMost);
  if (side == m_wantedSide) {
    return;
  }
  keepAnchor();
  m_wantedSide = side;
  invalidate();
  returnToAnchor();
  Q_EMIT tileSideChanged(side);
}

void GalleryView::invalidate() {
  m_isLaidOut = false;
  updateGeometries();
  viewport()->update();
  m_visibleTimer.start();
}

void GalleryView::layOut() const {
  if (m_isLaidOut || m_gallery == nullptr) {
    return;
  }
  m_isLaidOut = true;
  const int pitch = m_wantedSide + Metrics::kTileGap;
  const int width = std::max(1, viewport()->width() - Metrics::kTight);
  m_columns = std::max(1, (width + pitch / 4) / pitch);
  m_cell = std::max(Metrics::kTileGap + 1, width / m_columns);
  m_bands.clear();
  int y = 0;
  const bool hasHeadings = m_gallery->query().grouping != GalleryQuery::Grouping::None;
  for (const GalleryModel::Section& section : m_gallery->sections()) {
    Band band;
    band.top = y;
    band.tilesTop = hasHeadings ? y + Metrics::kHeading : y;
    band.first = section.first;
    band.count = section.count;
    band.line = lineHeight(band.first, band.count);
    m_bands.push_back(band);
    y = band.tilesTop + (section.count + m_columns - 1) / m_columns * band.line + (hasHeadings ? Metrics::kGap : 0);
  }
  m_height = y;
  m_gallery->tiles().setTile(static_cast<int>((m_cell - Metrics::kTileGap) * devicePixelRatioF()), devicePixelRatioF());
}

/// Tiles are as wide as each other; where all pictures are wider than they are high, their lines stand no farther apart than
/// that.
int GalleryView::lineHeight(int first, int count) const {
  const int side = m_cell - Metrics::kTileGap;
  int height = 0;
  for (int row = first; row < first + count && height < side; ++row) {
    const QSize size = m_gallery->sizeOf(row);
    height = std::max(height, size.isEmpty() ? side : std::min(side, side * size.height() / size.width()));
  }
  return std::max(height, Metrics::kTileGap) + Metrics::kTileGap;
}

const GalleryView::Band* GalleryView::bandOf(int row) const {
  layOut();
  const auto after = std::ranges::upper_bound(m_bands, row, {}, &Band::first);
  return after == m_bands.begin() ? nullptr : &*std::prev(after);
}

std::size_t GalleryView::bandAt(int y) const {
  layOut();
  const auto after = std::ranges::upper_bound(m_bands, y, {}, &Band::top);
  return after == m_bands.begin() ? 0 : static_cast<std::size_t>(after - m_bands.begin()) - 1;
}

QRect GalleryView::tileRect(int row) const {
  const Band* band = bandOf(row);
  if (band == nullptr) {
    return {};
  }
  const int place = row - band->first;
  return {place % m_columns * m_cell, band->tilesTop + place / m_columns * band->line, m_cell, band->line};
}

int GalleryView::verticalOffset() const { return verticalScrollBar()->value(); }

QRect GalleryView::visualRect(const QModelIndex& index) const {
  return index.isValid() ? tileRect(index.row()).translated(0, -verticalOffset()) : QRect();
}

QModelIndex GalleryView::indexAt(const QPoint& point) const {
  layOut();
  const int y = point.y() + verticalOffset();
  if (m_bands.empty() || point.x() < 0 || point.x() >= m_columns * m_cell) {
    return {};
  }
  const Band& band = m_bands[bandAt(y)];
  if (y < band.tilesTop) {
    return {};
  }
  const int place = (y - band.tilesTop) / band.line * m_columns + point.x() / m_cell;
  return place < band.count ? m_gallery->index(band.first + place) : QModelIndex();
}

std::pair<int, int> GalleryView::visibleRows() const {
  layOut();
  if (m_bands.empty()) {
    return {0, -1};
  }
  const int top = verticalOffset();
  const int bottom = top + viewport()->height() - 1;
  const auto rowAt = [&](int y, bool isLast) {
    const Band& band = m_bands[bandAt(y)];
    const int line = std::max(0, y - band.tilesTop) / band.line;
    return band.first + std::min(band.count - 1, line * m_columns + (isLast ? m_columns - 1 : 0));
  };
  return {rowAt(top, false), rowAt(bottom, true)};
}

void GalleryView::scrollTo(const QModelIndex& index, ScrollHint hint) {
  if (!index.isValid()) {
    return;
  }
  const QRect tile = tileRect(index.row());
  const Band* band = bandOf(index.row());
  // The first line brings its heading.
  const int top = index.row() - band->first < m_columns ? band->top : tile.top();
  const int height = viewport()->height();
  QScrollBar* bar = verticalScrollBar();
  if (hint == PositionAtTop) {
    bar->setValue(top);
  } else if (hint == PositionAtCenter) {
    bar->setValue(tile.center().y() - height / 2);
  } else if (top < bar->value()) {
    bar->setValue(top);
  } else if (tile.bottom() + Metrics::kGap > bar->value() + height) {
    bar->setValue(tile.bottom() + Metrics::kGap - height);
  }
}

/// What stands at the top of the screen stays there whatever comes or goes above it; at the very beginning, the beginning stays.
void GalleryView::keepAnchor() {
  if (m_anchor || verticalOffset() == 0 || m_gallery == nullptr || m_gallery->rowCount() == 0) {
    return;
  }
  const auto [first, last] = visibleRows();
  if (first < 0 || first >= m_gallery->rowCount()) {
    return;
  }
  const gallery::PictureEntry entry = m_gallery->entryAt(first);
  m_anchor = Anchor{{entry.runId, entry.index}, tileRect(first).top() - verticalOffset()};
}

void GalleryView::returnToAnchor() {
  if (!m_anchor) {
    return;
  }
  const Anchor anchor = *std::exchange(m_anchor, std::nullopt);
  m_isLaidOut = false;
  updateGeometries();
  for (int row = 0; row < m_gallery->rowCount(); ++row) {
    const gallery::PictureEntry entry = m_gallery->entryAt(row);
    if (entry.index == anchor.key.second && entry.runId == anchor.key.first) {
      verticalScrollBar()->setValue(tileRect(row).top() - anchor.y);
      return;
    }
  }
}

/// With nothing to scroll the bar keeps its width and shows no handle.
void GalleryView::updateHandle() {
  QScrollBar* bar = verticalScrollBar();
  const bool isIdle = bar->maximum() <= bar->minimum();
  if (bar->property("isIdle").toBool() != isIdle) {
    bar->setProperty("isIdle", isIdle);
    bar->style()->unpolish(bar);
    bar->style()->polish(bar);
  }
}

void GalleryView::updateGeometries() {
  QAbstractItemView::updateGeometries();
  layOut();
  QScrollBar* bar = verticalScrollBar();
  bar->setSingleStep(m_cell / 2);
  bar->setPageStep(std::max(m_cell, viewport()->height() - m_cell / 2));
  bar->setRange(0, std::max(0, m_height - viewport()->height()));
}

void GalleryView::resizeEvent(QResizeEvent* event) {
  keepAnchor();
  QAbstractItemView::resizeEvent(event);
  invalidate();
  returnToAnchor();
}

void GalleryView::rowsInserted(const QModelIndex& parent, int start, int end) {
  QAbstractItemView::rowsInserted(parent, start, end);
  invalidate();
}

void GalleryView::dataChanged(const QModelIndex& topLeft, const QModelIndex& bottomRight, const QList<int>& roles) {
  if (topLeft == bottomRight) {
    viewport()->update(visualRect(topLeft));
    return;
  }
  Q_UNUSED(roles);
  const auto [first, last] = visibleRows();
  if (bottomRight.row() >= first && topLeft.row() <= last) {
    viewport()->update();
  }
}

void GalleryView::tellVisible() {
  if (m_gallery == nullptr) {
    return;
  }
  const auto [first, last] = visibleRows();
  // A screen more on both sides is worth having.
  const int more = last - first + 1;
  m_gallery->setVisible(first - more / 2, last + more);
}

void GalleryView::scrollContentsBy(int dx, int dy) {
  viewport()->scroll(dx, dy);
  // Not put off by the next step: thumbnails of what has gone by are not to be made all the while.
  if (!m_visibleTimer.isActive()) {
    m_visibleTimer.start();
  }
}

void GalleryView::paintHeading(QPainter& painter, const Band& band, std::size_t number) {
  const Tokens& colours = currentTokens();
  QFont font = this->font();
  font.setPixelSize(Metrics::kHeadingText);
  painter.setFont(font);
  const QString count = QLocale().toString(band.count);
  const int y = band.top - verticalOffset();
  const QRect line(Metrics::kTileGap / 2, y, m_columns * m_cell - Metrics::kTileGap, Metrics::kHeading);
  const QFontMetrics metrics(font);
  const int countWidth = metrics.horizontalAdvance(count) + Metrics::kGap;
  const QString title = m_gallery->titleOf(m_gallery->sections()[number]);
  const QString cut = metrics.elidedText(title, Qt::ElideRight, line.width() - countWidth);
  painter.setPen(colours.secondary);
  painter.drawText(line, Qt::AlignLeft | Qt::AlignVCenter, cut);
  painter.setPen(colours.faint);
  painter.drawText(line.adjusted(metrics.horizontalAdvance(cut) + Metrics::kGap, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter,
                   count);
}

void GalleryView::paintEvent(QPaintEvent* event) {
  if (m_gallery == nullptr) {
    return;
  }
  layOut();
  QPainter painter(viewport());
  const QRect area = event->rect();
  const int top = area.top() + verticalOffset();
  const int bottom = area.bottom() + verticalOffset();
  const bool hasHeadings = m_gallery->query().grouping != GalleryQuery::Grouping::None;
  const QItemSelectionModel* selection = selectionModel();
  for (std::size_t number = bandAt(top); number < m_bands.size() && m_bands[number].top <= bottom; ++number) {
    const Band& band = m_bands[number];
    if (hasHeadings && band.tilesTop > top) {
      paintHeading(painter, band, number);
    }
    const int firstLine = std::max(0, top - band.tilesTop) / band.line;
    const int lastLine = std::max(-1, (bottom - band.tilesTop) / band.line);
    if (bottom < band.tilesTop) {
      continue;
    }
    const int last = std::min(band.count, (lastLine + 1) * m_columns);
    for (int place = firstLine * m_columns; place < last; ++place) {
      const QModelIndex index = m_gallery->index(band.first + place);
      const QRect cell(place % m_columns * m_cell, band.tilesTop + place / m_columns * band.line - verticalOffset(), m_cell,
                       band.line);
      if (cell.intersects(area)) {
        paintTile(painter, cell, index, selection->isSelected(index), index == currentIndex() && hasFocus());
      }
    }
  }
  if (hasFocus() && m_gallery->rowCount() == 0) {
    // There is no tile to show where the keyboard is.
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(currentTokens().secondary, Metrics::kRing));
    const double half = Metrics::kRing / 2.0;
    painter.drawRoundedRect(QRectF(viewport()->rect()).adjusted(half, half, -half, -half), Metrics::kControlRadius,
                            Metrics::kControlRadius);
  }
}

void GalleryView::wheelEvent(QWheelEvent* event) {
  if (event->modifiers() & Qt::ControlModifier) {
    if (const int delta = event->angleDelta().y(); delta != 0) {
      setTileSide(m_wantedSide + (delta > 0 ? Metrics::kTileStep : -Metrics::kTileStep));
    }
    event->accept();
    return;
  }
  QAbstractItemView::wheelEvent(event);
}

void GalleryView::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape && selectionModel()->hasSelection()) {
    clearSelection();
    return;
  }
  if ((event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) && currentIndex().isValid()) {
    Q_EMIT activated(currentIndex());
    return;
  }
  // Letters and digits are marks, not the beginning of a prompt to jump to.
  if (!event->text().isEmpty() && event->text().front().isPrint() && !(event->modifiers() & Qt::ControlModifier) &&
      event->key() != Qt::Key_Space) {
    event->ignore();
    return;
  }
  const std::pair<Qt::Key, CursorAction> moves[] = {
      {Qt::Key_Left, MoveLeft}, {Qt::Key_Right, MoveRight}, {Qt::Key_Up, MoveUp},         {Qt::Key_Down, MoveDown},
      {Qt::Key_Home, MoveHome}, {Qt::Key_End, MoveEnd},     {Qt::Key_PageUp, MovePageUp}, {Qt::Key_PageDown, MovePageDown}};
  const auto* const move = std::ranges::find(moves, event->key(), [](const auto& one) { return int{one.first}; });
  if (move != std::end(moves) && (event->modifiers() & Qt::ShiftModifier) && currentIndex().isValid()) {
    selectTo(moveCursor(move->second, event->modifiers()),
             event->modifiers() & Qt::ControlModifier ? QItemSelectionModel::Select : QItemSelectionModel::ClearAndSelect);
    return;
  }
  QAbstractItemView::keyPressEvent(event);
  if (move != std::end(moves)) {
    m_shiftAnchor = currentIndex();
  }
}

int GalleryView::rowNear(int y, int column) const {
  const Band& band = m_bands[bandAt(y)];
  const int lines = (band.count + m_columns - 1) / m_columns;
  const int line = std::clamp((y - band.tilesTop) / band.line, 0, lines - 1);
  return band.first + std::min(band.count - 1, line * m_columns + column);
}

QModelIndex GalleryView::moveCursor(CursorAction action, Qt::KeyboardModifiers) {
  if (m_gallery == nullptr || m_gallery->rowCount() == 0) {
    return {};
  }
  layOut();
  const int last = m_gallery->rowCount() - 1;
  const QModelIndex current = currentIndex();
  if (!current.isValid()) {
    return m_gallery->index(action == MoveEnd ? last : std::clamp(visibleRows().first, 0, last));
  }
  const int row = current.row();
  const Band* band = bandOf(row);
  const int column = (row - band->first) % m_columns;
  const QRect tile = tileRect(row);
  switch (action) {
    case MoveLeft:
    case MovePrevious:
      return m_gallery->index(std::max(0, row - 1));
    case MoveRight:
    case MoveNext:
      return m_gallery->index(std::min(last, row + 1));
    case MoveHome:
      return m_gallery->index(0);
    case MoveEnd:
      return m_gallery->index(last);
    case MoveUp: {
      if (row - band->first >= m_columns) {
        return m_gallery->index(row - m_columns);
      }
      return band == &m_bands.front() ? current : m_gallery->index(rowNear(band->top - 1, column));
    }
    case MoveDown: {
      const int lines = (band->count + m_columns - 1) / m_columns;
      if ((row - band->first) / m_columns + 1 < lines) {
        return m_gallery->index(band->first + std::min(band->count - 1, row - band->first + m_columns));
      }
      return band == &m_bands.back()
                 ? current
                 : m_gallery->index(std::min((band + 1)->first + column, (band + 1)->first + (band + 1)->count - 1));
    }
    case MovePageUp:
    case MovePageDown: {
      const int page = std::max(band->line, viewport()->height() / band->line * band->line);
      const int y = tile.center().y() + (action == MovePageUp ? -page : page);
      return m_gallery->index(rowNear(std::clamp(y, 0, std::max(0, m_height - 1)), column));
    }
  }
  return current;
}

void GalleryView::setSelection(const QRect& rect, QItemSelectionModel::SelectionFlags flags) {
  // A click is one pixel. Else everything between the corners, in the order of the rows.
  const QModelIndex first = indexAt(rect.topLeft());
  const QModelIndex last = indexAt(rect.bottomRight());
  QItemSelection selection;
  if (first.isValid() && last.isValid()) {
    selection.select(m_gallery->index(std::min(first.row(), last.row())), m_gallery->index(std::max(first.row(), last.row())));
  }
  selectionModel()->select(selection, flags);
}

/// Rows between where it began and here, whatever the rectangle between the two tiles has in it.
void GalleryView::selectTo(const QModelIndex& index, QItemSelectionModel::SelectionFlags flags) {
  const QModelIndex anchor = m_shiftAnchor.isValid() ? QModelIndex(m_shiftAnchor) : currentIndex();
  QItemSelection selection;
  selection.select(m_gallery->index(std::min(anchor.row(), index.row())), m_gallery->index(std::max(anchor.row(), index.row())));
  selectionModel()->select(selection, flags);
  selectionModel()->setCurrentIndex(index, QItemSelectionModel::NoUpdate);
}

QRegion GalleryView::visualRegionForSelection(const QItemSelection& selection) const {
  QRegion region;
  const auto [first, last] = visibleRows();
  for (const QItemSelectionRange& range : selection) {
    const int end = std::min(last, range.bottom());
    for (int row = std::max(first, range.top()); row <= end; ++row) {
      region += tileRect(row).translated(0, -verticalOffset());
    }
  }
  return region;
}

void GalleryView::selectionChanged(const QItemSelection& selected, const QItemSelection& deselected) {
  QAbstractItemView::selectionChanged(selected, deselected);
  int count = 0;
  for (const QItemSelectionRange& range : selectionModel()->selection()) {
    count += range.height();
  }
  if (count <= kMostDragged) {
    for (const QItemSelectionRange& range : selected) {
      m_gallery->prepare(range.top(), range.bottom());
    }
  }
  Q_EMIT selectionCountChanged(count);
}

void GalleryView::mousePressEvent(QMouseEvent* event) {
  const QModelIndex index = indexAt(event->pos());
  if (event->button() == Qt::LeftButton && !index.isValid()) {
    m_isBanding = true;
    m_bandStart = event->pos() + QPoint(0, verticalOffset());
    const bool adds = event->modifiers() & (Qt::ControlModifier | Qt::ShiftModifier);
    m_bandBefore = adds ? selectionModel()->selection() : QItemSelection();
    if (!adds) {
      clearSelection();
    }
    return;
  }
  if (event->button() == Qt::LeftButton && (event->modifiers() & Qt::ShiftModifier) && currentIndex().isValid()) {
    selectTo(index, event->modifiers() & Qt::ControlModifier ? QItemSelectionModel::Select : QItemSelectionModel::ClearAndSelect);
    return;
  }
  if (event->button() == Qt::RightButton && selectionModel()->isSelected(index)) {
    selectionModel()->setCurrentIndex(index, QItemSelectionModel::NoUpdate);
    return;
  }
  m_shiftAnchor = index;
  QAbstractItemView::mousePressEvent(event);
}

void GalleryView::mouseMoveEvent(QMouseEvent* event) {
  if (!m_isBanding) {
    QAbstractItemView::mouseMoveEvent(event);
    return;
  }
  if (m_rubberBand == nullptr) {
    m_rubberBand = new QRubberBand(QRubberBand::Rectangle, viewport());
  }
  const QPoint now = event->pos() + QPoint(0, verticalOffset());
  const QRect band = QRect(m_bandStart, now).normalized();
  m_rubberBand->setGeometry(band.translated(0, -verticalOffset()));
  m_rubberBand->show();
  layOut();
  QItemSelection selection;
  const int leftColumn = std::clamp(band.left() / m_cell, 0, m_columns - 1);
  const int rightColumn = std::clamp(band.right() / m_cell, 0, m_columns - 1);
  for (std::size_t number = bandAt(band.top()); number < m_bands.size() && m_bands[number].top <= band.bottom(); ++number) {
    const Band& part = m_bands[number];
    const int firstLine = std::max(0, band.top() - part.tilesTop) / part.line;
    const int lastLine = band.bottom() < part.tilesTop ? -1 : (band.bottom() - part.tilesTop) / part.line;
    for (int line = firstLine; line <= lastLine && line * m_columns < part.count; ++line) {
      const int from = line * m_columns + leftColumn;
      const int to = std::min(part.count - 1, line * m_columns + rightColumn);
      if (from <= to) {
        selection.select(m_gallery->index(part.first + from), m_gallery->index(part.first + to));
      }
    }
  }
  selection.merge(m_bandBefore, QItemSelectionModel::Select);
  selectionModel()->select(selection, QItemSelectionModel::ClearAndSelect);
  if (event->pos().y() < 0 || event->pos().y() > viewport()->height()) {
    verticalScrollBar()->setValue(verticalOffset() + (event->pos().y() < 0 ? -m_cell / 4 : m_cell / 4));
  }
}

void GalleryView::mouseReleaseEvent(QMouseEvent* event) {
  if (m_isBanding) {
    m_isBanding = false;
    if (m_rubberBand != nullptr) {
      m_rubberBand->hide();
    }
    return;
  }
  QAbstractItemView::mouseReleaseEvent(event);
}

bool GalleryView::viewportEvent(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    // Prompts are long: after a moment of rest, not at once.
    const auto* help = static_cast<QHelpEvent*>(event);
    QToolTip::showText(help->globalPos(), indexAt(help->pos()).data(Qt::ToolTipRole).toString(), viewport());
    return true;
  }
  return QAbstractItemView::viewportEvent(event);
}

void GalleryView::startDrag(Qt::DropActions) {
  const QModelIndexList selected = selectionModel()->selectedIndexes();
  QMimeData* dragged = m_gallery->mimeData(selected);
  if (dragged->urls().isEmpty()) {
    delete dragged;
    return;
  }
  auto* drag = new QDrag(this);
  drag->setMimeData(dragged);
  const QPixmap picture = currentIndex().data(Qt::DecorationRole).value<QPixmap>();
  if (!picture.isNull()) {
    drag->setPixmap(picture.scaled(QSize(Metrics::kPreview, Metrics::kPreview) * devicePixelRatioF(), Qt::KeepAspectRatio,
                                   Qt::SmoothTransformation));
  }
  drag->exec(Qt::CopyAction);
}

}  // namespace polyptych::ui
