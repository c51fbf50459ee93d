#include "core/tokenizer/tokenizer_data.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>

#include "core/tokenizer/unicode_rules.h"

namespace polyptych::tokenizer {
namespace {

using Json = nlohmann::json;

constexpr int kMaxJsonDepth = 32;

/// Carries an Error out of the reading functions; turned into a Result by buildTokenizer().
struct BadFile {
  base::Error error;
};

[[noreturn]] void refuse(base::ErrorCode code, std::string message, std::string detail = {}) {
  throw BadFile{{code, std::move(message), std::move(detail)}};
}

[[noreturn]] void corrupt(const std::string& file, const std::string& why, std::string detail = {}) {
  refuse(base::ErrorCode::Corrupt, "The tokenizer's " + file + " " + why + ". Get the model's files again.", std::move(detail));
}

void checkSize(const std::string& file, const std::string& text) {
  if (text.size() > kMaxTokenizerFileBytes) {
    corrupt(file, "is larger than " + std::to_string(kMaxTokenizerFileBytes >> 20) + " MiB");
  }
}

Json parseObject(const std::string& file, const std::string& text) {
  checkSize(file, text);
  const auto limitDepth = [&](int depth, Json::parse_event_t event, Json&) {
    if (depth > kMaxJsonDepth && (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start)) {
      corrupt(file, "is nested too deeply");
    }
    return true;
  };
  Json json;
  try {
    json = Json::parse(text, limitDepth);
  } catch (const Json::exception& problem) {
    corrupt(file, "is not valid JSON", problem.what());
  }
  if (!json.is_object()) {
    corrupt(file, "is not a JSON object");
  }
  return json;
}

const Json* member(const Json& object, const char* key) {
  if (!object.is_object()) {
    return nullptr;
  }
  const auto at = object.find(key);
  return at == object.end() ? nullptr : &*at;
}

std::int64_t tokenId(const std::string& file, const Json& value, const std::string& token) {
  if (!value.is_number_integer() || value < 0 || value > kMaxTokenId) {
    corrupt(file, "gives the token '" + token + "' the id " + value.dump(-1, ' ', false, Json::error_handler_t::replace) +
                      "; ids are whole numbers from 0 to " + std::to_string(kMaxTokenId));
  }
  return value.get<std::int64_t>();
}

Vocabulary readVocabulary(const std::string& file, const Json& object) {
  if (!object.is_object()) {
    corrupt(file, "has no table of tokens and ids");
  }
  if (object.empty() || object.size() > kMaxVocabularyTokens) {
    corrupt(file,
            "has " + std::to_string(object.size()) + " tokens; it must have from 1 to " + std::to_string(kMaxVocabularyTokens));
  }
  Vocabulary vocabulary;
  vocabulary.reserve(object.size());
  for (const auto& [token, id] : object.items()) {
    vocabulary.emplace(token, tokenId(file, id, token));
  }
  return vocabulary;
}

std::pair<std::string, std::string> splitMerge(const std::string& file, const std::string& line, std::size_t number) {
  const std::size_t blank = line.find(' ');
  if (blank == std::string::npos || line.find(' ', blank + 1) != std::string::npos) {
    corrupt(file, "has something else than two tokens in merge " + std::to_string(number));
  }
  return {line.substr(0, blank), line.substr(blank + 1)};
}

Merges readMergesTxt(const std::string& text) {
  const std::string file = "merges.txt";
  checkSize(file, text);
  Merges merges;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.ends_with('\r')) {
      line.pop_back();
    }
    if (!line.starts_with("#version")) {
      merges.push_back(splitMerge(file, line, merges.size() + 1));
    }
  }
  return merges;
}

Merges readMergesJson(const Json& list) {
  const std::string file = "tokenizer.json";
  if (!list.is_array()) {
    corrupt(file, "has no list of merges");
  }
  Merges merges;
  merges.reserve(list.size());
  for (const Json& entry : list) {
    if (entry.is_string()) {
      merges.push_back(splitMerge(file, entry.get<std::string>(), merges.size() + 1));
    } else if (entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string()) {
      merges.emplace_back(entry[0].get<std::string>(), entry[1].get<std::string>());
    } else {
      corrupt(file, "has something else than two tokens in merge " + std::to_string(merges.size() + 1));
    }
  }
  return merges;
}

/// A token as the files name it; `isNormalized` is open where they do not say.
struct NamedToken {
  AddedToken token;
  std::optional<bool> isNormalized;
};

