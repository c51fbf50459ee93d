#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/tokenizer/clip_tokenizer.h"

/// The input is cut at zero bytes: the files of a folder, and last a prompt. An empty part is a file that is not there.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace polyptych::tokenizer;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto next = [&]() -> std::optional<std::string> {
    const std::size_t end = std::min(rest.find('\0'), rest.size());
    std::string part(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part.empty() ? std::nullopt : std::optional<std::string>(std::move(part));
  };
  TokenizerFiles files;
  files.tokenizerJson = next();
  files.vocabJson = next();
  files.mergesTxt = next();
  files.configJson = next();
  files.specialTokensMapJson = next();
  files.addedTokensJson = next();
  if (files.vocabJson && !files.mergesTxt) {
    files.mergesTxt = "";
  }
  const auto tokenizer = ClipTokenizer::fromFiles(files);
  if (tokenizer) {
    const Encoding encoding = tokenizer->encode(rest);
    if (static_cast<std::int64_t>(encoding.ids.size()) != tokenizer->maxLength()) {
      __builtin_trap();
    }
    for (const std::int64_t id : encoding.ids) {
      if (id < 0 || id >= tokenizer->idLimit()) {
        __builtin_trap();
      }
    }
  }
  return 0;
}
