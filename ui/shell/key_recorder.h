#pragma once

#include <QKeySequence>
#include <QWidget>

namespace polyptych::ui {

/// A field that takes the next keys that are pressed together, whatever else they mean. Esc gives up.
class KeyRecorder : public QWidget {
  Q_OBJECT
 public:
  explicit KeyRecorder(QWidget* parent = nullptr);
  QSize sizeHint() const override;

 Q_SIGNALS:
  void recorded(const QKeySequence& keys);
  /// By Esc.
  void givenUp();
  /// The focus went elsewhere.
  void left();

 protected:
  bool event(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;
  void paintEvent(QPaintEvent* event) override;
};

}  // namespace polyptych::ui
