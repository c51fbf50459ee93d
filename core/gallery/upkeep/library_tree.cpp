#include "core/gallery/upkeep/library_tree.h"

#include <QFile>
#include <QFileInfo>
#include <algorithm>
#include <filesystem>

#include "core/gallery/manifest_row.h"
#include "core/gallery/sidecar.h"
#include "core/library/run_file.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Location;

/// <date>/<run> are two; people may sort their runs into folders of their own.
constexpr int kMaxDepth = 8;

Error unreadable(const QString& path, const std::error_code& why) {
  return {ErrorCode::Io, "The folder '" + path.toStdString() + "' cannot be read; check its rights and its disk.", why.message()};
}

bool isEmpty(const FolderContent& content) {
  return content.runFile.isEmpty() && !content.hasManifest && content.pictures.isEmpty() && content.sidecars.isEmpty() &&
         content.temporaries.isEmpty();
}

void sort(FolderContent& content, const QString& path, const QString& name) {
  if (name.endsWith(QLatin1String(".png"))) {
    content.pictures << name;
  } else if (name.endsWith(QLatin1String(".png.xmp"))) {
    content.sidecars << name;
  } else if (name.startsWith(QLatin1String(".polyptych-")) && name.endsWith(QLatin1String(".tmp"))) {
    content.temporaries << name;
  } else if (name == QLatin1String(kManifestName)) {
    content.hasManifest = true;
  } else if (name == QLatin1String(library::kRunFileName)) {
    content.runFile = path + u'/' + name;
  } else if (name == QLatin1String(library::kLatentsFileName)) {
    content.hasLatents = true;
  }
}

/// @param folders  gets the names of the folders inside
Result<FolderContent> list(const QString& path, QStringList* folders) {
  FolderContent content;
  std::error_code failure;
  std::filesystem::directory_iterator entries(QFile::encodeName(path).toStdString(), failure);
  for (; !failure && entries != std::filesystem::directory_iterator(); entries.increment(failure)) {
    const QString name = QFile::decodeName(entries->path().filename().c_str());
    std::error_code gone;
    if (entries->is_regular_file(gone)) {
      sort(content, path, name);
    } else if (folders != nullptr && entries->is_directory(gone) && !entries->is_symlink(gone) && !name.startsWith(u'.')) {
      *folders << name;
    }
  }
  if (failure) {
    return unreadable(path, failure);
  }
  for (QStringList* names : {&content.pictures, &content.sidecars, &content.temporaries}) {
    names->sort();
  }
  return content;
}

Result<void> listBelow(const QString& root, const QString& folder, int depth, std::vector<FolderContent>& found) {
  QStringList folders;
  Result<FolderContent> content = list(folder.isEmpty() ? root : root + u'/' + folder, &folders);
  if (!content) {
    return content.error();
  }
  content->folder = folder;
  if (!isEmpty(*content)) {
    found.push_back(*std::move(content));
  }
  folders.sort();
  for (const QString& name : folders) {
    if (depth < kMaxDepth) {
      if (auto listed = listBelow(root, folder.isEmpty() ? name : folder + u'/' + name, depth + 1, found); !listed) {
        return listed;
      }
    }
  }
  return {};
}

}  // namespace

Result<FolderContent> listFolder(const QString& path) { return list(path, nullptr); }

Result<std::vector<FolderContent>> listFoldersBelow(const QString& path) {
  std::vector<FolderContent> found;
  const Result<void> listed = listBelow(path, QLatin1String(""), 0, found);
  return listed ? Result<std::vector<FolderContent>>(std::move(found)) : listed.error();
}

Result<std::vector<FolderContent>> listFolders(const Location& location) {
  std::vector<FolderContent> found;
  const QString root = location.picturesFolder();
  if (!QFileInfo::exists(root)) {
    return found;
  }
  if (location.layout == Location::Layout::Dated) {
    return listFoldersBelow(root);
  }
  Result<FolderContent> content = list(root, nullptr);
  if (!content) {
    return content.error();
  }
  const QString runFile = location.homeFolder() + u'/' + QLatin1String(library::kRunFileName);
  content->runFile = QFileInfo::exists(runFile) ? runFile : QString();
  content->hasLatents = QFileInfo::exists(location.homeFolder() + u'/' + QLatin1String(library::kLatentsFileName));
  if (!isEmpty(*content)) {
    found.push_back(*std::move(content));
  }
  return found;
}

}  // namespace polyptych::gallery
