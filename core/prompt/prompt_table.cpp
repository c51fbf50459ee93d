#include "core/prompt/prompt_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/utf8.h"
#include "core/domain/scheduler_name.h"
#include "core/prompt/prompt_list.h"

namespace polyptych::prompt {
namespace {

using nlohmann::json;

base::Error refuse(std::string_view source, std::size_t line, const std::string& why) {
  return {base::ErrorCode::InvalidArgument, "Line " + std::to_string(line) + " of " + std::string(source) + " " + why, {}};
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto first = text.find_first_not_of(kBlanks);
  return first == std::string_view::npos ? std::string_view() : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

base::Result<void> checkText(std::string_view text, std::string_view source) {
  if (text.size() > kMaxListBytes) {
    return base::Error{
        base::ErrorCode::InvalidArgument,
        std::string(source) + " is larger than " + std::to_string(kMaxListBytes >> 20) + " MiB. Split it into several lists.",
        {}};
  }
  const auto lineOf = [text](std::size_t offset) {
    return static_cast<std::size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n')) + 1;
  };
  if (const auto bad = base::firstInvalidUtf8(text)) {
    return refuse(source, lineOf(*bad), "is not UTF-8. Save the list as UTF-8 and try again.");
  }
  if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
    return refuse(source, lineOf(zero), "has a zero byte in it. Give a plain text file.");
  }
  return {};
}

std::string_view withoutMark(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  return text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text;
}

char separatorOf(std::string_view text) {
  std::array<std::pair<char, int>, 3> counts{{{',', 0}, {';', 0}, {'\t', 0}}};
  bool isQuoted = false;
  for (const char c : text) {
    if (c == '"') {
      isQuoted = !isQuoted;
    } else if (!isQuoted && c == '\n') {
      break;
    } else if (!isQuoted) {
      for (auto& [separator, count] : counts) {
        count += c == separator;
      }
    }
  }
  return std::ranges::max_element(counts, {}, &std::pair<char, int>::second)->first;
}

/// Reads fields one after the other.
class CsvReader {
 public:
  CsvReader(std::string_view text, char separator) : m_text(text), m_separator(separator) {}

  bool atEnd() const { return m_at >= m_text.size(); }
  std::size_t line() const { return m_line; }

  /// @return false: a quote is open at the end
  bool readField(std::string& field) {
    field.clear();
    if (!atEnd() && m_text[m_at] == '"') {
      ++m_at;
      for (;; ++m_at) {
        if (atEnd()) {
          return false;
        }
        if (m_text[m_at] == '"') {
          if (m_at + 1 < m_text.size() && m_text[m_at + 1] == '"') {
            ++m_at;
          } else {
            ++m_at;
            break;
          }
        }
        m_line += m_text[m_at] == '\n';
        field += m_text[m_at];
      }
    }
    while (!atEnd() && m_text[m_at] != m_separator && m_text[m_at] != '\n') {
      field += m_text[m_at++];
    }
    return true;
  }
  /// Behind a field. @return true: the row ends here
  bool endsRow() {
    if (atEnd()) {
      return true;
    }
    const bool ends = m_text[m_at++] == '\n';
    m_line += ends;
    return ends;
  }

