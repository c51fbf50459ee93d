#include "ui/gallery/tile_pictures.h"

#include <QPainter>
#include <algorithm>
#include <iterator>

#include "core/base/thread_priority.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

int thumbnailSideFor(int side) {
  for (const int kept : gallery::kThumbnailSides) {
    if (kept >= side) {
      return kept;
    }
  }
  return gallery::kThumbnailSides[std::size(gallery::kThumbnailSides) - 1];
}

/// Never larger than it is, but for tiny pictures, whose pixels are to be seen.
QImage tileOf(const QImage& thumbnail, int side, double ratio) {
  const QSize size = thumbnail.size().scaled(side, side, Qt::KeepAspectRatio).expandedTo({1, 1});
  QImage image(size, QImage::Format_ARGB32_Premultiplied);
  image.fill(Qt::transparent);
  QPainter painter(&image);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(Qt::NoPen);
  painter.setBrush(QBrush(thumbnail.scaled(size, Qt::IgnoreAspectRatio, Qt::SmoothTransformation)));
  const double radius = Metrics::kPictureRadius * ratio;
  painter.drawRoundedRect(QRectF(QPointF(), QSizeF(size)), radius, radius);
  painter.end();
  image.setDevicePixelRatio(ratio);
  return image;
}

}  // namespace

TilePictures::TilePictures(const library::Location& location, qsizetype bytes, QObject* parent)
    : QObject(parent), m_ready(bytes), m_side(Metrics::kTile), m_thumbnails(location) {
  m_threads.setMaxThreadCount(1);
  connect(&m_thumbnails, &gallery::Thumbnails::made, this,
          [this](quint64, const QString& path, const QImage& thumbnail) { prepare(path, thumbnail); });
  connect(&m_thumbnails, &gallery::Thumbnails::failed, this, [this](quint64, const QString& path, const base::Error&) {
    m_sent.remove(path);
    m_damaged.insert(path);
    Q_EMIT changed(path);
  });
}

TilePictures::~TilePictures() {
  m_threads.clear();
  m_threads.waitForDone();
}

QPixmap TilePictures::of(const QString& path) {
  const Ready* ready = m_ready.object(path);
  if ((ready == nullptr || ready->side != m_side) && !m_sent.contains(path) && !m_damaged.contains(path)) {
    send(path);
  }
  return ready != nullptr ? ready->pixmap : QPixmap();
}

void TilePictures::setTile(int side, double ratio) {
  m_side = std::max(1, side);
  m_ratio = ratio;
}

void TilePictures::send(const QString& path) { m_sent.insert(path, m_thumbnails.request(path, thumbnailSideFor(m_side))); }

void TilePictures::keepOnly(const QSet<QString>& paths) {
  for (auto sent = m_sent.begin(); sent != m_sent.end();) {
    if (paths.contains(sent.key())) {
      ++sent;
    } else {
      m_thumbnails.cancel(sent.value());
      sent = m_sent.erase(sent);
    }
  }
}

void TilePictures::prepare(const QString& path, const QImage& thumbnail) {
  m_threads.start([this, path, thumbnail, side = m_side, ratio = m_ratio] {
    base::giveWay();
    const QImage image = tileOf(thumbnail, side, ratio);
    // It waits for its thread before it goes.
    QMetaObject::invokeMethod(
        this,
        [this, path, image, side] {
          m_sent.remove(path);
          m_ready.insert(path, new Ready{QPixmap::fromImage(image), side}, image.sizeInBytes());
          Q_EMIT changed(path);
        },
        Qt::QueuedConnection);
  });
}

}  // namespace polyptych::ui
