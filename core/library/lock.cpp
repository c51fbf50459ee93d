#include "core/library/lock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <QCoreApplication>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSysInfo>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

#include "core/library/database.h"

namespace polyptych::library {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr qsizetype kMaxLockFileBytes = 64 << 10;
/// A reader holds the lock for microseconds to see whether it is free, and a holder writes its text in as short a time.
constexpr int kTries = 20;
constexpr std::chrono::milliseconds kBetweenTries{5};

/// Closes a descriptor at the end of a scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : m_fd(fd) {}
  ~Descriptor() {
    if (m_fd >= 0) {
      ::close(m_fd);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return m_fd; }
  int release() { return std::exchange(m_fd, -1); }

 private:
  int m_fd;
};

enum class Locking { Taken, HeldByAnother, Unknown };

/// Unknown: the file system knows no locks.
Locking tryLock(int fd, int kind) {
  while (::flock(fd, kind | LOCK_NB) != 0) {
    if (errno != EINTR) {
      return errno == EWOULDBLOCK ? Locking::HeldByAnother : Locking::Unknown;
    }
  }
  return Locking::Taken;
}

/// True if `path` names the open file still: a holder that ends removes its file.
bool isFileAt(int fd, const char* path) {
  struct stat open {};
  struct stat named {};
  return ::fstat(fd, &open) == 0 && ::stat(path, &named) == 0 && open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

Error ioError(const std::string& doing, const QString& path, int code) {
  const std::string where = doing + " '" + path.toStdString() + "' failed";
  if (code == ENOSPC || code == EDQUOT) {
    return {ErrorCode::DiskFull, where + ": there is no space left. Make room on the disk.", std::strerror(code)};
  }
  if (code == EACCES || code == EPERM || code == EROFS) {
    return {ErrorCode::Io, where + ": it is not allowed. Choose a folder that you may write to, or change its rights.",
            std::strerror(code)};
  }
  return {ErrorCode::Io, where + " (" + std::strerror(code) + "). Check the folder, or choose another one.", std::strerror(code)};
}

QByteArray textOf(const Holder& holder) {
  QJsonObject object{{QStringLiteral("host"), holder.host},       {QStringLiteral("pid"), holder.pid},
                     {QStringLiteral("program"), holder.program}, {QStringLiteral("version"), holder.version},
                     {QStringLiteral("socket"), holder.socket},   {QStringLiteral("token"), QString::fromLatin1(holder.token)}};
  if (!holder.doing.isEmpty()) {
    object.insert(QStringLiteral("doing"), holder.doing);
    object.insert(QStringLiteral("done"), holder.done);
  }
  return QJsonDocument(object).toJson(QJsonDocument::Compact) + '\n';
}

/// Nothing if the text is not (yet) a holder's.
std::optional<Holder> holderIn(const QByteArray& text) {
  const QJsonObject object = QJsonDocument::fromJson(text).object();
  for (const char* key : {"host", "program", "version", "socket", "token"}) {
    if (!object.value(QLatin1String(key)).isString()) {
      return std::nullopt;
    }
  }
  const double pid = object.value(QLatin1String("pid")).toDouble();
  if (!(pid >= 1 && pid <= 1e9)) {
    return std::nullopt;
  }
  const auto word = [&object](const char* key) { return object.value(QLatin1String(key)).toString(); };
  return Holder{word("host"),   static_cast<qint64>(pid), word("program"), word("version"),
                word("socket"), word("token").toLatin1(), word("doing"),   object.value(QLatin1String("done")).toInteger()};
}

/// @return an errno with what was read
std::pair<int, QByteArray> readText(int fd) {
  QByteArray text(kMaxLockFileBytes, Qt::Uninitialized);
  qsizetype size = 0;
  while (size < text.size()) {
    const ssize_t count = ::pread(fd, text.data() + size, static_cast<std::size_t>(text.size() - size), size);
    if (count < 0 && errno != EINTR) {
      return {errno, {}};
    }
    if (count == 0) {
      break;
    }
    size += count > 0 ? count : 0;
  }
  text.truncate(size);
  return {0, text};
}

/// The holder that the file names, waiting a moment for one that is being written.
std::optional<Holder> readHolder(int fd) {
  for (int i = 0; i < kTries; ++i) {
    if (const auto holder = holderIn(readText(fd).second)) {
      return holder;
    }
    std::this_thread::sleep_for(kBetweenTries);
  }
  return std::nullopt;
}

/// Overwrites in one go and cuts what is left of a longer text, so that a reader hardly ever sees a torn one. @return 0 or an
/// errno
int writeText(int fd, const QByteArray& text) {
  const ssize_t count = ::pwrite(fd, text.constData(), static_cast<std::size_t>(text.size()), 0);
  if (count != text.size()) {
    return count < 0 ? errno : ENOSPC;
  }
  return ::ftruncate(fd, text.size()) == 0 && ::fsync(fd) == 0 ? 0 : errno;
}

Holder complete(Holder self) {
  self.host = QSysInfo::machineHostName();
  self.pid = QCoreApplication::applicationPid();
  return self;
}

/// Where there are no locks: false only if the process can be seen to be gone.
bool mayBeAlive(const Holder& holder) {
  return holder.host != QSysInfo::machineHostName() || ::kill(static_cast<pid_t>(holder.pid), 0) == 0 || errno == EPERM;
}

Error heldBy(const Location& location, const std::optional<Holder>& holder) {
  const std::string library = "The library '" + location.root.toStdString() + "' is in use";
  if (!holder) {
    return {ErrorCode::AlreadyExists, library + " by another program. Wait until that has ended, or choose another folder.",
            location.lockFile().toStdString()};
  }
  const std::string who = holder->program.toStdString() + " " + holder->version.toStdString() + " (process " +
                          std::to_string(holder->pid) + " on " + holder->host.toStdString() + ")";
  return {ErrorCode::AlreadyExists, library + " by " + who + ". Wait until that has ended, or choose another folder.",
          location.lockFile().toStdString()};
}

}  // namespace

Lock::Lock(int fd, Location location) : m_fd(fd), m_location(std::move(location)) {}

Lock::Lock(Lock&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)), m_location(std::move(other.m_location)) {}

