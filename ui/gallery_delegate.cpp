#include "ui/gallery_delegate.h"

#include <QListView>
#include <QPainter>
#include <QPainterPath>

#include "ui/gallery_model.h"
#include "ui/theme.h"

namespace polyptych::ui {

void GalleryDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
  const Tokens& colours = currentTokens();
  const auto state = index.data(GalleryModel::StateRole).value<GalleryModel::State>();
  const auto picture = index.data(Qt::DecorationRole).value<QPixmap>();
  const QRect tile =
      option.rect.adjusted(Metrics::kTileGap / 2, Metrics::kTileGap / 2, -Metrics::kTileGap / 2, -Metrics::kTileGap / 2);

  painter->save();
  painter->setRenderHint(QPainter::Antialiasing);
  painter->setRenderHint(QPainter::SmoothPixmapTransform);
  QRect inside = tile;
  if (!picture.isNull()) {
    inside.setSize(picture.size().scaled(tile.size(), Qt::KeepAspectRatio));
    inside.moveCenter(tile.center());
  }
  QPainterPath outline;
  outline.addRoundedRect(inside, Metrics::kPictureRadius, Metrics::kPictureRadius);
  painter->setClipPath(outline);
  painter->fillRect(inside, colours.surface);
  if (!picture.isNull()) {
    painter->drawPixmap(inside, picture);
  }
  if (state == GalleryModel::State::Working) {
    const QRect track(inside.left() + Metrics::kGap, inside.bottom() - Metrics::kGap - Metrics::kBar,
                      inside.width() - 2 * Metrics::kGap, Metrics::kBar);
    painter->fillRect(track, colours.line);
    painter->fillRect(
        QRect(track.topLeft(),
              QSize(static_cast<int>(track.width() * index.data(GalleryModel::PartRole).toDouble()), Metrics::kBar)),
        colours.accent);
  }
  painter->setClipping(false);
  if (state == GalleryModel::State::Failed) {
    painter->setPen(colours.bad);
    const QString text = QStringLiteral("▲ ") + index.data(GalleryModel::ReasonRole).toString();
    painter->setClipRect(tile);
    const QRect room = tile.marginsRemoved({Metrics::kPad, Metrics::kPad, Metrics::kPad, Metrics::kPad});
    painter->drawText(room, Qt::AlignCenter | Qt::TextWordWrap, text);
    painter->setClipping(false);
  }
  if (state != GalleryModel::State::Done && picture.isNull()) {
    painter->setPen(QPen(colours.line, 1));
    painter->drawPath(outline);
  }
  if (option.state & (QStyle::State_Selected | QStyle::State_HasFocus)) {
    painter->setPen(QPen(colours.accent, Metrics::kRing));
    constexpr int kOut = Metrics::kRing;
    painter->drawRoundedRect(QRectF(inside).adjusted(-kOut, -kOut, kOut, kOut), Metrics::kPictureRadius + kOut,
                             Metrics::kPictureRadius + kOut);
  }
  painter->restore();
}

QSize GalleryDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
  if (const auto* view = qobject_cast<const QListView*>(option.widget); view != nullptr && view->gridSize().isValid()) {
    return view->gridSize();
  }
  return {Metrics::kTile + Metrics::kTileGap, Metrics::kTile + Metrics::kTileGap};
}

}  // namespace polyptych::ui