bool flag(const std::string& file, const Json& object, const char* key, bool fallback) {
  const Json* value = member(object, key);
  if (value == nullptr || value->is_null()) {
    return fallback;
  }
  if (!value->is_boolean()) {
    corrupt(file, std::string("has a '") + key + "' that is neither true nor false");
  }
  return value->get<bool>();
}

NamedToken namedToken(const std::string& file, const Json& value) {
  NamedToken named;
  if (value.is_string()) {
    named.token.content = value.get<std::string>();
    named.token.isSpecial = true;
  } else {
    const Json* content = member(value, "content");
    if (content == nullptr || !content->is_string()) {
      corrupt(file, "names a special token that is neither text nor an object with 'content'");
    }
    named.token.content = content->get<std::string>();
    named.token.isSingleWord = flag(file, value, "single_word", false);
    named.token.takesBlanksBefore = flag(file, value, "lstrip", false);
    named.token.takesBlanksAfter = flag(file, value, "rstrip", false);
    named.token.isSpecial = flag(file, value, "special", false);
    if (const Json* normalized = member(value, "normalized"); normalized != nullptr && !normalized->is_null()) {
      named.isNormalized = flag(file, value, "normalized", true);
    }
  }
  if (named.token.content.size() > kMaxAddedTokenBytes) {
    corrupt(file, "names a special token of more than " + std::to_string(kMaxAddedTokenBytes) + " bytes");
  }
  return named;
}

/// bos, eos, unk and so on in transformers' order, then further "*_token" keys by name, then extra tokens.
struct SpecialTokens {
  static constexpr std::array<const char*, 7> kAttributes = {"bos_token", "eos_token", "unk_token", "sep_token",
                                                             "pad_token", "cls_token", "mask_token"};
  std::map<std::string, NamedToken> named;
  std::vector<std::string> others;  // names of further keys, in the order met
  std::vector<NamedToken> extra;

  static bool isAttribute(const std::string& key) {
    return std::find(kAttributes.begin(), kAttributes.end(), key) != kAttributes.end();
  }

  void set(const std::string& key, NamedToken token) {
    if (!isAttribute(key) && !named.contains(key)) {
      others.push_back(key);
    }
    named.insert_or_assign(key, std::move(token));
  }

  void read(const std::string& file, const Json& object) {
    for (const auto& [key, value] : object.items()) {
      if (key == "additional_special_tokens" || key == "extra_special_tokens") {
        readExtra(file, value);
      } else if (isAttribute(key) ? !value.is_null() : key.ends_with("_token") && (value.is_string() || value.is_object())) {
        set(key, namedToken(file, value));
      }
    }
  }

  void readExtra(const std::string& file, const Json& value) {
    if (value.is_object()) {
      for (const auto& [key, token] : value.items()) {
        set(key, namedToken(file, token));
      }
    } else if (value.is_array()) {
      for (const Json& token : value) {
        extra.push_back(namedToken(file, token));
      }
    }
  }
};

/// The tables under construction.
class Builder {
 public:
  explicit Builder(const TokenizerFiles& files) : m_files(files) {}

  std::shared_ptr<const TokenizerData> build() {
    readVocabularyAndMerges();
    if (m_files.configJson) {
      m_config = parseObject(kConfig, *m_files.configJson);
    }
    readSpecialTokens();
    addTokens();
    readSides();
    readMaxLength();
    makeBpe();
    m_data->bos = idOf("bos_token");
    m_data->eos = idOf("eos_token");
    m_data->pad = idOf("pad_token");
    return m_data;
  }

 private:
  static constexpr const char* kConfig = "tokenizer_config.json";

  void readVocabularyAndMerges() {
    if (m_files.tokenizerJson) {
      const std::string file = "tokenizer.json";
      m_whole = parseObject(file, *m_files.tokenizerJson);
      const Json* model = member(m_whole, "model");
      const Json* type = model == nullptr ? nullptr : member(*model, "type");
      if (type != nullptr && *type != "BPE") {
        refuse(base::ErrorCode::Unsupported,
               "The tokenizer's tokenizer.json is not a byte pair encoding. This program reads CLIP tokenizers only.");
      }
      const Json* vocabulary = model == nullptr ? nullptr : member(*model, "vocab");
      const Json* merges = model == nullptr ? nullptr : member(*model, "merges");
      m_vocabulary = readVocabulary(file, vocabulary == nullptr ? Json() : *vocabulary);
      m_merges = readMergesJson(merges == nullptr ? Json() : *merges);
    } else if (m_files.vocabJson && m_files.mergesTxt) {
      m_vocabulary = readVocabulary("vocab.json", parseObject("vocab.json", *m_files.vocabJson));
      m_merges = readMergesTxt(*m_files.mergesTxt);
    } else {
      refuse(base::ErrorCode::NotFound, std::string("The model's tokenizer has no ") +
                                            (m_files.vocabJson   ? "merges.txt"
                                             : m_files.mergesTxt ? "vocab.json"
                                                                 : "tokenizer.json and no vocab.json") +
                                            ". Get the model's files again.");
    }
    if (m_merges.size() > kMaxVocabularyTokens) {
      corrupt("list of merges", "has more than " + std::to_string(kMaxVocabularyTokens) + " entries");
    }
    for (const auto& [token, id] : m_vocabulary) {
      m_data->tokens.insert_or_assign(id, token);
      m_data->idLimit = std::max(m_data->idLimit, id + 1);
    }
  }

