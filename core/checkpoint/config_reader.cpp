#include "core/checkpoint/config_reader.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/checkpoint/json_check.h"

namespace polyptych::checkpoint {

using base::Error;
using base::ErrorCode;
using nlohmann::json;

struct ConfigReader::Json {
  json value = json::object();
};

namespace {

constexpr std::size_t kMaxShownBytes = 80;

std::string shown(const json& value) {
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > kMaxShownBytes) {
    text.resize(kMaxShownBytes);
    text += "...";
  }
  return text;
}

std::optional<int> asInt(const json& value, int least, int most) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (most >= 0 && number <= static_cast<std::uint64_t>(most) && static_cast<std::int64_t>(number) >= least) {
      return static_cast<int>(number);
    }
  } else if (value.is_number_integer()) {
    const auto number = value.get<std::int64_t>();
    if (number >= least && number <= most) {
      return static_cast<int>(number);
    }
  }
  return std::nullopt;
}

std::string rangeText(int least, int most) {
  return "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
}

}  // namespace

ConfigReader::ConfigReader(std::string_view text, std::string_view where) : m_where(where), m_json(std::make_unique<Json>()) {
  if (auto checked = checkJson(text, where); !checked) {
    m_error = checked.error();
    return;
  }
  json value = json::parse(text.begin(), text.end(), nullptr, false);
  if (!value.is_object()) {
    fail(ErrorCode::Corrupt, "is not a JSON object.");
    return;
  }
  m_json->value = std::move(value);
}

ConfigReader::~ConfigReader() = default;

bool ConfigReader::has(const char* key) const { return m_json->value.contains(key); }

bool ConfigReader::isNull(const char* key) const { return has(key) && m_json->value[key].is_null(); }

bool ConfigReader::isInteger(const char* key) const { return has(key) && m_json->value[key].is_number_integer(); }

bool ConfigReader::isArray(const char* key) const { return has(key) && m_json->value[key].is_array(); }

bool ConfigReader::enter(const char* key) {
  if (!has(key) || !m_json->value[key].is_object()) {
    return false;
  }
  json inner = std::move(m_json->value[key]);
  m_json->value = std::move(inner);
  return true;
}

bool ConfigReader::wants(const char* key) const { return isOk() && has(key); }

void ConfigReader::wrongType(const char* key, const char* wanted) {
  fail(ErrorCode::Corrupt, "has " + std::string(key) + " = " + shown(m_json->value[key]) + "; " + wanted + " is expected.");
}

void ConfigReader::read(const char* key, bool& value) {
  if (!wants(key)) {
    return;
  }
  const json& found = m_json->value[key];
  if (!found.is_boolean()) {
    return wrongType(key, "true or false");
  }
  value = found.get<bool>();
}

void ConfigReader::read(const char* key, int& value, int least, int most) {
  if (!wants(key)) {
    return;
  }
  const auto number = asInt(m_json->value[key], least, most);
  if (!number) {
    return wrongType(key, rangeText(least, most).c_str());
  }
  value = *number;
}

void ConfigReader::read(const char* key, double& value) {
  if (!wants(key)) {
    return;
  }
  const json& found = m_json->value[key];
  if (!found.is_number() || !std::isfinite(found.get<double>())) {
    return wrongType(key, "a number");
  }
  value = found.get<double>();
}

void ConfigReader::read(const char* key, std::string& value) {
  if (!wants(key)) {
    return;
  }
  const json& found = m_json->value[key];
  if (!found.is_string()) {
    return wrongType(key, "a text");
  }
  value = found.get<std::string>();
}

void ConfigReader::read(const char* key, std::optional<int>& value, int least, int most) {
  if (!wants(key)) {
    return;
  }
  if (isNull(key)) {
    value.reset();
    return;
  }
  int number = 0;
  read(key, number, least, most);
  value = number;
}

void ConfigReader::read(const char* key, std::optional<double>& value) {
  if (!wants(key)) {
    return;
  }
  if (isNull(key)) {
    value.reset();
    return;
  }
  double number = 0;
  read(key, number);
  value = number;
}

void ConfigReader::read(const char* key, std::optional<std::string>& value) {
  if (!wants(key)) {
    return;
  }
  if (isNull(key)) {
    value.reset();
    return;
  }
  std::string text;
  read(key, text);
  value = std::move(text);
}

void ConfigReader::read(const char* key, std::vector<std::string>& value, std::size_t most) {
  if (!wants(key)) {
    return;
  }
  const json& found = m_json->value[key];
  const bool fits = found.is_array() && !found.empty() && found.size() <= most &&
                    std::all_of(found.begin(), found.end(), [](const json& entry) { return entry.is_string(); });
  if (!fits) {
    return wrongType(key, ("a list of 1 to " + std::to_string(most) + " texts").c_str());
  }
  value = found.get<std::vector<std::string>>();
}

void ConfigReader::read(const char* key, std::vector<double>& value, std::size_t most) {
  if (!wants(key)) {
    return;
  }
  const json& found = m_json->value[key];
  if (found.is_null()) {
    value.clear();
    return;
  }
  const bool fits = found.is_array() && found.size() <= most && std::all_of(found.begin(), found.end(), [](const json& entry) {
                      return entry.is_number() && std::isfinite(entry.get<double>());
                    });
  if (!fits) {
    return wrongType(key, ("a list of at most " + std::to_string(most) + " numbers").c_str());
  }
  value = found.get<std::vector<double>>();
}

