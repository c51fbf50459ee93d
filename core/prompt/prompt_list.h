#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace polyptych::prompt {

/// Limits of a prompt list.
inline constexpr std::size_t kMaxListBytes = 256u << 20;
inline constexpr std::size_t kMaxPrompts = 1'000'000;

/// One prompt a line: LF or CRLF ends a line, a byte order mark at the very beginning is skipped, lines of white space
/// (Unicode's) alone are skipped, blanks at the ends of a prompt are kept off. A line may be as long as domain::kMaxPromptBytes.
/// @param source  what messages call the text: "prompts.txt", "standard input"
/// @return InvalidArgument: not UTF-8, a zero byte or a prompt too long (each with its line number, from 1), too many prompts, or
/// no prompt at all
base::Result<std::vector<std::string>> parsePromptList(std::string_view text, std::string_view source);

}  // namespace polyptych::prompt
