#pragma once

#include <QByteArray>
#include <QString>
#include <QStringList>
#include <functional>
#include <optional>

#include "core/base/result.h"

namespace polyptych::gallery {

/// An open and locked folder. Files appear in it whole or not at all, and stay after a power cut. Blocking calls.
/// Errors: DiskFull, Io, AlreadyExists.
class FolderHandle {
 public:
  /// Called before every change on the disk; a test ends its process there.
  using BeforeChange = std::function<void()>;

  /// Makes the folder if it is not there, opens it, and locks it against other runs, in this process too.
  /// @return AlreadyExists (a file stands there, or another run has the lock), InvalidArgument (empty name), DiskFull, Io
  static base::Result<FolderHandle> open(const QString& path, BeforeChange beforeChange = {});

  /// The same without the lock, for files that a run's writer never touches. The folder must be there. @return NotFound, Io
  static base::Result<FolderHandle> openBeside(const QString& path);

  FolderHandle(FolderHandle&& other) noexcept;
  FolderHandle& operator=(FolderHandle&&) = delete;
  ~FolderHandle();

  const QString& path() const { return m_path; }
  /// Names of everything inside but "." and "..".
  base::Result<QStringList> names() const;
  /// A regular file's bytes. @return NotFound, Unsupported (no regular file, or above `maxBytes`), Io
  base::Result<QByteArray> read(const QString& name, qint64 maxBytes) const;
  /// Writes under a temporary name, syncs, renames. The name itself stays after a power cut once sync() was called too, which
  /// several files may share. @return AlreadyExists if there is a file of that name, which is left as it is
  base::Result<void> writeNew(const QString& name, const QByteArray& bytes);
  /// The same and sync(), in place of a file of that name if there is one.
  base::Result<void> replace(const QString& name, const QByteArray& bytes);
  /// Adds whole lines to the end of a file and syncs it. If that fails, the file is cut to what it was; where even that was not
  /// possible, the next call takes the torn line out.
  base::Result<void> append(const QString& name, const QByteArray& bytes);
  base::Result<void> sync();
  /// A file that is there is removed. @return Io
  base::Result<void> remove(const QString& name);
  /// Removes what writers left that were ended in the middle.
  base::Result<void> removeTemporaries();
  /// Finds out whether files can be made here. Removes temporary files as removeTemporaries() does.
  base::Result<void> prepareForWriting();

 private:
  FolderHandle(QString path, int fd, BeforeChange beforeChange);
  base::Result<QByteArray> writeTemporary(const QByteArray& bytes);
  base::Error failure(const QString& doing, int code) const;
  void beforeChange(const char* step) const;

  QString m_path;
  int m_fd = -1;
  int m_lockFd = -1;  ///< where a folder itself cannot be locked
  BeforeChange m_beforeChange;
};

/// Makes the names inside a folder stay after a power cut. @return Io
base::Result<void> syncFolder(const QString& path);

}  // namespace polyptych::gallery
