#pragma once

#include <QAbstractItemView>
#include <QPersistentModelIndex>
#include <QTimer>
#include <optional>
#include <vector>

#include "ui/gallery/gallery_model.h"

class QRubberBand;

namespace polyptych::ui {

/// The grid: as many columns as fit, tiles that grow or shrink a little so that they fill the width, headings between groups.
/// Knows where each of 100 000 tiles stands without asking them.
class GalleryView : public QAbstractItemView {
  Q_OBJECT
 public:
  explicit GalleryView(QWidget* parent = nullptr);

  void setGallery(GalleryModel* model);
  /// The side that a tile should have, in pixels.
  int tileSide() const { return m_wantedSide; }
  void setTileSide(int side);

  QRect visualRect(const QModelIndex& index) const override;
  void scrollTo(const QModelIndex& index, ScrollHint hint = EnsureVisible) override;
  QModelIndex indexAt(const QPoint& point) const override;
  /// Rows of which something is seen: first and last; last < first if there are none.
  std::pair<int, int> visibleRows() const;

 Q_SIGNALS:
  void tileSideChanged(int side);
  void selectionCountChanged(int count);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  bool viewportEvent(QEvent* event) override;
  void startDrag(Qt::DropActions actions) override;
  void scrollContentsBy(int dx, int dy) override;
  void updateGeometries() override;
  QModelIndex moveCursor(CursorAction action, Qt::KeyboardModifiers modifiers) override;
  int horizontalOffset() const override { return 0; }
  int verticalOffset() const override;
  bool isIndexHidden(const QModelIndex&) const override { return false; }
  void setSelection(const QRect& rect, QItemSelectionModel::SelectionFlags flags) override;
  QRegion visualRegionForSelection(const QItemSelection& selection) const override;
  void selectionChanged(const QItemSelection& selected, const QItemSelection& deselected) override;
  void dataChanged(const QModelIndex& topLeft, const QModelIndex& bottomRight, const QList<int>& roles) override;
  void rowsInserted(const QModelIndex& parent, int start, int end) override;

 private:
  struct Band {
    int top = 0;  ///< of the heading, in the whole gallery
    int tilesTop = 0;
    int first = 0;
    int count = 0;
    int line = 1;  ///< height of a line of tiles: that of the tallest, with the gap
  };
  /// A tile that is to stay where it is on the screen.
  struct Anchor {
    std::pair<quint64, qint64> key;
    int y = 0;
  };

  void layOut() const;
  void invalidate();
  const Band* bandOf(int row) const;
  std::size_t bandAt(int y) const;
  QRect tileRect(int row) const;  ///< in the whole gallery
  int lineHeight(int first, int count) const;
  void keepAnchor();
  void returnToAnchor();
  void updateHandle();
  void tellVisible();
  void paintHeading(QPainter& painter, const Band& band, std::size_t number);
  int rowNear(int y, int column) const;
  void selectTo(const QModelIndex& index, QItemSelectionModel::SelectionFlags flags);

  GalleryModel* m_gallery = nullptr;
  int m_wantedSide;
  mutable bool m_isLaidOut = false;
  mutable int m_columns = 1;
  mutable int m_cell = 1;
  mutable int m_height = 0;
  mutable std::vector<Band> m_bands;
  std::optional<Anchor> m_anchor;
  std::vector<std::pair<quint64, qint64>> m_selectedKeys;
  std::pair<quint64, qint64> m_currentKey;
  QTimer m_visibleTimer;
  QPersistentModelIndex m_shiftAnchor;  ///< where a choice of many began
  QRubberBand* m_rubberBand = nullptr;
  QPoint m_bandStart;  ///< in the whole gallery
  QItemSelection m_bandBefore;
  bool m_isBanding = false;
};

}  // namespace polyptych::ui