Lock::~Lock() {
  if (m_fd < 0) {
    return;
  }
  const QByteArray path = QFile::encodeName(m_location.lockFile());
  if (isFileAt(m_fd, path.constData())) {
    ::unlink(path.constData());
  }
  ::close(m_fd);
}

Result<Lock> Lock::acquire(const Location& location, Holder self) {
  std::error_code failure;
  std::filesystem::create_directories(QFile::encodeName(location.homeFolder()).toStdString(), failure);
  if (failure) {
    return ioError("Making the folder", location.homeFolder(), failure.value());
  }
  const Result<int> fd = take(location, textOf(complete(std::move(self))));
  return fd ? Result<Lock>(Lock(*fd, location)) : fd.error();
}

Result<int> Lock::take(const Location& location, const QByteArray& text) {
  const QString path = location.lockFile();
  const QByteArray encoded = QFile::encodeName(path);
  for (int tries = 1;; ++tries) {
    Descriptor file(::open(encoded.constData(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (file.get() < 0) {
      return ioError("Opening", path, errno);
    }
    const Locking locking = tryLock(file.get(), LOCK_EX);
    if (locking == Locking::HeldByAnother && tries >= kTries) {
      return heldBy(location, readHolder(file.get()));
    }
    if (locking == Locking::HeldByAnother) {
      std::this_thread::sleep_for(kBetweenTries);
      continue;
    }
    if (locking == Locking::Unknown) {
      if (const auto holder = holderIn(readText(file.get()).second); holder && mayBeAlive(*holder)) {
        return heldBy(location, holder);
      }
    }
    if (!isFileAt(file.get(), encoded.constData())) {
      continue;
    }
    if (const int code = writeText(file.get(), text); code != 0) {
      ::unlink(encoded.constData());
      return ioError("Writing", path, code);
    }
    return file.release();
  }
}

Result<void> Lock::keep() {
  if (isFileAt(m_fd, QFile::encodeName(m_location.lockFile()).constData())) {
    return {};
  }
  if (!checkPlace(m_location.databaseFile())) {
    // What was moved, or is on a drive that is off, still has its names there.
    struct stat held {};
    const bool isRemoved = ::fstat(m_fd, &held) == 0 && held.st_nlink == 0;
    return isRemoved ? Error{ErrorCode::NotFound, "The library '" + m_location.root.toStdString() + "' was removed.", {}}
                     : Result<void>();
  }
  const Result<int> fd = take(m_location, readText(m_fd).second);
  if (!fd) {
    return fd.error();
  }
  ::close(std::exchange(m_fd, *fd));
  return {};
}

Result<void> Lock::update(Holder self) {
  const QByteArray before = readText(m_fd).second;
  if (const int code = writeText(m_fd, textOf(complete(std::move(self)))); code != 0) {
    writeText(m_fd, before);
    return ioError("Writing", m_location.lockFile(), code);
  }
  return {};
}

Result<std::optional<Holder>> holderOf(const Location& location) {
  const QString path = location.lockFile();
  const Descriptor file(::open(QFile::encodeName(path).constData(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return std::optional<Holder>();
    }
    return ioError("Opening", path, errno);
  }
  const Locking locking = tryLock(file.get(), LOCK_SH);
  if (locking == Locking::Taken) {
    return std::optional<Holder>();
  }
  const std::optional<Holder> holder =
      locking == Locking::Unknown ? holderIn(readText(file.get()).second) : readHolder(file.get());
  if (locking == Locking::Unknown && (!holder || !mayBeAlive(*holder))) {
    return std::optional<Holder>();
  }
  if (!holder && tryLock(file.get(), LOCK_SH) == Locking::Taken) {
    return std::optional<Holder>();
  }
  if (!holder) {
    return Error{
        ErrorCode::Corrupt,
        "The file '" + path.toStdString() + "' does not say which program uses the library. End that program and try again.",
        {}};
  }
  return holder;
}

}  // namespace polyptych::library
