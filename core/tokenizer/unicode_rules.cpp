#include "core/tokenizer/unicode_rules.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uniset.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <span>
#include <vector>

namespace polyptych::tokenizer {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// What Unicode 15.1 and 16 added to 15.0.
constexpr std::array<Range, 22> kNewerLetters = {
    {{0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},   {0x105C0, 0x105F3}, {0x10D4A, 0x10D65}, {0x10D6F, 0x10D85},
     {0x10EC2, 0x10EC4}, {0x11380, 0x11389}, {0x1138B, 0x1138B}, {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113B7},
     {0x113D1, 0x113D1}, {0x113D3, 0x113D3}, {0x11BC0, 0x11BE0}, {0x13460, 0x143FA}, {0x16100, 0x1611D}, {0x16D40, 0x16D6C},
     {0x18CFF, 0x18CFF}, {0x1E5D0, 0x1E5ED}, {0x1E5F0, 0x1E5F0}, {0x2EBF0, 0x2EE5D}}};
constexpr std::array<Range, 7> kNewerNumbers = {{{0x10D40, 0x10D49},
                                                 {0x116D0, 0x116E3},
                                                 {0x11BF0, 0x11BF9},
                                                 {0x16130, 0x16139},
                                                 {0x16D70, 0x16D79},
                                                 {0x1CCF0, 0x1CCF9},
                                                 {0x1E5F1, 0x1E5FA}}};

struct LowerRange {
  char32_t first;
  char32_t last;
  char32_t lowerOfFirst;
};
// Capital letters that Unicode 16 and 17 added to 15.0.
constexpr std::array<LowerRange, 10> kNewerCapitals = {{{0x1C89, 0x1C89, 0x1C8A},
                                                        {0xA7CB, 0xA7CB, 0x0264},
                                                        {0xA7CC, 0xA7CC, 0xA7CD},
                                                        {0xA7CE, 0xA7CE, 0xA7CF},
                                                        {0xA7D2, 0xA7D2, 0xA7D3},
                                                        {0xA7D4, 0xA7D4, 0xA7D5},
                                                        {0xA7DA, 0xA7DA, 0xA7DB},
                                                        {0xA7DC, 0xA7DC, 0x019B},
                                                        {0x10D50, 0x10D65, 0x10D70},
                                                        {0x16EA0, 0x16EB8, 0x16EBB}}};

bool isIn(std::span<const Range> ranges, char32_t c) {
  const auto at = std::upper_bound(ranges.begin(), ranges.end(), c, [](char32_t v, const Range& r) { return v < r.first; });
  return at != ranges.begin() && c <= std::prev(at)->last;
}

bool isOfUnicode15(char32_t c) {
  UVersionInfo age;
  u_charAge(static_cast<UChar32>(c), age);
  return age[0] < 15 || (age[0] == 15 && age[1] == 0);
}

std::uint32_t category(char32_t c) { return U_GET_GC_MASK(static_cast<UChar32>(c)); }

void appendLower(char32_t c, std::u32string& out) {
  if (c < 0x80) {
    out += (c >= U'A' && c <= U'Z') ? c + (U'a' - U'A') : c;
    return;
  }
  if (c == 0x130) {  // the only unconditional entry of SpecialCasing that gives two characters
    out += U'i';
    out += char32_t{0x307};
    return;
  }
  for (const LowerRange& range : kNewerCapitals) {
    if (c >= range.first && c <= range.last) {
      out += range.lowerOfFirst + (c - range.first);
      return;
    }
  }
  out += isOfUnicode15(c) ? static_cast<char32_t>(u_tolower(static_cast<UChar32>(c))) : c;
}

class Nfc {
 public:
  Nfc() : m_assigned(makeAssigned()), m_nfc(makeNfc()), m_filtered(*m_nfc, m_assigned) {}

  std::u32string operator()(std::u32string_view text) const {
    const std::u32string ordered = withOrderedMarks(text);
    const auto unit = icu::UnicodeString::fromUTF32(reinterpret_cast<const UChar32*>(ordered.data()),
                                                    static_cast<std::int32_t>(ordered.size()));
    UErrorCode status = U_ZERO_ERROR;
    icu::UnicodeString done;
    m_filtered.normalize(unit, done, status);
    assert(U_SUCCESS(status));
    std::u32string out(static_cast<std::size_t>(done.countChar32()), U'\0');
    done.toUTF32(reinterpret_cast<UChar32*>(out.data()), static_cast<std::int32_t>(out.size()), status);
    return out;
  }

