#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/domain/request.h"
#include "core/prompt/expand.h"

namespace polyptych::prompt {

/// A prompt of a list, and what of it differs from the settings that the list shares.
struct PromptEntry {
  std::string prompt;
  bool isEnabled = true;
  std::optional<std::string> negativePrompt;
  std::optional<int> width;  ///< pixels; height too, or neither
  std::optional<int> height;
  std::optional<std::uint64_t> seed;  ///< of its first picture; picture k of it has seed + k modulo 2^64
  std::optional<int> steps;
  std::optional<double> guidanceScale;
  std::optional<std::string> scheduler;
  std::optional<int> images;
  std::optional<std::string> model;  ///< as people refer to it; a run has one, so expandEntries() does not read it

  friend bool operator==(const PromptEntry&, const PromptEntry&) = default;
};

/// Which seeds the pictures of entries without one of their own get.
enum class SeedRule {
  Continue,  ///< picture i of the run has the base seed + i
  Restart,   ///< picture k of every prompt has the base seed + k
};

/// What the entries of a run share.
struct EntryRunOptions {
  std::vector<PromptEntry> entries;
  int imagesPerPrompt = 1;
  std::uint64_t baseSeed = 0;
  SeedRule seedRule = SeedRule::Continue;
  domain::GenerationRequest settings;  ///< its index, promptIndex, prompt and seed are not read
};

/// One request a picture of the enabled entries, in order; index counts from 0, promptIndex is the position among the enabled.
/// @return InvalidArgument as expandRun() has it; of an entry, with its number in the list, from 1
base::Result<std::vector<domain::GenerationRequest>> expandEntries(const EntryRunOptions& options);

/// Pictures of the enabled entries.
std::int64_t countPictures(const std::vector<PromptEntry>& entries, int imagesPerPrompt);

}  // namespace polyptych::prompt
