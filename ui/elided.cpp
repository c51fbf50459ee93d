#include "ui/elided.h"

#include <QStyle>
#include <QStylePainter>
#include <algorithm>

#include "ui/theme.h"

namespace polyptych::ui {
namespace {

/// One line in the middle of a field, at the height a line edit has it in every script.
void drawLine(QPainter& painter, const QRect& field, const QFontMetrics& metrics, const QString& text) {
  const int height = std::max(metrics.height(), metrics.boundingRect(text).height());
  painter.drawText(QPoint(field.x(), field.y() + (field.height() - height + 1) / 2 + metrics.ascent()), text);
}

}  // namespace

ElidedLabel::ElidedLabel(QWidget* parent) : QLabel(parent) {
  setTextFormat(Qt::PlainText);
  setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
}

bool ElidedLabel::isCut() const { return fontMetrics().horizontalAdvance(text()) > contentsRect().width(); }

void ElidedLabel::paintEvent(QPaintEvent*) {
  QStylePainter painter(this);
  painter.drawItemText(contentsRect(), static_cast<int>(alignment()), palette(), isEnabled(),
                       fontMetrics().elidedText(text(), Qt::ElideRight, contentsRect().width()), foregroundRole());
}

void ElidedComboBox::paintEvent(QPaintEvent*) {
  QStylePainter painter(this);
  QStyleOptionComboBox option;
  initStyleOption(&option);
  painter.drawComplexControl(QStyle::CC_ComboBox, option);
  // Where a line edit would have it, so that it stands in line with the fields beside it in every script.
  const QRect field = style()
                          ->subControlRect(QStyle::CC_ComboBox, &option, QStyle::SC_ComboBoxEditField, this)
                          .adjusted(Metrics::kTextInset, 0, -Metrics::kTextInset, 0);
  painter.setPen(palette().color(isEnabled() ? QPalette::Active : QPalette::Disabled, QPalette::Text));
  drawLine(painter, field, fontMetrics(), fontMetrics().elidedText(option.currentText, Qt::ElideRight, field.width()));
}

QString wrappedTip(const QString& text) {
  return text.isEmpty() ? QString() : QStringLiteral("<p style=\"white-space: pre-wrap\">%1</p>").arg(text.toHtmlEscaped());
}

}  // namespace polyptych::ui
