#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace polyptych::tokenizer {

using Vocabulary = std::unordered_map<std::string, std::int64_t>;
/// In order of rank: the first is done first.
using Merges = std::vector<std::pair<std::string, std::string>>;

/// GPT-2's printable character of a byte (`bytes_to_unicode`).
char32_t characterOfByte(std::uint8_t byte);
/// The byte of such a character, or -1.
int byteOfCharacter(char32_t c);

/// Byte-level byte pair encoding with the end-of-word mark "</w>", as the BPE model of the tokenizers library does it.
class Bpe {
 public:
  /// @param unknown  id of a byte that the vocabulary does not have
  /// @return Corrupt if a merge names a token that is not in the vocabulary. Of a pair that is there twice, the later rank
  /// counts.
  static base::Result<Bpe> make(const Vocabulary& vocabulary, const Merges& merges, std::int64_t unknown);

  /// Appends the ids of one word (UTF-8, not empty). O(n log n).
  void encodeWord(std::string_view word, std::vector<std::int64_t>& ids) const;

  /// Whether every byte is in the vocabulary, within a word and at its end.
  static bool coversAllBytes(const Vocabulary& vocabulary);

 private:
  struct Merge {
    std::uint32_t rank;
    std::int32_t id;
  };
  const Merge* find(std::int32_t left, std::int32_t right) const;

  std::array<std::int32_t, 256> m_inner{};
  std::array<std::int32_t, 256> m_last{};
  std::unordered_map<std::uint64_t, Merge> m_merges;
};

}  // namespace polyptych::tokenizer
