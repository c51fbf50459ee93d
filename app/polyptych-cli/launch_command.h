#pragma once

#include <QObject>
#include <QProcess>
#include <QString>
#include <functional>
#include <memory>
#include <vector>

#include "app/polyptych-cli/arguments.h"
#include "app/polyptych-cli/exit_code.h"
#include "app/polyptych-cli/rendezvous.h"
#include "core/domain/device_choice.h"

namespace polyptych::cli {

/// `launch`: starts this machine's processes of a group with the variables that torchrun gives, and keeps the group's store on
/// the first machine, so that any rank may die. A rank that is ended by a signal is started again; what ends by itself is not.
class LaunchCommand : public QObject {
  Q_OBJECT
 public:
  using ListDevices = std::function<std::vector<domain::DeviceInfo>()>;

  /// @param program  this program. @param rendezvous  rendezvousProgram()
  LaunchCommand(Arguments arguments, QString program, QString rendezvous, ListDevices listDevices, QObject* parent = nullptr);
  /// Ends all processes.
  ~LaunchCommand() override;

  /// ended() follows, perhaps at once.
  void start();
  /// Ctrl-C: every process stops within a step.
  void interrupt();

 Q_SIGNALS:
  void started();
  void ended(int exitCode);

 private:
  struct Rank {
    int rank = 0;
    int restarts = 0;
    bool isDone = false;
    std::unique_ptr<QProcess> process;
  };

  void startAll(quint16 port);
  void startRank(Rank& rank);
  void onFinished(Rank& rank, int code, QProcess::ExitStatus status);
  void onNotStarted(Rank& rank);
  void leave(Rank& rank, ExitCode own);
  void stopAll(ExitCode code);
  void end(ExitCode code);

  const Arguments m_arguments;
  const QString m_program;
  const QString m_rendezvousProgram;
  const ListDevices m_listDevices;
  int m_onMachine = 1;
  quint16 m_port = 0;
  QString m_runId;
  std::unique_ptr<Rendezvous> m_store;
  std::vector<Rank> m_ranks;
  ExitCode m_code = ExitCode::AllMade;
  bool m_isStopping = false;
  bool m_hasEnded = false;
};

}  // namespace polyptych::cli
