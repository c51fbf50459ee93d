#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace polyptych::base {

/// Offset of the first byte that is not part of well-formed UTF-8 (Unicode 15, table 3-7: no overlong forms, no surrogates);
/// nothing if all is.
std::optional<std::size_t> firstInvalidUtf8(std::string_view text);

/// Prefix of `text` of at most `maxBytes` bytes that does not cut a code point. Precondition: `text` is valid UTF-8.
std::string_view utf8Prefix(std::string_view text, std::size_t maxBytes);

}  // namespace polyptych::base
