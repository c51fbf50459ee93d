#include "core/gallery/export/picture_export.h"

#include <archive.h>
#include <archive_entry.h>

#include <QBuffer>
#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QImage>
#include <QImageReader>
#include <QtEndian>
#include <cerrno>
#include <memory>
#include <optional>
#include <span>

#include "core/gallery/export/export_names.h"
#include "core/picture/metadata_text.h"
#include "core/picture/png.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr int kMostNumbers = 10000;

Error cancelled() { return {ErrorCode::Cancelled, "The export was stopped.", {}}; }

Error writeError(const QString& path, int number, const QString& detail) {
  if (number == ENOSPC || number == EDQUOT) {
    return {ErrorCode::DiskFull, "The disk is full. Free some space, or export to another place.", detail.toStdString()};
  }
  return {ErrorCode::Io, "'" + path.toStdString() + "' cannot be written. Choose another place.", detail.toStdString()};
}

QString endingOf(ExportFormat format) {
  switch (format) {
    case ExportFormat::Png:
      return QStringLiteral(".png");
    case ExportFormat::Jpeg:
      return QStringLiteral(".jpg");
    case ExportFormat::Webp:
      return QStringLiteral(".webp");
  }
  return {};
}

/// A new file, numbered if the name is taken.
Result<std::unique_ptr<QFile>> newFile(const QString& base, const QString& ending) {
  if (!QDir().mkpath(QFileInfo(base).path())) {
    return writeError(QFileInfo(base).path(), errno, {});
  }
  for (int number = 1; number < kMostNumbers; ++number) {
    auto file =
        std::make_unique<QFile>(number == 1 ? base + ending : QStringLiteral("%1-%2%3").arg(base).arg(number).arg(ending));
    errno = 0;
    if (file->open(QIODevice::WriteOnly | QIODevice::NewOnly)) {
      return file;
    }
    const int why = errno;
    if (!QFileInfo(file->fileName()).exists() && !QFileInfo(file->fileName()).isSymLink()) {
      return writeError(file->fileName(), why, file->errorString());
    }
  }
  return Error{ErrorCode::AlreadyExists, "Too many files have that name. Choose another name.", {}};
}

Result<void> writeAll(QFile& file, const QByteArray& bytes) {
  errno = 0;
  if (file.write(bytes) != bytes.size() || !file.flush()) {
    return writeError(file.fileName(), errno, file.errorString());
  }
  return {};
}

/// The PNG without its text, time and EXIF; the picture data stays as it is. Empty: it is no PNG, or not a whole one.
QByteArray withoutText(const QByteArray& png) {
  const QByteArray signature("\x89PNG\r\n\x1a\n", 8);
  constexpr int kFrame = 12;
  if (!png.startsWith(signature)) {
    return {};
  }
  QByteArray out = signature;
  QByteArray type;
  qint64 at = signature.size();
  while (at + kFrame <= png.size()) {
    const qint64 length = qFromBigEndian<quint32>(png.constData() + at);
    if (length > png.size() - at - kFrame) {
      return {};
    }
    type = png.mid(at + 4, 4);
    if (type != "tEXt" && type != "zTXt" && type != "iTXt" && type != "eXIf" && type != "tIME") {
      out += png.mid(at, length + kFrame);
    }
    at += length + kFrame;
  }
  return at == png.size() && type == "IEND" ? out : QByteArray();
}

/// An EXIF block (TIFF, big-endian) that has nothing but a user comment in UTF-16, as A1111's program writes it.
QByteArray exifOf(const QString& comment) {
  QByteArray text("UNICODE\0", 8);
  for (const QChar c : comment) {
    text += static_cast<char>(c.unicode() >> 8);
    text += static_cast<char>(c.unicode() & 0xff);
  }
  QByteArray exif;
  const auto put16 = [&](quint16 value) {
    char bytes[2];
    qToBigEndian(value, bytes);
    exif.append(bytes, 2);
  };
  const auto put32 = [&](quint32 value) {
    char bytes[4];
    qToBigEndian(value, bytes);
    exif.append(bytes, 4);
  };
  exif += "MM";
  put16(42);
  put32(8);
  put16(1);
  put16(0x8769);  // where the EXIF fields are
  put16(4);
  put32(1);
  put32(26);
  put32(0);
  put16(1);
  put16(0x9286);  // user comment
  put16(7);
  put32(static_cast<quint32>(text.size()));
  put32(44);
  put32(0);
  return exif + text;
}

QByteArray jpegWithExif(const QByteArray& jpeg, const QByteArray& exif) {
  const QByteArray data = QByteArray("Exif\0\0", 6) + exif;
  if (!jpeg.startsWith("\xff\xd8") || data.size() + 2 > 0xffff) {
    return jpeg;  // too long for the one segment that readers look into
  }
  QByteArray segment("\xff\xe1", 2);
  segment += static_cast<char>((data.size() + 2) >> 8);
  segment += static_cast<char>((data.size() + 2) & 0xff);
  return jpeg.left(2) + segment + data + jpeg.mid(2);
}

