#include "ui/shell/overlay.h"

#include <QApplication>
#include <QFrame>
#include <QKeyEvent>
#include <QLayout>
#include <QMouseEvent>
#include <QPainter>

#include "ui/shell/preferences.h"
#include "ui/theme.h"

namespace polyptych::ui {

Overlay::Overlay(QWidget* window, const Preferences& preferences) : QWidget(window), m_preferences(preferences) {
  hide();
  setObjectName(QStringLiteral("overlay"));
  m_card = new QFrame(this);
  m_card->setObjectName(QStringLiteral("sheet"));
  m_card->setAttribute(Qt::WA_StyledBackground);
  window->installEventFilter(this);
  m_fade.setStartValue(0.0);
  m_fade.setEndValue(1.0);
  connect(&m_fade, &QVariantAnimation::valueChanged, this, qOverload<>(&QWidget::update));
}

void Overlay::open() {
  if (isOpen()) {
    return;
  }
  m_focusBefore = window()->focusWidget();
  // Its size is that of its fields, which the style sheet decides.
  for (QWidget* child : m_card->findChildren<QWidget*>()) {
    child->ensurePolished();
  }
  place();
  show();
  raise();
  first()->setFocus(Qt::PopupFocusReason);
  m_fade.stop();
  if (m_preferences.values().reducesMotion) {
    m_fade.setCurrentTime(m_fade.duration());
  } else {
    m_fade.setDuration(Metrics::kFadeMs);
    m_fade.start();
  }
}

void Overlay::close() {
  if (!isOpen()) {
    return;
  }
  // First: a hidden widget gives the focus to whatever comes next.
  if (m_focusBefore != nullptr && m_focusBefore->isVisible() && m_focusBefore->isEnabled()) {
    m_focusBefore->setFocus(Qt::PopupFocusReason);
  }
  hide();
}

int Overlay::heightOf(int width) const {
  m_card->layout()->invalidate();
  m_card->layout()->activate();
  return std::max(m_card->sizeHint().height(), m_card->heightForWidth(width));
}

void Overlay::place() {
  setGeometry(parentWidget()->rect());
  const QSize size = cardSize().boundedTo(this->size() - QSize(2 * Metrics::kWide, 2 * Metrics::kWide));
  m_card->setGeometry((width() - size.width()) / 2, std::min(Metrics::kOverlayTop, (height() - size.height()) / 2), size.width(),
                      size.height());
}

bool Overlay::eventFilter(QObject* watched, QEvent* event) {
  if (watched == parentWidget() && event->type() == QEvent::Resize && isOpen()) {
    place();
  }
  return QWidget::eventFilter(watched, event);
}

bool Overlay::event(QEvent* event) {
  // The keys of the window behind are not meant while this is there.
  if (event->type() == QEvent::ShortcutOverride) {
    event->accept();
    return true;
  }
  return QWidget::event(event);
}

bool Overlay::focusNextPrevChild(bool isNext) {
  QWidget* from = QApplication::focusWidget();
  for (QWidget* widget = isNext ? from->nextInFocusChain() : from->previousInFocusChain(); widget != from;
       widget = isNext ? widget->nextInFocusChain() : widget->previousInFocusChain()) {
    if (isAncestorOf(widget) && widget->isVisibleTo(this) && widget->isEnabled() && (widget->focusPolicy() & Qt::TabFocus) != 0 &&
        widget->focusProxy() == nullptr) {
      widget->setFocus(isNext ? Qt::TabFocusReason : Qt::BacktabFocusReason);
      break;
    }
  }
  return true;
}

void Overlay::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape) {
    close();
    Q_EMIT dismissed();
  }
  event->accept();
}

void Overlay::mousePressEvent(QMouseEvent* event) {
  if (!m_card->geometry().contains(event->position().toPoint())) {
    close();
    Q_EMIT dismissed();
  }
}

void Overlay::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  QColor veil = currentTokens().background;
  veil.setAlphaF(static_cast<float>(Metrics::kVeil * m_fade.currentValue().toDouble()));
  painter.fillRect(rect(), veil);
}

}  // namespace polyptych::ui
