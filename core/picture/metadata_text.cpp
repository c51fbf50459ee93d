#include "core/picture/metadata_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "core/base/utf8.h"

namespace polyptych::picture {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using nlohmann::json;

/// A flat object with one object inside: more than this is not ours and is not parsed.
constexpr int kMaxJsonDepth = 8;
constexpr std::size_t kMaxJsonMarks = 1000;
constexpr std::size_t kShownHashDigits = 10;

/// Shortest decimal text that reads back as the same number: "7.5", "7".
std::string numberText(double value) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end.ptr};
}

std::string withoutNul(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\0') {
      out += "\xEF\xBF\xBD";
    } else {
      out += c;
    }
  }
  return out;
}

/// A value of A1111's last line: as it is, or as a JSON string if it could be taken for more than one.
std::string lineValue(const std::string& text) {
  if (text.find_first_of(std::string_view(",:\n\r\"\0", 6)) == std::string::npos) {
    return text;
  }
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

/// Counts brackets and separators outside strings, so that a parse of hostile text stays small.
bool isModest(std::string_view text) {
  int depth = 0;
  std::size_t marks = 0;
  bool isInString = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (isInString) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        isInString = false;
      }
      continue;
    }
    if (c == '"') {
      isInString = true;
    } else if (c == '[' || c == '{') {
      ++depth;
      ++marks;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',') {
      ++marks;
    }
    if (depth > kMaxJsonDepth || marks > kMaxJsonMarks) {
      return false;
    }
  }
  return true;
}

/// Reads keys and remembers the first that is missing or of the wrong kind.
class Keys {
 public:
  explicit Keys(const json& object) : m_object(object) {}

  std::string text(const char* key) {
    const json* value = find(key);
    if (value == nullptr || !value->is_string()) {
      return note<std::string>(key);
    }
    return value->get<std::string>();
  }
  std::uint64_t number(const char* key, std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) {
    const json* value = find(key);
    if (value == nullptr || !value->is_number_unsigned() || value->get<std::uint64_t>() > most) {
      return note<std::uint64_t>(key);
    }
    return value->get<std::uint64_t>();
  }
  int integer(const char* key) { return static_cast<int>(number(key, std::numeric_limits<int>::max())); }
  double real(const char* key) {
    const json* value = find(key);
    if (value == nullptr || !value->is_number() || !std::isfinite(value->get<double>())) {
      return note<double>(key);
    }
    return value->get<double>();
  }
  bool flag(const char* key) {
    const json* value = find(key);
    if (value == nullptr || !value->is_boolean()) {
      return note<bool>(key);
    }
    return value->get<bool>();
  }
  bool has(const char* key) const { return m_object.contains(key); }
  const json& object(const char* key) {
    static const json kEmpty = json::object();
    const json* value = find(key);
    if (value == nullptr || !value->is_object()) {
      note<bool>(key);
      return kEmpty;
    }
    return *value;
  }
  template <typename T>
  T taken(const char* key, const Result<T>& value) {
    return value ? *value : note<T>(key);
  }
  void absorb(const Keys& inner) {
    if (!m_wrongKey) {
      m_wrongKey = inner.m_wrongKey;
    }
  }
  const std::optional<std::string>& wrongKey() const { return m_wrongKey; }

 private:
  const json* find(const char* key) const {
    const auto found = m_object.find(key);
    return found == m_object.end() ? nullptr : &*found;
  }
  template <typename T>
  T note(const char* key) {
    if (!m_wrongKey) {
      m_wrongKey = key;
    }
    return T{};
  }

  const json& m_object;
  std::optional<std::string> m_wrongKey;
};

Error corrupt(std::string detail) {
  return Error{ErrorCode::Corrupt,
               "The picture's settings cannot be read; the file is damaged or was changed by another program.",
               std::move(detail)};
}

}  // namespace

