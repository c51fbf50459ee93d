#include "ui/gallery/marker.h"

#include <algorithm>
#include <utility>

namespace polyptych::ui {
namespace {

constexpr std::size_t kMostUndos = 100;

}  // namespace

using backend::Backend;
using backend::Command;

Marker::Marker(Backend& backend, GalleryModel& model, QObject* parent) : QObject(parent), m_backend(backend), m_model(model) {
  connect(&m_backend, &Backend::commandDone, this, &Marker::onCommandDone);
  connect(&m_backend, &Backend::picturesMarked, &m_model, &GalleryModel::onPicturesMarked);
}

void Marker::mark(backend::MarkChange change) {
  if (change.pictures.empty()) {
    return;
  }
  const quint64 number = ++m_lastMark;
  m_seen.push_back(number);
  m_model.addPending(number, change);
  m_waiting.push_back({Command::Kind::Mark, number, std::move(change)});
  send();
}

bool Marker::undo() {
  if (!m_seen.empty()) {
    const quint64 number = m_seen.back();
    m_seen.pop_back();
    m_model.settlePending(number, true);
    m_waiting.push_back({Command::Kind::Undo, number, {}});
  } else if (std::ranges::count(m_waiting, quint64{0}, &Wish::mark) < std::ssize(m_undos)) {
    m_waiting.push_back({Command::Kind::Undo, 0, {}});
  } else {
    return false;
  }
  send();
  return true;
}

/// All in their order. What undoes has to know what the marks before it were confirmed as.
void Marker::send() {
  while (!m_waiting.empty()) {
    const bool isUndo = m_waiting.front().kind == Command::Kind::Undo;
    if (isUndo && std::ranges::find(m_sent, Command::Kind::Mark, &Wish::kind) != m_sent.end()) {
      return;
    }
    Wish wish = std::move(m_waiting.front());
    m_waiting.pop_front();
    Command command;
    command.kind = wish.kind;
    if (isUndo) {
      command.undoId = m_undos.back();
      m_undos.pop_back();
    } else {
      command.marks = wish.change;
    }
    wish.command = m_backend.control(std::move(command));
    m_sent.push_back(std::move(wish));
  }
}

bool Marker::isOwn(quint64 command) const {
  return command == m_lastAnswered || std::ranges::find(m_sent, command, &Wish::command) != m_sent.end();
}

void Marker::onCommandDone(const backend::CommandResult& result) {
  const auto found = std::ranges::find(m_sent, result.commandId, &Wish::command);
  if (found == m_sent.end()) {
    return;
  }
  const Wish wish = std::move(*found);
  m_sent.erase(found);
  m_lastAnswered = result.commandId;
  if (wish.kind == Command::Kind::Mark) {
    std::erase(m_seen, wish.mark);
    m_model.settlePending(wish.mark, result.error.has_value());
    if (result.undoId != 0) {
      m_undos.push_back(result.undoId);
    } else {
      std::erase_if(m_waiting, [&](const Wish& one) { return one.kind == Command::Kind::Undo && one.mark == wish.mark; });
    }
  }
  if (result.error) {
    Q_EMIT refused(*result.error);
  } else if (wish.kind == Command::Kind::Mark && std::ranges::find(m_waiting, wish.mark, &Wish::mark) == m_waiting.end()) {
    Q_EMIT marked(wish.change, result.undoId);
  }
  send();
  if (m_undos.size() > kMostUndos) {
    m_undos.erase(m_undos.begin());
  }
}

}  // namespace polyptych::ui
