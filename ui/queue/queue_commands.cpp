#include "ui/queue/queue_commands.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "ui/message_bar.h"

namespace polyptych::ui {
namespace {

constexpr std::size_t kMostKept = 50;

}  // namespace

QueueCommands::QueueCommands(backend::Backend& backend, MessageBar& messages, QObject* parent)
    : QObject(parent), m_backend(backend), m_messages(messages) {
  using backend::Backend;
  connect(&backend, &Backend::commandDone, this, &QueueCommands::onCommandDone);
  connect(&backend, &Backend::runStarted, this, &QueueCommands::onRunStarted);
  connect(&backend, &Backend::runFinished, this, [this](const backend::RunSummary& summary) {
    // One that was refused replaces nothing: the old jobs stay.
    if (summary.error) {
      std::erase_if(m_replacing, [&](const Replacing& one) { return one.missing.contains(summary.runId); });
    }
  });
}

void QueueCommands::control(const ChangePointer& change, backend::Command command) {
  ++change->unanswered;
  m_asked.insert(m_backend.control(std::move(command)), change);
}

void QueueCommands::ask(const ChangePointer& change, Kind kind, std::vector<qint64> jobs, qint64 before) {
  backend::Command command;
  command.kind = kind;
  command.jobs.jobIds = std::move(jobs);
  command.before = before;
  control(change, std::move(command));
}

void QueueCommands::send(Kind kind, std::vector<qint64> jobs, qint64 before) {
  if (jobs.empty()) {
    return;
  }
  auto change = std::make_shared<Change>();
  change->kind = kind;
  ask(change, kind, std::move(jobs), before);
}

void QueueCommands::pauseRun(quint64 runId, bool isPaused) {
  backend::Command command;
  command.kind = isPaused ? Kind::PauseRun : Kind::ResumeRun;
  command.jobs.runId = runId;
  auto change = std::make_shared<Change>();
  change->kind = command.kind;
  control(change, std::move(command));
}

void QueueCommands::replace(std::vector<qint64> jobs, const QSet<quint64>& runs, qint64 pictures) {
  auto change = std::make_shared<Change>();
  change->act = Change::Act::Replacement;
  change->pictures = pictures;
  change->runs.assign(runs.begin(), runs.end());
  m_replacing.push_back({runs, std::move(jobs), change});
}

void QueueCommands::onRunStarted(quint64 runId) {
  // What was asked for in another way counts no more, now that the other way is stored: all of it.
  for (auto one = m_replacing.begin(); one != m_replacing.end(); ++one) {
    if (one->missing.remove(runId) && one->missing.isEmpty()) {
      const Replacing done = *one;
      m_replacing.erase(one);
      ask(done.change, Kind::CancelWaiting, done.jobs);
      ask(done.change, Kind::Dismiss, done.jobs);
      return;
    }
  }
}

bool QueueCommands::undo() {
  if (m_done.empty()) {
    return false;
  }
  takeBack(m_done.back());
  return true;
}

void QueueCommands::takeBack(const ChangePointer& change) {
  if (std::erase(m_done, change) == 0) {
    return;  // it was already
  }
  auto back = std::make_shared<Change>();
  back->act = Change::Act::TakingBack;
  // First what came in their place: nothing is made twice.
  for (const quint64 runId : change->runs) {
    Q_EMIT runTakenBack(runId);
    backend::Command command;
    command.kind = Kind::CancelAll;
    command.jobs.runId = runId;
    control(back, std::move(command));
  }
  for (const qint64 undoId : std::views::reverse(change->undoIds)) {
    backend::Command command;
    command.kind = Kind::Undo;
    command.undoId = undoId;
    control(back, std::move(command));
  }
}

void QueueCommands::onCommandDone(const backend::CommandResult& result) {
  const ChangePointer change = m_asked.take(result.commandId);
  if (change == nullptr) {
    return;
  }
  --change->unanswered;
  change->hasFailed |= result.error.has_value();
  const bool isReplacement = change->act == Change::Act::Replacement;
  // Where nothing waited, or nothing had failed, there is nothing to take back.
  if (result.undoId != 0 && change->act != Change::Act::TakingBack && (!isReplacement || result.changed > 0)) {
    change->undoIds.push_back(result.undoId);
  }
  if (!isReplacement) {
    change->pictures += result.changed;
  }
  if (change->unanswered == 0) {
    tell(change);
  }
}

QString QueueCommands::wordsOf(const Change& change) const {
  const auto number = static_cast<int>(change.pictures);
  switch (change.act) {
    case Change::Act::Replacement:
      return tr("%n picture(s) wait again with other settings.", nullptr, number);
    case Change::Act::TakingBack:
      return tr("The queue is as it was before.");
    case Change::Act::Command:
      break;
  }
  switch (change.kind) {
    case Kind::CancelAll:
      return tr("%n picture(s) cancelled.", nullptr, number);
    case Kind::Retry:
      return tr("%n picture(s) wait again.", nullptr, number);
    case Kind::MoveToFront:
      return tr("%n picture(s) moved to the front.", nullptr, number);
    case Kind::MoveBefore:
      return tr("%n picture(s) moved.", nullptr, number);
    case Kind::Dismiss:
      return tr("%n picture(s) dismissed.", nullptr, number);
    default:
      return {};
  }
}

void QueueCommands::tell(const ChangePointer& change) {
  MessageBar::Action undo;
  if (!change->undoIds.empty() || !change->runs.empty()) {
    m_done.push_back(change);
    if (m_done.size() > kMostKept) {
      m_done.erase(m_done.begin());
    }
    undo = {tr("Undo"), [this, change] { takeBack(change); }};
  }
  // Errors are told by whoever listens to every answer.
  if (const QString words = change->hasFailed ? QString() : wordsOf(*change); !words.isEmpty()) {
    m_messages.show(MessageBar::Kind::Notice, words, undo);
  }
}

}  // namespace polyptych::ui
