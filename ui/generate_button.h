#pragma once

#include <QPushButton>

namespace polyptych::ui {

/// A button that says its keys behind its words, in small letters.
class GenerateButton : public QPushButton {
  Q_OBJECT
 public:
  using QPushButton::QPushButton;

  /// Empty: none are shown.
  void setKeys(const QString& keys);
  QString keys() const { return m_keys; }
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override { return sizeHint(); }

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QFont keysFont() const;
  int keysWidth() const;

  QString m_keys;
};

}  // namespace polyptych::ui
