#include "ui/shell/page.h"

#include <QStyle>

#include <QKeyEvent>

#include "ui/shell/line_icon.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {

QLabel* makeLabel(const char* role, QWidget* parent) {
  auto* label = new QLabel(parent);
  label->setProperty("role", QLatin1String(role));
  return label;
}

Page::Page(QWidget* parent) : QWidget(parent) {
  setAttribute(Qt::WA_StyledBackground);
  setProperty("role", QStringLiteral("page"));
  m_back = new QPushButton(this);
  m_back->setObjectName(QStringLiteral("leavePage"));
  m_back->setProperty("role", QStringLiteral("icon"));
  m_back->setIcon(lineIcon(QStringLiteral("back")));
  m_back->setIconSize({Metrics::kIcon, Metrics::kIcon});
  m_title = makeLabel("title", this);
  auto* top = new QHBoxLayout;
  top->setSpacing(Metrics::kGap);
  top->addWidget(m_back);
  top->addWidget(m_title);
  top->addStretch();
  m_tools = new QHBoxLayout;
  m_tools->setSpacing(Metrics::kGap);
  top->addLayout(m_tools);
  m_body = new QVBoxLayout;
  m_body->setSpacing(Metrics::kPad);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(Metrics::kWide, Metrics::kPad, Metrics::kWide, Metrics::kPad);
  all->setSpacing(Metrics::kPad);
  all->addLayout(top);
  all->addLayout(m_body, 1);
  retranslated(this, [this] {
    m_back->setToolTip(tr("Back (Esc)"));
    m_back->setAccessibleName(tr("Back"));
  });
  connect(m_back, &QPushButton::clicked, this, &Page::left);
}

void Page::setTitle(const QString& title) {
  m_title->setText(title);
  setAccessibleName(title);
}

void Page::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape) {
    Q_EMIT left();
    return;
  }
  QWidget::keyPressEvent(event);
}

/// A page that takes no keys shows no ring: the first thing on it has them.
void Page::focusInEvent(QFocusEvent* event) {
  QWidget::focusInEvent(event);
  for (QWidget* widget = nextInFocusChain(); focusPolicy() == Qt::NoFocus && widget != this;
       widget = widget->nextInFocusChain()) {
    if (isAncestorOf(widget) && widget != m_back && (widget->focusPolicy() & Qt::TabFocus) != 0 &&
        widget->focusProxy() == nullptr && widget->isVisibleTo(this) && widget->isEnabled()) {
      widget->setFocus(Qt::OtherFocusReason);
      return;
    }
  }
}

void changeRole(QWidget* widget, const char* role) {
  if (widget->property("role").toString() != QLatin1String(role)) {
    widget->setProperty("role", QLatin1String(role));
    widget->style()->unpolish(widget);
    widget->style()->polish(widget);
  }
}

}  // namespace polyptych::ui
