#include "core/pool/worker_process.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QRandomGenerator>
#include <QStandardPaths>
#include <cerrno>
#include <cstring>

namespace polyptych::pool {
namespace {

/// A socket's path has at most 107 bytes; Qt makes it under a longer temporary name first.
constexpr qsizetype kMaxRuntimePathBytes = 60;
constexpr qint64 kMaxLogBytes = 4 << 20;
constexpr char kFolderBeginning[] = "plp-";

QByteArray randomHex(int words) {
  QByteArray text;
  for (int i = 0; i < words; ++i) {
    text += QByteArray::number(QRandomGenerator::system()->generate64(), 16).rightJustified(16, '0');
  }
  return text;
}

QString runtimeFolder() {
  const QString folder = QStandardPaths::writableLocation(QStandardPaths::RuntimeLocation);
  return folder.isEmpty() || QFile::encodeName(folder).size() > kMaxRuntimePathBytes ? QStringLiteral("/tmp") : folder;
}

QString socketFolder(qint64 pid) {
  return runtimeFolder() + QLatin1Char('/') + QLatin1String(kFolderBeginning) + QString::number(pid);
}

/// A folder that this user made and nobody else can enter.
bool isOurs(const QByteArray& folder) {
  struct stat status {};
  return ::lstat(folder.constData(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() &&
         (status.st_mode & 077) == 0;
}

/// Dead is also who has ended and was not waited for yet: a program in a container may have a first process that is slow to do
/// so.
bool isDead(pid_t pid) {
  if (::kill(pid, 0) != 0) {
    return errno == ESRCH;
  }
  QFile file(QStringLiteral("/proc/%1/stat").arg(pid));
  const QByteArray text = file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
  const QByteArray state = text.mid(text.lastIndexOf(')') + 1).trimmed().left(1);
  return state == "Z" || state == "X";
}

/// True if a process listens at one of a folder's sockets: one that cannot be seen from here, in a container.
bool isAnyHeard(const QString& folder) {
  for (const QString& name : QDir(folder).entryList(QDir::System | QDir::NoDotAndDotDot)) {
    const QByteArray path = QFile::encodeName(folder + QLatin1Char('/') + name);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || path.size() >= static_cast<qsizetype>(sizeof address.sun_path)) {
      return true;
    }
    std::memcpy(address.sun_path, path.constData(), static_cast<std::size_t>(path.size()));
    const bool isHeard = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN;
    ::close(fd);
    if (isHeard) {
      return true;
    }
  }
  return false;
}

QString listOf(const std::vector<int>& cores) {
  QStringList words;
  for (const int core : cores) {
    words << QString::number(core);
  }
  return words.join(QLatin1Char(','));
}

}  // namespace

QStringList workerArguments(const WorkerSpec& spec, const QString& socketPath) {
  const bool isGpu = spec.slot.kind == domain::DeviceKind::Cuda;
  QStringList arguments{QStringLiteral("--socket"),  socketPath,
                        QStringLiteral("--device"),  isGpu ? QStringLiteral("cuda") : QStringLiteral("cpu"),
                        QStringLiteral("--threads"), QString::number(spec.threads)};
  if (!spec.slot.cores.empty()) {
    arguments << QStringLiteral("--cores") << listOf(spec.slot.cores);
  }
  if (spec.sharedMemoryFd >= 0) {
    arguments << QStringLiteral("--shared-memory") << QString::number(spec.sharedMemoryFd);
  }
  if (const auto& partner = spec.slot.partner) {
    arguments << QStringLiteral("--partner") << (isGpu ? QString::fromStdString(partner->uuid) : QStringLiteral("cpu"));
    if (!partner->cores.empty()) {
      arguments << QStringLiteral("--partner-cores") << listOf(partner->cores);
    }
  }
  return arguments + spec.extraArguments;
}

QProcessEnvironment workerEnvironment(const WorkerSpec& spec) {
  QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
  environment.insert(QStringLiteral("CUDA_VISIBLE_DEVICES"), QString::fromStdString(spec.slot.uuid));
  const QString threads = QString::number(spec.threads);
  environment.insert(QStringLiteral("OMP_NUM_THREADS"), threads);
  environment.insert(QStringLiteral("MKL_NUM_THREADS"), threads);
  // Threads that spin while they wait take the cores from the very thread they wait for as soon as anything else runs here.
  if (!environment.contains(QStringLiteral("OMP_WAIT_POLICY"))) {
    environment.insert(QStringLiteral("OMP_WAIT_POLICY"), QStringLiteral("PASSIVE"));
  }
  return environment;
}

QString newSocketPath() {
  QString folder = socketFolder(::getpid());
  const QByteArray encoded = QFile::encodeName(folder);
  if (::mkdir(encoded.constData(), 0700) != 0 && !isOurs(encoded)) {
    folder = runtimeFolder();  // somebody else's; the name of the socket itself is new
    return folder + QLatin1Char('/') + QLatin1String(kFolderBeginning) + QString::fromLatin1(randomHex(1));
  }
  return folder + QLatin1Char('/') + QString::fromLatin1(randomHex(1));
}

void removeSocketFolder() {
  if (const QString folder = socketFolder(::getpid()); isOurs(QFile::encodeName(folder))) {
    QDir(folder).removeRecursively();
  }
}

void removeDeadSocketFolders() {
  const QDir runtime(runtimeFolder());
  for (const QString& name : runtime.entryList({QLatin1String(kFolderBeginning) + QLatin1Char('*')}, QDir::Dirs | QDir::Hidden)) {
    const qint64 pid = name.mid(static_cast<int>(sizeof kFolderBeginning) - 1).toLongLong();
    const QString folder = runtime.filePath(name);
    if (pid > 0 && socketFolder(pid) == folder && isOurs(QFile::encodeName(folder)) && isDead(static_cast<pid_t>(pid)) &&
        !isAnyHeard(folder)) {
      QDir(folder).removeRecursively();
    }
  }
}

QString workerLogFile(const QString& slotId) {
  const QString folder =
      QStandardPaths::writableLocation(QStandardPaths::GenericCacheLocation) + QStringLiteral("/polyptych/logs");
  if (!QDir().mkpath(folder)) {
    return {};
  }
  QString name = slotId;
  for (QChar& c : name) {
    if (!c.isLetterOrNumber()) {
      c = QLatin1Char('-');
    }
  }
  const QString path = folder + QStringLiteral("/worker-") + name + QStringLiteral(".log");
  if (QFileInfo(path).size() > kMaxLogBytes) {
    QFile::remove(path + QStringLiteral(".old"));
    QFile::rename(path, path + QStringLiteral(".old"));
  }
  return path;
}

QByteArray newToken() { return randomHex(4); }

}  // namespace polyptych::pool
