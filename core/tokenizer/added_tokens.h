#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace polyptych::tokenizer {

/// A token that is looked for in the text itself, before any splitting. Fields as in the tokenizers library's AddedToken.
struct AddedToken {
  std::string content;
  std::int64_t id = 0;
  bool isSingleWord = false;  ///< only where no word character touches it
  bool takesBlanksBefore = false;
  bool takesBlanksAfter = false;
  bool isNormalized = true;  ///< looked for in the normalized text, itself normalized
  bool isSpecial = false;
  bool isIgnored = false;  ///< found, so that nothing else is found there, but left as text (`split_special_tokens`)
};

/// A part of a text: a token, or the text between two.
struct TextPart {
  std::u32string_view text;
  std::int64_t id = -1;  ///< -1: plain text
};

/// Finds tokens in a text: leftmost, of those the longest, of equals the first added.
class AddedTokenFinder {
 public:
  void add(std::u32string content, const AddedToken& token);
  std::vector<TextPart> split(std::u32string_view text) const;

 private:
  struct Entry {
    std::u32string content;
    AddedToken token;
  };
  const Entry* longestAt(std::u32string_view text, std::size_t position) const;

  std::unordered_map<char32_t, std::vector<Entry>> m_entries;  // by first character, longest first
};

}  // namespace polyptych::tokenizer
