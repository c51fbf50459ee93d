#include "core/backend/core_process.h"

#include <signal.h>
#include <unistd.h>

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QStandardPaths>
#include <algorithm>

namespace polyptych::backend {
namespace {

constexpr qint64 kMaxLogBytes = 4 << 20;
constexpr qint64 kLastWordsBytes = 4096;
constexpr qsizetype kMaxNameLength = 40;

}  // namespace

/// QProcess kills what runs when it is destroyed; this one lets it be.
class CoreProcess::Process : public QProcess {
 public:
  ~Process() override { setProcessState(QProcess::NotRunning); }
};

CoreProcess::CoreProcess(QObject* parent) : QObject(parent), m_process(std::make_unique<Process>()) {
  m_process->setChildProcessModifier([] {
    ::setsid();
    ::signal(SIGINT, SIG_IGN);
  });
  connect(
      m_process.get(), &QProcess::errorOccurred, this,
      [this](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart) {
          Q_EMIT failedToStart();
        }
      },
      Qt::QueuedConnection);
  connect(
      m_process.get(), &QProcess::finished, this,
      [this](int exitCode, QProcess::ExitStatus status) { Q_EMIT ended(exitCode, status == QProcess::CrashExit); },
      Qt::QueuedConnection);
}

CoreProcess::~CoreProcess() = default;

void CoreProcess::start(const QString& program, const QStringList& arguments, const QString& logFile) {
  m_logFile = logFile;
  m_logStart = QFileInfo(logFile).size();
  const QString log = logFile.isEmpty() ? QProcess::nullDevice() : logFile;
  m_process->setStandardInputFile(QProcess::nullDevice());
  m_process->setStandardOutputFile(log, QIODevice::Append);
  m_process->setStandardErrorFile(log, QIODevice::Append);
  m_process->start(program, arguments);
}

bool CoreProcess::isRunning() const { return m_process->state() != QProcess::NotRunning; }

QString CoreProcess::lastWords() const {
  QFile file(m_logFile);
  if (m_logFile.isEmpty() || !file.open(QIODevice::ReadOnly)) {
    return {};
  }
  file.seek(std::max(m_logStart, file.size() - kLastWordsBytes));
  const QStringList lines = QString::fromLocal8Bit(file.read(kLastWordsBytes)).split(QLatin1Char('\n'), Qt::SkipEmptyParts);
  QString last = lines.isEmpty() ? QString() : lines.back().simplified();
  std::replace_if(
      last.begin(), last.end(), [](QChar c) { return !c.isPrint() && !c.isSurrogate(); }, QLatin1Char('?'));
  return last;
}

QString coreLogFile(const library::Location& location) {
  const QString folder =
      QStandardPaths::writableLocation(QStandardPaths::GenericCacheLocation) + QStringLiteral("/polyptych/logs");
  if (!QDir().mkpath(folder)) {
    return {};
  }
  QString name = QFileInfo(location.root).fileName().left(kMaxNameLength);
  std::replace_if(
      name.begin(), name.end(), [](QChar c) { return !c.isLetterOrNumber(); }, QLatin1Char('-'));
  const QByteArray digits = QCryptographicHash::hash(location.lockFile().toUtf8(), QCryptographicHash::Sha256).toHex().left(8);
  const QString path =
      folder + QStringLiteral("/core-") + name + QLatin1Char('-') + QString::fromLatin1(digits) + QStringLiteral(".log");
  if (QFileInfo(path).size() > kMaxLogBytes) {
    QFile::remove(path + QStringLiteral(".old"));
    QFile::rename(path, path + QStringLiteral(".old"));
  }
  return path;
}

}  // namespace polyptych::backend
