#pragma once

#include <QLabel>
#include <QPushButton>
#include <QWidget>

namespace polyptych::ui {

/// The bottom line: at most one sentence of what happened, with one action; it waits until it is put away or its cause goes.
class MessageBar : public QWidget {
  Q_OBJECT
 public:
  explicit MessageBar(QWidget* parent = nullptr);

  enum class Kind { Notice, Trouble };
  void show(Kind kind, const QString& sentence, const QString& action = {});
  void clear();
  QString text() const { return m_text->text(); }
  /// Right end: where the last run's pictures are.
  void setPlace(const QString& folder);

 Q_SIGNALS:
  void actionTriggered();
  void placeTriggered();

 private:
  QLabel* m_mark;
  QLabel* m_text;
  QPushButton* m_action;
  QPushButton* m_close;
  QPushButton* m_place;
};

}  // namespace polyptych::ui
