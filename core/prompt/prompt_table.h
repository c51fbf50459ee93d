#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/prompt/prompt_entry.h"

namespace polyptych::prompt {

/// Limits of a table of prompts, beside those of prompt_list.h.
inline constexpr std::size_t kMaxTableColumns = 256;

/// A file of values with a separator between them (RFC 4180), as it stands there.
struct CsvTable {
  char separator = ',';
  std::vector<std::vector<std::string>> rows;  ///< not all need be of one length; empty lines are left out
  std::vector<std::size_t> lines;              ///< where each row begins, from 1
};

/// Reads quoted fields with doubled quotes and line ends in them. The separator is the one of comma, semicolon and tab that the
/// first line has most of, outside quotes. A byte order mark is skipped.
/// @return InvalidArgument with the line: not UTF-8, a zero byte, a quote that is never closed, too many rows or columns, too big
base::Result<CsvTable> parseCsv(std::string_view text, std::string_view source);

/// What a column of a table means.
enum class PromptColumn {
  Ignored,
  Prompt,
  Negative,
  Width,
  Height,
  Size,
  Seed,
  Steps,
  Guidance,
  Scheduler,
  Images,
  Model,
  Enabled
};

/// What the cells of a heading are called in this and other programs ("prompt", "Negative prompt", "cfg scale", "프롬프트"); a
/// table whose first row tells nothing has its prompts in the column with the longest texts.
std::vector<PromptColumn> guessColumns(const CsvTable& table);
/// Whether the first row says what the columns are: one of its cells is a name that guessColumns() knows.
bool hasHeading(const CsvTable& table);

/// Rows without a prompt are left out; an empty cell says nothing.
/// @param columns  one a column; those that are missing are ignored
/// @return InvalidArgument with line and column of the first cell that cannot be meant; no Prompt column; no prompt
base::Result<std::vector<PromptEntry>> entriesOf(const CsvTable& table, const std::vector<PromptColumn>& columns,
                                                 bool firstRowIsHeading, std::string_view source);

/// One JSON object (or string: a prompt) a line. Keys: prompt, negative_prompt, width, height, seed, steps (num_inference_steps),
/// guidance_scale, scheduler, images (num_images_per_prompt), model, enabled; others are ignored.
/// @return InvalidArgument with the line
base::Result<std::vector<PromptEntry>> parseJsonLines(std::string_view text, std::string_view source);

/// What parseJsonLines() reads, a line for each entry with only what it says.
std::string toJsonLines(const std::vector<PromptEntry>& entries);

/// "512x768", "512 × 768" -> width and height. @return false if it is neither
bool readSize(std::string_view text, int& width, int& height);

}  // namespace polyptych::prompt
