#pragma once

#include <QByteArray>
#include <QString>
#include <mutex>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/library/location.h"

namespace polyptych::gallery {

/// Sides of thumbnails, in pixels: the longer side of a picture is made that long, or left if it is shorter.
inline constexpr int kThumbnailSides[] = {128, 256, 512};

/// "polyptych/thumbnails" in the user's cache folder.
QString defaultThumbnailFolder();

/// Files of thumbnails: <folder>/<library>/<2 hex>/<SHA-256 of the picture's path in the library, size, time and side>. A picture
/// that changes gets new ones. May be used from several threads.
class ThumbnailStore {
 public:
  /// @param folder  of all libraries' thumbnails. @param maxBytes  of all of them; what was not used for longest goes first
  ThumbnailStore(QString folder, library::Location location, qint64 maxBytes);

  /// A thumbnail's file name without its ending; nothing if the picture is not there. @param picture  absolute path
  std::optional<QString> keyOf(const QString& picture, int side) const;
  /// The bytes of a thumbnail; they count as used now. Empty: there is none.
  QByteArray read(const QString& key) const;
  /// Whole or not at all. @return Io, DiskFull
  base::Result<void> write(const QString& key, const QByteArray& bytes);

  /// Keys of this library's thumbnails that are on the disk.
  std::vector<QString> keys() const;
  void remove(const QString& key);

 private:
  QString pathOf(const QString& key) const;
  void evict();

  const QString m_folder;
  const library::Location m_location;
  const QString m_own;  ///< this library's part of it
  const qint64 m_maxBytes;
  std::mutex m_mutex;
  qint64 m_bytes = -1;  ///< of all thumbnails; -1: not counted yet
};

}  // namespace polyptych::gallery
