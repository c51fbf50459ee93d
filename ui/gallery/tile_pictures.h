#pragma once

#include <QCache>
#include <QHash>
#include <QObject>
#include <QPixmap>
#include <QSet>
#include <QThreadPool>

#include "core/gallery/thumbnails.h"

namespace polyptych::ui {

/// The pictures of tiles, ready to be painted: shrunk to the tile and with round corners, made on threads. What is not there is
/// sent for; a picture of another tile size stands in meanwhile.
class TilePictures : public QObject {
  Q_OBJECT
 public:
  /// @param bytes  most memory that they may take; those that were asked for last stay
  TilePictures(const library::Location& location, qsizetype bytes, QObject* parent = nullptr);
  ~TilePictures() override;

  /// Null if there is none (yet); `changed` follows then.
  QPixmap of(const QString& path);
  /// Device pixels of a tile's side, and pixels of the screen for one of the window.
  void setTile(int side, double ratio);
  /// Drops what was sent for and is not among them.
  void keepOnly(const QSet<QString>& paths);
  qsizetype bytes() const { return m_ready.totalCost(); }
  bool isDamaged(const QString& path) const { return m_damaged.contains(path); }

 Q_SIGNALS:
  void changed(const QString& path);

 private:
  struct Ready {
    QPixmap pixmap;
    int side = 0;
  };
  void send(const QString& path);
  void prepare(const QString& path, const QImage& thumbnail);

  QCache<QString, Ready> m_ready;
  QHash<QString, quint64> m_sent;
  QSet<QString> m_damaged;
  int m_side = 0;
  double m_ratio = 1;
  gallery::Thumbnails m_thumbnails;
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
