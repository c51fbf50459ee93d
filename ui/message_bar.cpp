#include "ui/message_bar.h"

#include <QHBoxLayout>
#include <QStyle>

#include "ui/shell/retranslate.h"
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
  m_action->setObjectName(QStringLiteral("messageAction"));
  m_close = link();
  m_close->setObjectName(QStringLiteral("dismiss"));
  m_place = link();
  m_place->setObjectName(QStringLiteral("showFolder"));
  m_queue = link();
  m_queue->setObjectName(QStringLiteral("queueDoor"));
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(Metrics::kPad, 0, Metrics::kPad, 0);
  layout->setSpacing(Metrics::kGap);
  layout->addWidget(m_mark);
  layout->addWidget(m_text, 1);
  layout->addWidget(m_action);
  layout->addWidget(m_close);
  layout->addWidget(m_place);
  layout->addWidget(m_queue);
  m_place->hide();
  clear();
  retranslated(this, [this] {
    m_close->setText(tr("Dismiss"));
    m_place->setText(tr("Show in file manager"));
    setWaiting(m_waiting);
  });
  connect(m_action, &QPushButton::clicked, this, &MessageBar::act);
  connect(m_close, &QPushButton::clicked, this, &MessageBar::clear);
  connect(m_place, &QPushButton::clicked, this, &MessageBar::placeTriggered);
  connect(m_queue, &QPushButton::clicked, this, &MessageBar::queueTriggered);
}

void MessageBar::setWaiting(qint64 pictures) {
  m_waiting = pictures;
  m_queue->setText(pictures > 0 ? tr("Queue %L1").arg(pictures) : tr("Queue"));
}

void MessageBar::show(Kind kind, const ErrorText& text, Action action) {
  m_message = Line{kind, text, std::move(action)};
  showLine();
}

void MessageBar::clear() {
  m_message.reset();
  showLine();
}

void MessageBar::setState(Kind kind, const ErrorText& text, Action action) {
  m_state = Line{kind, text, std::move(action)};
  clear();
}

void MessageBar::clearState() {
  m_state.reset();
  showLine();
}

void MessageBar::showLine() {
  const std::optional<Line>& line = m_message ? m_message : m_state;
  const bool hasAction = line && !line->action.words.isEmpty();
  if ((m_action->hasFocus() && !hasAction) || (m_close->hasFocus() && !m_message)) {
    Q_EMIT focusFreed();
  }
  const bool isTrouble = line && line->kind == Kind::Trouble;
  m_mark->setProperty("role", isTrouble ? QStringLiteral("bad") : QStringLiteral("secondary"));
  m_mark->setText(isTrouble ? QStringLiteral("▲") : QStringLiteral("●"));
  m_mark->style()->unpolish(m_mark);
  m_mark->style()->polish(m_mark);
  m_text->setText(line ? line->text.sentence.simplified() : QString());
  m_text->setToolTip(line ? wrappedTip(tipOf(line->text)) : QString());
  m_action->setText(line ? line->action.words : QString());
  m_mark->setVisible(line.has_value());
  m_action->setVisible(hasAction);
  m_close->setVisible(m_message.has_value());
}

void MessageBar::takeFocus() {
  for (QPushButton* button : {m_action, m_close, m_place, m_queue}) {
    if (button->isVisible()) {
      button->setFocus(Qt::ShortcutFocusReason);
      return;
    }
  }
}

void MessageBar::act() {
  const std::optional<Line>& line = m_message ? m_message : m_state;
  if (!line || !line->action.run) {
    return;
  }
  const std::function<void()> run = line->action.run;
  if (m_message) {
    clear();
  }
  run();
}

void MessageBar::setPlace(const QString& folder) {
  m_place->setVisible(!folder.isEmpty());
  m_place->setToolTip(wrappedTip(folder));
}

}  // namespace polyptych::ui
