#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <string>
#include <string_view>

namespace polyptych::cli {

/// JSON as text, keys in the order they are added, whole numbers of 64 bits kept exact (Qt's JSON keeps 63). Bytes of a text that
/// are not UTF-8 become U+FFFD.
class JsonObject {
 public:
  JsonObject& text(std::string_view key, std::string_view value);
  JsonObject& flag(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
  /// Infinities and NaN become null.
  JsonObject& number(std::string_view key, double value);
  template <std::integral T>
  JsonObject& number(std::string_view key, T value) {
    return raw(key, std::to_string(value));
  }
  /// A value that is JSON already.
  JsonObject& raw(std::string_view key, std::string_view json);

  std::string done() const { return "{" + m_members + "}"; }

 private:
  std::string m_members;
};

/// "..." with everything escaped that JSON wants escaped.
std::string jsonText(std::string_view text);
/// [a,b,c] of values that are JSON already, each on a line of its own if `isTall`.
template <typename List>
std::string jsonArray(const List& values, bool isTall) {
  std::string out;
  for (const auto& value : values) {
    out += (out.empty() ? "" : ",") + std::string(isTall ? "\n  " : "") + std::string(value);
  }
  return "[" + out + (isTall && !out.empty() ? "\n]" : "]");
}

}  // namespace polyptych::cli
