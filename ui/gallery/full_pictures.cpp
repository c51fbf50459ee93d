#include "ui/gallery/full_pictures.h"

#include <QImageReader>
#include <algorithm>

namespace polyptych::ui {
namespace {

constexpr qsizetype kKeptKilobytes = 160 << 10;

}  // namespace

FullPictures::FullPictures(QObject* parent) : QObject(parent), m_kept(kKeptKilobytes) { m_threads.setMaxThreadCount(1); }

FullPictures::~FullPictures() {
  m_threads.clear();
  m_threads.waitForDone();
}

QImage FullPictures::of(const QString& path, const QStringList& neighbours) {
  m_threads.clear();
  m_started.clear();
  const QImage* kept = m_kept.object(path);
  const QImage image = kept != nullptr ? *kept : QImage();
  if (image.isNull() && !path.isEmpty()) {
    start(path);
  }
  for (const QString& neighbour : neighbours) {
    if (!neighbour.isEmpty() && !m_kept.contains(neighbour)) {
      start(neighbour);
    }
  }
  return image;
}

void FullPictures::start(const QString& path) {
  if (m_started.contains(path)) {
    return;
  }
  m_started.insert(path);
  m_threads.start([this, path] {
    const QImage image = QImageReader(path).read().convertToFormat(QImage::Format_ARGB32_Premultiplied);
    // It waits for its thread before it goes.
    QMetaObject::invokeMethod(
        this,
        [this, path, image] {
          m_started.remove(path);
          if (!image.isNull()) {
            // One that is larger than all that may stay is shown all the same.
            m_kept.insert(path, new QImage(image), std::min<qsizetype>(image.sizeInBytes() >> 10, kKeptKilobytes));
          }
          Q_EMIT read(path, image);
        },
        Qt::QueuedConnection);
  });
}

}  // namespace polyptych::ui
