#pragma once

#include <QCache>
#include <QImage>
#include <QObject>
#include <QSet>
#include <QStringList>
#include <QThreadPool>

namespace polyptych::ui {

/// Pictures in their own size, decoded on a thread; a few stay. What is wanted now comes before its neighbours.
class FullPictures : public QObject {
  Q_OBJECT
 public:
  explicit FullPictures(QObject* parent = nullptr);
  /// Waits for the one in work.
  ~FullPictures() override;

  /// Null if it is not there yet; `read` follows then, with a null image if it cannot be read. Others that were asked for and not
  /// begun are forgotten. @param neighbours  read afterwards
  QImage of(const QString& path, const QStringList& neighbours = {});

 Q_SIGNALS:
  void read(const QString& path, const QImage& image);

 private:
  void start(const QString& path);

  QCache<QString, QImage> m_kept;
  QSet<QString> m_started;
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
