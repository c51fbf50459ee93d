#include "core/cluster/node_list.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace polyptych::cluster {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

Error wrong(std::string_view list, const std::string& problem) {
  constexpr std::size_t kShown = 200;
  return {ErrorCode::InvalidArgument,
          "The list of nodes '" + std::string(list.substr(0, kShown)) + "' cannot be read: " + problem + ".",
          {}};
}

bool isDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<unsigned long> numberOf(std::string_view digits) {
  unsigned long number = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return problem == std::errc() && end == digits.data() + digits.size() ? std::optional(number) : std::nullopt;
}

std::string padded(unsigned long number, std::size_t width) {
  std::string text = std::to_string(number);
  return text.size() < width ? std::string(width - text.size(), '0') + text : text;
}

/// What stands in one pair of brackets: "01-03,7".
Result<std::vector<std::string>> expandRanges(std::string_view list, std::string_view ranges) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin <= ranges.size();) {
    const std::size_t comma = std::min(ranges.find(',', begin), ranges.size());
    const std::string_view range = ranges.substr(begin, comma - begin);
    begin = comma + 1;
    const std::size_t dash = range.find('-');
    const std::string_view first = range.substr(0, dash);
    const std::string_view last = dash == std::string_view::npos ? first : range.substr(dash + 1);
    if (!isDigits(first) || !isDigits(last)) {
      return wrong(list, "'" + std::string(range) + "' is no number and no range of numbers");
    }
    const std::optional<unsigned long> from = numberOf(first);
    const std::optional<unsigned long> to = numberOf(last);
    if (!from || !to || *to < *from) {
      return wrong(list, "the range '" + std::string(range) + "' runs backwards or is too large");
    }
    if (*to - *from >= kMaxNodes || words.size() + (*to - *from) >= kMaxNodes) {
      return wrong(list, "it names more than " + std::to_string(kMaxNodes) + " nodes");
    }
    for (unsigned long number = *from; number <= *to; ++number) {
      words.push_back(padded(number, first.size()));
    }
  }
  return words;
}

/// One name with any number of brackets.
Result<std::vector<std::string>> expandName(std::string_view list, std::string_view name) {
  std::vector<std::string> hosts{std::string()};
  while (!name.empty()) {
    const std::size_t open = name.find('[');
    const std::string_view plain = name.substr(0, open);
    if (plain.find(']') != std::string_view::npos) {
      return wrong(list, "a bracket is closed that was not opened");
    }
    for (std::string& host : hosts) {
      host += plain;
    }
    if (open == std::string_view::npos) {
      break;
    }
    const std::size_t close = name.find(']', open);
    if (close == std::string_view::npos) {
      return wrong(list, "a bracket is not closed");
    }
    const Result<std::vector<std::string>> words = expandRanges(list, name.substr(open + 1, close - open - 1));
    if (!words) {
      return words.error();
    }
    if (hosts.size() * words->size() > kMaxNodes) {
      return wrong(list, "it names more than " + std::to_string(kMaxNodes) + " nodes");
    }
    std::vector<std::string> longer;
    longer.reserve(hosts.size() * words->size());
    for (const std::string& host : hosts) {
      for (const std::string& word : *words) {
        longer.push_back(host + word);
      }
    }
    hosts = std::move(longer);
    name.remove_prefix(close + 1);
  }
  return hosts;
}

}  // namespace

Result<std::vector<std::string>> expandNodeList(std::string_view list) {
  std::vector<std::string> hosts;
  bool isInside = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= list.size(); ++i) {
    if (i < list.size() && list[i] != ',') {
      isInside = list[i] == '[' || (isInside && list[i] != ']');
      continue;
    }
    if (i < list.size() && isInside) {
      continue;
    }
    const std::string_view name = list.substr(begin, i - begin);
    begin = i + 1;
    if (name.empty()) {
      return wrong(list, list.empty() ? "it is empty" : "a name is missing beside a comma");
    }
    const Result<std::vector<std::string>> more = expandName(list, name);
    if (!more) {
      return more.error();
    }
    if (hosts.size() + more->size() > kMaxNodes) {
      return wrong(list, "it names more than " + std::to_string(kMaxNodes) + " nodes");
    }
    hosts.insert(hosts.end(), more->begin(), more->end());
  }
  return hosts;
}

}  // namespace polyptych::cluster