  void readSpecialTokens() {
    NamedToken start;
    start.token.content = "<|startoftext|>";
    start.token.isSpecial = true;
    NamedToken end = start;
    end.token.content = "<|endoftext|>";
    m_special.set("bos_token", start);
    for (const char* key : {"eos_token", "unk_token", "pad_token"}) {
      m_special.set(key, end);
    }
    m_special.read(kConfig, m_config);
    if (const Json* decoder = member(m_config, "added_tokens_decoder")) {
      if (!decoder->is_object()) {
        corrupt(kConfig, "has an 'added_tokens_decoder' that is not an object");
      }
      for (const auto& [key, value] : decoder->items()) {
        if (!value.is_object() || key.empty() || key.size() > 9 || key.find_first_not_of("0123456789") != std::string::npos) {
          corrupt(kConfig, "has an entry in 'added_tokens_decoder' that is not an id and a token");
        }
        m_listed.insert_or_assign(std::stoll(key), namedToken(kConfig, value));
      }
      return;
    }
    if (m_files.specialTokensMapJson) {
      const std::string file = "special_tokens_map.json";
      Json map = parseObject(file, *m_files.specialTokensMapJson);
      for (auto& [key, value] : map.items()) {
        if (value.is_object() && key != "extra_special_tokens") {
          value["special"] = true;
        }
      }
      m_special.read(file, map);
    }
    if (m_files.addedTokensJson) {
      const std::string file = "added_tokens.json";
      std::set<std::string> special;
      for (const char* key : SpecialTokens::kAttributes) {
        if (const auto at = m_special.named.find(key); at != m_special.named.end()) {
          special.insert(at->second.token.content);
        }
      }
      for (const NamedToken& token : m_special.extra) {
        special.insert(token.token.content);
      }
      const Json table = parseObject(file, *m_files.addedTokensJson);
      for (const auto& [content, id] : table.items()) {
        NamedToken token = namedToken(file, Json(content));
        token.token.isSpecial = special.contains(content);
        token.isNormalized = !token.token.isSpecial;
        m_listed.insert_or_assign(tokenId(file, id, content), token);
      }
    }
    if (const Json* added = member(m_whole, "added_tokens")) {
      const std::string file = "tokenizer.json";
      if (!added->is_array()) {
        corrupt(file, "has 'added_tokens' that are not a list");
      }
      for (const Json& value : *added) {
        NamedToken token = namedToken(file, value);
        const Json* id = member(value, "id");
        const std::string content = token.token.content;
        m_listed.insert_or_assign(tokenId(file, id == nullptr ? Json() : *id, content), std::move(token));
      }
    }
  }

