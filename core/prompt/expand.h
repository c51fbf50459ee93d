#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/domain/request.h"

namespace polyptych::prompt {

/// Most pictures one run may have.
inline constexpr std::int64_t kMaxPictures = 10'000'000;
inline constexpr int kMaxImagesPerPrompt = 10'000;

/// What a run's pictures share, and how many there are of each prompt.
struct RunOptions {
  std::vector<std::string> prompts;
  int imagesPerPrompt = 1;
  /// Seed of picture 0; picture i has baseSeed + i modulo 2^64.
  std::uint64_t baseSeed = 0;
  /// Every other field of a request. Its index, promptIndex, prompt and seed are not read.
  domain::GenerationRequest settings;
};

/// One request a picture, in order: index = position of the prompt x imagesPerPrompt + picture of that prompt.
/// @return InvalidArgument: no prompts, imagesPerPrompt out of 1 to kMaxImagesPerPrompt, more than kMaxPictures, or what
/// domain::validate() says of a request
base::Result<std::vector<domain::GenerationRequest>> expandRun(const RunOptions& options);

}  // namespace polyptych::prompt
