#pragma once

#include <QAbstractItemView>
#include <functional>
#include <vector>

#include "ui/prompts/prompt_lengths.h"
#include "ui/prompts/prompt_list_model.h"
#include "ui/prompts/prompt_models.h"
#include "ui/prompts/prompt_painter.h"

namespace polyptych::ui {

class PromptField;

/// The list of prompts: a number, up to two lines, and what differs or is wrong. Rows are edited where they stand and dragged to
/// another place. Fast for any number of rows: only what is seen is laid out.
class PromptView : public QAbstractItemView {
  Q_OBJECT
 public:
  /// All outlive it.
  PromptView(PromptListModel& list, const PromptLengths& lengths, const PromptModels& models, QWidget* parent = nullptr);

  /// Ascending.
  QList<int> selectedRows() const;
  void select(int first, int last);
  /// Opens the field over a row.
  void editRow(int row);
  bool isEditing() const { return m_editor != nullptr; }
  /// Takes what stands in the field that is open.
  void commit();
  /// Of a row, as they are shown.
  QList<PromptChip> chipsOf(int row) const;

  QRect visualRect(const QModelIndex& index) const override;
  void scrollTo(const QModelIndex& index, ScrollHint hint = EnsureVisible) override;
  QModelIndex indexAt(const QPoint& point) const override;
  QSize minimumSizeHint() const override;

 Q_SIGNALS:
  void linesPasted(int row, const QStringList& lines);
  void linesDropped(int row, const QStringList& lines);
  /// Down in the last row.
  void leftDown();

 protected:
  QModelIndex moveCursor(CursorAction action, Qt::KeyboardModifiers modifiers) override;
  int horizontalOffset() const override { return 0; }
  int verticalOffset() const override;
  bool isIndexHidden(const QModelIndex&) const override { return false; }
  void setSelection(const QRect& rect, QItemSelectionModel::SelectionFlags flags) override;
  QRegion visualRegionForSelection(const QItemSelection& selection) const override;
  void updateGeometries() override;
  void rowsInserted(const QModelIndex& parent, int start, int end) override;
  void rowsAboutToBeRemoved(const QModelIndex& parent, int start, int end) override;
  void dataChanged(const QModelIndex& topLeft, const QModelIndex& bottomRight, const QList<int>& roles) override;

  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void changeEvent(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  bool viewportEvent(QEvent* event) override;
  void startDrag(Qt::DropActions actions) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dragMoveEvent(QDragMoveEvent* event) override;
  void dragLeaveEvent(QDragLeaveEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  void measure(int first, int last);
  void measureAll();
  void layOut() const;
  void invalidate();
  int textWidth() const;
  int numberWidth() const;
  QRect rowRect(int row) const;
  QRect numberRect(int row) const;
  int rowAt(int y) const;
  int gapAt(int y) const;
  void placeEditor();
  void closeEditor(bool isTaken);
  void toggle(int row);

  PromptListModel& m_list;
  const PromptLengths& m_lengths;
  const PromptModels& m_models;
  PromptPainter m_painter;
  std::vector<int> m_widths;        ///< of each text on one line, estimated, pixels
  mutable std::vector<int> m_tops;  ///< one more than there are rows
  mutable bool m_isLaidOut = false;
  PromptField* m_editor = nullptr;
  QPersistentModelIndex m_edited;
  int m_hovered = -1;
  int m_drop = -1;  ///< the gap that the pointer is over with what it drags
};

}  // namespace polyptych::ui