  void addTokens() {
    std::vector<NamedToken> toAdd;
    std::set<std::string> listed;
    for (const auto& entry : m_listed) {
      toAdd.push_back(entry.second);
      listed.insert(entry.second.token.content);
    }
    std::set<std::string> namedContents;
    const auto addNamed = [&](const std::string& key) {
      const auto at = m_special.named.find(key);
      if (at == m_special.named.end()) {
        return;
      }
      namedContents.insert(at->second.token.content);
      if (!listed.contains(at->second.token.content)) {
        toAdd.push_back(at->second);
      }
    };
    for (const char* key : SpecialTokens::kAttributes) {
      addNamed(key);
    }
    for (const std::string& key : m_special.others) {
      addNamed(key);
    }
    for (const NamedToken& token : m_special.extra) {
      if (!listed.contains(token.token.content)) {
        toAdd.push_back(token);
      }
    }
    if (toAdd.size() > kMaxAddedTokens) {
      corrupt("files", "name more than " + std::to_string(kMaxAddedTokens) + " added tokens");
    }

    std::vector<AddedToken> added;
    std::int64_t nextId = static_cast<std::int64_t>(m_vocabulary.size());
    for (NamedToken& named : toAdd) {
      AddedToken& token = named.token;
      if (token.content.empty()) {
        continue;
      }
      token.isSpecial = token.isSpecial || namedContents.contains(token.content);
      token.isNormalized = named.isNormalized.value_or(!token.isSpecial);
      const auto before =
          std::find_if(added.begin(), added.end(), [&](const AddedToken& other) { return other.content == token.content; });
      if (before != added.end()) {  // named again: the later description counts
        token.id = before->id;
        *before = token;
        continue;
      }
      const auto known = m_vocabulary.find(token.content);
      token.id = known != m_vocabulary.end() ? known->second : nextId;
      nextId = std::max(nextId, token.id + 1);
      m_addedIds.emplace(token.content, token.id);
      m_data->idLimit = std::max(m_data->idLimit, token.id + 1);
      added.push_back(token);
    }
    std::stable_partition(added.begin(), added.end(), [](const AddedToken& token) { return token.isSpecial; });
    const bool splitsSpecial = flag(kConfig, m_config, "split_special_tokens", false);
    for (const AddedToken& token : added) {
      AddedToken found = token;
      found.isIgnored = splitsSpecial && token.isSpecial;
      std::u32string content = toUtf32(token.content);
      if (token.isNormalized) {
        content = normalizeText(content);
      }
      m_data->tokens.insert_or_assign(token.id, toUtf8(content));
      (token.isNormalized ? m_data->normalized : m_data->asWritten).add(std::move(content), found);
    }
  }

  void readSides() {
    const auto isLeft = [&](const char* key, const char* part) {
      const Json* value = member(m_config, key);
      if (value == nullptr) {
        const Json* section = member(m_whole, part);
        value = section == nullptr ? nullptr : member(*section, "direction");
      }
      if (value == nullptr || value->is_null() || *value == "right" || *value == "Right") {
        return false;
      }
      if (*value == "left" || *value == "Left") {
        return true;
      }
      corrupt(kConfig, std::string("has a '") + key + "' that is neither left nor right");
    };
    m_data->padsLeft = isLeft("padding_side", "padding");
    m_data->truncatesLeft = isLeft("truncation_side", "truncation");
  }

  void readMaxLength() {
    constexpr double kUnlimited = 1e9;
    const Json* value = member(m_config, "model_max_length");
    if (value == nullptr) {
      value = member(m_config, "max_len");
    }
    if (value == nullptr || value->is_null() || (value->is_number() && value->get<double>() > kUnlimited)) {
      return;
    }
    if (!value->is_number_integer() || *value < 2 || *value > kMaxModelLength) {
      corrupt(kConfig, "has a 'model_max_length' that is not a whole number from 2 to " + std::to_string(kMaxModelLength));
    }
    m_data->maxLength = value->get<std::int64_t>();
  }

  void makeBpe() {
    const auto unknown = m_vocabulary.find(m_special.named.at("unk_token").token.content);
    if (unknown == m_vocabulary.end() && !Bpe::coversAllBytes(m_vocabulary)) {
      corrupt("vocabulary", "lacks some bytes and has no token for unknown ones");
    }
    auto bpe = Bpe::make(m_vocabulary, m_merges, unknown == m_vocabulary.end() ? 0 : unknown->second);
    if (!bpe) {
      throw BadFile{bpe.error()};
    }
    m_data->bpe = std::move(*bpe);
  }

  std::int64_t idOf(const char* key) const {
    const std::string& content = m_special.named.at(key).token.content;
    if (const auto added = m_addedIds.find(content); added != m_addedIds.end()) {
      return added->second;
    }
    const auto known = m_vocabulary.find(content);
    if (known == m_vocabulary.end()) {
      corrupt(kConfig, std::string("has a '") + key + "' that the vocabulary does not have");
    }
    return known->second;
  }

  const TokenizerFiles& m_files;
  std::shared_ptr<TokenizerData> m_data = std::make_shared<TokenizerData>();
  Json m_whole = Json::object();  // tokenizer.json
  Json m_config = Json::object();
  Vocabulary m_vocabulary;
  Merges m_merges;
  SpecialTokens m_special;
  std::map<std::int64_t, NamedToken> m_listed;  // added tokens that a file lists, by id
  std::map<std::string, std::int64_t> m_addedIds;
};

}  // namespace

base::Result<std::shared_ptr<const TokenizerData>> buildTokenizer(const TokenizerFiles& files) {
  try {
    return Builder(files).build();
  } catch (const BadFile& bad) {
    return bad.error;
  }
}

}  // namespace polyptych::tokenizer
