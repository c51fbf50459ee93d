#include "core/base/utf8.h"

namespace polyptych::base {
namespace {

using Byte = unsigned char;

/// Length of the well-formed sequence at `at`, 0 if there is none.
std::size_t sequenceLength(std::string_view text, std::size_t at) {
  const auto byteAt = [&](std::size_t i) -> Byte { return i < text.size() ? static_cast<Byte>(text[i]) : Byte{0}; };
  const auto isTail = [&](std::size_t i, Byte low = 0x80, Byte high = 0xBF) { return byteAt(i) >= low && byteAt(i) <= high; };
  const Byte lead = byteAt(at);
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    return isTail(at + 1) ? 2 : 0;
  }
  if (lead >= 0xE0 && lead <= 0xEF) {
    const Byte low = lead == 0xE0 ? 0xA0 : 0x80;
    const Byte high = lead == 0xED ? 0x9F : 0xBF;
    return isTail(at + 1, low, high) && isTail(at + 2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const Byte low = lead == 0xF0 ? 0x90 : 0x80;
    const Byte high = lead == 0xF4 ? 0x8F : 0xBF;
    return isTail(at + 1, low, high) && isTail(at + 2) && isTail(at + 3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::optional<std::size_t> firstInvalidUtf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = sequenceLength(text, at);
    if (length == 0) {
      return at;
    }
    at += length;
  }
  return std::nullopt;
}

std::string_view utf8Prefix(std::string_view text, std::size_t maxBytes) {
  if (text.size() <= maxBytes) {
    return text;
  }
  std::size_t end = maxBytes;
  while (end > 0 && (static_cast<Byte>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  return text.substr(0, end);
}

}  // namespace polyptych::base
