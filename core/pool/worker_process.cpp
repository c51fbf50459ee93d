#include "core/pool/worker_process.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QRandomGenerator>
#include <QStandardPaths>
#include <array>

namespace polyptych::pool {
namespace {

/// A socket's path has at most 107 bytes; Qt makes it under a longer temporary name first.
constexpr qsizetype kMaxRuntimePathBytes = 60;
constexpr qint64 kMaxLogBytes = 4 << 20;

QByteArray randomHex(int words) {
  QByteArray text;
  for (int i = 0; i < words; ++i) {
    text += QByteArray::number(QRandomGenerator::system()->generate64(), 16).rightJustified(16, '0');
  }
  return text;
}

}  // namespace

QStringList workerArguments(const WorkerSpec& spec, const QString& socketPath) {
  const bool isGpu = spec.slot.kind == domain::DeviceKind::Cuda;
  QStringList arguments{QStringLiteral("--socket"),  socketPath,
                        QStringLiteral("--device"),  isGpu ? QStringLiteral("cuda") : QStringLiteral("cpu"),
                        QStringLiteral("--threads"), QString::number(spec.threads)};
  if (!spec.slot.cores.empty()) {
    QStringList cores;
    for (const int core : spec.slot.cores) {
      cores << QString::number(core);
    }
    arguments << QStringLiteral("--cores") << cores.join(QLatin1Char(','));
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
  QString folder = QStandardPaths::writableLocation(QStandardPaths::RuntimeLocation);
  if (folder.isEmpty() || QFile::encodeName(folder).size() > kMaxRuntimePathBytes) {
    folder = QStringLiteral("/tmp");
  }
  return folder + QStringLiteral("/plp-") + QString::fromLatin1(randomHex(1));
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
