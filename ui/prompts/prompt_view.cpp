#include "ui/prompts/prompt_view.h"

#include <QDrag>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMimeData>
#include <QPaintEvent>
#include <QPainter>
#include <QScrollBar>
#include <QToolTip>
#include <algorithm>

#include "ui/elided.h"
#include "ui/prompts/prompt_field.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

/// An estimate that is nearly a whole line counts as more: a word may go to the next.
constexpr double kFill = 0.94;

}  // namespace

PromptView::PromptView(PromptListModel& list, const PromptLengths& lengths, const PromptModels& models, QWidget* parent)
    : QAbstractItemView(parent), m_list(list), m_lengths(lengths), m_models(models) {
  m_widths.resize(static_cast<std::size_t>(list.rowCount()));
  setObjectName(QStringLiteral("promptList"));
  setProperty("role", QStringLiteral("plain"));
  setFrameShape(QFrame::NoFrame);
  setSelectionMode(ExtendedSelection);
  setEditTriggers(NoEditTriggers);
  setVerticalScrollMode(ScrollPerPixel);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setDragEnabled(true);
  setAcceptDrops(true);
  setMouseTracking(true);
  viewport()->setMouseTracking(true);
  setContextMenuPolicy(Qt::CustomContextMenu);
  setModel(&m_list);
  connect(&m_list, &QAbstractItemModel::modelReset, this, &PromptView::measureAll);
  connect(&m_list, &QAbstractItemModel::layoutChanged, this, &PromptView::measureAll);
  connect(&m_list, &QAbstractItemModel::rowsRemoved, this, &PromptView::invalidate);
  connect(&lengths, &PromptLengths::changed, this, &PromptView::invalidate);
  connect(&models, &PromptModels::changed, this, &PromptView::invalidate);
  measureAll();
}

int PromptView::numberWidth() const { return m_painter.numberWidth(m_list.rowCount()); }

QSize PromptView::minimumSizeHint() const { return {Metrics::kLeftLeast / 2, 3 * Metrics::kListRow}; }

void PromptView::changeEvent(QEvent* event) {
  QAbstractItemView::changeEvent(event);
  if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) {
    measureAll();
  }
}

void PromptView::measureAll() {
  m_painter.setFont(font());
  m_widths.resize(static_cast<std::size_t>(m_list.rowCount()));
  measure(0, m_list.rowCount() - 1);
  invalidate();
}

void PromptView::measure(int first, int last) {
  for (int row = first; row <= last; ++row) {
    m_widths[static_cast<std::size_t>(row)] = m_painter.estimate(m_list.at(row).prompt);
  }
}

void PromptView::invalidate() {
  m_isLaidOut = false;
  updateGeometries();
  viewport()->update();
}

int PromptView::textWidth() const { return viewport()->width() - numberWidth() - Metrics::kPad; }

QList<PromptChip> PromptView::chipsOf(int row) const { return ui::chipsOf(m_list.at(row), m_lengths, m_models); }

void PromptView::layOut() const {
  if (m_isLaidOut) {
    return;
  }
  m_isLaidOut = true;
  const int count = m_list.rowCount();
  const int spacing = m_painter.lineSpacing();
  const int wide = textWidth();
  m_tops.resize(static_cast<std::size_t>(count) + 1);
  int y = 0;
  for (int row = 0; row < count; ++row) {
    m_tops[static_cast<std::size_t>(row)] = y;
    int room = wide;
    const auto& entry = m_list.at(row);
    if (mayHaveChips(entry, m_lengths)) {
      for (const PromptChip& chip : chipsOf(row)) {
        room -= m_painter.chipWidth(chip.text);
      }
      room = std::max(room, wide / 3);
    }
    const int lines = m_widths[static_cast<std::size_t>(row)] > room * kFill ? PromptPainter::kMostLines : 1;
    int height = lines * spacing + 2 * Metrics::kRowPad;
    if (m_editor != nullptr && m_edited.row() == row) {
      height = std::max(height, m_editor->height() + 2 * Metrics::kTight);
    }
    y += height;
  }
  m_tops.back() = y;
}

QRect PromptView::rowRect(int row) const {
  layOut();
  const int top = m_tops[static_cast<std::size_t>(row)];
  return {0, top - verticalOffset(), viewport()->width(), m_tops[static_cast<std::size_t>(row) + 1] - top};
}

QRect PromptView::numberRect(int row) const {
  QRect rect = rowRect(row);
  rect.setWidth(numberWidth());
  return rect;
}

