#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/tokenizer/bpe.h"
#include "core/tokenizer/clip_tokenizer.h"
#include "core/tokenizer/unicode_rules.h"

/// A vocabulary laid out as CLIP's: ids 0 to 255 are bytes ("!" first), 256 to 511 bytes that end a word, then the merges of
/// kMerges, then bos and eos.
namespace small {

inline const std::vector<std::pair<std::string, std::string>> kMerges = {
    {"c", "a"}, {"ca", "t</w>"}, {"d", "o"}, {"do", "g</w>"}, {"a", "t</w>"}, {"'", "s</w>"}, {"a", "a"}, {"aa", "aa"}};

inline std::vector<std::string> tokens() {
  std::vector<std::string> list;
  std::vector<std::string> bytes;
  for (int byte = 0; byte < 256; ++byte) {
    const auto c = polyptych::tokenizer::characterOfByte(static_cast<std::uint8_t>((byte + '!') % 256));
    bytes.push_back(polyptych::tokenizer::toUtf8(std::u32string(1, c)));
  }
  list = bytes;
  for (const std::string& byte : bytes) {
    list.push_back(byte + "</w>");
  }
  for (const auto& [left, right] : kMerges) {
    list.push_back(left + right);
  }
  list.push_back("<|startoftext|>");
  list.push_back("<|endoftext|>");
  return list;
}

inline std::int64_t idOf(const std::string& token) {
  const auto list = tokens();
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] == token) {
      return static_cast<std::int64_t>(i);
    }
  }
  return -1;
}

inline std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out + "\"";
}

inline std::string vocabJson() {
  std::string json = "{";
  const auto list = tokens();
  for (std::size_t i = 0; i < list.size(); ++i) {
    json += (i == 0 ? "" : ",") + quoted(list[i]) + ":" + std::to_string(i);
  }
  return json + "}";
}

/// The generation with vocab.json and merges.txt.
inline polyptych::tokenizer::TokenizerFiles oldFiles() {
  polyptych::tokenizer::TokenizerFiles files;
  files.vocabJson = vocabJson();
  files.mergesTxt = "#version: 0.2\n";
  for (const auto& [left, right] : kMerges) {
    *files.mergesTxt += left + " " + right + "\n";
  }
  files.configJson = R"({"model_max_length": 77})";
  return files;
}

/// tokenizer.json as transformers 5 saves it.
inline polyptych::tokenizer::TokenizerFiles newFiles() {
  polyptych::tokenizer::TokenizerFiles files;
  std::string merges;
  for (const auto& [left, right] : kMerges) {
    merges += (merges.empty() ? "[" : ",[") + quoted(left) + "," + quoted(right) + "]";
  }
  files.tokenizerJson =
      R"({"added_tokens": [], "model": {"type": "BPE", "vocab": )" + vocabJson() + R"(, "merges": [)" + merges + "]}}";
  files.configJson = R"({"model_max_length": 77})";
  return files;
}

}  // namespace small
