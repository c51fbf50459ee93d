#include "core/gallery/thumbnail_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <QCryptographicHash>
#include <QDateTime>
#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QFileInfo>
#include <QRandomGenerator>
#include <QStandardPaths>
#include <algorithm>

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr int kLibraryDigits = 16;
/// After an eviction there is room for a while.
constexpr double kKept = 0.9;
constexpr qint64 kMaxThumbnailBytes = 4 << 20;

QString hashed(const QString& text) {
  return QString::fromLatin1(QCryptographicHash::hash(text.toUtf8(), QCryptographicHash::Sha256).toHex());
}

struct CachedFile {
  qint64 usedMs = 0;
  qint64 bytes = 0;
  QString path;
};

}  // namespace

QString defaultThumbnailFolder() {
  return QStandardPaths::writableLocation(QStandardPaths::GenericCacheLocation) + QStringLiteral("/polyptych/thumbnails");
}

ThumbnailStore::ThumbnailStore(QString folder, library::Location location, qint64 maxBytes)
    : m_folder(std::move(folder)),
      m_location(std::move(location)),
      m_own(m_folder + u'/' + hashed(m_location.root).left(kLibraryDigits)),
      m_maxBytes(maxBytes) {}

std::optional<QString> ThumbnailStore::keyOf(const QString& picture, int side) const {
  struct stat status {};
  if (::stat(QFile::encodeName(picture).constData(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  const QString relative = QDir(m_location.picturesFolder()).relativeFilePath(picture);
  return hashed(QStringLiteral("%1\n%2\n%3.%4\n%5")
                    .arg(relative)
                    .arg(status.st_size)
                    .arg(status.st_mtim.tv_sec)
                    .arg(status.st_mtim.tv_nsec)
                    .arg(side));
}

QString ThumbnailStore::pathOf(const QString& key) const { return m_own + u'/' + key.left(2) + u'/' + key; }

QByteArray ThumbnailStore::read(const QString& key) const {
  QFile file(pathOf(key));
  if (!file.open(QIODevice::ReadOnly) || file.size() > kMaxThumbnailBytes) {
    return {};
  }
  ::futimens(file.handle(), nullptr);
  return file.readAll();
}

Result<void> ThumbnailStore::write(const QString& key, const QByteArray& bytes) {
  const QString path = pathOf(key);
  const QString temporary = path + QStringLiteral(".%1.tmp").arg(QRandomGenerator::system()->generate64(), 0, 16);
  QFile file(temporary);
  if (!QDir().mkpath(QFileInfo(path).path()) || !file.open(QIODevice::WriteOnly | QIODevice::NewOnly)) {
    return Error{ErrorCode::Io, "Thumbnails cannot be kept in '" + m_folder.toStdString() + "'; check the folder's rights.",
                 file.errorString().toStdString()};
  }
  // Not synced: what a power cut takes is made again.
  const bool isWritten = file.write(bytes) == bytes.size() && file.flush();
  file.close();
  if (!isWritten || ::rename(QFile::encodeName(temporary).constData(), QFile::encodeName(path).constData()) != 0) {
    QFile::remove(temporary);
    return Error{ErrorCode::DiskFull, "A thumbnail cannot be kept; make room on the disk of the cache folder.",
                 file.errorString().toStdString()};
  }
  const std::lock_guard lock(m_mutex);
  m_bytes += m_bytes >= 0 ? bytes.size() : 0;
  if (m_bytes < 0 || m_bytes > m_maxBytes) {
    evict();
  }
  return {};
}

/// Counts what is there, and takes away what is too much of it.
void ThumbnailStore::evict() {
  std::vector<CachedFile> files;
  m_bytes = 0;
  for (QDirIterator it(m_folder, QDir::Files | QDir::NoSymLinks, QDirIterator::Subdirectories); it.hasNext();) {
    const QFileInfo info(it.next());
    files.push_back({info.lastModified().toMSecsSinceEpoch(), info.size(), info.filePath()});
    m_bytes += info.size();
  }
  if (m_bytes <= m_maxBytes) {
    return;
  }
  std::sort(files.begin(), files.end(), [](const CachedFile& a, const CachedFile& b) { return a.usedMs < b.usedMs; });
  for (const CachedFile& file : files) {
    if (static_cast<double>(m_bytes) <= kKept * static_cast<double>(m_maxBytes)) {
      break;
    }
    if (QFile::remove(file.path)) {
      m_bytes -= file.bytes;
    }
  }
}

std::vector<QString> ThumbnailStore::keys() const {
  std::vector<QString> keys;
  for (QDirIterator it(m_own, QDir::Files | QDir::NoSymLinks, QDirIterator::Subdirectories); it.hasNext();) {
    it.next();
    keys.push_back(it.fileName());
  }
  return keys;
}

void ThumbnailStore::remove(const QString& key) { QFile::remove(pathOf(key)); }

}  // namespace polyptych::gallery
