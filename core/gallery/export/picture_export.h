#pragma once

#include <QString>
#include <functional>
#include <vector>

#include "core/base/result.h"
#include "core/gallery/contact_sheet.h"
#include "core/gallery/picture_reader.h"

namespace polyptych::gallery {

enum class ExportFormat { Png, Jpeg, Webp };

struct PictureExportOptions {
  QString place;  ///< absolute: a folder, which is made; or the zip file or the sheet that is to be
  bool isZip = false;
  QString nameTemplate = QStringLiteral("{index}-{prompt}");
  ExportFormat format = ExportFormat::Png;
  int quality = 90;           ///< of JPEG and WebP, 1 to 100
  bool keepsMetadata = true;  ///< PNG: its text chunks; JPEG and WebP: A1111's text as EXIF comment
};

struct ExportReport {
  qint64 written = 0;
  qint64 missing = 0;  ///< pictures whose file is gone or cannot be read
  QString place;       ///< what was made: another name where one was taken
};

/// Told after each picture; false: to be stopped.
using ExportProgress = std::function<bool(qint64 done)>;

/// Copies pictures, or makes others of them. Nothing that is there is written over: names are numbered. What was begun is taken
/// away again if it fails or is stopped, but for whole files in a folder. Blocks: for a thread of its own.
/// @return Cancelled, DiskFull, Io, InvalidArgument (no picture, quality, no plug-in for a format), NotFound (none could be read)
base::Result<ExportReport> exportPictures(const std::vector<PictureRow>& pictures, const PictureExportOptions& options,
                                          const ExportProgress& progress);

/// One PNG or JPEG (by the ending) with all of them. Errors as above and those of contactSheet().
base::Result<ExportReport> exportSheet(const std::vector<PictureRow>& pictures, const QString& file,
                                       const ContactSheetOptions& options, const ExportProgress& progress);

/// The names that some of them would get.
QStringList exportNames(const std::vector<PictureRow>& pictures, const PictureExportOptions& options, qint64 count);

}  // namespace polyptych::gallery