std::string parametersText(const domain::PictureMetadata& metadata) {
  const domain::GenerationRequest& request = metadata.request;
  std::string text = withoutNul(request.prompt) + "\n";
  if (request.negativePrompt && !request.negativePrompt->empty()) {
    text += "Negative prompt: " + withoutNul(*request.negativePrompt) + "\n";
  }
  const auto add = [&text](std::string_view key, const std::string& value) { text += ", " + std::string(key) + ": " + value; };
  text += "Steps: " + std::to_string(request.steps);
  add("Sampler", lineValue(request.scheduler));
  add("CFG scale", numberText(request.guidanceScale));
  add("Seed", std::to_string(request.seed));
  add("Size", std::to_string(request.width) + "x" + std::to_string(request.height));
  if (!metadata.modelHash.empty()) {
    add("Model hash", lineValue(metadata.modelHash.substr(0, kShownHashDigits)));
  }
  if (!metadata.modelName.empty()) {
    add("Model", lineValue(metadata.modelName));
  }
  if (request.clipSkip) {
    add("Clip skip", std::to_string(*request.clipSkip + 1));
  }
  if (request.guidanceRescale > 0) {
    add("CFG rescale", numberText(request.guidanceRescale));
  }
  add("Version", lineValue("Polyptych " + metadata.programVersion));
  return text;
}

std::string metadataJson(const domain::PictureMetadata& metadata) {
  const domain::GenerationRequest& request = metadata.request;
  json object = {{"format", kMetadataFormat},
                 {"program", metadata.programVersion},
                 {"index", request.index},
                 {"promptIndex", request.promptIndex},
                 {"prompt", request.prompt},
                 {"seed", request.seed},
                 {"width", request.width},
                 {"height", request.height},
                 {"steps", request.steps},
                 {"guidance", request.guidanceScale},
                 {"guidanceRescale", request.guidanceRescale},
                 {"scheduler", request.scheduler},
                 {"model", {{"name", metadata.modelName}, {"hash", metadata.modelHash}}},
                 {"computeType", domain::toString(metadata.computeType)},
                 {"noise", domain::toString(metadata.noise)},
                 {"threads", metadata.threads},
                 {"batch", metadata.batch},
                 {"vaeSlicing", metadata.vaeSlicing},
                 {"vaeTiling", metadata.vaeTiling}};
  if (request.negativePrompt) {
    object["negative"] = *request.negativePrompt;
  }
  if (request.clipSkip) {
    object["clipSkip"] = *request.clipSkip;
  }
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<domain::PictureMetadata> metadataFromJson(std::string_view text) {
  if (!isModest(text)) {
    return corrupt("too many values or nested too deep");
  }
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) {
    return corrupt("no JSON object");
  }
  Keys keys(object);
  const int format = keys.integer("format");
  if (!keys.wrongKey() && format > kMetadataFormat) {
    return Error{ErrorCode::Unsupported,
                 "The picture was made by a newer version of Polyptych; its settings cannot be read by this one.",
                 "format " + std::to_string(format)};
  }
  domain::PictureMetadata metadata;
  domain::GenerationRequest& request = metadata.request;
  const auto mostIndex = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  metadata.programVersion = keys.text("program");
  request.index = static_cast<std::int64_t>(keys.number("index", mostIndex));
  request.promptIndex = static_cast<std::int64_t>(keys.number("promptIndex", mostIndex));
  request.prompt = keys.text("prompt");
  if (keys.has("negative")) {
    request.negativePrompt = keys.text("negative");
  }
  request.seed = keys.number("seed");
  request.width = keys.integer("width");
  request.height = keys.integer("height");
  request.steps = keys.integer("steps");
  request.guidanceScale = keys.real("guidance");
  request.guidanceRescale = keys.real("guidanceRescale");
  request.scheduler = keys.text("scheduler");
  if (keys.has("clipSkip")) {
    request.clipSkip = keys.integer("clipSkip");
  }
  Keys model(keys.object("model"));
  metadata.modelName = model.text("name");
  metadata.modelHash = model.text("hash");
  keys.absorb(model);
  metadata.computeType = keys.taken("computeType", domain::computeTypeFromString(keys.text("computeType")));
  metadata.noise = keys.taken("noise", domain::noiseKindFromString(keys.text("noise")));
  metadata.threads = keys.integer("threads");
  metadata.batch = keys.integer("batch");
  metadata.vaeSlicing = keys.flag("vaeSlicing");
  metadata.vaeTiling = keys.flag("vaeTiling");
  if (keys.wrongKey()) {
    return corrupt("wrong or missing: " + *keys.wrongKey());
  }
  return metadata;
}

}  // namespace polyptych::picture
