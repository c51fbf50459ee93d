#pragma once

#include <QComboBox>
#include <QLabel>

namespace polyptych::ui {

/// One line that ends in "…" where it does not fit; text() stays whole. Takes whatever width it is given.
class ElidedLabel : public QLabel {
  Q_OBJECT
 public:
  explicit ElidedLabel(QWidget* parent = nullptr);
  /// True if a part of the text is not seen.
  bool isCut() const;

 protected:
  void paintEvent(QPaintEvent* event) override;
};

/// A list whose chosen entry ends in "…" where it does not fit.
class ElidedComboBox : public QComboBox {
  Q_OBJECT
 public:
  using QComboBox::QComboBox;

 protected:
  void paintEvent(QPaintEvent* event) override;
};

/// A tool tip that breaks its lines and shows `text` letter by letter.
QString wrappedTip(const QString& text);

}  // namespace polyptych::ui
