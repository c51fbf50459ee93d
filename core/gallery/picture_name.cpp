#include "core/gallery/picture_name.h"

#include <QChar>
#include <QList>
#include <algorithm>
#include <iterator>
#include <utility>

namespace polyptych::gallery {
namespace {

/// A prompt may be megabytes long and a slug needs its beginning alone.
constexpr qsizetype kReadBytes = 4096;
constexpr int kIndexDigits = 5;

bool belongsInName(char32_t c) { return QChar::isLetterOrNumber(c) || QChar::isMark(c); }

/// Unicode's Default_Ignorable_Code_Point: what shows nothing, or changes how its neighbour is shown.
bool isInvisible(char32_t c) {
  constexpr std::pair<char32_t, char32_t> kRanges[] = {
      {0xAD, 0xAD},     {0x34F, 0x34F},   {0x61C, 0x61C},     {0x115F, 0x1160},   {0x17B4, 0x17B5},  {0x180B, 0x180F},
      {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x206F},   {0x3164, 0x3164},   {0xFE00, 0xFE0F},  {0xFEFF, 0xFEFF},
      {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFF8}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}};
  return std::any_of(std::begin(kRanges), std::end(kRanges),
                     [c](const auto& range) { return range.first <= c && c <= range.second; });
}

QString textOf(char32_t c) { return QString::fromUcs4(&c, 1); }

}  // namespace

QString slugOf(std::string_view prompt) {
  const auto size = std::min(static_cast<qsizetype>(prompt.size()), kReadBytes);
  const QString text = QString::fromUtf8(prompt.data(), size).normalized(QString::NormalizationForm_C).toLower();
  QString slug;
  qsizetype bytes = 0;
  bool needsDash = false;
  for (const char32_t c : text.normalized(QString::NormalizationForm_C).toUcs4()) {
    // U+FFFD stands for bytes that are no text and for a character cut at the end.
    if (isInvisible(c)) {
      continue;
    }
    if (!belongsInName(c) || c == QChar::ReplacementCharacter) {
      needsDash = !slug.isEmpty();
      continue;
    }
    const bool hasBase = !slug.isEmpty() && !needsDash;
    if (QChar::isMark(c) && !hasBase) {
      continue;
    }
    const QString letter = textOf(c);
    const qsizetype added = letter.toUtf8().size() + (needsDash ? 1 : 0);
    if (bytes + added > kMaxSlugBytes) {
      break;
    }
    slug += (needsDash ? QStringLiteral("-") : QString()) + letter;
    bytes += added;
    needsDash = false;
  }
  return slug.isEmpty() ? QStringLiteral("picture") : slug;
}

QString pictureName(std::int64_t index, std::string_view prompt) {
  return QStringLiteral("%1-%2.png").arg(index, kIndexDigits, 10, QLatin1Char('0')).arg(slugOf(prompt));
}

}  // namespace polyptych::gallery
