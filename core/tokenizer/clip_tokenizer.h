#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace polyptych::tokenizer {

/// Limits of what a tokenizer folder may ask for.
inline constexpr std::size_t kMaxTokenizerFileBytes = 16u << 20;
inline constexpr std::size_t kMaxVocabularyTokens = 1u << 20;
inline constexpr std::int64_t kMaxTokenId = (1 << 24) - 1;
inline constexpr std::size_t kMaxAddedTokens = 4096;
inline constexpr std::size_t kMaxAddedTokenBytes = 512;
inline constexpr std::int64_t kMaxModelLength = 8192;
/// Used where tokenizer_config.json has no `model_max_length` (or transformers' "unlimited"): the length of every CLIP text
/// model.
inline constexpr std::int64_t kDefaultModelLength = 77;

/// A prompt as a CLIP text model reads it.
struct Encoding {
  std::vector<std::int64_t> ids;  ///< exactly maxLength(): bos, the tokens that fit, eos, then padding
  std::string dropped;            ///< what did not fit, as the tokenizer sees it (lower case, blanks between pieces); else empty
  std::int64_t tokenCount = 0;    ///< tokens of the whole text, without bos, eos and padding; more than maxLength() - 2 is cut
};

/// Contents of a tokenizer folder's files; nothing: no such file.
struct TokenizerFiles {
  std::optional<std::string> tokenizerJson;
  std::optional<std::string> vocabJson;
  std::optional<std::string> mergesTxt;
  std::optional<std::string> configJson;            ///< tokenizer_config.json
  std::optional<std::string> specialTokensMapJson;  ///< special_tokens_map.json
  std::optional<std::string> addedTokensJson;       ///< added_tokens.json
};

struct TokenizerData;

/// CLIP's byte-level BPE: the ids of transformers' CLIPTokenizer 5.23 (`models/clip/tokenization_clip.py`) for any text.
/// Immutable: any thread may use it at any time. Copies share their tables.
class ClipTokenizer {
 public:
  /// Reads tokenizer.json if it is there, else vocab.json and merges.txt; beside them tokenizer_config.json,
  /// special_tokens_map.json and added_tokens.json, all optional, with transformers' precedence.
  /// Errors: NotFound (no folder, no vocabulary), Corrupt (bad JSON, merges of unknown tokens, ids out of range, files above the
  /// limits), Unsupported (a tokenizer.json that is not BPE), Io.
  static base::Result<ClipTokenizer> open(const std::filesystem::path& folder);

  /// The same from memory; errors name the files as in a folder.
  static base::Result<ClipTokenizer> fromFiles(const TokenizerFiles& files);

  /// Time is O(n log n) in the length of the text. Bytes that are not UTF-8 count as U+FFFD.
  Encoding encode(std::string_view utf8) const;
  /// Ids of the whole text: no bos, no eos, no padding, nothing cut.
  std::vector<std::int64_t> encodeWhole(std::string_view utf8) const;
  /// Text of ids, as transformers' `decode` gives it: blanks after words, ends stripped. Unknown ids give nothing.
  std::string decode(const std::vector<std::int64_t>& ids) const;

  std::int64_t bosId() const;
  std::int64_t eosId() const;
  std::int64_t padId() const;
  std::int64_t maxLength() const;
  /// 1 + the largest id in the tables: a text model's embedding must have at least as many rows.
  std::int64_t idLimit() const;

 private:
  explicit ClipTokenizer(std::shared_ptr<const TokenizerData> data);

  std::shared_ptr<const TokenizerData> m_data;
};

}  // namespace polyptych::tokenizer
