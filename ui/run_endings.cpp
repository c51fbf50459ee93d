#include "ui/run_endings.h"

#include <utility>

#include "ui/message_bar.h"
#include "ui/open_runs.h"

namespace polyptych::ui {

RunEndings::RunEndings(backend::Backend& backend, OpenRuns& runs, MessageBar& messages, QObject* parent)
    : QObject(parent), m_backend(backend), m_runs(runs), m_messages(messages) {
  using backend::Backend;
  connect(&runs, &OpenRuns::ended, this, &RunEndings::onRunEnded);
  connect(&runs, &OpenRuns::troubled, this,
          [this](const base::Error& error) { m_messages.show(MessageBar::Kind::Trouble, textOf(error)); });
  connect(&backend, &Backend::commandDone, this, &RunEndings::onCommandDone);
  connect(&backend, &Backend::pictureFailed, this, [this](const backend::FailureEvent& failure) {
    m_lastFailure = textOf(failure.error);
    m_messages.show(MessageBar::Kind::Trouble, m_lastFailure);
  });
  connect(&backend, &Backend::warned, this,
          [this](quint64, const domain::Warning& warning) { m_messages.show(MessageBar::Kind::Notice, textOf(warning)); });
}

void RunEndings::stopAll() {
  m_messages.clear();
  m_stopping = Stopping();
  m_stopping->runs = m_runs.ids();
  // One command for all, so that one undo takes it back. Runs that the backend has not stored yet it does not reach.
  backend::Command command;
  command.kind = backend::Command::Kind::CancelAll;
  m_stopping->command = m_backend.control(std::move(command));
  for (const quint64 runId : m_runs.unborn()) {
    m_backend.cancelRun(runId);
  }
  Q_EMIT stoppingChanged();
}

/// Once the command is answered and everything has ended, whichever comes first.
void RunEndings::tellStopped() {
  if (!m_stopping || !m_stopping->isAnswered || !m_stopping->runs.isEmpty()) {
    return;
  }
  const Stopping done = *std::exchange(m_stopping, std::nullopt);
  MessageBar::Action undo;
  if (done.undoId != 0) {
    undo = {tr("Undo"), [this, done] {
              backend::Command command;
              command.kind = backend::Command::Kind::Undo;
              command.undoId = done.undoId;
              m_backend.control(std::move(command));
            }};
  }
  m_messages.show(MessageBar::Kind::Notice, tr("Stopped. %n picture(s) kept.", nullptr, static_cast<int>(done.kept)), undo);
  Q_EMIT stoppingChanged();
}

void RunEndings::onCommandDone(const backend::CommandResult& result) {
  if (m_stopping && m_stopping->command == result.commandId) {
    m_stopping->isAnswered = true;
    m_stopping->undoId = result.undoId;
    if (result.error) {
      m_stopping.reset();
      Q_EMIT stoppingChanged();
    }
    tellStopped();
  }
}

void RunEndings::onRunEnded(const backend::RunSummary& summary) {
  const auto there = summary.made + summary.alreadyThere;
  m_made += there;
  m_failed += summary.failed;
  if (m_runs.isEmpty()) {
    Q_EMIT workEnded(std::exchange(m_made, 0), std::exchange(m_failed, 0));
  }
  const bool wasStopped = m_stopping && m_stopping->runs.remove(summary.runId);
  if (wasStopped) {
    m_stopping->kept += there;
  }
  tell(summary, wasStopped);
  tellStopped();
}

void RunEndings::tell(const backend::RunSummary& summary, bool wasStopped) {
  const auto there = summary.made + summary.alreadyThere;
  const bool isLeftOut = m_leftOut.remove(summary.runId);
  if (summary.error) {
    m_messages.show(MessageBar::Kind::Trouble, textOf(*summary.error));
  } else if (summary.wasCancelled) {
    if (!wasStopped && !isLeftOut) {
      m_messages.show(MessageBar::Kind::Notice, tr("Stopped. %n picture(s) kept.", nullptr, static_cast<int>(there)));
    }
  } else if (summary.failed > 0) {
    const auto failed = static_cast<int>(summary.failed);
    ErrorText text = m_lastFailure;
    text.sentence.prepend(u' ').prepend(there > 0 ? tr("%n picture(s) failed; the others are there.", nullptr, failed)
                                                  : tr("%n picture(s) failed.", nullptr, failed));
    m_messages.show(MessageBar::Kind::Trouble, text);
  } else {
    m_messages.show(MessageBar::Kind::Notice, tr("All %n picture(s) are there.", nullptr, static_cast<int>(summary.total)));
  }
}

}  // namespace polyptych::ui
