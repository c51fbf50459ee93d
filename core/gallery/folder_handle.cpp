#include "core/gallery/folder_handle.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QRandomGenerator>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/base/fail_point.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr char kTemporaryBeginning[] = ".polyptych-";
constexpr char kTemporaryEnd[] = ".tmp";
constexpr char kLockName[] = ".polyptych.lock";

/// Closes a descriptor at the end of a scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : m_fd(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return m_fd; }
  int release() { return std::exchange(m_fd, -1); }
  /// @return 0 or an errno
  int close() {
    const int fd = release();
    return fd >= 0 && ::close(fd) != 0 ? errno : 0;
  }

 private:
  int m_fd;
};

/// @return 0 or an errno
int writeAll(int fd, const QByteArray& bytes) {
  qsizetype done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::write(fd, bytes.constData() + done, static_cast<std::size_t>(bytes.size() - done));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return count < 0 ? errno : ENOSPC;
    }
    done += count;
  }
  return 0;
}

/// Where the last whole line of a file ends. @return -1 and errno if it cannot be read
off_t endOfLines(int fd, off_t size) {
  char bytes[4096];
  for (off_t end = size; end > 0;) {
    const off_t begin = end > static_cast<off_t>(sizeof bytes) ? end - static_cast<off_t>(sizeof bytes) : 0;
    const off_t from = end == size ? end - 1 : begin;  // mostly the last byte tells
    const ssize_t count = ::pread(fd, bytes, static_cast<std::size_t>(end - from), from);
    if (count != end - from) {
      errno = count < 0 ? errno : EIO;
      return -1;
    }
    for (ssize_t i = count; i > 0; --i) {
      if (bytes[i - 1] == '\n') {
        return from + i;
      }
    }
    end = from;
  }
  return 0;
}

int syncFile(int fd) { return ::fsync(fd) == 0 ? 0 : errno; }

/// File systems that know no RENAME_NOREPLACE get a second name and lose the first.
int renameNew(int folder, const char* from, const char* to) {
  if (::renameat2(folder, from, folder, to, RENAME_NOREPLACE) == 0) {
    return 0;
  }
  if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP) {
    return errno;
  }
  if (::linkat(folder, from, folder, to, 0) != 0) {
    return errno;
  }
  ::unlinkat(folder, from, 0);
  return 0;
}

Error describe(const QString& folder, const QString& doing, int code) {
  const std::string where = " in the folder '" + folder.toStdString() + "'";
  const std::string detail = std::strerror(code);
  if (code == ENOSPC || code == EDQUOT || code == EFBIG) {
    return {ErrorCode::DiskFull,
            doing.toStdString() + where + " failed: there is no space left. Make room on the disk and start the same run again.",
            detail};
  }
  if (code == EACCES || code == EPERM || code == EROFS) {
    return {
        ErrorCode::Io,
        doing.toStdString() + where + " failed: it is not allowed. Choose a folder that you may write to, or change its rights.",
        detail};
  }
  return {ErrorCode::Io, doing.toStdString() + where + " failed (" + detail + "). Check the folder, or choose another one.",
          detail};
}

}  // namespace

FolderHandle::FolderHandle(QString path, int fd, BeforeChange beforeChange)
    : m_path(std::move(path)), m_fd(fd), m_beforeChange(std::move(beforeChange)) {}

FolderHandle::FolderHandle(FolderHandle&& other) noexcept
    : m_path(std::move(other.m_path)),
      m_fd(std::exchange(other.m_fd, -1)),
      m_lockFd(std::exchange(other.m_lockFd, -1)),
      m_beforeChange(std::move(other.m_beforeChange)) {}

FolderHandle::~FolderHandle() {
  for (const int fd : {m_lockFd, m_fd}) {
    if (fd >= 0) {
      ::close(fd);
    }
  }
}

