#include "ui/shell/stop_commands.h"

#include "ui/message_bar.h"

namespace polyptych::ui {

using backend::Command;

StopCommands::StopCommands(backend::Backend& backend, MessageBar& messages, QObject* parent)
    : QObject(parent), m_backend(backend), m_messages(messages) {
  connect(&backend, &backend::Backend::commandDone, this, &StopCommands::onCommandDone);
}

void StopCommands::stop(Command::Kind kind, quint64 runId) {
  Command command;
  command.kind = kind;
  command.jobs.runId = runId;
  m_asked.insert(m_backend.control(std::move(command)));
}

void StopCommands::onCommandDone(const backend::CommandResult& result) {
  if (!m_asked.remove(result.commandId) || result.error) {
    return;  // what went wrong is told by whoever listens to every answer
  }
  if (result.changed == 0) {
    m_messages.show(MessageBar::Kind::Notice, tr("There was nothing to stop."));
    return;
  }
  MessageBar::Action undo;
  if (result.undoId != 0) {
    undo = {tr("Undo"), [this, undoId = result.undoId] {
              Command command;
              command.kind = Command::Kind::Undo;
              command.undoId = undoId;
              m_backend.control(std::move(command));
            }};
  }
  m_messages.show(MessageBar::Kind::Notice, tr("%n picture(s) stopped.", nullptr, static_cast<int>(result.changed)), undo);
}

}  // namespace polyptych::ui
