#pragma once

#include <QLabel>
#include <QPushButton>
#include <QWidget>

#include "ui/elided.h"
#include "ui/error_text.h"

namespace polyptych::ui {

/// The bottom line: at most one sentence of what happened, with one action; it waits until it is put away or its cause goes.
class MessageBar : public QWidget {
  Q_OBJECT
 public:
  explicit MessageBar(QWidget* parent = nullptr);

  enum class Kind { Notice, Trouble };
  void show(Kind kind, const ErrorText& text, const QString& action = {});
  void show(Kind kind, const QString& sentence) { show(kind, ErrorText{sentence, {}}); }
  void clear();
  QString text() const { return m_text->text(); }
  /// Right end: where the last run's pictures are.
  void setPlace(const QString& folder);

 Q_SIGNALS:
  void actionTriggered();
  void placeTriggered();

 private:
  QLabel* m_mark;
  ElidedLabel* m_text;
  QPushButton* m_action;
  QPushButton* m_close;
  QPushButton* m_place;
};

}  // namespace polyptych::ui
