#pragma once

#include <QPlainTextEdit>
#include <QStringList>

namespace polyptych::ui {

/// Where a prompt is typed: one to a few lines high, wraps. Enter takes what stands there; several pasted lines are taken at
/// once.
class PromptField : public QPlainTextEdit {
  Q_OBJECT
 public:
  explicit PromptField(QWidget* parent = nullptr);

  /// @param lines  most that it shows before it scrolls
  void setMostLines(int lines);
  QSize sizeHint() const override;

 Q_SIGNALS:
  /// By Enter.
  void accepted();
  /// By Esc.
  void cancelled();
  /// Up in the first line, or down in the last.
  void leftUp();
  void leftDown();
  void linesPasted(const QStringList& lines);
  /// Ctrl+Z, or Ctrl+Shift+Z, with nothing here to be taken back.
  void undoWanted(bool isRedo);

 protected:
  void keyPressEvent(QKeyEvent* event) override;
  void insertFromMimeData(const QMimeData* source) override;
  bool canInsertFromMimeData(const QMimeData* source) const override;
  void resizeEvent(QResizeEvent* event) override;
  void changeEvent(QEvent* event) override;
  void showEvent(QShowEvent* event) override;

 private:
  int heightOfLines(int lines) const;
  void fit();

  int m_mostLines = 5;
};

/// Prompts of a text: its lines, without blanks at their ends and without empty ones.
QStringList promptsOf(const QString& text);

}  // namespace polyptych::ui
