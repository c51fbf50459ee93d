#include "ui/gallery_view.h"

#include <QResizeEvent>
#include <QScrollBar>
#include <QStyle>
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
  connect(verticalScrollBar(), &QScrollBar::rangeChanged, this, &GalleryView::updateHandle);
  updateHandle();
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

void GalleryView::resizeEvent(QResizeEvent* event) {
  const int width = event->size().width() - 1;
  const int columns = std::max(1, (width + (Metrics::kTile + Metrics::kTileGap) / 4) / (Metrics::kTile + Metrics::kTileGap));
  const int side = std::max(Metrics::kTileGap + 1, width / columns);
  setGridSize({side, side});
  QListView::resizeEvent(event);
}

}  // namespace polyptych::ui
