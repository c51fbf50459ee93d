#pragma once

#include <QHash>
#include <QObject>
#include <QSet>
#include <memory>
#include <vector>

#include "core/backend/backend.h"

namespace polyptych::ui {

class MessageBar;

/// Has the queue changed, tells what came of it, and takes it back.
class QueueCommands : public QObject {
  Q_OBJECT
 public:
  using Kind = backend::Command::Kind;

  /// Both outlive it.
  QueueCommands(backend::Backend& backend, MessageBar& messages, QObject* parent = nullptr);

  /// @param before  of Kind::MoveBefore
  void send(Kind kind, std::vector<qint64> jobs, qint64 before = 0);
  void pauseRun(quint64 runId, bool isPaused);
  /// Once all of the runs are stored, the jobs that they are made in place of count no more; nothing is changed if one of them is
  /// refused. One undo takes back all of it. @param pictures  of the runs
  void replace(std::vector<qint64> jobs, const QSet<quint64>& runs, qint64 pictures);
  /// The newest change that can be. @return false: there is none
  bool undo();

 Q_SIGNALS:
  /// A run is cancelled because it was asked for by mistake.
  void runTakenBack(quint64 runId);

 private:
  /// What one act of a person has changed; of several commands, maybe.
  struct Change {
    enum class Act { Command, Replacement, TakingBack };
    Act act = Act::Command;
    Kind kind = Kind::Undo;
    qint64 pictures = 0;
    int unanswered = 0;
    bool hasFailed = false;
    std::vector<qint64> undoIds;
    std::vector<quint64> runs;  ///< to be cancelled if it is taken back
  };
  using ChangePointer = std::shared_ptr<Change>;
  /// Jobs that go once all of the runs are stored that have them instead.
  struct Replacing {
    QSet<quint64> missing;
    std::vector<qint64> jobs;
    ChangePointer change;
  };

  void ask(const ChangePointer& change, Kind kind, std::vector<qint64> jobs, qint64 before = 0);
  void control(const ChangePointer& change, backend::Command command);
  void takeBack(const ChangePointer& change);
  void tell(const ChangePointer& change);
  QString wordsOf(const Change& change) const;
  void onCommandDone(const backend::CommandResult& result);
  void onRunStarted(quint64 runId);

  backend::Backend& m_backend;
  MessageBar& m_messages;
  QHash<quint64, ChangePointer> m_asked;  ///< commands that were not answered
  std::vector<ChangePointer> m_done;      ///< that can be taken back, the newest last
  std::vector<Replacing> m_replacing;
};

}  // namespace polyptych::ui
