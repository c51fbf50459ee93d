#pragma once

#include <QHash>
#include <QImage>
#include <QObject>
#include <QThreadPool>
#include <deque>
#include <mutex>

#include "core/base/result.h"
#include "core/gallery/thumbnail_store.h"

namespace polyptych::gallery {

struct ThumbnailOptions {
  QString folder = defaultThumbnailFolder();
  qint64 maxBytes = qint64(1) << 30;
  int threads = 2;
};

/// Small versions of a library's pictures, from the cache or made by a few threads, the newest request first: what a person
/// scrolls to comes before what was scrolled past. Lives on the thread that made it, where it also answers.
class Thumbnails : public QObject {
  Q_OBJECT
 public:
  explicit Thumbnails(const library::Location& location, const ThumbnailOptions& options = {}, QObject* parent = nullptr);
  /// Waits for those in work; the others are dropped.
  ~Thumbnails() override;

  /// `made` or `failed` follows, unless it is cancelled. @param picture  absolute path. @param side  one of kThumbnailSides
  /// @return a number for cancel()
  quint64 request(const QString& picture, int side);
  void cancel(quint64 ticket);
  void cancelAll();
  /// Requests without an answer.
  int pending() const;

  /// Decodes and shrinks; never makes larger. @return NotFound, Corrupt
  static base::Result<QImage> shrink(const QString& picture, int side);

 Q_SIGNALS:
  void made(quint64 ticket, const QString& picture, const QImage& thumbnail);
  void failed(quint64 ticket, const QString& picture, const polyptych::base::Error& error);

 private:
  struct Job {
    quint64 ticket = 0;
    QString picture;
    int side = 0;
  };

  void workOnNext();
  base::Result<QImage> find(const Job& job);
  void answer(const Job& job, const base::Result<QImage>& result);

  ThumbnailStore m_store;
  QThreadPool m_threads;
  quint64 m_lastTicket = 0;
  QHash<quint64, QString> m_open;  ///< of the object's thread
  std::mutex m_mutex;
  std::deque<Job> m_jobs;  ///< newest last
};

}  // namespace polyptych::gallery
