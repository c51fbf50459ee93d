#include "ui/gallery_view.h"

#include <QResizeEvent>
#include <algorithm>

#include "ui/theme.h"

namespace polyptych::ui {

GalleryView::GalleryView(QWidget* parent) : QListView(parent) {
  setViewMode(QListView::IconMode);
  setMovement(QListView::Static);
  setResizeMode(QListView::Adjust);
  setLayoutMode(QListView::Batched);
  setUniformItemSizes(true);
  setSelectionMode(QAbstractItemView::ExtendedSelection);
  setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  // Always there, so that its coming and going does not change the width that the tiles share.
  setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOn);
  setMouseTracking(true);
}

void GalleryView::resizeEvent(QResizeEvent* event) {
  const int width = event->size().width() - 1;
  const int columns = std::max(1, width / (Metrics::kTile + Metrics::kTileGap));
  const int side = std::max(Metrics::kTileGap + 1, width / columns);
  setGridSize({side, side});
  QListView::resizeEvent(event);
}

}  // namespace polyptych::ui
