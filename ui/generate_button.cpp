#include "ui/generate_button.h"

#include <QStyleOptionButton>
#include <QStylePainter>

#include "ui/theme.h"

namespace polyptych::ui {

void GenerateButton::setKeys(const QString& keys) {
  if (keys != m_keys) {
    m_keys = keys;
    updateGeometry();
    update();
  }
}

QFont GenerateButton::keysFont() const {
  QFont small = font();
  small.setPixelSize(Metrics::kLabelText);
  small.setWeight(QFont::Normal);
  return small;
}

int GenerateButton::keysWidth() const {
  return m_keys.isEmpty() ? 0 : QFontMetrics(keysFont()).horizontalAdvance(m_keys) + Metrics::kGap;
}

QSize GenerateButton::sizeHint() const { return QPushButton::sizeHint() + QSize(keysWidth(), 0); }

void GenerateButton::paintEvent(QPaintEvent*) {
  QStylePainter painter(this);
  QStyleOptionButton option;
  initStyleOption(&option);
  if (m_keys.isEmpty()) {
    painter.drawControl(QStyle::CE_PushButton, option);
    return;
  }
  option.text.clear();
  painter.drawControl(QStyle::CE_PushButton, option);
  const int words = fontMetrics().horizontalAdvance(text());
  const int left = (width() - words - keysWidth()) / 2;
  painter.setPen(isEnabled() ? currentTokens().onAccent : currentTokens().faint);
  painter.drawText(QRect(left, 0, words, height()), Qt::AlignLeft | Qt::AlignVCenter, text());
  painter.setFont(keysFont());
  painter.drawText(QRect(left + words + Metrics::kGap, 0, keysWidth(), height()), Qt::AlignLeft | Qt::AlignVCenter, m_keys);
}

}  // namespace polyptych::ui