Result<FolderHandle> FolderHandle::openBeside(const QString& path) {
  const int fd = ::open(QFile::encodeName(path).constData(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return errno == ENOENT ? Error{ErrorCode::NotFound, "There is no folder '" + path.toStdString() + "'.", {}}
                           : describe(path, "Opening", errno);
  }
  return FolderHandle(path, fd, {});
}

Error FolderHandle::failure(const QString& doing, int code) const { return describe(m_path, doing, code); }

void FolderHandle::beforeChange(const char* step) const {
  base::failPoint(step);
  if (m_beforeChange) {
    m_beforeChange();
  }
}

Result<FolderHandle> FolderHandle::open(const QString& path, BeforeChange beforeChange) {
  if (path.isEmpty()) {
    return Error{ErrorCode::InvalidArgument, "There is no folder for the pictures; give one.", {}};
  }
  const QString absolute = QDir::cleanPath(QFileInfo(path).absoluteFilePath());
  if (QFileInfo(absolute).exists() && !QFileInfo(absolute).isDir()) {
    return Error{ErrorCode::AlreadyExists, "'" + absolute.toStdString() + "' is a file; give a folder for the pictures.", {}};
  }
  errno = 0;
  if (!QDir().mkpath(absolute)) {
    return describe(QFileInfo(absolute).path(), "Making '" + QFileInfo(absolute).fileName() + "'", errno != 0 ? errno : EIO);
  }
  const int fd = ::open(QFile::encodeName(absolute).constData(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return describe(absolute, "Opening", errno);
  }
  FolderHandle handle(absolute, fd, std::move(beforeChange));
  int locked = ::flock(fd, LOCK_EX | LOCK_NB);
  if (locked != 0 && errno != EWOULDBLOCK) {
    // NFS locks no folders: a file does it.
    handle.m_lockFd = ::openat(fd, kLockName, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    locked = handle.m_lockFd < 0 ? -1 : ::flock(handle.m_lockFd, LOCK_EX | LOCK_NB);
  }
  if (locked != 0 && errno == EWOULDBLOCK) {
    return Error{ErrorCode::AlreadyExists,
                 "Another run is writing into the folder '" + absolute.toStdString() +
                     "'. Wait until it is finished, or choose another folder.",
                 {}};
  }
  if (locked != 0) {
    return describe(absolute, "Locking", errno);
  }
  return handle;
}

Result<QStringList> FolderHandle::names() const {
  const QDir folder(m_path);
  if (!folder.isReadable()) {
    return failure("Reading", EACCES);
  }
  return folder.entryList(QDir::AllEntries | QDir::NoDotAndDotDot | QDir::Hidden | QDir::System, QDir::Name);
}

Result<QByteArray> FolderHandle::read(const QString& name, qint64 maxBytes) const {
  const Descriptor file(::openat(m_fd, QFile::encodeName(name).constData(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    return errno == ENOENT ? Error{ErrorCode::NotFound, "There is no file '" + name.toStdString() + "'.", {}}
                           : failure("Reading '" + name + "'", errno);
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) {
    return failure("Reading '" + name + "'", errno);
  }
  if (!S_ISREG(status.st_mode) || status.st_size > maxBytes) {
    return Error{ErrorCode::Unsupported, "'" + name.toStdString() + "' is no file of this program.", {}};
  }
  QByteArray bytes(static_cast<qsizetype>(status.st_size), Qt::Uninitialized);
  qsizetype done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::read(file.get(), bytes.data() + done, static_cast<std::size_t>(bytes.size() - done));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return failure("Reading '" + name + "'", errno);
    }
    if (count == 0) {
      break;
    }
    done += count;
  }
  bytes.truncate(done);
  return bytes;
}

Result<QByteArray> FolderHandle::writeTemporary(const QByteArray& bytes) {
  const QByteArray name = kTemporaryBeginning + QByteArray::number(QRandomGenerator::system()->generate64(), 16) + kTemporaryEnd;
  beforeChange("make-temporary");
  Descriptor file(::openat(m_fd, name.constData(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.get() < 0) {
    return failure("Making a file", errno);
  }
  beforeChange("write-temporary");
  int problem = writeAll(file.get(), bytes);
  beforeChange("sync-temporary");
  if (problem == 0) {
    problem = syncFile(file.get());
  }
  const int closed = file.close();
  if (problem != 0 || closed != 0) {
    ::unlinkat(m_fd, name.constData(), 0);
    return failure("Writing a file", problem != 0 ? problem : closed);
  }
  return name;
}

Result<void> FolderHandle::sync() {
  beforeChange("sync-folder");
  if (::fsync(m_fd) != 0 && errno != EINVAL) {
    return failure("Writing", errno);
  }
  return {};
}

Result<void> FolderHandle::writeNew(const QString& name, const QByteArray& bytes) {
  const Result<QByteArray> temporary = writeTemporary(bytes);
  if (!temporary) {
    return temporary.error();
  }
  beforeChange("rename");
  const int problem = renameNew(m_fd, temporary->constData(), QFile::encodeName(name).constData());
  if (problem != 0) {
    ::unlinkat(m_fd, temporary->constData(), 0);
    if (problem == EEXIST) {
      return Error{ErrorCode::AlreadyExists,
                   "The file '" + (m_path + '/' + name).toStdString() + "' is there already and is not overwritten.",
                   {}};
    }
    return failure("Naming the file '" + name + "'", problem);
  }
  return {};
}

Result<void> FolderHandle::remove(const QString& name) {
  beforeChange("remove");
  if (::unlinkat(m_fd, QFile::encodeName(name).constData(), 0) != 0 && errno != ENOENT) {
    return failure("Removing '" + name + "'", errno);
  }
  return {};
}

Result<void> FolderHandle::replace(const QString& name, const QByteArray& bytes) {
  const Result<QByteArray> temporary = writeTemporary(bytes);
  if (!temporary) {
    return temporary.error();
  }
  beforeChange("rename");
  if (::renameat(m_fd, temporary->constData(), m_fd, QFile::encodeName(name).constData()) != 0) {
    const int problem = errno;
    ::unlinkat(m_fd, temporary->constData(), 0);
    return failure("Naming the file '" + name + "'", problem);
  }
  return sync();
}

Result<void> FolderHandle::append(const QString& name, const QByteArray& bytes) {
  beforeChange("open-manifest");
  const QString doing = "Writing '" + name + "'";
  Descriptor file(::openat(m_fd, QFile::encodeName(name).constData(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  struct stat before {};
  if (file.get() < 0 || ::fstat(file.get(), &before) != 0) {
    return failure(doing, errno);
  }
  const off_t whole = endOfLines(file.get(), before.st_size);
  beforeChange("write-manifest");
  int problem = whole < 0 || (whole < before.st_size && ::ftruncate(file.get(), whole) != 0) ? errno : 0;
  if (problem != 0) {
    return failure(doing, problem);
  }
  before.st_size = whole;
  problem = writeAll(file.get(), bytes);
  beforeChange("sync-manifest");
  if (problem == 0) {
    problem = syncFile(file.get());
  }
  if (problem != 0) {
    if (::ftruncate(file.get(), before.st_size) != 0) {
      return failure(doing, problem);  // the next run repairs the torn line
    }
    return failure(doing, problem);
  }
  return before.st_size == 0 ? sync() : Result<void>();
}

Result<void> FolderHandle::removeTemporaries() {
  const Result<QStringList> all = names();
  if (!all) {
    return all.error();
  }
  for (const QString& name : *all) {
    if (name.startsWith(QLatin1String(kTemporaryBeginning)) && name.endsWith(QLatin1String(kTemporaryEnd))) {
      ::unlinkat(m_fd, QFile::encodeName(name).constData(), 0);
    }
  }
  return {};
}

Result<void> FolderHandle::prepareForWriting() {
  if (auto removed = removeTemporaries(); !removed) {
    return removed;
  }
  const Result<QByteArray> temporary = writeTemporary(QByteArray());
  if (!temporary) {
    return temporary.error();
  }
  ::unlinkat(m_fd, temporary->constData(), 0);
  return {};
}

Result<void> syncFolder(const QString& path) {
  const Descriptor folder(::open(QFile::encodeName(path).constData(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || (::fsync(folder.get()) != 0 && errno != EINVAL)) {
    return describe(path, "Writing", errno);
  }
  return {};
}

}  // namespace polyptych::gallery
