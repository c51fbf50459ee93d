#pragma once

#include <QFont>
#include <QPainter>
#include <QRect>
#include <string>

#include "ui/prompts/prompt_chips.h"

namespace polyptych::ui {

/// Measures and paints rows of the list of prompts: a number or a box to tick, up to two lines, chips at the end.
class PromptPainter {
 public:
  static constexpr int kMostLines = 2;

  /// Before anything else, and again where the font is another.
  void setFont(const QFont& font);

  /// Of a text on one line, pixels; quick, and near the truth.
  int estimate(const std::string& text) const;
  /// Of the column of numbers of so many rows.
  int numberWidth(int rows) const;
  /// With the gap before it.
  int chipWidth(const QString& text) const;
  int lineSpacing() const;

  struct Row {
    const prompt::PromptEntry& entry;
    QList<PromptChip> chips;
    int number = 1;
    bool isSelected = false;
    bool isCurrent = false;  ///< and has the keyboard
    bool isHovered = false;
    bool isEdited = false;  ///< a field lies over its text
  };
  void paint(QPainter& painter, const Row& row, const QRect& rect, int numberWidth) const;

 private:
  void paintNumber(QPainter& painter, const Row& row, const QRect& number) const;
  int paintChips(QPainter& painter, const QList<PromptChip>& chips, const QRect& rect) const;
  void paintLines(QPainter& painter, const QString& text, const QRect& room) const;

  QFont m_font;
  QFont m_small;
  int m_narrow[128] = {};  ///< widths of ASCII characters, in 1/16 pixels
  int m_wide = 0;          ///< of a Hangul syllable
};

}  // namespace polyptych::ui
