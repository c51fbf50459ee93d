#include "ui/shell/fuzzy.h"

#include <algorithm>
#include <vector>

namespace polyptych::ui {
namespace {

// Hangul syllables: (initial x 21 + vowel) x 28 + final, from U+AC00 (The Unicode Standard, section 3.12).
constexpr char16_t kFirstSyllable = 0xAC00;
constexpr char16_t kLastSyllable = 0xD7A3;
constexpr int kVowels = 21;
constexpr int kFinals = 28;
/// The initial consonants as keyboards write them alone.
constexpr char16_t kInitials[] = u"ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";

constexpr int kMatch = 1;
constexpr int kBesideLast = 10;
constexpr int kWordStart = 8;
constexpr int kTextStart = 4;

bool isSyllable(QChar c) { return c.unicode() >= kFirstSyllable && c.unicode() <= kLastSyllable; }

bool matches(QChar asked, QChar there) {
  if (asked == there) {
    return true;
  }
  if (!isSyllable(there)) {
    return false;
  }
  const int offset = there.unicode() - kFirstSyllable;
  if (isSyllable(asked)) {
    const int askedOffset = asked.unicode() - kFirstSyllable;
    return askedOffset % kFinals == 0 && askedOffset / kFinals == offset / kFinals;
  }
  return asked == QChar(kInitials[offset / (kVowels * kFinals)]);
}

bool startsWord(QStringView text, qsizetype at) { return at == 0 || !text[at - 1].isLetterOrNumber(); }

}  // namespace

std::optional<int> fuzzyScore(QStringView query, QStringView text) {
  QString asked = query.toString().toCaseFolded();
  asked.removeIf([](QChar c) { return c.isSpace(); });
  const QString there = text.toString().toCaseFolded();
  if (asked.isEmpty()) {
    return 0;
  }
  // best[j]: of the query so far, with its last letter at j.
  constexpr int kNone = -1;
  const auto width = static_cast<std::size_t>(there.size());
  std::vector<int> best(width, kNone);
  for (qsizetype i = 0; i < asked.size(); ++i) {
    std::vector<int> next(width, kNone);
    int before = kNone;  // the best of all places left of j - 1
    for (qsizetype j = 0; j < there.size(); ++j) {
      const auto at = static_cast<std::size_t>(j);
      if (i > 0 && j > 1) {
        before = std::max(before, best[at - 2]);
      }
      if (!matches(asked[i], there[j])) {
        continue;
      }
      const int own = kMatch + (startsWord(there, j) ? kWordStart : 0) + (j == 0 ? kTextStart : 0);
      if (i == 0) {
        next[at] = own;
        continue;
      }
      const int beside = j > 0 && best[at - 1] != kNone ? best[at - 1] + kBesideLast : kNone;
      const int from = std::max(beside, before);
      if (from != kNone) {
        next[at] = from + own;
      }
    }
    best = std::move(next);
  }
  const auto top = std::max_element(best.begin(), best.end());
  if (top == best.end() || *top == kNone) {
    return std::nullopt;
  }
  return *top;
}

}  // namespace polyptych::ui
