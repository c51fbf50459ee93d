#include "ui/prompts/prompt_field.h"

#include <QKeyEvent>
#include <QMimeData>
#include <QTextBlock>
#include <QTextLayout>
#include <algorithm>
#include <cmath>

#include "ui/theme.h"

namespace polyptych::ui {
namespace {

int linesOf(const QTextDocument& document) {
  int lines = 0;
  for (QTextBlock block = document.begin(); block.isValid(); block = block.next()) {
    lines += std::max(1, block.layout()->lineCount());
  }
  return lines;
}

}  // namespace

QStringList promptsOf(const QString& text) {
  QStringList prompts;
  for (const QString& line : text.split(u'\n')) {
    if (const QString prompt = line.simplified(); !prompt.isEmpty()) {
      prompts << prompt;
    }
  }
  return prompts;
}

PromptField::PromptField(QWidget* parent) : QPlainTextEdit(parent) {
  setTabChangesFocus(true);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  document()->setDocumentMargin(Metrics::kTextInset);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  connect(this, &QPlainTextEdit::textChanged, this, &PromptField::fit);
  fit();
}

void PromptField::setMostLines(int lines) {
  m_mostLines = lines;
  fit();
}

int PromptField::heightOfLines(int lines) const {
  return static_cast<int>(std::ceil(fontMetrics().lineSpacing() * lines + 2 * document()->documentMargin())) +
         2 * Metrics::kFieldEdge;
}

QSize PromptField::sizeHint() const { return {Metrics::kLeftLeast, heightOfLines(1)}; }

void PromptField::fit() {
  const int lines = linesOf(*document());
  setVerticalScrollBarPolicy(lines > m_mostLines ? Qt::ScrollBarAsNeeded : Qt::ScrollBarAlwaysOff);
  const int height = heightOfLines(std::clamp(lines, 1, m_mostLines));
  if (height != minimumHeight() || height != maximumHeight()) {
    setFixedHeight(height);
  }
}

void PromptField::resizeEvent(QResizeEvent* event) {
  QPlainTextEdit::resizeEvent(event);
  if (event->size().width() != event->oldSize().width()) {
    fit();
  }
}

void PromptField::changeEvent(QEvent* event) {
  QPlainTextEdit::changeEvent(event);
  if (event->type() == QEvent::StyleChange || event->type() == QEvent::FontChange) {
    fit();
  }
}

void PromptField::showEvent(QShowEvent* event) {
  QPlainTextEdit::showEvent(event);
  fit();
}

void PromptField::keyPressEvent(QKeyEvent* event) {
  const bool isPlain = (event->modifiers() & ~Qt::KeypadModifier) == Qt::NoModifier;
  const int key = event->key();
  if (isPlain && (key == Qt::Key_Return || key == Qt::Key_Enter)) {
    Q_EMIT accepted();
    return;
  }
  if (isPlain && key == Qt::Key_Escape) {
    Q_EMIT cancelled();
    return;
  }
  if (isPlain && (key == Qt::Key_Up || key == Qt::Key_Down)) {
    QTextCursor moved = textCursor();
    if (!moved.movePosition(key == Qt::Key_Up ? QTextCursor::Up : QTextCursor::Down)) {
      key == Qt::Key_Up ? Q_EMIT leftUp() : Q_EMIT leftDown();
      return;
    }
  }
  if (event->matches(QKeySequence::Undo) && !document()->isUndoAvailable()) {
    Q_EMIT undoWanted(false);
    return;
  }
  if (event->matches(QKeySequence::Redo) && !document()->isRedoAvailable()) {
    Q_EMIT undoWanted(true);
    return;
  }
  QPlainTextEdit::keyPressEvent(event);
}

bool PromptField::canInsertFromMimeData(const QMimeData* source) const { return source->hasText() && !source->hasUrls(); }

void PromptField::insertFromMimeData(const QMimeData* source) {
  const QStringList lines = promptsOf(source->text());
  if (lines.size() > 1) {
    Q_EMIT linesPasted(lines);
  } else if (!lines.isEmpty()) {
    insertPlainText(source->text().contains(u'\n') ? lines.front() : source->text());
  }
}

}  // namespace polyptych::ui
