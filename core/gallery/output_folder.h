#pragma once

#include <QSet>
#include <QString>
#include <QStringList>
#include <memory>
#include <vector>

#include "core/gallery/folder_handle.h"
#include "core/gallery/manifest_row.h"

namespace polyptych::gallery {

/// A run as its folder sees it.
struct FolderRun {
  std::vector<domain::PictureMetadata> pictures;  ///< index i at position i
  QByteArray initialLatents;                      ///< bytes of the file that replaces noise; empty: none
};

/// The folder of one run: pictures and their manifest. Order on the disk: picture, then its row, then whoever asked is told. All
/// calls block on the disk; one thread at a time.
class OutputFolder {
 public:
  /// Opens, locks and compares the folder with the run. A folder of the same run goes on: a torn last line of the manifest and
  /// rows of failures or of pictures that are gone are taken out, finished pictures without a row are checked and get one.
  /// Anything else in the way is AlreadyExists, and nothing was written then. If the run is complete nothing is written either.
  /// Errors: AlreadyExists, InvalidArgument, DiskFull, Io.
  static base::Result<std::unique_ptr<OutputFolder>> open(const QString& path, FolderRun run,
                                                          FolderHandle::BeforeChange beforeChange = {});

  QString path() const { return m_folder.path(); }
  std::size_t size() const { return m_run.pictures.size(); }
  /// True if picture `index` is finished: its file and its row are there.
  bool isFinished(std::size_t index) const { return m_isFinished.at(index); }
  QString nameOf(std::size_t index) const { return m_names.at(static_cast<qsizetype>(index)); }
  QString pathOf(std::size_t index) const { return path() + '/' + nameOf(index); }
  std::size_t finishedCount() const;

  enum class Saved { Written, Equal, Different };

  /// Checks that the bytes are a whole PNG of this picture's size and settings, and writes them. If the picture is finished
  /// already, the file stays as it is and is compared.
  /// @return Corrupt for other bytes, AlreadyExists (somebody made a file of that name meanwhile), DiskFull, Io
  base::Result<Saved> save(std::size_t index, const std::vector<std::byte>& png, const PictureOrigin& origin);

  /// Adds a row with status "failed"; a later run takes it out and tries again.
  base::Result<void> saveFailure(std::size_t index, const base::Error& error, const PictureOrigin& origin);

 private:
  OutputFolder(FolderHandle folder, FolderRun run);
  base::Result<void> compare();
  base::Result<void> readManifest(const QByteArray& text, const QSet<QString>& present);
  base::Result<void> takeRow(const ManifestRow& row, const QByteArray& line, const QSet<QString>& present);
  base::Result<void> adopt(std::size_t index);
  ManifestRow rowOf(std::size_t index, const PictureOrigin& origin) const;
  base::Error clash(const std::string& why) const;

  FolderHandle m_folder;
  FolderRun m_run;
  QString m_fingerprint;
  QStringList m_names;
  std::vector<bool> m_isFinished;
  bool m_isAnotherRun = false;
  QByteArray m_manifest;  ///< as it should be, while the folder is compared
};

}  // namespace polyptych::gallery
