#include "ui/shell/key_recorder.h"

#include <QKeyEvent>
#include <QPainter>

#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {

KeyRecorder::KeyRecorder(QWidget* parent) : QWidget(parent) {
  setFocusPolicy(Qt::StrongFocus);
  setObjectName(QStringLiteral("keyRecorder"));
  retranslated(this, [this] { setAccessibleName(tr("Press the new keys")); });
}

QSize KeyRecorder::sizeHint() const { return {Metrics::kRecorderWidth, Metrics::kField}; }

bool KeyRecorder::event(QEvent* event) {
  if (event->type() == QEvent::ShortcutOverride) {
    event->accept();
    return true;
  }
  if (event->type() == QEvent::KeyPress) {  // Tab too, which would move the focus
    keyPressEvent(static_cast<QKeyEvent*>(event));
    return true;
  }
  return QWidget::event(event);
}

void KeyRecorder::keyPressEvent(QKeyEvent* event) {
  event->accept();
  switch (event->key()) {
    case Qt::Key_Shift:
    case Qt::Key_Control:
    case Qt::Key_Alt:
    case Qt::Key_AltGr:
    case Qt::Key_Meta:
    case Qt::Key_unknown:
      return;
    case Qt::Key_Escape:
      Q_EMIT givenUp();
      return;
    default:
      break;
  }
  Qt::KeyboardModifiers modifiers = event->modifiers() & ~(Qt::KeypadModifier | Qt::GroupSwitchModifier);
  // A sign that needs Shift on this keyboard is named by itself, as "?" is.
  const QString text = event->text();
  if (modifiers == Qt::ShiftModifier && text.size() == 1 && text[0].isPrint() && !text[0].isLetter() && !text[0].isSpace()) {
    modifiers = Qt::NoModifier;
  }
  Q_EMIT recorded(QKeySequence(QKeyCombination(modifiers, static_cast<Qt::Key>(event->key()))));
}

void KeyRecorder::focusOutEvent(QFocusEvent* event) {
  QWidget::focusOutEvent(event);
  if (event->reason() != Qt::ActiveWindowFocusReason && event->reason() != Qt::PopupFocusReason) {
    Q_EMIT left();
  }
}

void KeyRecorder::paintEvent(QPaintEvent*) {
  const Tokens& t = currentTokens();
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(t.accent);
  painter.setBrush(t.background);
  painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), Metrics::kControlRadius, Metrics::kControlRadius);
  painter.setPen(t.faint);
  painter.drawText(rect().adjusted(Metrics::kGap, 0, -Metrics::kGap, 0), Qt::AlignVCenter | Qt::AlignLeft,
                   tr("Press the new keys"));
}

}  // namespace polyptych::ui
