#include "core/gallery/upkeep/picture_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <QFile>
#include <algorithm>
#include <cstring>
#include <span>

#include "core/gallery/sidecar.h"
#include "core/gallery/upkeep/parallel.h"
#include "core/picture/png.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using domain::PictureMetadata;

/// Most settings stand in the first bytes of a file.
constexpr qint64 kHeadBytes = 16 << 10;
constexpr qint64 kMoreHead = 16;
constexpr std::string_view kSignature("\x89PNG\r\n\x1A\n");
/// IEND has no data: its twelve bytes are always the same.
constexpr std::string_view kEnd("\0\0\0\0IEND\xAE\x42\x60\x82", 12);
/// Signature, length and type of IHDR stand before width and height.
constexpr std::size_t kSizeOffset = 16;

std::span<const std::byte> bytesOf(const std::string& text) { return std::as_bytes(std::span(text.data(), text.size())); }

/// An open file that is read by position.
class OpenFile {
 public:
  explicit OpenFile(const QString& path) : m_fd(::open(QFile::encodeName(path).constData(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    m_isOpen = m_fd >= 0 && ::fstat(m_fd, &m_status) == 0 && S_ISREG(m_status.st_mode);
  }
  ~OpenFile() {
    if (m_fd >= 0) {
      ::close(m_fd);
    }
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  bool isOpen() const { return m_isOpen; }
  qint64 size() const { return m_status.st_size; }
  qint64 modifiedMs() const { return qint64(m_status.st_mtim.tv_sec) * 1000 + m_status.st_mtim.tv_nsec / 1000000; }

  /// @return false if so much cannot be read
  bool read(qint64 offset, qint64 count, std::string& out) const {
    out.resize(static_cast<std::size_t>(count));
    qint64 done = 0;
    while (done < count) {
      const ssize_t some = ::pread(m_fd, out.data() + done, static_cast<std::size_t>(count - done), offset + done);
      if (some <= 0 && !(some < 0 && errno == EINTR)) {
        return false;
      }
      done += std::max<ssize_t>(some, 0);
    }
    return true;
  }

 private:
  int m_fd;
  bool m_isOpen = false;
  struct stat m_status {};
};

Error unreadable() { return {ErrorCode::Io, "The picture cannot be read; check its rights and its disk.", {}}; }

Error damaged(const char* what) { return {ErrorCode::Corrupt, "The picture file is damaged or incomplete.", what}; }

int sideAt(const std::string& head, std::size_t at) {
  std::uint32_t side = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    side = side << 8 | static_cast<unsigned char>(head[at + i]);
  }
  return static_cast<int>(std::min<std::uint32_t>(side, domain::kMaxSide + 1));
}

Result<PictureMetadata> fittingSize(Result<PictureMetadata> metadata, const std::string& head) {
  if (metadata && (head.size() < kSizeOffset + 8 || sideAt(head, kSizeOffset) != metadata->request.width ||
                   sideAt(head, kSizeOffset + 4) != metadata->request.height)) {
    return damaged("another size than its settings say");
  }
  return metadata;
}

/// Settings from the beginning of a file, which is read as far as they go.
Result<PictureMetadata> readHead(const OpenFile& file, std::string& head) {
  for (qint64 bytes = kHeadBytes;; bytes *= kMoreHead) {
    const qint64 some = std::min(bytes, file.size());
    if (!file.read(0, some, head)) {
      return unreadable();
    }
    Result<PictureMetadata> metadata = picture::readPngMetadata(bytesOf(head));
    const bool mayBeCut = !metadata && metadata.error().code == ErrorCode::Corrupt && some < file.size();
    if (!mayBeCut || some > static_cast<qint64>(2 * picture::kMaxMetadataBytes)) {
      return metadata;
    }
  }
}

Result<PictureMetadata> readMetadata(const OpenFile& file, ReadingDepth depth) {
  if (file.size() > static_cast<qint64>(picture::kMaxPngBytes)) {
    return Error{ErrorCode::NotFound, "The picture is larger than any that this program makes.", {}};
  }
  std::string bytes;
  const auto signature = static_cast<qint64>(kSignature.size());
  if (file.size() < signature || !file.read(0, signature, bytes) || bytes != kSignature) {
    return Error{ErrorCode::NotFound, "The file is no PNG.", "no signature"};
  }
  if (depth == ReadingDepth::Whole) {
    if (!file.read(0, file.size(), bytes)) {
      return unreadable();
    }
    Result<PictureMetadata> metadata = picture::readPngMetadata(bytesOf(bytes));
    if (metadata) {
      if (const auto whole = picture::checkPngChunks(bytesOf(bytes)); !whole) {
        return whole.error();
      }
    }
    return fittingSize(std::move(metadata), bytes);
  }
  Result<PictureMetadata> metadata = fittingSize(readHead(file, bytes), bytes);
  if (!metadata) {
    return metadata;
  }
  const auto length = static_cast<qint64>(kEnd.size());
  if (file.size() < length || !file.read(file.size() - length, length, bytes) || bytes != kEnd) {
    return damaged("cut");
  }
  return metadata;
}

}  // namespace

std::vector<PictureFile> readPictureFiles(const QString& folder, const QStringList& names, const QSet<QString>& sidecars,
                                          ReadingDepth depth, int threads) {
  std::vector<PictureFile> files(static_cast<std::size_t>(names.size()));
  inParallel(files.size(), threads, [&](std::size_t i) {
    PictureFile& picture = files[i];
    picture.name = names[static_cast<qsizetype>(i)];
    const QString path = folder + u'/' + picture.name;
    const OpenFile file(path);
    if (!file.isOpen()) {
      picture.metadata = unreadable();
      return;
    }
    picture.bytes = file.size();
    picture.modifiedMs = file.modifiedMs();
    picture.metadata = readMetadata(file, depth);
    picture.hasSidecar = sidecars.contains(picture.name + QLatin1String(kSidecarEnd));
    if (picture.hasSidecar) {
      picture.marks = readSidecar(path);
    }
  });
  return files;
}

}  // namespace polyptych::gallery
