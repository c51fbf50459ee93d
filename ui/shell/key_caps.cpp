#include "ui/shell/key_caps.h"

#include "ui/theme.h"

namespace polyptych::ui {

int paintKeyCaps(QPainter& painter, const QRect& rect, const QStringList& keys) {
  const Tokens& t = currentTokens();
  painter.save();
  QFont font = painter.font();
  font.setPixelSize(Metrics::kLabelText);
  painter.setFont(font);
  painter.setRenderHint(QPainter::Antialiasing);
  int right = rect.right() + 1;
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    const int width = painter.fontMetrics().horizontalAdvance(*key) + 2 * Metrics::kCapPad;
    const QRectF cap(right - width + 0.5, rect.top() + (rect.height() - Metrics::kCapHeight) / 2 + 0.5, width - 1,
                     Metrics::kCapHeight - 1);
    painter.setPen(t.line);
    painter.setBrush(t.surface);
    painter.drawRoundedRect(cap, Metrics::kPictureRadius, Metrics::kPictureRadius);
    painter.setPen(t.secondary);
    painter.drawText(cap, Qt::AlignCenter, *key);
    right -= width + Metrics::kTight;
  }
  painter.restore();
  return rect.right() + 1 - right;
}

}  // namespace polyptych::ui
