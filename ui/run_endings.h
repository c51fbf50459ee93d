#pragma once

#include <QObject>
#include <QSet>
#include <functional>
#include <optional>

#include "core/backend/backend.h"
#include "ui/error_text.h"

namespace polyptych::ui {

class MessageBar;
class OpenRuns;

/// Tells how runs end, and pictures that fail on the way; has all of them ended on demand.
class RunEndings : public QObject {
  Q_OBJECT
 public:
  /// All outlive it.
  RunEndings(backend::Backend& backend, OpenRuns& runs, MessageBar& messages, QObject* parent = nullptr);

  /// Ends everything. What came of it is told once all of it has ended, with a way back.
  void stopAll();
  bool isStopping() const { return m_stopping.has_value(); }
  /// Nothing comes any more of what was to be stopped.
  void forgetStopping() { m_stopping.reset(); }
  /// A run that is cancelled without a word.
  void leaveOut(quint64 runId) { m_leftOut << runId; }

 Q_SIGNALS:
  void stoppingChanged();
  /// There is nothing left to do. Counts are pictures of the runs since there was something.
  void workEnded(qint64 made, qint64 failed);

 private:
  /// What stopAll() asked for, until all of it has ended.
  struct Stopping {
    quint64 command = 0;
    bool isAnswered = false;
    qint64 undoId = 0;
    QSet<quint64> runs;  ///< that have not ended
    qint64 kept = 0;
  };

  void tell(const backend::RunSummary& summary, bool wasStopped);
  void tellStopped();
  void onRunEnded(const backend::RunSummary& summary);
  void onCommandDone(const backend::CommandResult& result);

  backend::Backend& m_backend;
  OpenRuns& m_runs;
  MessageBar& m_messages;
  std::optional<Stopping> m_stopping;
  QSet<quint64> m_leftOut;
  ErrorText m_lastFailure;  ///< of a picture
  qint64 m_made = 0;
  qint64 m_failed = 0;
};

}  // namespace polyptych::ui
