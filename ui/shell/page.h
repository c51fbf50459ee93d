#pragma once

#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>
#include <QWidget>

namespace polyptych::ui {

/// What opens in the centre and leaves with Esc: a heading, the way back, and a body.
class Page : public QWidget {
  Q_OBJECT
 public:
  explicit Page(QWidget* parent = nullptr);

 Q_SIGNALS:
  void left();

 protected:
  void setTitle(const QString& title);
  /// Below the heading, as wide as the page.
  QVBoxLayout* body() const { return m_body; }
  /// Right of the heading, left of the way back.
  QHBoxLayout* tools() const { return m_tools; }
  void keyPressEvent(QKeyEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;

 private:
  QLabel* m_title;
  QPushButton* m_back;
  QVBoxLayout* m_body;
  QHBoxLayout* m_tools;
};

/// A label in one of the roles of the style sheet: "label", "heading", "secondary", "hint".
QLabel* makeLabel(const char* role, QWidget* parent);
/// Another role from now on; costs nothing where it is the same.
void changeRole(QWidget* widget, const char* role);

}  // namespace polyptych::ui
