#pragma once

#include <QObject>
#include <deque>
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
  /// The last mark, also one that is not confirmed yet. False if there is none.
  bool undo();
  /// Whether a command's answer is this object's to tell.
  bool isOwn(quint64 command) const;

 Q_SIGNALS:
  /// The backend has done it. @param undoId  0: cannot be taken back
  void marked(const polyptych::backend::MarkChange& change, qint64 undoId);
  void refused(const polyptych::base::Error& error);

 private:
  /// A mark (with a number of its own) or an undo (with the number of a mark that is not confirmed, or 0).
  struct Wish {
    backend::Command::Kind kind = backend::Command::Kind::Mark;
    quint64 mark = 0;
    backend::MarkChange change;
    quint64 command = 0;  ///< once it is sent
  };
  void send();
  void onCommandDone(const backend::CommandResult& result);

  backend::Backend& m_backend;
  GalleryModel& m_model;
  std::deque<Wish> m_waiting;
  std::vector<Wish> m_sent;     ///< and not answered
  std::vector<quint64> m_seen;  ///< marks that are shown and not confirmed; newest last
  std::vector<qint64> m_undos;  ///< of what is confirmed; newest last
  quint64 m_lastMark = 0;
  quint64 m_lastAnswered = 0;
};

}  // namespace polyptych::ui
