#pragma once

#include <string>
#include <string_view>

namespace polyptych::tokenizer {

/// Unicode as the tokenizers library 0.23.3 sees it, whatever ICU is installed: \p{L} and \p{N} of Unicode 16, lower case of
/// Unicode 17, normalization of Unicode 9 (later characters are inert).
bool isLetter(char32_t c);
bool isNumber(char32_t c);
/// White_Space
bool isSpace(char32_t c);
/// \w of Unicode regular expressions (UTS 18, annex C).
bool isWordCharacter(char32_t c);

/// Ill-formed parts become U+FFFD, one for each maximal subpart.
std::u32string toUtf32(std::string_view utf8);
std::string toUtf8(std::u32string_view text);

/// NFC, then every run of white space as one blank, then lower case of each character by itself (no final sigma).
std::u32string normalizeText(std::u32string_view text);

}  // namespace polyptych::tokenizer
