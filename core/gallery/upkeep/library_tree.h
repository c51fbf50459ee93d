#pragma once

#include <QString>
#include <QStringList>
#include <vector>

#include "core/base/result.h"
#include "core/library/location.h"

namespace polyptych::gallery {

/// What is in one folder of a library's pictures. Names are sorted.
struct FolderContent {
  QString folder = QLatin1String("");  ///< relative to Location::picturesFolder(); "" for that itself
  QString runFile;                     ///< absolute path; empty: there is none
  bool hasManifest = false;
  bool hasLatents = false;
  QStringList pictures;     ///< names that end in .png
  QStringList sidecars;     ///< names that end in .png.xmp
  QStringList temporaries;  ///< what a writer left that was ended in the middle
};

/// All folders of a library that have anything of the above in them, sorted. Follows no links to folders. @return Io
base::Result<std::vector<FolderContent>> listFolders(const library::Location& location);

/// The same for any folder and those in it; paths are relative to it, hidden folders are left out.
base::Result<std::vector<FolderContent>> listFoldersBelow(const QString& path);

/// The content of any folder; `FolderContent::folder` stays empty. @return Io
base::Result<FolderContent> listFolder(const QString& path);

}  // namespace polyptych::gallery