 private:
  static icu::UnicodeSet makeAssigned() {
    UErrorCode status = U_ZERO_ERROR;
    icu::UnicodeSet set(UNICODE_STRING_SIMPLE("[:age=9.0:]"), status);
    assert(U_SUCCESS(status));
    set.freeze();
    return set;
  }
  static const icu::Normalizer2* makeNfc() {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
    assert(U_SUCCESS(status));
    return nfc;
  }

  bool isMark(char32_t c) const {
    const auto point = static_cast<UChar32>(c);
    return c >= 0x300 && u_getIntPropertyValue(point, UCHAR_LEAD_CANONICAL_COMBINING_CLASS) != 0 && m_assigned.contains(point);
  }

  // ICU puts marks in order by insertion, which is quadratic in a run of them; long runs are ordered here, in n log n,
  // beforehand.
  std::u32string withOrderedMarks(std::u32string_view text) const {
    constexpr std::size_t kLongRun = 32;
    std::u32string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
      std::size_t end = i;
      while (end < text.size() && isMark(text[end])) {
        ++end;
      }
      if (end == i) {
        out += text[i++];
        continue;
      }
      if (end - i >= kLongRun) {
        appendOrdered(text.substr(i, end - i), out);
      } else {
        out += text.substr(i, end - i);
      }
      i = end;
    }
    return out;
  }

  void appendOrdered(std::u32string_view marks, std::u32string& out) const {
    std::vector<std::pair<std::uint8_t, char32_t>> ordered;
    ordered.reserve(marks.size());
    icu::UnicodeString parts;
    const auto add = [&](UChar32 c) { ordered.emplace_back(u_getCombiningClass(c), static_cast<char32_t>(c)); };
    for (const char32_t mark : marks) {
      if (!m_nfc->getDecomposition(static_cast<UChar32>(mark), parts)) {
        add(static_cast<UChar32>(mark));
        continue;
      }
      for (std::int32_t i = 0; i < parts.length(); i = parts.moveIndex32(i, 1)) {
        add(parts.char32At(i));
      }
    }
    std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& mark : ordered) {
      out += mark.second;
    }
  }

  icu::UnicodeSet m_assigned;
  const icu::Normalizer2* m_nfc;
  icu::FilteredNormalizer2 m_filtered;
};

}  // namespace

bool isLetter(char32_t c) {
  if (c < 0x80) {
    return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
  }
  return isIn(kNewerLetters, c) || ((category(c) & U_GC_L_MASK) != 0 && isOfUnicode15(c));
}

bool isNumber(char32_t c) {
  if (c < 0x80) {
    return c >= U'0' && c <= U'9';
  }
  return isIn(kNewerNumbers, c) || ((category(c) & U_GC_N_MASK) != 0 && isOfUnicode15(c));
}

bool isSpace(char32_t c) {
  if (c < 0x80) {
    return c == U' ' || (c >= U'\t' && c <= U'\r');
  }
  return u_isUWhiteSpace(static_cast<UChar32>(c)) != 0;
}

bool isWordCharacter(char32_t c) {
  if (c < 0x80) {
    return isLetter(c) || isNumber(c) || c == U'_';
  }
  const auto point = static_cast<UChar32>(c);
  return isIn(kNewerLetters, c) || (category(c) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0 ||
         u_hasBinaryProperty(point, UCHAR_ALPHABETIC) || u_hasBinaryProperty(point, UCHAR_JOIN_CONTROL);
}

std::u32string toUtf32(std::string_view utf8) {
  std::u32string out;
  out.reserve(utf8.size());
  for (std::size_t i = 0; i < utf8.size();) {
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(utf8.data(), i, utf8.size(), c);
    out += static_cast<char32_t>(c);
  }
  return out;
}

std::string toUtf8(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    char bytes[U8_MAX_LENGTH];
    std::size_t length = 0;
    U8_APPEND_UNSAFE(bytes, length, c);
    out.append(bytes, length);
  }
  return out;
}

std::u32string normalizeText(std::u32string_view text) {
  static const Nfc nfc;
  std::u32string composed;
  if (std::any_of(text.begin(), text.end(), [](char32_t c) { return c >= 0x300; })) {
    composed = nfc(text);
    text = composed;
  }
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (!isSpace(text[i])) {
      appendLower(text[i++], out);
      continue;
    }
    out += U' ';
    while (i < text.size() && isSpace(text[i])) {
      ++i;
    }
  }
  return out;
}

}  // namespace polyptych::tokenizer