/// @return the nearest row; -1 if there is none
int PromptView::rowAt(int y) const {
  layOut();
  const auto after = std::upper_bound(m_tops.begin(), m_tops.end(), y + verticalOffset());
  return std::clamp(static_cast<int>(after - m_tops.begin()) - 1, -1, m_list.rowCount() - 1);
}

/// Before which row something is put that is let go there.
int PromptView::gapAt(int y) const {
  const int row = rowAt(y);
  return row < 0 ? 0 : y > rowRect(row).center().y() ? row + 1 : row;
}

int PromptView::verticalOffset() const { return verticalScrollBar()->value(); }

QRect PromptView::visualRect(const QModelIndex& index) const { return index.isValid() ? rowRect(index.row()) : QRect(); }

QModelIndex PromptView::indexAt(const QPoint& point) const {
  layOut();
  const int y = point.y() + verticalOffset();
  return y < 0 || y >= m_tops.back() ? QModelIndex() : m_list.index(rowAt(point.y()));
}

void PromptView::scrollTo(const QModelIndex& index, ScrollHint hint) {
  if (!index.isValid()) {
    return;
  }
  layOut();
  const int top = m_tops[static_cast<std::size_t>(index.row())];
  const int bottom = m_tops[static_cast<std::size_t>(index.row()) + 1];
  const int height = viewport()->height();
  QScrollBar* bar = verticalScrollBar();
  if (hint == PositionAtTop || top < bar->value()) {
    bar->setValue(top);
  } else if (hint == PositionAtCenter) {
    bar->setValue((top + bottom - height) / 2);
  } else if (bottom > bar->value() + height) {
    bar->setValue(bottom - height);
  }
}

void PromptView::updateGeometries() {
  QAbstractItemView::updateGeometries();
  layOut();
  QScrollBar* bar = verticalScrollBar();
  bar->setSingleStep(Metrics::kListRow);
  bar->setPageStep(std::max(Metrics::kListRow, viewport()->height() - Metrics::kListRow));
  bar->setRange(0, std::max(0, m_tops.back() - viewport()->height()));
  placeEditor();
}

void PromptView::resizeEvent(QResizeEvent* event) {
  QAbstractItemView::resizeEvent(event);
  invalidate();
}

void PromptView::rowsInserted(const QModelIndex& parent, int start, int end) {
  QAbstractItemView::rowsInserted(parent, start, end);
  m_widths.insert(m_widths.begin() + start, static_cast<std::size_t>(end - start + 1), 0);
  measure(start, end);
  invalidate();
}

void PromptView::rowsAboutToBeRemoved(const QModelIndex& parent, int start, int end) {
  QAbstractItemView::rowsAboutToBeRemoved(parent, start, end);
  m_widths.erase(m_widths.begin() + start, m_widths.begin() + end + 1);
  if (m_edited.isValid() && m_edited.row() >= start && m_edited.row() <= end) {
    closeEditor(false);
  }
}

void PromptView::dataChanged(const QModelIndex& topLeft, const QModelIndex& bottomRight, const QList<int>&) {
  measure(topLeft.row(), bottomRight.row());
  invalidate();
}

QList<int> PromptView::selectedRows() const {
  QList<int> rows;
  for (const QItemSelectionRange& range : selectionModel()->selection()) {
    for (int row = range.top(); row <= range.bottom(); ++row) {
      rows << row;
    }
  }
  std::ranges::sort(rows);
  return rows;
}

void PromptView::select(int first, int last) {
  if (first < 0 || last >= m_list.rowCount() || first > last) {
    return;
  }
  selectionModel()->select(QItemSelection(m_list.index(first), m_list.index(last)), QItemSelectionModel::ClearAndSelect);
  selectionModel()->setCurrentIndex(m_list.index(last), QItemSelectionModel::NoUpdate);
  scrollTo(m_list.index(first));
  scrollTo(m_list.index(last));
}

QModelIndex PromptView::moveCursor(CursorAction action, Qt::KeyboardModifiers) {
  const int last = m_list.rowCount() - 1;
  if (last < 0) {
    return {};
  }
  if (!currentIndex().isValid()) {
    return m_list.index(action == MoveEnd || action == MoveUp ? last : 0);
  }
  const int row = currentIndex().row();
  switch (action) {
    case MoveUp:
    case MoveLeft:
    case MovePrevious:
      return m_list.index(std::max(0, row - 1));
    case MoveDown:
    case MoveRight:
    case MoveNext:
      return m_list.index(std::min(last, row + 1));
    case MoveHome:
      return m_list.index(0);
    case MoveEnd:
      return m_list.index(last);
    case MovePageUp:
      return m_list.index(std::max(0, rowAt(rowRect(row).top() - viewport()->height())));
    case MovePageDown:
      return m_list.index(rowAt(rowRect(row).top() + viewport()->height()));
  }
  return {};
}