QByteArray webpWithExif(const QByteArray& webp, const QByteArray& exif, QSize size) {
  if (!webp.startsWith("RIFF") || webp.size() < 16 || webp.mid(8, 4) != "WEBP" || webp.mid(12, 4) == "VP8X") {
    return webp;
  }
  const auto chunk = [](const char* name, const QByteArray& data) {
    char length[4];
    qToLittleEndian(static_cast<quint32>(data.size()), length);
    return QByteArray(name, 4) + QByteArray(length, 4) + data + QByteArray(data.size() % 2, '\0');
  };
  QByteArray header(10, '\0');
  header[0] = 0x08;  // has EXIF
  const auto put24 = [&](int at, int value) {
    for (int i = 0; i < 3; ++i) {
      header[at + i] = static_cast<char>(value >> (8 * i) & 0xff);
    }
  };
  put24(4, size.width() - 1);
  put24(7, size.height() - 1);
  const QByteArray body = QByteArray("WEBP") + chunk("VP8X", header) + webp.mid(12) + chunk("EXIF", exif);
  return chunk("RIFF", body);
}

struct Made {
  QByteArray bytes;
  domain::PictureMetadata metadata;
};

domain::PictureMetadata metadataOf(const QByteArray& png) {
  const auto read = picture::readPngMetadata(std::as_bytes(std::span(png.constData(), static_cast<std::size_t>(png.size()))));
  return read ? *read : domain::PictureMetadata();
}

/// Nothing if the file cannot be read.
Result<std::optional<Made>> make(const PictureRow& row, const PictureExportOptions& options) {
  QFile file(row.path);
  if (!file.open(QIODevice::ReadOnly) || file.size() > static_cast<qint64>(picture::kMaxPngBytes)) {
    return std::optional<Made>();
  }
  Made made;
  const QByteArray png = file.readAll();
  made.metadata = metadataOf(png);
  if (options.format == ExportFormat::Png) {
    made.bytes = options.keepsMetadata ? png : withoutText(png);
    return made.bytes.isEmpty() ? std::optional<Made>() : std::optional(std::move(made));
  }
  const QImage image = QImage::fromData(png);
  if (image.isNull()) {
    return std::optional<Made>();
  }
  QBuffer buffer(&made.bytes);
  buffer.open(QIODevice::WriteOnly);
  QImage plain = image.convertToFormat(QImage::Format_RGB888);
  for (const QString& key : plain.textKeys()) {
    plain.setText(key, {});
  }
  const bool isJpeg = options.format == ExportFormat::Jpeg;
  QImage bare(plain.constBits(), plain.width(), plain.height(), static_cast<qsizetype>(plain.bytesPerLine()),
              QImage::Format_RGB888);
  if (!bare.save(&buffer, isJpeg ? "jpg" : "webp", options.quality)) {
    return Error{ErrorCode::InvalidArgument,
                 "Pictures of that format cannot be made here. Choose PNG, or install Qt's plug-in for it.",
                 {}};
  }
  if (options.keepsMetadata && !made.metadata.request.scheduler.empty()) {
    const QByteArray exif = exifOf(QString::fromStdString(picture::parametersText(made.metadata)));
    made.bytes = isJpeg ? jpegWithExif(made.bytes, exif) : webpWithExif(made.bytes, exif, image.size());
  }
  return std::optional(std::move(made));
}

/// A zip that only stores: pictures are compressed already. libarchive writes it as it comes, of any size.
class Zip {
 public:
  static Result<std::unique_ptr<Zip>> open(const QString& path) {
    QString base = path;
    if (base.endsWith(QLatin1String(".zip"), Qt::CaseInsensitive)) {
      base.chop(4);
    }
    auto file = newFile(base, QStringLiteral(".zip"));
    if (!file) {
      return file.error();
    }
    std::unique_ptr<Zip> zip(new Zip(*std::move(file)));
    archive* out = zip->m_archive;
    if (archive_write_set_format_zip(out) != ARCHIVE_OK || archive_write_zip_set_compression_store(out) != ARCHIVE_OK ||
        archive_write_set_options(out, "zip:hdrcharset=UTF-8") < ARCHIVE_WARN ||
        archive_write_open_fd(out, zip->m_file->handle()) != ARCHIVE_OK) {
      return zip->failure();
    }
    return zip;
  }

  ~Zip() {
    archive_write_free(m_archive);
    if (!m_isWhole) {
      m_file->remove();
    }
  }

  QString path() const { return m_file->fileName(); }

