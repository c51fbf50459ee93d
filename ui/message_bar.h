#pragma once

#include <QLabel>
#include <QPushButton>
#include <QWidget>
#include <functional>
#include <optional>

#include "ui/elided.h"
#include "ui/error_text.h"

namespace polyptych::ui {

/// The bottom line: at most one sentence, with one action. A message says what happened and waits until it is put away; a state
/// lasts until its cause goes, and stands there whenever no message does.
class MessageBar : public QWidget {
  Q_OBJECT
 public:
  explicit MessageBar(QWidget* parent = nullptr);

  enum class Kind { Notice, Trouble };
  struct Action {
    QString words;
    std::function<void()> run;
  };
  void show(Kind kind, const ErrorText& text, Action action = {});
  void show(Kind kind, const QString& sentence, Action action = {}) { show(kind, ErrorText{sentence, {}}, std::move(action)); }
  /// Puts the message away; the state stays.
  void clear();
  /// What lasts. A message that stood there before goes.
  void setState(Kind kind, const ErrorText& text, Action action = {});
  void clearState();
  /// What the message offers, or else its other buttons.
  void takeFocus();
  QString text() const { return m_text->text(); }
  /// Right end: where the last run's pictures are.
  void setPlace(const QString& folder);
  /// At the very end: the door to the queue, with how many pictures wait.
  void setWaiting(qint64 pictures);

 Q_SIGNALS:
  void placeTriggered();
  void queueTriggered();
  /// The button that has the focus is about to go; without another place it would go to a neighbour, for the next Space to press.
  void focusFreed();

 private:
  struct Line {
    Kind kind;
    ErrorText text;
    Action action;
  };

  void showLine();
  void act();

  std::optional<Line> m_message;
  std::optional<Line> m_state;
  QLabel* m_mark;
  ElidedLabel* m_text;
  QPushButton* m_action;
  QPushButton* m_close;
  QPushButton* m_place;
  QPushButton* m_queue;
  qint64 m_waiting = 0;
};

}  // namespace polyptych::ui
