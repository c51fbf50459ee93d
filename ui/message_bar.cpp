#include "ui/message_bar.h"

#include <QHBoxLayout>
#include <QStyle>

#include "ui/theme.h"

namespace polyptych::ui {

MessageBar::MessageBar(QWidget* parent) : QWidget(parent) {
  setObjectName(QStringLiteral("bottomBar"));
  setAttribute(Qt::WA_StyledBackground);
  setFixedHeight(Metrics::kBottomBar);
  m_mark = new QLabel(QStringLiteral("▲"), this);
  m_text = new ElidedLabel(this);
  m_text->setObjectName(QStringLiteral("message"));
  const auto link = [this] {
    auto* button = new QPushButton(this);
    button->setProperty("role", QStringLiteral("link"));
    button->setCursor(Qt::PointingHandCursor);
    return button;
  };
  m_action = link();
  m_close = link();
  m_close->setText(tr("Dismiss"));
  m_place = link();
  m_place->setText(tr("Show in file manager"));
  m_place->setObjectName(QStringLiteral("showFolder"));
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(Metrics::kPad, 0, Metrics::kPad, 0);
  layout->setSpacing(Metrics::kGap);
  layout->addWidget(m_mark);
  layout->addWidget(m_text, 1);
  layout->addWidget(m_action);
  layout->addWidget(m_close);
  layout->addWidget(m_place);
  m_place->hide();
  clear();
  connect(m_action, &QPushButton::clicked, this, &MessageBar::actionTriggered);
  connect(m_close, &QPushButton::clicked, this, &MessageBar::clear);
  connect(m_place, &QPushButton::clicked, this, &MessageBar::placeTriggered);
}

void MessageBar::show(Kind kind, const ErrorText& text, const QString& action) {
  m_mark->setProperty("role", kind == Kind::Trouble ? QStringLiteral("bad") : QStringLiteral("secondary"));
  m_mark->setText(kind == Kind::Trouble ? QStringLiteral("▲") : QStringLiteral("●"));
  m_mark->style()->unpolish(m_mark);
  m_mark->style()->polish(m_mark);
  m_text->setText(text.sentence.simplified());
  m_text->setToolTip(wrappedTip(tipOf(text)));
  m_action->setText(action);
  m_action->setVisible(!action.isEmpty());
  m_mark->show();
  m_close->show();
}

void MessageBar::clear() {
  m_text->clear();
  m_text->setToolTip({});
  m_mark->hide();
  m_action->hide();
  m_close->hide();
}

void MessageBar::setPlace(const QString& folder) {
  m_place->setVisible(!folder.isEmpty());
  m_place->setToolTip(wrappedTip(folder));
}

}  // namespace polyptych::ui
