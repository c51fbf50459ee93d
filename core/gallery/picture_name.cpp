#include "core/gallery/picture_name.h"

#include <QChar>
#include <QList>
#include <algorithm>

namespace polyptych::gallery {
namespace {

/// A prompt may be megabytes long and a slug needs its beginning alone.
constexpr qsizetype kReadBytes = 4096;
constexpr int kIndexDigits = 5;

bool belongsInName(char32_t c) { return QChar::isLetterOrNumber(c) || QChar::isMark(c); }

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
    if (!belongsInName(c) || c == QChar::ReplacementCharacter) {
      needsDash = !slug.isEmpty();
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
