#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"
#include "core/tokenizer/added_tokens.h"
#include "core/tokenizer/bpe.h"
#include "core/tokenizer/clip_tokenizer.h"

namespace polyptych::tokenizer {

/// What a tokenizer's files say, read and checked.
struct TokenizerData {
  Bpe bpe;
  std::unordered_map<std::int64_t, std::string> tokens;  ///< spelling of every id, added tokens first
  AddedTokenFinder asWritten;                            ///< looked for in the text as it came
  AddedTokenFinder normalized;                           ///< looked for in the normalized text
  std::int64_t bos = 0;
  std::int64_t eos = 0;
  std::int64_t pad = 0;
  std::int64_t maxLength = kDefaultModelLength;
  std::int64_t idLimit = 0;
  bool padsLeft = false;
  bool truncatesLeft = false;
};

/// Puts the files together by the rules of transformers 5.23 (`PreTrainedTokenizerBase._from_pretrained`,
/// `TokenizersBackend.__init__`, `CLIPTokenizer.__init__`). Errors: see ClipTokenizer::open().
base::Result<std::shared_ptr<const TokenizerData>> buildTokenizer(const TokenizerFiles& files);

}  // namespace polyptych::tokenizer