void ConfigReader::readEach(const char* key, std::vector<int>& value, std::size_t count, int least, int most) {
  if (!wants(key)) {
    value.resize(count, value.empty() ? least : value.front());
    return;
  }
  std::vector<int> list;
  readList(key, list, count, least, most);
  if (!isOk()) {
    return;
  }
  if (!isArray(key)) {
    value.assign(count, list.front());
  } else if (list.size() == count) {
    value = std::move(list);
  } else {
    wrongType(key, ("one number or a list of " + std::to_string(count)).c_str());
  }
}

void ConfigReader::readEach(const char* key, std::vector<bool>& value, std::size_t count) {
  if (!wants(key)) {
    value.resize(count, !value.empty() && value.front());
    return;
  }
  const json& found = m_json->value[key];
  if (found.is_boolean()) {
    value.assign(count, found.get<bool>());
    return;
  }
  const bool fits = found.is_array() && found.size() == count &&
                    std::all_of(found.begin(), found.end(), [](const json& entry) { return entry.is_boolean(); });
  if (!fits) {
    return wrongType(key, ("true, false or a list of " + std::to_string(count)).c_str());
  }
  value.clear();
  for (const json& entry : found) {
    value.push_back(entry.get<bool>());
  }
}

void ConfigReader::readList(const char* key, std::vector<int>& value, std::size_t mostCount, int least, int most) {
  if (!wants(key)) {
    return;
  }
  const json& found = m_json->value[key];
  const std::string wanted = rangeText(least, most) + ", or a list of 1 to " + std::to_string(mostCount) + " such numbers,";
  std::vector<int> list;
  if (!found.is_array()) {
    if (const auto number = asInt(found, least, most)) {
      list.push_back(*number);
    }
  } else if (found.size() <= mostCount) {
    for (const json& entry : found) {
      const auto number = asInt(entry, least, most);
      if (!number) {
        return wrongType(key, wanted.c_str());
      }
      list.push_back(*number);
    }
  }
  if (list.empty()) {
    return wrongType(key, wanted.c_str());
  }
  value = std::move(list);
}

std::vector<int> ConfigReader::readNested(const char* key, std::size_t index, std::size_t mostCount, int least, int most) {
  if (!wants(key)) {
    return {};
  }
  const json& found = m_json->value[key];
  if (!found.is_array() || index >= found.size()) {
    return {};
  }
  const json& place = found[index];
  std::vector<int> list;
  if (!place.is_array()) {
    if (const auto number = asInt(place, least, most)) {
      list.push_back(*number);
    }
    return list;
  }
  if (place.size() > mostCount) {
    return {};
  }
  for (const json& entry : place) {
    const auto number = asInt(entry, least, most);
    if (!number) {
      return {};
    }
    list.push_back(*number);
  }
  return list;
}

std::optional<std::size_t> ConfigReader::listSize(const char* key) const {
  if (!isArray(key)) {
    return std::nullopt;
  }
  return m_json->value[key].size();
}

void ConfigReader::refuseUnlessNull(const char* key) {
  if (wants(key) && !isNull(key)) {
    fail(ErrorCode::Unsupported,
         "has " + std::string(key) + " = " + shown(m_json->value[key]) + "; models that use " + key + " are not supported.");
  }
}

void ConfigReader::refuseUnless(const char* key, std::string_view only) {
  if (wants(key) && !isNull(key) && m_json->value[key] != json(only)) {
    fail(ErrorCode::Unsupported,
         "has " + std::string(key) + " = " + shown(m_json->value[key]) + "; only \"" + std::string(only) + "\" is supported.");
  }
}

void ConfigReader::refuseIfTrue(const char* key) {
  bool value = false;
  read(key, value);
  if (value) {
    fail(ErrorCode::Unsupported, "has " + std::string(key) + " = true; models that use " + key + " are not supported.");
  }
}

void ConfigReader::allow(const char* key, const std::string& value, const std::vector<std::string_view>& allowed) {
  if (!isOk() || std::find(allowed.begin(), allowed.end(), value) != allowed.end()) {
    return;
  }
  std::string list;
  for (const std::string_view name : allowed) {
    list += (list.empty() ? "\"" : ", \"") + std::string(name) + "\"";
  }
  fail(ErrorCode::Unsupported,
       "has " + shown(json(value)) + " in " + key + ", which is not supported; supported are " + list + ".");
}

void ConfigReader::fail(ErrorCode code, std::string sentence) {
  if (!m_error) {
    m_error = Error{code, m_where + " " + std::move(sentence), {}};
  }
}

void readActivation(ConfigReader& reader, const char* key, std::string& value) {
  reader.read(key, value);
  if (value == "swish") {
    value = "silu";
  }
  reader.allow(key, value, {"silu", "mish", "gelu", "relu"});
}

void readActivation(ConfigReader& reader, const char* key, std::optional<std::string>& value) {
  reader.read(key, value);
  if (value) {
    readActivation(reader, key, *value);
  }
}

}  // namespace polyptych::checkpoint
