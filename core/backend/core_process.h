#pragma once

#include <QObject>
#include <QProcess>
#include <QString>
#include <QStringList>
#include <memory>

#include "core/library/location.h"

namespace polyptych::backend {

/// A polyptych-core that a face has started. It is no child that ends with the face: it has a session of its own, no terminal,
/// does not hear Ctrl-C, and prints into its log file. This object only tells of its end while it is watched.
class CoreProcess : public QObject {
  Q_OBJECT
 public:
  explicit CoreProcess(QObject* parent = nullptr);
  ~CoreProcess() override;

  /// @param logFile  what it prints is added there; empty: nowhere
  void start(const QString& program, const QStringList& arguments, const QString& logFile);
  bool isRunning() const;
  /// The last line that it printed; empty if there is none.
  QString lastWords() const;

 Q_SIGNALS:
  void failedToStart();
  /// @param exitCode  nothing sensible if it crashed
  void ended(int exitCode, bool hasCrashed);

 private:
  class Process;
  std::unique_ptr<Process> m_process;
  QString m_logFile;
  qint64 m_logStart = 0;
};

/// <cache>/polyptych/logs/core-<folder>-<digits>.log, one a library; its folder is made, and a file that has grown large is moved
/// aside. Empty if there can be none.
QString coreLogFile(const library::Location& location);

}  // namespace polyptych::backend
