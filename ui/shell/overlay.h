#pragma once

#include <QPointer>
#include <QVariantAnimation>
#include <QWidget>
#include <functional>

namespace polyptych::ui {

class Preferences;

/// A card over the window, which stays behind it, dimmed. Esc or a press beside the card closes it; the focus goes back to where
/// it was. While it is there, Tab stays inside.
class Overlay : public QWidget {
  Q_OBJECT
 public:
  /// @param window  what it covers
  Overlay(QWidget* window, const Preferences& preferences);

  void open();
  void close();
  bool isOpen() const { return !isHidden(); }

 Q_SIGNALS:
  /// By Esc, or by a press beside the card.
  void dismissed();

 protected:
  /// Where the content goes.
  QWidget* card() const { return m_card; }
  virtual QSize cardSize() const = 0;
  /// What its content takes at that width, with what was shown or hidden just now.
  int heightOf(int width) const;
  /// What gets the focus.
  virtual QWidget* first() const = 0;
  void place();

  bool eventFilter(QObject* watched, QEvent* event) override;
  bool event(QEvent* event) override;
  bool focusNextPrevChild(bool isNext) override;
  void keyPressEvent(QKeyEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void paintEvent(QPaintEvent* event) override;

 private:
  const Preferences& m_preferences;
  QWidget* m_card;
  QPointer<QWidget> m_focusBefore;
  QVariantAnimation m_fade;
};

}  // namespace polyptych::ui