void PromptView::setSelection(const QRect& rect, QItemSelectionModel::SelectionFlags flags) {
  const QModelIndex first = indexAt(rect.topLeft());
  const QModelIndex last = indexAt(rect.bottomRight());
  QItemSelection selection;
  if (first.isValid() && last.isValid()) {
    selection.select(m_list.index(std::min(first.row(), last.row())), m_list.index(std::max(first.row(), last.row())));
  }
  selectionModel()->select(selection, flags);
}

QRegion PromptView::visualRegionForSelection(const QItemSelection& selection) const {
  QRegion region;
  for (const QItemSelectionRange& range : selection) {
    region += rowRect(range.top()).united(rowRect(range.bottom())).intersected(viewport()->rect());
  }
  return region;
}

void PromptView::paintEvent(QPaintEvent* event) {
  QPainter painter(viewport());
  const QRect area = event->rect();
  const int count = m_list.rowCount();
  for (int row = std::max(0, rowAt(area.top())); row < count; ++row) {
    const QRect rect = rowRect(row);
    if (rect.top() > area.bottom()) {
      break;
    }
    const QModelIndex index = m_list.index(row);
    const bool isEdited = m_editor != nullptr && m_edited.row() == row;
    m_painter.paint(painter,
                    {m_list.at(row), chipsOf(row), row + 1, selectionModel()->isSelected(index),
                     index == currentIndex() && hasFocus(), row == m_hovered, isEdited},
                    rect, numberWidth());
  }
  if (m_drop >= 0) {
    const int y = m_drop < count ? rowRect(m_drop).top() : count == 0 ? 0 : rowRect(count - 1).bottom() - 1;
    painter.fillRect(QRect(Metrics::kPad, y - 1, viewport()->width() - 2 * Metrics::kPad, 2), currentTokens().accent);
  }
}

void PromptView::editRow(int row) {
  if (row < 0 || row >= m_list.rowCount()) {
    return;
  }
  commit();
  select(row, row);
  m_edited = m_list.index(row);
  m_editor = new PromptField(viewport());
  m_editor->setObjectName(QStringLiteral("promptEditor"));
  m_editor->setAccessibleName(tr("Prompt %1").arg(row + 1));
  m_editor->setPlainText(QString::fromStdString(m_list.at(row).prompt));
  m_editor->moveCursor(QTextCursor::End);
  PromptField* editor = m_editor;
  connect(editor, &PromptField::accepted, this, [this] {
    const int at = m_edited.row();
    closeEditor(true);
    setFocus();
    select(at, at);
  });
  connect(editor, &PromptField::cancelled, this, [this] {
    closeEditor(false);
    setFocus();
  });
  connect(editor, &PromptField::linesPasted, this, [this](const QStringList& lines) {
    const int at = m_edited.row();
    closeEditor(true);
    setFocus();
    Q_EMIT linesPasted(at + 1, lines);
  });
  invalidate();
  m_editor->show();
  m_editor->setFocus();
  connect(editor, &PromptField::textChanged, this, &PromptView::invalidate);
}

void PromptView::placeEditor() {
  if (m_editor == nullptr || !m_edited.isValid()) {
    return;
  }
  const QRect rect = rowRect(m_edited.row());
  const int height = m_editor->height();
  // Its text stands where that of the row did.
  const int left = numberWidth() - Metrics::kGap - Metrics::kTextInset - 1;
  m_editor->setGeometry(left, rect.top() + Metrics::kTight, viewport()->width() - left - Metrics::kGap, height);
  // Of another width it may have more lines.
  if (m_editor->height() != height) {
    invalidate();
  }
}

void PromptView::commit() {
  if (m_editor != nullptr) {
    closeEditor(true);
  }
}

void PromptView::closeEditor(bool isTaken) {
  PromptField* editor = std::exchange(m_editor, nullptr);
  if (editor == nullptr) {
    return;
  }
  const QModelIndex index = m_edited;
  m_edited = QPersistentModelIndex();
  const QString text = editor->toPlainText().simplified();
  editor->hide();
  editor->deleteLater();
  if (isTaken && index.isValid()) {
    if (text.isEmpty()) {
      m_list.remove({index.row()});
    } else {
      m_list.setData(index, text, Qt::EditRole);
    }
  }
  invalidate();
}

void PromptView::toggle(int row) {
  m_list.setData(m_list.index(row), m_list.at(row).isEnabled ? Qt::Unchecked : Qt::Checked, Qt::CheckStateRole);
}

