#pragma once

#include <QComboBox>
#include <QHash>
#include <QLabel>
#include <QPushButton>
#include <QSet>
#include <QStackedWidget>
#include <QTimer>
#include <QTreeView>
#include <QWidget>

#include "core/backend/backend.h"
#include "ui/message_bar.h"
#include "ui/queue/queue_library.h"
#include "ui/queue/queue_model.h"
#include "ui/queue/requeue_sheet.h"

namespace polyptych::ui {

class Actions;
class TimeLine;

/// The queue over the lower half of the gallery: its jobs, what can be done with them, and a time line of what was made.
class QueuePage : public QWidget {
  Q_OBJECT
 public:
  /// All outlive it. @param location  nothing: there is no history to show
  QueuePage(backend::Backend& backend, MessageBar& messages, std::optional<library::Location> location, QWidget* window,
            const Preferences& preferences, QWidget* parent = nullptr);

  void addActions(Actions& actions);
  void takeFocus();
  QueueModel& model() { return *m_model; }

 Q_SIGNALS:
  /// Esc, or its button.
  void closed();
  /// Changed jobs, as runs of their own.
  void runsWanted(const std::vector<polyptych::backend::RunSpec>& specs);

 protected:
  void showEvent(QShowEvent* event) override;
  void hideEvent(QHideEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  using Kind = backend::Command::Kind;

  /// Jobs that go once all of the runs are stored that have them instead.
  struct Replacing {
    QSet<quint64> runs;
    std::vector<qint64> jobs;
  };

  QWidget* makeTools();
  void connectBackend();
  void showTimeLine(bool isTimeLine);
  void applyFilter();
  void updateTools();
  void updateFilters();
  void command(Kind kind, std::vector<qint64> jobs, qint64 before = 0);
  void commandSelected(Kind kind) { command(kind, selectedJobs()); }
  void moveBy(int distance);
  void pauseRun(bool isPaused);
  void requeue();
  void onRequeueAccepted(const RequeueEdits& edits);
  void onCommandDone(const backend::CommandResult& result);
  QString wordsOf(Kind kind, qint64 pictures) const;
  std::vector<qint64> selectedJobs() const;
  void showMenu(const QPoint& at);
  void readAttempts();
  void retranslate();

  backend::Backend& m_backend;
  MessageBar& m_messages;
  QueueLibrary m_library;
  QueueModel* m_model;
  Actions* m_actions = nullptr;
  QStackedWidget* m_views;
  QTreeView* m_table;
  TimeLine* m_timeLine;
  QPushButton* m_jobs;
  QPushButton* m_time;
  QComboBox* m_state;
  QComboBox* m_run;
  QPushButton* m_front;
  QPushButton* m_cancel;
  QPushButton* m_retry;
  QPushButton* m_requeue;
  QPushButton* m_close;
  QLabel* m_nothing;
  RequeueSheet* m_sheet;
  QTimer m_timeTimer;
  qint64 m_since = 0;
  QHash<quint64, Kind> m_asked;    ///< commands that were not answered
  std::vector<qint64> m_requeued;  ///< jobs that the sheet is about
  std::vector<Replacing> m_replacing;
};

}  // namespace polyptych::ui
