#pragma once

#include <QObject>
#include <QSet>

#include "core/backend/backend.h"

namespace polyptych::ui {

class MessageBar;

/// Stops a part of the work and offers to take that back.
class StopCommands : public QObject {
  Q_OBJECT
 public:
  /// Both outlive it.
  StopCommands(backend::Backend& backend, MessageBar& messages, QObject* parent);

  /// @param runId  0: of every run
  void stop(backend::Command::Kind kind, quint64 runId = 0);

 private:
  void onCommandDone(const backend::CommandResult& result);

  backend::Backend& m_backend;
  MessageBar& m_messages;
  QSet<quint64> m_asked;
};

}  // namespace polyptych::ui
