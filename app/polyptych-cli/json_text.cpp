#include "app/polyptych-cli/json_text.h"

#include "core/base/utf8.h"

namespace polyptych::cli {

std::string jsonText(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  while (!text.empty()) {
    const auto bad = base::firstInvalidUtf8(text);
    for (const char c : text.substr(0, bad.value_or(text.size()))) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
      } else if (byte < 0x20 || byte == 0x7F) {
        out += "\\u00";
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
      } else {
        out += c;
      }
    }
    if (!bad) {
      break;
    }
    out += "\xEF\xBF\xBD";
    text.remove_prefix(*bad + 1);
  }
  return out + "\"";
}

JsonObject& JsonObject::text(std::string_view key, std::string_view value) { return raw(key, jsonText(value)); }

JsonObject& JsonObject::number(std::string_view key, double value) {
  if (!std::isfinite(value)) {
    return raw(key, "null");
  }
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  return raw(key, std::string_view(digits, static_cast<std::size_t>(end.ptr - digits)));
}

JsonObject& JsonObject::raw(std::string_view key, std::string_view json) {
  m_members += (m_members.empty() ? "" : ",") + jsonText(key) + ":" + std::string(json);
  return *this;
}

}  // namespace polyptych::cli
