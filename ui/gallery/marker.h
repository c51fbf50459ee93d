#pragma once

#include <QHash>
#include <QObject>
#include <vector>

#include "core/backend/backend.h"
#include "ui/gallery/gallery_model.h"

namespace polyptych::ui {

/// Marks of pictures by way of the backend: seen at once, taken back if it refuses, undone one after another.
class Marker : public QObject {
  Q_OBJECT
 public:
  /// Both outlive it.
  Marker(backend::Backend& backend, GalleryModel& model, QObject* parent = nullptr);

  void mark(backend::MarkChange change);
  /// The last mark. False if there is none.
  bool undo();
  bool canUndo() const { return !m_undos.empty(); }
  /// Whether a command's answer is this object's to tell.
  bool isOwn(quint64 command) const { return m_open.contains(command); }

 Q_SIGNALS:
  /// The backend has done it. @param undoId  0: cannot be taken back
  void marked(const polyptych::backend::MarkChange& change, qint64 undoId);
  void refused(const polyptych::base::Error& error);

 private:
  struct Open {
    backend::MarkChange change;
    backend::Command::Kind kind = backend::Command::Kind::Mark;
  };
  void onCommandDone(const backend::CommandResult& result);

  backend::Backend& m_backend;
  GalleryModel& m_model;
  QHash<quint64, Open> m_open;
  std::vector<qint64> m_undos;  ///< newest last
};

}  // namespace polyptych::ui