void PromptView::keyPressEvent(QKeyEvent* event) {
  const bool isPlain = (event->modifiers() & ~Qt::KeypadModifier) == Qt::NoModifier;
  if (isPlain && (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) && currentIndex().isValid()) {
    editRow(currentIndex().row());
    return;
  }
  if (isPlain && event->key() == Qt::Key_Down && (m_list.rowCount() == 0 || currentIndex().row() == m_list.rowCount() - 1)) {
    Q_EMIT leftDown();
    return;
  }
  // Letters are keys of the window, not the beginning of a prompt to jump to.
  if (!event->text().isEmpty() && event->text().front().isPrint() && !(event->modifiers() & Qt::ControlModifier)) {
    event->ignore();
    return;
  }
  QAbstractItemView::keyPressEvent(event);
}

void PromptView::mousePressEvent(QMouseEvent* event) {
  commit();
  const QModelIndex index = indexAt(event->position().toPoint());
  if (event->button() == Qt::LeftButton && index.isValid() && numberRect(index.row()).contains(event->position().toPoint()) &&
      event->modifiers() == Qt::NoModifier) {
    toggle(index.row());
    return;
  }
  QAbstractItemView::mousePressEvent(event);
}

void PromptView::mouseMoveEvent(QMouseEvent* event) {
  const int row = indexAt(event->position().toPoint()).row();
  if (row != m_hovered) {
    m_hovered = row;
    viewport()->update();
  }
  QAbstractItemView::mouseMoveEvent(event);
}

void PromptView::mouseDoubleClickEvent(QMouseEvent* event) {
  const QModelIndex index = indexAt(event->position().toPoint());
  if (event->button() == Qt::LeftButton && index.isValid()) {
    if (numberRect(index.row()).contains(event->position().toPoint())) {
      toggle(index.row());
    } else {
      editRow(index.row());
    }
  }
}

bool PromptView::viewportEvent(QEvent* event) {
  if (event->type() == QEvent::Leave && m_hovered >= 0) {
    m_hovered = -1;
    viewport()->update();
  }
  if (event->type() == QEvent::ToolTip) {
    const auto* help = static_cast<QHelpEvent*>(event);
    const QModelIndex index = indexAt(help->pos());
    QStringList words;
    if (index.isValid()) {
      words << index.data().toString();
      for (const PromptChip& chip : chipsOf(index.row())) {
        if (!chip.tip.isEmpty()) {
          words << chip.tip;
        }
      }
    }
    QToolTip::showText(help->globalPos(), words.isEmpty() ? QString() : wrappedTip(words.join(u'\n')), viewport());
    return true;
  }
  return QAbstractItemView::viewportEvent(event);
}

void PromptView::startDrag(Qt::DropActions) {
  const QList<int> rows = selectedRows();
  if (rows.isEmpty()) {
    return;
  }
  QStringList lines;
  for (const int row : rows) {
    lines << QString::fromStdString(m_list.at(row).prompt);
  }
  auto* dragged = new QMimeData;
  dragged->setText(lines.join(u'\n'));
  auto* drag = new QDrag(this);
  drag->setMimeData(dragged);
  drag->exec(Qt::CopyAction | Qt::MoveAction, Qt::MoveAction);
}

void PromptView::dragEnterEvent(QDragEnterEvent* event) {
  if (event->mimeData()->hasText() && !event->mimeData()->hasUrls()) {
    event->acceptProposedAction();
  } else {
    event->ignore();
  }
}

void PromptView::dragMoveEvent(QDragMoveEvent* event) {
  m_drop = gapAt(event->position().toPoint().y());
  viewport()->update();
  event->acceptProposedAction();
  const int y = event->position().toPoint().y();
  if (y < Metrics::kListRow || y > viewport()->height() - Metrics::kListRow) {
    verticalScrollBar()->setValue(verticalOffset() + (y < Metrics::kListRow ? -Metrics::kGap : Metrics::kGap));
  }
}

void PromptView::dragLeaveEvent(QDragLeaveEvent* event) {
  m_drop = -1;
  viewport()->update();
  QAbstractItemView::dragLeaveEvent(event);
}

void PromptView::dropEvent(QDropEvent* event) {
  const int gap = gapAt(event->position().toPoint().y());
  m_drop = -1;
  setState(NoState);
  if (event->source() == this) {
    const QList<int> rows = selectedRows();
    const int first = m_list.move(rows, gap);
    select(first, first + static_cast<int>(rows.size()) - 1);
  } else {
    Q_EMIT linesDropped(gap, promptsOf(event->mimeData()->text()));
  }
  // Copied as far as the source is concerned: it takes nothing out itself.
  event->setDropAction(Qt::CopyAction);
  event->accept();
  viewport()->update();
}

}  // namespace polyptych::ui
