#pragma once

#include <QString>
#include <functional>
#include <vector>

#include "core/base/result.h"
#include "core/gallery/picture_reader.h"
#include "core/gallery/upkeep/finding.h"
#include "core/library/location.h"

namespace polyptych::gallery {

/// Which pictures leave a library, and under which names.
struct ExportOptions {
  PictureFilter filter;
  /// Words in braces are replaced: run, index, prompt, seed, model, scheduler, stars, date (of making). What file systems do not
  /// take becomes a dash; ".png" is added.
  QString nameTemplate = QStringLiteral("{run}-{index}-{prompt}");
  std::function<void(qint64 done, qint64 total)> progress;
};

struct Exported {
  qint64 pictures = 0;
  std::vector<QString> missing;  ///< paths of files that could not be read
};

/// Copies pictures as they are, with a manifest.jsonl and the sidecars of those that have marks, into a folder, which is made.
/// Nothing in it is overwritten: a name that is taken gets a number. Reads the library alone.
/// @return InvalidArgument (the template), AlreadyExists (there is a manifest), Io, DiskFull, and those of library::Database
base::Result<Exported> exportPictures(PictureReader& reader, const QString& folder, const ExportOptions& options);

/// What became of a folder that was taken in.
struct Imported {
  qint64 pictures = 0;
  quint64 runId = 0;             ///< 0: nothing was taken in
  QString folder;                ///< where the copies are
  std::vector<QString> doubles;  ///< paths whose bytes the library has already
  std::vector<QString> refused;  ///< paths of pictures that are damaged, or of a newer version
};

/// Takes pictures that this program made, with their marks and what a manifest beside them tells, from a folder and those in it
/// into a run of their own. Files are copied; nothing is overwritten; other files are left out. The caller holds the library's
/// lock.
/// @return NotFound (no such folder), Unsupported (a flat library is one run's), Io, DiskFull, and those of library::Database
base::Result<Imported> importPictures(const library::Location& location, const QString& folder, const InsertRun& insertRun,
                                      const std::function<void(qint64 done, qint64 total)>& progress = {});

}  // namespace polyptych::gallery
