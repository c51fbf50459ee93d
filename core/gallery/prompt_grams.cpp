#include "core/gallery/prompt_grams.h"

#include <QChar>
#include <QList>

namespace polyptych::gallery {
namespace {

constexpr char32_t kMapped = 0xE000;
constexpr char32_t kMappedEnd = 0xE100;
constexpr char32_t kEscape = 0xE0FF;
/// Behind the last character: a single character is then the beginning of some word wherever it stands.
constexpr char32_t kEndOfText = 0xE0FE;

bool isAsciiWordCharacter(char32_t c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

void append(QString& out, char32_t c) {
  if (QChar::requiresSurrogates(c)) {
    out += QChar(QChar::highSurrogate(c));
    out += QChar(QChar::lowSurrogate(c));
  } else {
    out += QChar(static_cast<char16_t>(c));
  }
}

/// No code point's form is the beginning of another's.
void appendMapped(QString& out, char32_t c) {
  if (c >= kMapped && c < kMappedEnd) {
    append(out, kEscape);
  }
  append(out, c < 0x80 && !isAsciiWordCharacter(c) ? kMapped + c : c);
}

void appendPair(QString& out, char32_t first, char32_t second) {
  appendMapped(out, first);
  appendMapped(out, second);
  out += u' ';
}

}  // namespace

QString searchForm(const QString& text) {
  const QString folded = text.normalized(QString::NormalizationForm_KC).toCaseFolded().normalized(QString::NormalizationForm_KC);
  QString out;
  out.reserve(folded.size());
  bool isBlank = false;
  for (const QChar c : folded) {
    const bool wasBlank = isBlank;
    isBlank = c.isSpace();
    if (!isBlank) {
      out += c;
    } else if (!wasBlank) {
      out += u' ';
    }
  }
  return out;
}

QString promptGrams(const QString& text) {
  const QList<uint> points = searchForm(text).toUcs4();
  QString out;
  out.reserve(points.size() * 4 + 1);
  // SQLite would take a U+FEFF at the very beginning for a byte order mark.
  out += u' ';
  for (qsizetype i = 0; i + 1 < points.size(); ++i) {
    appendPair(out, points[i], points[i + 1]);
  }
  if (!points.isEmpty()) {
    appendMapped(out, points.last());
    append(out, kEndOfText);
  }
  return out;
}

QString gramsQuery(const QString& text) {
  const QList<uint> points = searchForm(text.left(2 * kMaxQueryCharacters)).toUcs4().mid(0, kMaxQueryCharacters);
  if (points.isEmpty()) {
    return {};
  }
  QString out = QStringLiteral("\"");
  if (points.size() == 1) {
    appendMapped(out, points.first());
    return out + QStringLiteral("\" *");
  }
  for (qsizetype i = 0; i + 1 < points.size(); ++i) {
    appendPair(out, points[i], points[i + 1]);
  }
  out.chop(1);
  return out + u'"';
}

}  // namespace polyptych::gallery
