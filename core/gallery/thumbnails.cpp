#include "core/gallery/thumbnails.h"

#include <QBuffer>
#include <QFileInfo>
#include <QImageReader>
#include <algorithm>

#include "core/base/thread_priority.h"
#include "core/domain/request.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr int kQuality = 88;

QByteArray encoded(const QImage& image) {
  QByteArray bytes;
  QBuffer buffer(&bytes);
  buffer.open(QIODevice::WriteOnly);
  // The plug-in for JPEG may not be installed.
  if (image.hasAlphaChannel() || !image.save(&buffer, "jpg", kQuality)) {
    bytes.clear();
    buffer.seek(0);
    image.save(&buffer, "png");
  }
  return bytes;
}

}  // namespace

Thumbnails::Thumbnails(const library::Location& location, const ThumbnailOptions& options, QObject* parent)
    : QObject(parent), m_store(options.folder, location, options.maxBytes) {
  m_threads.setMaxThreadCount(std::max(1, options.threads));
  m_threads.setThreadPriority(QThread::LowPriority);
}

Thumbnails::~Thumbnails() {
  cancelAll();
  m_threads.waitForDone();
}

quint64 Thumbnails::request(const QString& picture, int side) {
  const quint64 ticket = ++m_lastTicket;
  m_open.insert(ticket, picture);
  {
    const std::lock_guard lock(m_mutex);
    m_jobs.push_back({ticket, picture, side});
  }
  m_threads.start([this] { workOnNext(); });
  return ticket;
}

void Thumbnails::cancel(quint64 ticket) {
  m_open.remove(ticket);
  const std::lock_guard lock(m_mutex);
  m_jobs.erase(std::remove_if(m_jobs.begin(), m_jobs.end(), [ticket](const Job& job) { return job.ticket == ticket; }),
               m_jobs.end());
}

void Thumbnails::cancelAll() {
  m_open.clear();
  const std::lock_guard lock(m_mutex);
  m_jobs.clear();
}

int Thumbnails::pending() const { return static_cast<int>(m_open.size()); }

void Thumbnails::workOnNext() {
  base::giveWay();
  Job job;
  {
    const std::lock_guard lock(m_mutex);
    if (m_jobs.empty()) {
      return;
    }
    job = std::move(m_jobs.back());
    m_jobs.pop_back();
  }
  const Result<QImage> result = find(job);
  QMetaObject::invokeMethod(
      this, [this, job, result] { answer(job, result); }, Qt::QueuedConnection);
}

void Thumbnails::answer(const Job& job, const Result<QImage>& result) {
  if (m_open.remove(job.ticket) == 0) {
    return;
  }
  if (result) {
    Q_EMIT made(job.ticket, job.picture, *result);
  } else {
    Q_EMIT failed(job.ticket, job.picture, result.error());
  }
}

Result<QImage> Thumbnails::find(const Job& job) {
  const std::optional<QString> key = m_store.keyOf(job.picture, job.side);
  if (key) {
    const QImage kept = QImage::fromData(m_store.read(*key));
    if (!kept.isNull()) {
      return kept;
    }
  }
  const Result<QImage> image = shrink(job.picture, job.side);
  if (image && key) {
    (void)m_store.write(*key, encoded(*image));  // a cache that cannot be written is slower, and no more
  }
  return image;
}

Result<QImage> Thumbnails::shrink(const QString& picture, int side) {
  if (!QFileInfo::exists(picture)) {
    return Error{ErrorCode::NotFound, "The picture '" + picture.toStdString() + "' is not there any more.", {}};
  }
  QImageReader reader(picture);
  const QSize size = reader.size();
  if (size.width() > domain::kMaxSide || size.height() > domain::kMaxSide) {
    return Error{
        ErrorCode::Corrupt, "The picture '" + picture.toStdString() + "' is larger than any that this program makes.", {}};
  }
  QImage image = reader.read();
  if (image.isNull()) {
    return Error{ErrorCode::Corrupt, "The picture '" + picture.toStdString() + "' cannot be shown; it is damaged.",
                 reader.errorString().toStdString()};
  }
  return image.width() <= side && image.height() <= side
             ? image
             : image.scaled(side, side, Qt::KeepAspectRatio, Qt::SmoothTransformation);
}

}  // namespace polyptych::gallery
