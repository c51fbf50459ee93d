#include "core/tokenizer/clip_tokenizer.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <system_error>

#include "core/tokenizer/tokenizer_data.h"
#include "core/tokenizer/unicode_rules.h"

namespace polyptych::tokenizer {
namespace {

namespace fs = std::filesystem;

base::Result<std::optional<std::string>> readFile(const fs::path& folder, const char* name) {
  const fs::path path = folder / name;
  std::error_code problem;
  const fs::file_status status = fs::status(path, problem);
  if (!fs::exists(status)) {
    return std::optional<std::string>();
  }
  if (!fs::is_regular_file(status)) {
    return base::Error{base::ErrorCode::Corrupt, "'" + path.string() + "' is not a file. Get the model's files again.", {}};
  }
  const std::uintmax_t size = fs::file_size(path, problem);
  if (!problem && size > kMaxTokenizerFileBytes) {
    return base::Error{base::ErrorCode::Corrupt,
                       "'" + path.string() + "' is larger than " + std::to_string(kMaxTokenizerFileBytes >> 20) +
                           " MiB. Get the model's files again.",
                       {}};
  }
  std::ifstream stream(path, std::ios::binary);
  std::string text(problem ? 0 : static_cast<std::size_t>(size), '\0');
  if (problem || !stream || !stream.read(text.data(), static_cast<std::streamsize>(text.size()))) {
    return base::Error{base::ErrorCode::Io, "'" + path.string() + "' cannot be read. Check its permissions.", problem.message()};
  }
  return std::optional<std::string>(std::move(text));
}

bool startsWith(std::u32string_view text, std::size_t at, std::u32string_view what) { return text.substr(at).starts_with(what); }

/// Length of 's 't 're 've 'm 'll 'd at `at`, or 0.
std::size_t contractionAt(std::u32string_view text, std::size_t at) {
  constexpr std::array<std::u32string_view, 7> kContractions = {U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"};
  for (const std::u32string_view contraction : kContractions) {
    if (startsWith(text, at, contraction)) {
      return contraction.size();
    }
  }
  return 0;
}

template <typename Belongs>
std::size_t runAt(std::u32string_view text, std::size_t at, Belongs belongs) {
  std::size_t end = at;
  while (end < text.size() && belongs(text[end])) {
    ++end;
  }
  return end - at;
}

/// Cuts normalized text into words: the two special tokens, contractions, runs of letters, single digits, runs of everything
/// else; blanks go. The byte level's own pattern then cuts only the special tokens once more.
template <typename Use>
void forEachWord(std::u32string_view text, Use use) {
  constexpr std::array<std::u32string_view, 2> kSpecial = {U"<|startoftext|>", U"<|endoftext|>"};
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = text[i];
    if (isSpace(c)) {
      ++i;
      continue;
    }
    std::size_t length = 0;
    if (c == U'<') {
      const auto special = std::find_if(kSpecial.begin(), kSpecial.end(), [&](auto token) { return startsWith(text, i, token); });
      if (special != kSpecial.end()) {
        use(special->substr(0, 2));
        use(special->substr(2, special->size() - 4));
        use(special->substr(special->size() - 2));
        i += special->size();
        continue;
      }
    } else if (c == U'\'') {
      length = contractionAt(text, i);
    }
    if (length == 0) {
      if (isLetter(c)) {
        length = runAt(text, i, isLetter);
      } else if (isNumber(c)) {
        length = 1;
      } else {
        length = runAt(text, i, [](char32_t x) { return !isSpace(x) && !isLetter(x) && !isNumber(x); });
      }
    }
    use(text.substr(i, length));
    i += length;
  }
}

}  // namespace

ClipTokenizer::ClipTokenizer(std::shared_ptr<const TokenizerData> data) : m_data(std::move(data)) {}

base::Result<ClipTokenizer> ClipTokenizer::open(const fs::path& folder) {
  std::error_code problem;
  if (!fs::is_directory(folder, problem)) {
    return base::Error{base::ErrorCode::NotFound,
                       "The tokenizer's folder '" + folder.string() + "' is not there. Get the model's files again.",
                       problem.message()};
  }
  TokenizerFiles files;
  const std::array<std::pair<const char*, std::optional<std::string>*>, 6> places = {{
      {"tokenizer.json", &files.tokenizerJson},
      {"vocab.json", &files.vocabJson},
      {"merges.txt", &files.mergesTxt},
      {"tokenizer_config.json", &files.configJson},
      {"special_tokens_map.json", &files.specialTokensMapJson},
      {"added_tokens.json", &files.addedTokensJson},
  }};
  for (const auto& [name, place] : places) {
    if (files.tokenizerJson && (place == &files.vocabJson || place == &files.mergesTxt)) {
      continue;
    }
    auto text = readFile(folder, name);
    if (!text) {
      return text.error();
    }
    *place = std::move(*text);
  }
  return fromFiles(files);
}

base::Result<ClipTokenizer> ClipTokenizer::fromFiles(const TokenizerFiles& files) {
  auto data = buildTokenizer(files);
  if (!data) {
    return data.error();
  }
  return ClipTokenizer(std::move(*data));
}

std::vector<std::int64_t> ClipTokenizer::encodeWhole(std::string_view utf8) const {
  std::vector<std::int64_t> ids;
  const std::u32string text = toUtf32(utf8);
  for (const TextPart& part : m_data->asWritten.split(text)) {
    if (part.id >= 0) {
      ids.push_back(part.id);
      continue;
    }
    const std::u32string normalized = normalizeText(part.text);
    for (const TextPart& inner : m_data->normalized.split(normalized)) {
      if (inner.id >= 0) {
        ids.push_back(inner.id);
        continue;
      }
      forEachWord(inner.text, [&](std::u32string_view word) { m_data->bpe.encodeWord(toUtf8(word), ids); });
    }
  }
  return ids;
}

Encoding ClipTokenizer::encode(std::string_view utf8) const {
  std::vector<std::int64_t> whole = encodeWhole(utf8);
  Encoding encoding;
  encoding.tokenCount = static_cast<std::int64_t>(whole.size());
  const auto room = static_cast<std::size_t>(m_data->maxLength) - 2;
  if (whole.size() > room) {
    const auto cut = m_data->truncatesLeft ? whole.end() - static_cast<std::ptrdiff_t>(room)
                                           : whole.begin() + static_cast<std::ptrdiff_t>(room);
    std::vector<std::int64_t> kept(cut, whole.end());
    whole.erase(cut, whole.end());
    if (!m_data->truncatesLeft) {
      std::swap(kept, whole);
    }
    encoding.dropped = decode(whole);
    whole = std::move(kept);
  }
  encoding.ids.reserve(static_cast<std::size_t>(m_data->maxLength));
  encoding.ids.push_back(m_data->bos);
  encoding.ids.insert(encoding.ids.end(), whole.begin(), whole.end());
  encoding.ids.push_back(m_data->eos);
  const std::size_t padding = static_cast<std::size_t>(m_data->maxLength) - encoding.ids.size();
  encoding.ids.insert(m_data->padsLeft ? encoding.ids.begin() : encoding.ids.end(), padding, m_data->pad);
  return encoding;
}

std::string ClipTokenizer::decode(const std::vector<std::int64_t>& ids) const {
  constexpr std::string_view kEndOfWord = "</w>";
  std::string bytes;
  for (const std::int64_t id : ids) {
    const auto token = m_data->tokens.find(id);
    if (token == m_data->tokens.end()) {
      continue;
    }
    std::string raw;
    for (const char32_t c : toUtf32(token->second)) {
      const int byte = byteOfCharacter(c);
      if (byte < 0) {
        raw = token->second;
        break;
      }
      raw += static_cast<char>(byte);
    }
    bytes += raw;
  }
  std::string text;
  for (std::size_t i = 0; i < bytes.size();) {
    if (bytes.compare(i, kEndOfWord.size(), kEndOfWord) == 0) {
      text += ' ';
      i += kEndOfWord.size();
    } else {
      text += bytes[i++];
    }
  }
  std::u32string whole = toUtf32(text);
  const auto isBlank = [](char32_t c) { return isSpace(c) || (c >= 0x1C && c <= 0x1F); };  // Python's str.strip()
  const auto first = std::find_if_not(whole.begin(), whole.end(), isBlank);
  const auto last = std::find_if_not(whole.rbegin(), std::make_reverse_iterator(first), isBlank).base();
  return toUtf8(std::u32string(first, last));
}

std::int64_t ClipTokenizer::bosId() const { return m_data->bos; }
std::int64_t ClipTokenizer::eosId() const { return m_data->eos; }
std::int64_t ClipTokenizer::padId() const { return m_data->pad; }
std::int64_t ClipTokenizer::maxLength() const { return m_data->maxLength; }
std::int64_t ClipTokenizer::idLimit() const { return m_data->idLimit; }

}  // namespace polyptych::tokenizer