  Result<void> add(const QString& name, const QByteArray& bytes, qint64 madeMs) {
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(), archive_entry_free);
    archive_entry_set_pathname_utf8(entry.get(), name.toUtf8().constData());
    archive_entry_set_size(entry.get(), bytes.size());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_mtime(entry.get(), static_cast<time_t>(madeMs / 1000), 0);
    if (archive_write_header(m_archive, entry.get()) < ARCHIVE_WARN ||
        archive_write_data(m_archive, bytes.constData(), static_cast<std::size_t>(bytes.size())) != bytes.size()) {
      return failure();
    }
    return {};
  }

  Result<void> close() {
    if (archive_write_close(m_archive) != ARCHIVE_OK || !m_file->flush()) {
      return failure();
    }
    m_file->close();
    m_isWhole = true;
    return {};
  }

 private:
  explicit Zip(std::unique_ptr<QFile> file) : m_file(std::move(file)), m_archive(archive_write_new()) {}
  Error failure() const {
    const char* why = archive_error_string(m_archive);
    return writeError(m_file->fileName(), archive_errno(m_archive), QString::fromUtf8(why != nullptr ? why : ""));
  }

  std::unique_ptr<QFile> m_file;
  archive* m_archive;
  bool m_isWhole = false;
};

}  // namespace

Result<ExportReport> exportPictures(const std::vector<PictureRow>& pictures, const PictureExportOptions& options,
                                    const ExportProgress& progress) {
  if (pictures.empty() || options.quality < 1 || options.quality > 100 || options.place.isEmpty()) {
    return Error{ErrorCode::InvalidArgument, "Choose pictures and a place, and a quality of 1 to 100.", {}};
  }
  std::unique_ptr<Zip> zip;
  ExportReport report;
  report.place = options.place;
  if (options.isZip) {
    auto opened = Zip::open(options.place);
    if (!opened) {
      return opened.error();
    }
    zip = *std::move(opened);
    report.place = zip->path();
  }
  UniqueNames names;
  const auto count = static_cast<qint64>(pictures.size());
  const QString ending = endingOf(options.format);
  for (qint64 i = 0; i < count; ++i) {
    const PictureRow& row = pictures[static_cast<std::size_t>(i)];
    auto made = make(row, options);
    if (!made) {
      return made.error();
    }
    if (!*made) {
      ++report.missing;
    } else {
      const QString name = names.take(exportName(options.nameTemplate, row, (*made)->metadata, i + 1, count));
      if (zip) {
        if (auto added = zip->add(name + ending, (*made)->bytes, row.madeMs); !added) {
          return added.error();
        }
      } else {
        auto file = newFile(options.place + u'/' + name, ending);
        if (!file) {
          return file.error();
        }
        if (auto wrote = writeAll(**file, (*made)->bytes); !wrote) {
          (*file)->remove();
          return wrote.error();
        }
      }
      ++report.written;
    }
    if (!progress(i + 1)) {
      return cancelled();
    }
  }
  if (report.written == 0) {
    return Error{ErrorCode::NotFound, "None of the pictures could be read. Are their files still there?", {}};
  }
  if (zip) {
    if (auto closed = zip->close(); !closed) {
      return closed.error();
    }
  }
  return report;
}

Result<ExportReport> exportSheet(const std::vector<PictureRow>& pictures, const QString& file, const ContactSheetOptions& options,
                                 const ExportProgress& progress) {
  QStringList paths;
  for (const PictureRow& row : pictures) {
    paths << row.path;
  }
  auto sheet = contactSheetOf(paths, options, progress);
  if (!sheet) {
    return sheet.error();
  }
  const bool isJpeg = file.endsWith(QLatin1String(".jpg"), Qt::CaseInsensitive);
  const QString ending = isJpeg ? QStringLiteral(".jpg") : QStringLiteral(".png");
  QString base = file;
  if (base.endsWith(ending, Qt::CaseInsensitive)) {
    base.chop(ending.size());
  }
  QByteArray bytes;
  if (isJpeg) {
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    const QImage image(sheet->pixels.data(), sheet->width, sheet->height, 3 * sheet->width, QImage::Format_RGB888);
    image.save(&buffer, "jpg", 92);
  } else if (const auto png = picture::encodePng(*sheet)) {
    bytes = QByteArray(reinterpret_cast<const char*>(png->data()), static_cast<qsizetype>(png->size()));
  } else {
    return png.error();
  }
  auto out = newFile(base, ending);
  if (!out) {
    return out.error();
  }
  if (auto wrote = writeAll(**out, bytes); !wrote) {
    (*out)->remove();
    return wrote.error();
  }
  return ExportReport{static_cast<qint64>(pictures.size()), 0, (*out)->fileName()};
}

QStringList exportNames(const std::vector<PictureRow>& pictures, const PictureExportOptions& options, qint64 count) {
  UniqueNames unique;
  QStringList names;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    domain::PictureMetadata metadata;
    if (QFile file(pictures[i].path); file.open(QIODevice::ReadOnly)) {
      metadata = metadataOf(file.readAll());
    }
    names << unique.take(exportName(options.nameTemplate, pictures[i], metadata, static_cast<qint64>(i) + 1, count)) +
                 endingOf(options.format);
  }
  return names;
}

}  // namespace polyptych::gallery
