#pragma once

#include <QObject>
#include <optional>

#include "app/polyptych-cli/arguments.h"
#include "app/polyptych-cli/exit_code.h"
#include "core/backend/backend.h"

namespace polyptych::cli {

/// `runs`: the runs of a library, newest first. Reads the library's index beside whoever has it open.
ExitCode showRuns(const Arguments& arguments);
/// `queue list`: jobs in the order of the queue.
ExitCode showQueue(const Arguments& arguments);

/// What `queue pause` and the others ask of the backend. @return InvalidArgument, NotFound (no such run)
base::Result<backend::Command> queueCommand(const Arguments& arguments);

/// The other verbs of `queue`: asks a backend and says what changed.
class QueueCommand : public QObject {
  Q_OBJECT
 public:
  /// The backend outlives the command.
  QueueCommand(const Arguments& arguments, backend::Backend& backend, QObject* parent = nullptr);

  /// ended() follows.
  void start();

 Q_SIGNALS:
  void ended(int exitCode);

 private:
  void onDone(const backend::CommandResult& result);

  const Arguments m_arguments;
  backend::Backend& m_backend;
  quint64 m_commandId = 0;
};

}  // namespace polyptych::cli
