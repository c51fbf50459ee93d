#pragma once

#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QStackedWidget>
#include <QTimer>
#include <QWidget>
#include <functional>
#include <utility>
#include <vector>

#include "core/backend/backend.h"
#include "ui/message_bar.h"
#include "ui/queue/queue_commands.h"
#include "ui/queue/queue_library.h"
#include "ui/queue/queue_model.h"
#include "ui/queue/requeue_sheet.h"

namespace polyptych::ui {

class Actions;
class QueueTable;
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
  const QueueCommands& commands() const { return *m_commands; }

 Q_SIGNALS:
  /// Esc, or its button.
  void closed();
  /// Changed jobs, as runs of their own.
  void runsWanted(const std::vector<polyptych::backend::RunSpec>& specs);

 protected:
  void showEvent(QShowEvent* event) override;
  void hideEvent(QHideEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  using Kind = backend::Command::Kind;

  QWidget* makeTools();
  void connectBackend();
  void showTimeLine(bool isTimeLine);
  void applyFilter();
  void updateTools();
  void updateFilters();
  /// @param then  the jobs that are selected, also those that are not here; maybe later
  void withSelected(std::function<void(std::vector<qint64> jobs)> then);
  void commandSelected(Kind kind);
  void onSelectionChanged();
  queue::JobCounts selectedCounts() const;
  void moveBy(int distance);
  void pauseRun(bool isPaused);
  void requeue();
  void onRequeueAccepted(const RequeueEdits& edits);
  void undo();
  std::vector<qint64> selectedJobs() const;
  void showMenu(const QPoint& at);
  void readAttempts();
  void retranslate();

  backend::Backend& m_backend;
  MessageBar& m_messages;
  QueueLibrary m_library;
  QueueModel* m_model;
  Actions* m_actions = nullptr;
  QueueCommands* m_commands;
  QStackedWidget* m_views;
  QueueTable* m_table;
  TimeLine* m_timeLine;
  QPushButton* m_jobs;
  QPushButton* m_time;
  QLabel* m_selected;
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
  bool m_waitsForJobs = false;   ///< the keyboard was at the jobs when the last of them went
  bool m_isAllSelected = false;  ///< also rows of the filter that are not here
  std::vector<std::pair<QString, quint64>> m_shownRuns;
  std::vector<qint64> m_requeued;  ///< jobs that the sheet is about
};

}  // namespace polyptych::ui
