#include "ui/gallery/marker.h"

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
  Command command;
  command.kind = Command::Kind::Mark;
  command.marks = change;
  const quint64 number = m_backend.control(std::move(command));
  m_open.insert(number, {change, Command::Kind::Mark});
  m_model.addPending(number, change);
}

bool Marker::undo() {
  if (m_undos.empty()) {
    return false;
  }
  Command command;
  command.kind = Command::Kind::Undo;
  command.undoId = m_undos.back();
  m_undos.pop_back();
  m_open.insert(m_backend.control(std::move(command)), {{}, Command::Kind::Undo});
  return true;
}

void Marker::onCommandDone(const backend::CommandResult& result) {
  const auto found = m_open.constFind(result.commandId);
  if (found == m_open.constEnd()) {
    return;
  }
  const Open open = *found;
  m_open.erase(found);
  if (open.kind == Command::Kind::Mark) {
    m_model.settlePending(result.commandId, result.error.has_value());
  }
  if (result.error) {
    Q_EMIT refused(*result.error);
    return;
  }
  if (open.kind == Command::Kind::Mark) {
    if (result.undoId != 0) {
      m_undos.push_back(result.undoId);
      if (m_undos.size() > kMostUndos) {
        m_undos.erase(m_undos.begin());
      }
    }
    Q_EMIT marked(open.change, result.undoId);
  }
}

}  // namespace polyptych::ui
