#include "core/prompt/expand.h"

namespace polyptych::prompt {
namespace {

base::Error refuse(std::string message) { return {base::ErrorCode::InvalidArgument, std::move(message), {}}; }

}  // namespace

base::Result<std::vector<domain::GenerationRequest>> expandRun(const RunOptions& options) {
  if (options.prompts.empty()) {
    return refuse("There is no prompt. Give at least one.");
  }
  if (options.imagesPerPrompt < 1 || options.imagesPerPrompt > kMaxImagesPerPrompt) {
    return refuse("The number of images per prompt is " + std::to_string(options.imagesPerPrompt) + "; it must be from 1 to " +
                  std::to_string(kMaxImagesPerPrompt) + ".");
  }
  const auto perPrompt = static_cast<std::size_t>(options.imagesPerPrompt);
  if (options.prompts.size() > static_cast<std::size_t>(kMaxPictures) / perPrompt) {
    return refuse("That is more than " + std::to_string(kMaxPictures) +
                  " pictures, the most that one run may have. Use fewer prompts or fewer images per prompt.");
  }
  std::vector<domain::GenerationRequest> requests;
  requests.reserve(options.prompts.size() * perPrompt);
  for (std::size_t prompt = 0; prompt < options.prompts.size(); ++prompt) {
    domain::GenerationRequest request = options.settings;
    request.promptIndex = static_cast<std::int64_t>(prompt);
    request.prompt = options.prompts[prompt];
    for (std::size_t picture = 0; picture < perPrompt; ++picture) {
      request.index = static_cast<std::int64_t>(prompt * perPrompt + picture);
      request.seed = options.baseSeed + static_cast<std::uint64_t>(request.index);
      if (picture == 0) {
        if (const auto checked = domain::validate(request); !checked) {
          return checked.error();
        }
      }
      requests.push_back(request);
    }
  }
  return requests;
}

}  // namespace polyptych::prompt
