#include "ui/prompts/prompt_painter.h"

#include <QFontMetrics>
#include <QTextLayout>
#include <algorithm>

#include "ui/theme.h"

namespace polyptych::ui {

void PromptPainter::setFont(const QFont& font) {
  m_font = font;
  m_small = font;
  m_small.setPixelSize(Metrics::kLabelText);
  const QFontMetricsF metrics(font);
  for (int c = 0; c < 128; ++c) {
    m_narrow[c] = static_cast<int>(16 * metrics.horizontalAdvance(QChar(c < 32 ? u' ' : static_cast<char16_t>(c))));
  }
  m_wide = static_cast<int>(16 * metrics.horizontalAdvance(QChar(0xAC00)));
}

int PromptPainter::lineSpacing() const { return QFontMetrics(m_font).lineSpacing(); }

int PromptPainter::estimate(const std::string& text) const {
  int sixteenths = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      sixteenths += m_narrow[byte];
    } else if (byte >= 0xE0) {
      sixteenths += m_wide;
    } else if (byte >= 0xC0) {
      sixteenths += m_narrow['n'];
    }
  }
  return sixteenths / 16;
}

int PromptPainter::numberWidth(int rows) const {
  const QFontMetrics metrics(m_small);
  return std::max(metrics.horizontalAdvance(QString::number(std::max(99, rows))), Metrics::kIcon) + Metrics::kPad + Metrics::kGap;
}

int PromptPainter::chipWidth(const QString& text) const {
  return QFontMetrics(m_small).horizontalAdvance(text) + 2 * Metrics::kCapPad + Metrics::kTight;
}

void PromptPainter::paint(QPainter& painter, const Row& row, const QRect& rect, int numberWidth) const {
  const Tokens& colours = currentTokens();
  painter.setFont(m_font);
  if (row.isSelected) {
    painter.fillRect(rect, colours.raised);
  }
  if (row.isCurrent || row.isSelected) {
    painter.fillRect(QRect(rect.left(), rect.top(), Metrics::kRing, rect.height()),
                     row.isCurrent ? colours.accent : colours.line);
  }
  paintNumber(painter, row,
              QRect(rect.left(), rect.top() + Metrics::kRowPad, numberWidth - Metrics::kGap, QFontMetrics(m_font).lineSpacing()));
  if (row.isEdited) {
    return;
  }
  QRect room = rect.adjusted(numberWidth, Metrics::kRowPad, -Metrics::kPad, -Metrics::kRowPad);
  room.setRight(paintChips(painter, row.chips, room));
  painter.setPen(row.entry.isEnabled ? colours.text : colours.faint);
  paintLines(painter, QString::fromStdString(row.entry.prompt), room);
}

void PromptPainter::paintNumber(QPainter& painter, const Row& row, const QRect& number) const {
  const Tokens& colours = currentTokens();
  if (row.isEdited) {
    return;
  }
  if (!row.isHovered && row.entry.isEnabled) {
    painter.setFont(m_small);
    painter.setPen(colours.faint);
    painter.drawText(number, Qt::AlignRight | Qt::AlignVCenter, QString::number(row.number));
    painter.setFont(m_font);
    return;
  }
  // A box to tick, in the number's place.
  QRect box(0, 0, Metrics::kTickBox, Metrics::kTickBox);
  box.moveCenter({number.right() - Metrics::kTickBox / 2, number.center().y()});
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(colours.secondary);
  painter.setBrush(colours.background);
  painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3);
  if (row.entry.isEnabled) {
    painter.setPen(QPen(colours.accent, 1.5));
    painter.drawPolyline(
        QPolygonF({box.topLeft() + QPointF(3, 7), box.topLeft() + QPointF(6, 10), box.topLeft() + QPointF(11, 4)}));
  }
  painter.setRenderHint(QPainter::Antialiasing, false);
}

/// @return where the text ends
int PromptPainter::paintChips(QPainter& painter, const QList<PromptChip>& chips, const QRect& rect) const {
  const Tokens& colours = currentTokens();
  int right = rect.right();
  painter.setFont(m_small);
  painter.setRenderHint(QPainter::Antialiasing);
  const QFontMetrics metrics(m_small);
  const int least = rect.left() + rect.width() / 3;
  for (auto chip = chips.rbegin(); chip != chips.rend(); ++chip) {
    const int width = std::min(chipWidth(chip->text) - Metrics::kTight, right - least);
    if (width < 3 * Metrics::kCapPad) {
      break;
    }
    const QRect box(right - width + 1, rect.top(), width, QFontMetrics(m_font).lineSpacing());
    painter.setPen(chip->isProblem ? colours.warning : colours.line);
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), Metrics::kPictureRadius, Metrics::kPictureRadius);
    painter.setPen(chip->isProblem ? colours.warning : colours.secondary);
    painter.drawText(box, Qt::AlignCenter, metrics.elidedText(chip->text, Qt::ElideRight, width - Metrics::kCapPad));
    right -= width + Metrics::kTight;
  }
  painter.setRenderHint(QPainter::Antialiasing, false);
  painter.setFont(m_font);
  return chips.isEmpty() ? right : right - Metrics::kTight;
}

/// Breaks a text into at most kMostLines lines, the last one cut. Each is drawn below the one before it.
void PromptPainter::paintLines(QPainter& painter, const QString& text, const QRect& room) const {
  QTextLayout layout(text, m_font);
  const QFontMetrics metrics(m_font);
  layout.beginLayout();
  int y = room.top();
  for (int number = 0; number < kMostLines; ++number) {
    QTextLine line = layout.createLine();
    if (!line.isValid()) {
      break;
    }
    line.setLineWidth(room.width());
    const bool isLast = number + 1 == kMostLines || y + 2 * metrics.lineSpacing() > room.bottom() + metrics.lineSpacing() / 2;
    const bool isCut = line.textStart() + line.textLength() < text.size();
    const QString part = isLast && isCut
                             ? metrics.elidedText(text.mid(line.textStart(), room.width()), Qt::ElideRight, room.width())
                             : text.mid(line.textStart(), line.textLength());
    painter.drawText(room.left(), y + metrics.ascent(), part);
    y += metrics.lineSpacing();
    if (isLast) {
      break;
    }
  }
  layout.endLayout();
}

}  // namespace polyptych::ui
