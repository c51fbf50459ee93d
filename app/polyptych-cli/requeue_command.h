#pragma once

#include <QObject>
#include <QSet>
#include <vector>

#include "app/polyptych-cli/arguments.h"
#include "app/polyptych-cli/exit_code.h"
#include "core/backend/backend.h"

namespace polyptych::cli {

/// New runs of what failed, was parked or (where it is named) cancelled, changed as the user says: one for each run that it came
/// from, with that run's plan. @return NotFound if nothing is meant; InvalidArgument for settings that cannot be; errors of
/// library::Database
base::Result<std::vector<backend::RunSpec>> requeuedRuns(const Arguments& arguments, backend::JobSelection& selection);

/// `queue requeue`: submits these runs, and counts the old jobs as cancelled once the new ones are on the disk.
class RequeueCommand : public QObject {
  Q_OBJECT
 public:
  /// The backend outlives the command.
  RequeueCommand(const Arguments& arguments, backend::Backend& backend, QObject* parent = nullptr);

  /// ended() follows.
  void start();

 Q_SIGNALS:
  void ended(int exitCode);

 private:
  void onStarted(quint64 runId);
  void onDone(const backend::CommandResult& result);
  void fail(const base::Error& error);

  const Arguments m_arguments;
  backend::Backend& m_backend;
  backend::JobSelection m_selection;
  QSet<quint64> m_awaited;
  qint64 m_pictures = 0;
  qsizetype m_runs = 0;
  quint64 m_commandId = 0;
};

}  // namespace polyptych::cli