 private:
  std::string_view m_text;
  char m_separator;
  std::size_t m_at = 0;
  std::size_t m_line = 1;
};

/// Small letters and digits alone: "CFG Scale" and "cfg_scale" are one name.
std::string nameOf(std::string_view cell) {
  std::string name;
  for (const char c : cell) {
    if (c >= 'A' && c <= 'Z') {
      name += static_cast<char>(c - 'A' + 'a');
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80) {
      name += c;
    }
  }
  return name;
}

PromptColumn columnOfName(std::string_view cell) {
  using Column = PromptColumn;
  static constexpr std::pair<std::string_view, Column> kNames[] = {
      {"prompt", Column::Prompt},
      {"positiveprompt", Column::Prompt},
      {"positive", Column::Prompt},
      {"text", Column::Prompt},
      {"caption", Column::Prompt},
      {"프롬프트", Column::Prompt},
      {"negative", Column::Negative},
      {"negativeprompt", Column::Negative},
      {"제외프롬프트", Column::Negative},
      {"width", Column::Width},
      {"w", Column::Width},
      {"너비", Column::Width},
      {"height", Column::Height},
      {"h", Column::Height},
      {"높이", Column::Height},
      {"size", Column::Size},
      {"resolution", Column::Size},
      {"크기", Column::Size},
      {"seed", Column::Seed},
      {"시드", Column::Seed},
      {"steps", Column::Steps},
      {"numinferencesteps", Column::Steps},
      {"스텝", Column::Steps},
      {"guidance", Column::Guidance},
      {"guidancescale", Column::Guidance},
      {"cfg", Column::Guidance},
      {"cfgscale", Column::Guidance},
      {"가이던스", Column::Guidance},
      {"scheduler", Column::Scheduler},
      {"sampler", Column::Scheduler},
      {"스케줄러", Column::Scheduler},
      {"images", Column::Images},
      {"pictures", Column::Images},
      {"numimagesperprompt", Column::Images},
      {"count", Column::Images},
      {"그림", Column::Images},
      {"model", Column::Model},
      {"모델", Column::Model},
      {"enabled", Column::Enabled},
  };
  const std::string name = nameOf(trimmed(cell));
  const auto* const found = std::ranges::find(kNames, std::string_view(name), &std::pair<std::string_view, Column>::first);
  return found == std::end(kNames) ? Column::Ignored : found->second;
}

template <typename Number>
bool readNumber(std::string_view text, Number& number) {
  text = trimmed(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool readBool(std::string_view text, bool& value) {
  const std::string name = nameOf(text);
  value = name == "1" || name == "true" || name == "yes" || name == "on";
  return value || name == "0" || name == "false" || name == "no" || name == "off";
}

bool isFinitePositive(double value) { return std::isfinite(value) && value >= 0; }

/// @return what a cell must be, in words; nothing if it was taken
std::string_view take(PromptEntry& entry, PromptColumn column, std::string_view cell) {
  const auto number = [cell](auto& field, std::string_view what) {
    typename std::remove_reference_t<decltype(field)>::value_type value{};
    if (!readNumber(cell, value)) {
      return what;
    }
    field = value;
    return std::string_view();
  };
  switch (column) {
    case PromptColumn::Ignored:
      return {};
    case PromptColumn::Prompt:
      entry.prompt = cell;
      return {};
    case PromptColumn::Negative:
      entry.negativePrompt = cell;
      return {};
    case PromptColumn::Width:
      return number(entry.width, "a width in pixels");
    case PromptColumn::Height:
      return number(entry.height, "a height in pixels");
    case PromptColumn::Size: {
      int width = 0;
      int height = 0;
      if (!readSize(cell, width, height)) {
        return "a size such as 512x768";
      }
      entry.width = width;
      entry.height = height;
      return {};
    }
    case PromptColumn::Seed:
      return number(entry.seed, "a seed: a whole number from 0");
    case PromptColumn::Steps:
      return number(entry.steps, "a number of steps");
    case PromptColumn::Guidance: {
      const auto wrong = number(entry.guidanceScale, "a guidance scale such as 7.5");
      return wrong.empty() && !isFinitePositive(*entry.guidanceScale) ? "a guidance scale such as 7.5" : wrong;
    }
    case PromptColumn::Scheduler: {
      const auto scheduler = domain::resolveScheduler(std::string(cell));
      if (!scheduler) {
        return "a scheduler that this program has";
      }
      entry.scheduler = scheduler->name;
      return {};
    }
    case PromptColumn::Images:
      return number(entry.images, "a number of pictures");
    case PromptColumn::Model:
      entry.model = cell;
      return {};
    case PromptColumn::Enabled:
      return readBool(cell, entry.isEnabled) ? std::string_view() : "yes or no";
  }
  return {};
}

/// Width and height come together, and what the limits of a request allow.
base::Result<void> check(const PromptEntry& entry, std::string_view source, std::size_t line) {
  if (entry.prompt.size() > domain::kMaxPromptBytes) {
    return refuse(source, line, "has a prompt longer than " + std::to_string(domain::kMaxPromptBytes) + " bytes.");
  }
  if (entry.width.has_value() != entry.height.has_value()) {
    return refuse(source, line, "has a width without a height, or a height without a width. Give both.");
  }
  if (entry.images && (*entry.images < 1 || *entry.images > kMaxImagesPerPrompt)) {
    return refuse(source, line,
                  "asks for a number of pictures that is not from 1 to " + std::to_string(kMaxImagesPerPrompt) + ".");
  }
  domain::GenerationRequest request;
  request.prompt = entry.prompt;
  request.negativePrompt = entry.negativePrompt;
  request.width = entry.width.value_or(request.width);
  request.height = entry.height.value_or(request.height);
  request.steps = entry.steps.value_or(request.steps);
  request.guidanceScale = entry.guidanceScale.value_or(request.guidanceScale);
  request.scheduler = entry.scheduler.value_or(domain::schedulerCatalogue().front().name);
  if (const auto checked = domain::validate(request); !checked) {
    return refuse(source, line, "cannot be made: " + checked.error().message);
  }
  return {};
}

base::Error noPrompt(std::string_view source) {
  return {base::ErrorCode::InvalidArgument, std::string(source) + " has no prompt in it.", {}};
}

template <typename Number>
bool takeNumber(const json& value, std::optional<Number>& field) {
  if constexpr (std::is_floating_point_v<Number>) {
    if (!value.is_number()) {
      return false;
    }
    field = value.get<Number>();
    return isFinitePositive(*field);
  } else {
    if (!value.is_number_integer() || (!value.is_number_unsigned() && value.get<std::int64_t>() < 0)) {
      return false;
    }
    const auto number = value.get<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(std::numeric_limits<Number>::max())) {
      return false;
    }
    field = static_cast<Number>(number);
    return true;
  }
}

/// @return the key whose value cannot be meant; "" if all can
std::string take(PromptEntry& entry, const json& object) {
  for (const auto& [key, value] : object.items()) {
    if (value.is_null()) {
      continue;
    }
    bool isGood = true;
    const auto text = [&isGood, &value = value](auto& field) {
      isGood = value.is_string();
      if (isGood) {
        field = value.template get<std::string>();
      }
    };
    if (key == "prompt") {
      text(entry.prompt);
    } else if (key == "negative_prompt") {
      text(entry.negativePrompt);
    } else if (key == "model") {
      text(entry.model);
    } else if (key == "scheduler") {
      text(entry.scheduler);
      const auto scheduler =
          isGood ? domain::resolveScheduler(*entry.scheduler) : base::Result<domain::SchedulerChoice>(base::Error{});
      isGood = isGood && scheduler;
      if (isGood) {
        entry.scheduler = scheduler->name;
      }
    } else if (key == "width") {
      isGood = takeNumber(value, entry.width);
    } else if (key == "height") {
      isGood = takeNumber(value, entry.height);
    } else if (key == "seed") {
      isGood = takeNumber(value, entry.seed);
    } else if (key == "steps" || key == "num_inference_steps") {
      isGood = takeNumber(value, entry.steps);
    } else if (key == "guidance_scale") {
      isGood = takeNumber(value, entry.guidanceScale);
    } else if (key == "images" || key == "num_images_per_prompt") {
      isGood = takeNumber(value, entry.images);
    } else if (key == "enabled") {
      isGood = value.is_boolean();
      entry.isEnabled = isGood && value.get<bool>();
    }
    if (!isGood) {
      return key;
    }
  }
  return {};
}

}  // namespace

bool readSize(std::string_view text, int& width, int& height) {
  constexpr std::string_view kSigns[] = {"×", "x", "X", "*"};
  for (const std::string_view sign : kSigns) {
    const auto at = text.find(sign);
    if (at != std::string_view::npos) {
      return readNumber(text.substr(0, at), width) && readNumber(text.substr(at + sign.size()), height);
    }
  }
  return false;
}

base::Result<CsvTable> parseCsv(std::string_view text, std::string_view source) {
  text = withoutMark(text);
  if (const auto checked = checkText(text, source); !checked) {
    return checked.error();
  }
  CsvTable table;
  table.separator = separatorOf(text);
  CsvReader reader(text, table.separator);
  std::string field;
  while (!reader.atEnd()) {
    const std::size_t line = reader.line();
    std::vector<std::string> row;
    do {
      if (row.size() == kMaxTableColumns) {
        return refuse(source, line, "has more than " + std::to_string(kMaxTableColumns) + " columns.");
      }
      if (!reader.readField(field)) {
        return refuse(source, line, "has a quotation mark that is never closed.");
      }
      row.emplace_back(trimmed(field));
    } while (!reader.endsRow());
    if (std::ranges::all_of(row, &std::string::empty)) {
      continue;
    }
    if (table.rows.size() == kMaxPrompts) {
      return refuse(source, line, "is past the " + std::to_string(kMaxPrompts) + " prompts that one run may have.");
    }
    table.rows.push_back(std::move(row));
    table.lines.push_back(line);
  }
  if (table.rows.empty()) {
    return noPrompt(source);
  }
  return table;
}

bool hasHeading(const CsvTable& table) {
  return !table.rows.empty() && std::ranges::any_of(table.rows.front(), [](const std::string& cell) {
    return columnOfName(cell) != PromptColumn::Ignored;
  });
}

std::vector<PromptColumn> guessColumns(const CsvTable& table) {
  std::size_t width = 0;
  for (const auto& row : table.rows) {
    width = std::max(width, row.size());
  }
  std::vector<PromptColumn> columns(width, PromptColumn::Ignored);
  bool hasPrompt = false;
  if (hasHeading(table)) {
    for (std::size_t i = 0; i < table.rows.front().size(); ++i) {
      const PromptColumn column = columnOfName(table.rows.front()[i]);
      if (std::ranges::find(columns, column) == columns.end()) {
        columns[i] = column;
        hasPrompt |= column == PromptColumn::Prompt;
      }
    }
  }
  if (!hasPrompt) {
    constexpr std::size_t kLookedAt = 100;
    std::vector<std::size_t> lengths(width, 0);
    for (std::size_t r = hasHeading(table) ? 1 : 0; r < std::min(table.rows.size(), kLookedAt); ++r) {
      for (std::size_t i = 0; i < table.rows[r].size(); ++i) {
        lengths[i] += columns[i] == PromptColumn::Ignored ? table.rows[r][i].size() : 0;
      }
    }
    if (const auto longest = std::ranges::max_element(lengths); longest != lengths.end() && *longest > 0) {
      columns[static_cast<std::size_t>(longest - lengths.begin())] = PromptColumn::Prompt;
    }
  }
  return columns;
}

base::Result<std::vector<PromptEntry>> entriesOf(const CsvTable& table, const std::vector<PromptColumn>& columns,
                                                 bool firstRowIsHeading, std::string_view source) {
  if (std::ranges::find(columns, PromptColumn::Prompt) == columns.end()) {
    return base::Error{base::ErrorCode::InvalidArgument, "No column holds the prompts. Say which one does.", {}};
  }
  std::vector<PromptEntry> entries;
  for (std::size_t r = firstRowIsHeading ? 1 : 0; r < table.rows.size(); ++r) {
    const auto& row = table.rows[r];
    PromptEntry entry;
    for (std::size_t i = 0; i < std::min(row.size(), columns.size()); ++i) {
      if (row[i].empty()) {
        continue;
      }
      if (const auto wanted = take(entry, columns[i], row[i]); !wanted.empty()) {
        return refuse(source, table.lines[r],
                      "has '" + std::string(base::utf8Prefix(row[i], 40)) + "' in column " + std::to_string(i + 1) +
                          ", which is not " + std::string(wanted) + ".");
      }
    }
    if (entry.prompt.empty()) {
      continue;
    }
    if (const auto checked = check(entry, source, table.lines[r]); !checked) {
      return checked.error();
    }
    entries.push_back(std::move(entry));
  }
  if (entries.empty()) {
    return noPrompt(source);
  }
  return entries;
}

base::Result<std::vector<PromptEntry>> parseJsonLines(std::string_view text, std::string_view source) {
  text = withoutMark(text);
  if (const auto checked = checkText(text, source); !checked) {
    return checked.error();
  }
  std::vector<PromptEntry> entries;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty()) {
      continue;
    }
    const json value = json::parse(line, nullptr, false);
    PromptEntry entry;
    if (value.is_string()) {
      entry.prompt = value.get<std::string>();
    } else if (!value.is_object()) {
      return refuse(source, number, "is not a JSON object such as {\"prompt\": \"a red boat\"}.");
    } else if (const std::string key = take(entry, value); !key.empty()) {
      return refuse(source, number, "has a value of '" + key + "' that cannot be used.");
    }
    entry.prompt = std::string(trimmed(entry.prompt));
    if (entry.prompt.empty()) {
      return refuse(source, number, "has no prompt.");
    }
    if (const auto checked = check(entry, source, number); !checked) {
      return checked.error();
    }
    if (entries.size() == kMaxPrompts) {
      return refuse(source, number, "is past the " + std::to_string(kMaxPrompts) + " prompts that one run may have.");
    }
    entries.push_back(std::move(entry));
  }
  if (entries.empty()) {
    return noPrompt(source);
  }
  return entries;
}

std::string toJsonLines(const std::vector<PromptEntry>& entries) {
  std::string text;
  for (const PromptEntry& entry : entries) {
    nlohmann::ordered_json object;
    object["prompt"] = entry.prompt;
    const auto put = [&object](const char* key, const auto& field) {
      if (field) {
        object[key] = *field;
      }
    };
    if (!entry.isEnabled) {
      object["enabled"] = false;
    }
    put("negative_prompt", entry.negativePrompt);
    put("width", entry.width);
    put("height", entry.height);
    put("seed", entry.seed);
    put("steps", entry.steps);
    put("guidance_scale", entry.guidanceScale);
    put("scheduler", entry.scheduler);
    put("images", entry.images);
    put("model", entry.model);
    text += object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    text += '\n';
  }
  return text;
}

}  // namespace polyptych::prompt
