#pragma once

#include <QByteArray>
#include <QString>
#include <memory>
#include <vector>

#include "core/gallery/folder_handle.h"
#include "core/gallery/manifest_row.h"

namespace polyptych::gallery {

/// The folder of one run while its pictures are made: their files, and the manifest that is derived from the library's rows. All
/// calls block on the disk; one thread at a time.
class RunFolder {
 public:
  /// Makes, locks and tries the folder; removes what writers left that were ended in the middle.
  /// @return as FolderHandle::open() and prepareForWriting()
  static base::Result<std::unique_ptr<RunFolder>> open(const QString& path, QString fingerprint,
                                                       FolderHandle::BeforeChange beforeChange = {});
  RunFolder(FolderHandle folder, QString fingerprint) : m_folder(std::move(folder)), m_fingerprint(std::move(fingerprint)) {}

  const QString& path() const { return m_folder.path(); }
  static QString nameOf(const domain::PictureMetadata& picture);

  enum class Saved { Written, Equal, Different };
  enum class IfOther {
    Keep,     ///< a file of that name with other bytes stays: somebody was told of it
    Replace,  ///< nobody was: an attempt ended between file and row. Only a picture of this run is replaced
  };

  /// Checks that the bytes are a whole PNG of the asked size and settings, and writes them. Stays after a power cut once sync()
  /// was called too. @return Corrupt for other bytes, AlreadyExists (a file of somebody else has the name), DiskFull, Io
  base::Result<Saved> save(const domain::PictureMetadata& asked, const std::vector<std::byte>& png, IfOther ifOther);
  base::Result<void> sync() { return m_folder.sync(); }

  /// The row of a picture of this run.
  QByteArray rowOf(const domain::PictureMetadata& picture, const PictureOrigin& origin, const QDateTime& time) const;
  /// The row of one that could not be made; a later run takes it out and tries again.
  QByteArray failureRowOf(const domain::PictureMetadata& picture, const PictureOrigin& origin, const base::Error& error,
                          const QDateTime& time) const;
  /// Adds whole rows to manifest.jsonl.
  base::Result<void> append(const QByteArray& rows);

  FolderHandle& handle() { return m_folder; }
  const QString& fingerprint() const { return m_fingerprint; }

 private:
  FolderHandle m_folder;
  QString m_fingerprint;
};

}  // namespace polyptych::gallery
