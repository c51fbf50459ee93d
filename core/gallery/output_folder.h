#pragma once

#include <QSet>
#include <QString>
#include <QStringList>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/gallery/run_folder.h"

namespace polyptych::gallery {

/// A run as its folder sees it.
struct FolderRun {
  std::vector<domain::PictureMetadata> pictures;  ///< by index, upwards
  QByteArray initialLatents;                      ///< bytes of the file that replaces noise; empty: none
  QString fingerprint;                            ///< "run" of its manifest's rows; empty: fingerprintOf()
};

/// Lower-case hex over all of a run's pictures and what they begin from: "run" of its manifest's rows.
QString fingerprintOf(const FolderRun& run);

/// A folder that is compared with the run that wants it: what is there already, or why it cannot go there. All calls block on the
/// disk; one thread at a time.
class OutputFolder {
 public:
  /// Opens, locks and compares the folder with the run. A folder of the same run goes on: a torn last line of the manifest and
  /// rows of failures or of pictures that are gone are taken out, finished pictures without a row are checked and get one.
  /// Anything else in the way is AlreadyExists, and nothing was written then. If the run is complete nothing is written either.
  /// Errors: AlreadyExists, InvalidArgument, DiskFull, Io.
  static base::Result<std::unique_ptr<OutputFolder>> open(const QString& path, FolderRun run,
                                                          FolderHandle::BeforeChange beforeChange = {});
  /// The same for a folder that is open and locked already.
  static base::Result<std::unique_ptr<OutputFolder>> open(FolderHandle held, FolderRun run);

  QString path() const { return m_files->path(); }
  std::size_t size() const { return m_run.pictures.size(); }
  /// True if the picture at a position of the run's list is finished: its file and its row are there.
  bool isFinished(std::size_t position) const { return m_isFinished.at(position); }
  QString nameOf(std::size_t position) const { return m_names.at(static_cast<qsizetype>(position)); }
  QString pathOf(std::size_t position) const { return path() + '/' + nameOf(position); }
  std::size_t finishedCount() const;
  /// What the manifest tells of a finished picture.
  PictureOrigin originOf(std::size_t position) const { return m_origins.at(position); }

  /// The folder for whoever goes on with the run, still locked; this object is of no more use.
  std::unique_ptr<RunFolder> release() { return std::move(m_files); }

 private:
  OutputFolder(FolderHandle folder, FolderRun run);
  base::Result<void> compare();
  base::Result<void> readManifest(const QByteArray& text, const QSet<QString>& present);
  base::Result<void> takeRow(const ManifestRow& row, const QByteArray& line, const QSet<QString>& present);
  base::Result<void> adopt(std::size_t position);
  /// Of the picture with a number; nothing if the run has none.
  std::optional<std::size_t> positionOf(std::int64_t index) const;
  base::Error clash(const std::string& why) const;

  FolderRun m_run;
  std::unique_ptr<RunFolder> m_files;
  QStringList m_names;
  std::vector<bool> m_isFinished;
  std::map<std::size_t, PictureOrigin> m_origins;
  bool m_isAnotherRun = false;
  bool m_hasOurRows = false;  ///< the folder is this run's, not only like it
  QByteArray m_manifest;      ///< as it should be, while the folder is compared
};

}  // namespace polyptych::gallery
