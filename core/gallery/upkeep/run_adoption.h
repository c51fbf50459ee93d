#pragma once

#include <QHash>
#include <QString>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/gallery/upkeep/finding.h"
#include "core/gallery/upkeep/library_tree.h"
#include "core/gallery/upkeep/manifest_lines.h"
#include "core/gallery/upkeep/picture_files.h"
#include "core/library/location.h"
#include "core/library/run_file.h"

namespace polyptych::gallery {

/// Everything that a folder says of itself.
struct FolderReading {
  FolderContent content;
  QString path;  ///< absolute
  std::optional<library::RunRecord> record;
  std::optional<base::Error> recordError;  ///< why there is none though there is a file
  std::vector<PictureFile> pictures;
  QHash<QString, ManifestLine> made;    ///< by file name: what the manifest tells of finished pictures
  QHash<qint64, base::Error> failures;  ///< by index: what it tells of pictures that could not be made
};

/// Reads a folder's run file, manifest, pictures and sidecars. The record's folder becomes the one where it lies. @return Io
base::Result<FolderReading> readFolder(const library::Location& location, FolderContent content, ReadingDepth depth, int threads);

/// What became of a folder.
struct Adopted {
  qint64 pictures = 0;  ///< that got a row
  qint64 waiting = 0;   ///< that are to be made
  std::vector<Finding> findings;
};

/// Adds a run that has no rows, with all its pictures and marks; what could not be made before has failed, so that nothing that
/// ends the machine is tried again unasked. A folder without a list, or with one that cannot be read, is given one of the
/// pictures in it, on the disk, too. Inside the caller's transaction. Errors: those of library::Database; Io, DiskFull
/// @param number  for a run that has none
base::Result<Adopted> adoptRun(library::Database& database, const library::Location& location, FolderReading& reading,
                               qint64 number, const InsertRun& insertRun);

/// Adds the rows of one picture of a run whose rows are there. Inside the caller's transaction.
/// @return the row's id
base::Result<qint64> adoptPicture(library::Database& database, const library::RunRecord& record, std::size_t index,
                                  const PictureFile& file, const FolderReading& reading);

/// Where a run's list lies.
QString runFilePath(const library::Location& location, const QString& folder);

}  // namespace polyptych::gallery
