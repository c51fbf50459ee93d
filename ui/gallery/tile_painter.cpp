#include "ui/gallery/tile_painter.h"

#include <QPainter>
#include <QPainterPath>
#include <QPixmap>
#include <cmath>

#include "ui/gallery/gallery_model.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

constexpr double kRejectOpacity = 0.28;
constexpr double kPi = 3.14159265358979323846;

QPainterPath starPath(QPointF centre, double radius) {
  QPainterPath path;
  for (int i = 0; i < 10; ++i) {
    const double angle = -kPi / 2 + i * kPi / 5;
    const double r = i % 2 == 0 ? radius : radius * 0.42;
    const QPointF point = centre + QPointF(std::cos(angle) * r, std::sin(angle) * r);
    i == 0 ? path.moveTo(point) : path.lineTo(point);
  }
  path.closeSubpath();
  return path;
}

QPainterPath flagPath(QPointF centre, double radius) {
  QPainterPath path;
  path.addRect(QRectF(centre.x() - radius * 0.7, centre.y() - radius, radius * 0.28, radius * 2));
  path.moveTo(centre + QPointF(-radius * 0.42, -radius));
  path.lineTo(centre + QPointF(radius, -radius * 0.42));
  path.lineTo(centre + QPointF(-radius * 0.42, radius * 0.2));
  path.closeSubpath();
  return path;
}

/// White with a dark edge: to be seen on any picture.
void paintMarks(QPainter& painter, const QRectF& inside, int stars, bool isPicked) {
  const Tokens& colours = currentTokens();
  constexpr double kRadius = Metrics::kStar / 2.0;
  double x = inside.left() + Metrics::kGap + kRadius;
  const double y = inside.bottom() - Metrics::kGap - kRadius;
  QPainterPath path;
  path.setFillRule(Qt::WindingFill);
  if (isPicked) {
    path.addPath(flagPath({x, y}, kRadius));
    x += Metrics::kStar + 2;
  }
  for (int i = 0; i < stars; ++i, x += Metrics::kStar) {
    path.addPath(starPath({x, y}, kRadius));
  }
  painter.setPen(QPen(colours.onPictureEdge, 2.5, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
  painter.setBrush(Qt::NoBrush);
  painter.drawPath(path);
  painter.setPen(Qt::NoPen);
  painter.setBrush(colours.onPicture);
  painter.drawPath(path);
}

}  // namespace

void paintTile(QPainter& painter, const QRect& cell, const QModelIndex& index, bool isSelected, bool isCurrent) {
  const Tokens& colours = currentTokens();
  const auto state = index.data(GalleryModel::StateRole).value<GalleryModel::State>();
  const auto picture = index.data(Qt::DecorationRole).value<QPixmap>();
  const int stars = index.data(GalleryModel::StarsRole).toInt();
  const int pick = index.data(GalleryModel::PickRole).toInt();
  constexpr int kHalf = Metrics::kTileGap / 2;
  const QRect tile = cell.adjusted(kHalf, kHalf, -kHalf, -kHalf);
  const auto* gallery = qobject_cast<const GalleryModel*>(index.model());
  QSize shape = gallery != nullptr ? gallery->sizeOf(index.row()) : QSize();
  if (shape.isEmpty()) {
    shape = picture.isNull() ? tile.size() : picture.size();
  }
  // As wide as all tiles or less; a line of wide pictures is no higher than they are.
  QRect inside(QPoint(), shape.scaled(tile.width(), tile.width(), Qt::KeepAspectRatio));
  inside.moveCenter(tile.center());
  inside &= tile;

  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setOpacity(pick < 0 ? kRejectOpacity : 1);
  const bool isTile = state == GalleryModel::State::Done && !picture.isNull() &&
                      QSizeF(picture.size()) / picture.devicePixelRatio() == QSizeF(inside.size());
  if (isTile) {
    painter.drawPixmap(inside.topLeft(), picture);
  } else {
    QPainterPath outline;
    outline.addRoundedRect(inside, Metrics::kPictureRadius, Metrics::kPictureRadius);
    if (picture.isNull()) {
      painter.fillPath(outline, colours.surface);
    } else {
      painter.setRenderHint(QPainter::SmoothPixmapTransform);
      painter.setClipPath(outline);
      painter.drawPixmap(inside, picture);
      painter.setClipping(false);
    }
    if (state != GalleryModel::State::Done && picture.isNull()) {
      painter.setPen(QPen(colours.line, 1));
      painter.drawPath(outline);
    }
  }
  painter.setOpacity(1);
  if (state == GalleryModel::State::Working) {
    const QRectF track(inside.left() + Metrics::kGap, inside.bottom() - Metrics::kGap - Metrics::kBar,
                       inside.width() - 2 * Metrics::kGap, Metrics::kBar);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colours.line);
    painter.drawRoundedRect(track, Metrics::kBar / 2.0, Metrics::kBar / 2.0);
    painter.setBrush(colours.accent);
    painter.drawRoundedRect(
        QRectF(track.topLeft(), QSizeF(track.width() * index.data(GalleryModel::PartRole).toDouble(), Metrics::kBar)),
        Metrics::kBar / 2.0, Metrics::kBar / 2.0);
  } else if (state == GalleryModel::State::Failed) {
    painter.setPen(colours.bad);
    const QString text = QStringLiteral("▲ ") + index.data(GalleryModel::ReasonRole).toString();
    painter.setClipRect(tile);
    const QRect room = tile.marginsRemoved({Metrics::kPad, Metrics::kPad, Metrics::kPad, Metrics::kPad});
    painter.drawText(room, Qt::AlignCenter | Qt::TextWordWrap, text);
    painter.setClipping(false);
  }
  if (state == GalleryModel::State::Done && (stars > 0 || pick > 0) && inside.width() > Metrics::kStar * 6) {
    paintMarks(painter, inside, stars, pick > 0);
  }
  if (isSelected || isCurrent) {
    painter.setPen(QPen(isSelected ? colours.accent : colours.secondary, Metrics::kRing));
    painter.setBrush(Qt::NoBrush);
    constexpr double kOut = Metrics::kRing;
    painter.drawRoundedRect(QRectF(inside).adjusted(-kOut, -kOut, kOut, kOut), Metrics::kPictureRadius + kOut,
                            Metrics::kPictureRadius + kOut);
  }
  painter.restore();
}

}  // namespace polyptych::ui
