#include "core/diffusion/schedulers/config_values.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/diffusion/failure.h"

namespace polyptych::diffusion {
namespace {

using nlohmann::json;

/// Python's words for infinities, as checkpoint::parseSchedulerConfig() hands them on.
std::optional<double> infinity(const std::string& text) {
  if (text == "\"-Infinity\"") {
    return -std::numeric_limits<double>::infinity();
  }
  if (text == "\"Infinity\"") {
    return std::numeric_limits<double>::infinity();
  }
  return std::nullopt;
}

}  // namespace

const std::string* ConfigValues::find(const std::string& key) const {
  const auto found = m_values.find(key);
  return found == m_values.end() ? nullptr : &found->second;
}

bool ConfigValues::isNull(const std::string& key) const {
  const std::string* found = find(key);
  return found != nullptr && *found == "null";
}

void ConfigValues::wrongType(const std::string& key, const char* wanted) const {
  throw EngineFailure({base::ErrorCode::Corrupt,
                       "The scheduler's configuration has " + key + " = " + *find(key) + ", which should be " + wanted + ".",
                       {}});
}

void ConfigValues::refuse(const std::string& key, const std::string& value, const std::string& allowed) const {
  throw EngineFailure({base::ErrorCode::Unsupported,
                       "The scheduler " + m_className + " cannot use " + key + " = " + value + "; it takes " + allowed +
                           ". Choose another scheduler or change the model's scheduler_config.json.",
                       {}});
}

std::optional<double> ConfigValues::optionalNumber(const std::string& key) const {
  const std::string* found = find(key);
  if (found == nullptr || *found == "null") {
    return std::nullopt;
  }
  if (const auto special = infinity(*found)) {
    return special;
  }
  const json value = json::parse(*found, nullptr, false);
  if (!value.is_number()) {
    wrongType(key, "a number");
  }
  return value.get<double>();
}

double ConfigValues::number(const std::string& key, double fallback) const {
  if (find(key) == nullptr) {
    return fallback;
  }
  const auto value = optionalNumber(key);
  if (!value) {
    wrongType(key, "a number");
  }
  return *value;
}

int ConfigValues::integer(const std::string& key, int fallback) const {
  const double value = number(key, fallback);
  if (!(value >= -1e9 && value <= 1e9) || value != static_cast<double>(static_cast<int>(value))) {
    wrongType(key, "a whole number");
  }
  return static_cast<int>(value);
}

bool ConfigValues::flag(const std::string& key, bool fallback) const {
  const std::string* found = find(key);
  if (found == nullptr) {
    return fallback;
  }
  if (*found == "null") {
    return false;
  }
  const json value = json::parse(*found, nullptr, false);
  if (!value.is_boolean()) {
    wrongType(key, "true or false");
  }
  return value.get<bool>();
}

std::string ConfigValues::text(const std::string& key, const std::string& fallback) const {
  const std::string* found = find(key);
  if (found == nullptr) {
    return fallback;
  }
  const json value = json::parse(*found, nullptr, false);
  if (!value.is_string()) {
    wrongType(key, "a text");
  }
  return value.get<std::string>();
}

std::string ConfigValues::choice(const std::string& key, const std::string& fallback,
                                 std::initializer_list<std::string_view> allowed) const {
  const std::string value = text(key, fallback);
  if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
    std::string list;
    for (const auto word : allowed) {
      list += (list.empty() ? "" : ", ") + std::string(word);
    }
    refuse(key, value, list);
  }
  return value;
}

std::optional<std::vector<double>> ConfigValues::numbers(const std::string& key) const {
  const std::string* found = find(key);
  if (found == nullptr || *found == "null") {
    return std::nullopt;
  }
  const json value = json::parse(*found, nullptr, false);
  if (!value.is_array() || !std::all_of(value.begin(), value.end(), [](const json& item) { return item.is_number(); })) {
    wrongType(key, "a list of numbers");
  }
  return value.get<std::vector<double>>();
}

void ConfigValues::refuseFlag(const std::string& key) const {
  if (flag(key, false)) {
    refuse(key, "true", "false");
  }
}

}  // namespace polyptych::diffusion
