#include "core/prompt/prompt_list.h"

#include <algorithm>
#include <array>

#include "core/base/utf8.h"
#include "core/domain/request.h"

namespace polyptych::prompt {
namespace {

/// UTF-8 of the characters with Unicode's property White_Space, but for LF, which ends the line.
constexpr std::array<std::string_view, 24> kBlanks = {
    " ",      "\t",     "\r",     "\v",     "\f",     "\u0085", "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
    "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"};

/// Precondition: valid UTF-8, so that no blank's bytes are found inside another character.
std::string_view trimmed(std::string_view line) {
  const auto begins = [&line](std::string_view blank) { return line.starts_with(blank); };
  const auto ends = [&line](std::string_view blank) { return line.ends_with(blank); };
  for (auto blank = kBlanks.begin(); (blank = std::find_if(kBlanks.begin(), kBlanks.end(), begins)) != kBlanks.end();) {
    line.remove_prefix(blank->size());
  }
  for (auto blank = kBlanks.begin(); (blank = std::find_if(kBlanks.begin(), kBlanks.end(), ends)) != kBlanks.end();) {
    line.remove_suffix(blank->size());
  }
  return line;
}

base::Error refuse(std::string_view source, std::size_t lineNumber, const std::string& why) {
  return {base::ErrorCode::InvalidArgument, "Line " + std::to_string(lineNumber) + " of " + std::string(source) + " " + why, {}};
}

}  // namespace

base::Result<std::vector<std::string>> parsePromptList(std::string_view text, std::string_view source) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.size() > kMaxListBytes) {
    return base::Error{
        base::ErrorCode::InvalidArgument,
        std::string(source) + " is larger than " + std::to_string(kMaxListBytes >> 20) + " MiB. Split it into several lists.",
        {}};
  }
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  std::vector<std::string> prompts;
  std::size_t lineNumber = 0;
  while (!text.empty()) {
    ++lineNumber;
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (const auto bad = base::firstInvalidUtf8(line)) {
      return refuse(source, lineNumber,
                    "is not UTF-8 (byte " + std::to_string(*bad + 1) + " of the line). Save the list as UTF-8 and try again.");
    }
    if (line.find('\0') != std::string_view::npos) {
      return refuse(source, lineNumber, "has a zero byte in it. Give a plain text file with one prompt a line.");
    }
    const std::string_view prompt = trimmed(line);
    if (prompt.empty()) {
      continue;
    }
    if (prompt.size() > domain::kMaxPromptBytes) {
      return refuse(source, lineNumber,
                    "is longer than " + std::to_string(domain::kMaxPromptBytes) + " bytes, the most a prompt may have.");
    }
    if (prompts.size() == kMaxPrompts) {
      return refuse(source, lineNumber, "is past the " + std::to_string(kMaxPrompts) + " prompts that one run may have.");
    }
    prompts.emplace_back(prompt);
  }
  if (prompts.empty()) {
    return base::Error{
        base::ErrorCode::InvalidArgument, std::string(source) + " has no prompt in it. Write one prompt on each line.", {}};
  }
  return prompts;
}

}  // namespace polyptych::prompt
