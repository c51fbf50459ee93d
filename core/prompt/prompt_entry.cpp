#include "core/prompt/prompt_entry.h"

#include <algorithm>

namespace polyptych::prompt {
namespace {

base::Error refuse(std::string message) { return {base::ErrorCode::InvalidArgument, std::move(message), {}}; }

domain::GenerationRequest requestOf(const PromptEntry& entry, const domain::GenerationRequest& settings) {
  domain::GenerationRequest request = settings;
  request.prompt = entry.prompt;
  if (entry.negativePrompt) {
    request.negativePrompt = entry.negativePrompt;
  }
  request.width = entry.width.value_or(request.width);
  request.height = entry.height.value_or(request.height);
  request.steps = entry.steps.value_or(request.steps);
  request.guidanceScale = entry.guidanceScale.value_or(request.guidanceScale);
  request.scheduler = entry.scheduler.value_or(request.scheduler);
  return request;
}

base::Result<int> imagesOf(const PromptEntry& entry, int imagesPerPrompt) {
  const int images = entry.images.value_or(imagesPerPrompt);
  if (images < 1 || images > kMaxImagesPerPrompt) {
    return refuse("The number of images per prompt is " + std::to_string(images) + "; it must be from 1 to " +
                  std::to_string(kMaxImagesPerPrompt) + ".");
  }
  return images;
}

}  // namespace

std::int64_t countPictures(const std::vector<PromptEntry>& entries, int imagesPerPrompt) {
  std::int64_t pictures = 0;
  for (const PromptEntry& entry : entries) {
    pictures += entry.isEnabled ? entry.images.value_or(imagesPerPrompt) : 0;
  }
  return pictures;
}

base::Result<std::vector<domain::GenerationRequest>> expandEntries(const EntryRunOptions& options) {
  const auto isEnabled = [](const PromptEntry& entry) { return entry.isEnabled; };
  if (std::ranges::none_of(options.entries, isEnabled)) {
    return refuse("There is no prompt. Give at least one.");
  }
  if (countPictures(options.entries, options.imagesPerPrompt) > kMaxPictures) {
    return refuse("That is more than " + std::to_string(kMaxPictures) +
                  " pictures, the most that one run may have. Use fewer prompts or fewer images per prompt.");
  }
  std::vector<domain::GenerationRequest> requests;
  std::int64_t promptIndex = 0;
  for (std::size_t number = 0; number < options.entries.size(); ++number) {
    const PromptEntry& entry = options.entries[number];
    if (!entry.isEnabled) {
      continue;
    }
    domain::GenerationRequest request = requestOf(entry, options.settings);
    request.promptIndex = promptIndex++;
    const auto images = imagesOf(entry, options.imagesPerPrompt);
    const auto checked = images ? domain::validate(request) : base::Result<void>(images.error());
    if (!checked) {
      return refuse("Prompt " + std::to_string(number + 1) + ": " + checked.error().message);
    }
    for (int picture = 0; picture < *images; ++picture) {
      request.index = static_cast<std::int64_t>(requests.size());
      const auto place = static_cast<std::uint64_t>(picture);
      request.seed = entry.seed                              ? *entry.seed + place
                     : options.seedRule == SeedRule::Restart ? options.baseSeed + place
                                                             : options.baseSeed + static_cast<std::uint64_t>(request.index);
      requests.push_back(request);
    }
  }
  return requests;
}

}  // namespace polyptych::prompt
