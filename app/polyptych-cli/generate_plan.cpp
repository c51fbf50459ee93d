#include "app/polyptych-cli/generate_plan.h"

#include <charconv>

#include "app/polyptych-cli/inputs.h"
#include "app/polyptych-cli/query_commands.h"
#include "core/checkpoint/model_folder.h"
#include "core/domain/scheduler_name.h"
#include "core/models/model_identity.h"
#include "core/prompt/expand.h"

namespace polyptych::cli {
namespace {

base::Error wrong(std::string message) { return {base::ErrorCode::InvalidArgument, std::move(message), {}}; }

/// Steps that a distilled model's scheduler makes at most; nothing for other schedulers.
std::optional<int> mostSteps(const std::string& scheduler, const checkpoint::SchedulerConfig& config) {
  const auto choice = domain::resolveScheduler(scheduler);
  if (!choice || (choice->className != "LCM" && choice->className != "TCD")) {
    return std::nullopt;
  }
  int most = domain::kDefaultOriginalSteps;
  if (const auto given = config.values.find("original_inference_steps"); given != config.values.end()) {
    const std::string& text = given->second;
    int value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    most = read.ec == std::errc() && value > 0 ? value : most;
  }
  return most;
}

/// What the request asks for within what this model can do.
base::Result<void> checkAgainstModel(const domain::GenerationRequest& asked, const checkpoint::ModelFolder& model) {
  const int cell = model.vae.scaleFactor();
  if (asked.width % cell != 0 || asked.height % cell != 0) {
    return wrong("The size is " + std::to_string(asked.width) + "x" + std::to_string(asked.height) +
                 "; with this model --width and --height must be multiples of " + std::to_string(cell) + ".");
  }
  const int layers = model.textEncoder.numHiddenLayers;
  if (asked.clipSkip.value_or(0) > layers) {
    return wrong("--clip-skip is " + std::to_string(*asked.clipSkip) + "; this model's text encoder has " +
                 std::to_string(layers) + " layers, so it may be 0 to " + std::to_string(layers) + ".");
  }
  if (const auto most = mostSteps(asked.scheduler, model.scheduler); most && asked.steps > *most) {
    return wrong("--steps is " + std::to_string(asked.steps) + "; the scheduler " + asked.scheduler + " makes at most " +
                 std::to_string(*most) + " steps with this model.");
  }
  return {};
}

/// Of a model, for --initial-latents.
struct ModelSizes {
  std::int64_t latentChannels = 4;
  int cell = 8;  ///< pixels of a latent's side
};

std::optional<Refusal> planModel(Arguments& arguments, GeneratePlan& planned, ModelSizes& sizes) {
  const GenerateArguments& asked = arguments.generate;
  if (!arguments.model) {
    auto chosen = defaultModel();
    if (!chosen) {
      return Refusal{chosen.error(), ExitCode::WrongUsage};
    }
    arguments.model = *std::move(chosen);
  }
  const auto spec = resolveModel(*arguments.model);
  if (!spec) {
    return Refusal{spec.error(), exitCodeOfModelError(spec.error())};
  }
  planned.spec.plan.model = *spec;
  planned.spec.plan.model.variant = arguments.variant.value_or(spec->variant);
  const auto model = checkpoint::openModelFolder(spec->folder, planned.spec.plan.model.variant);
  if (!model) {
    return Refusal{model.error(), exitCodeOfModelError(model.error())};
  }
  planned.warnings = model->warnings;
  planned.settings.negativePrompt = asked.negative;
  planned.settings.width = asked.width.value_or(model->defaultWidth);
  planned.settings.height = asked.height.value_or(model->defaultHeight);
  planned.settings.steps = asked.steps;
  planned.settings.guidanceScale = asked.guidance;
  planned.settings.guidanceRescale = asked.guidanceRescale;
  planned.settings.scheduler = asked.scheduler ? *asked.scheduler : domain::defaultScheduler(model->scheduler.className).name;
  planned.settings.clipSkip = asked.clipSkip;
  sizes.latentChannels = model->unet.inChannels;
  sizes.cell = model->vae.scaleFactor();
  if (const auto fits = checkAgainstModel(planned.settings, *model); !fits) {
    return Refusal{fits.error(), ExitCode::WrongUsage};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> planGenerate(Arguments& arguments, GeneratePlan& planned) {
  const GenerateArguments& asked = arguments.generate;
  auto prompts = readPrompts(asked);
  if (!prompts) {
    return Refusal{prompts.error(), ExitCode::WrongUsage};
  }
  const bool isOneUnit = asked.trace || asked.initialLatents;
  const auto batch = static_cast<std::size_t>(asked.batch.value_or(1));
  const std::size_t pictures = prompts->size() * static_cast<std::size_t>(asked.imagesPerPrompt);
  if (isOneUnit && pictures > batch) {
    return Refusal{wrong(std::string(asked.trace ? "--trace" : "--initial-latents") +
                         " is for a single unit of work, and these are " + std::to_string(pictures) + " pictures in units of " +
                         std::to_string(batch) + ". Ask for fewer pictures, or for a larger --batch."),
                   ExitCode::WrongUsage};
  }
  ModelSizes sizes;
  if (auto refusal = planModel(arguments, planned, sizes)) {
    return refusal;
  }
  prompt::RunOptions options;
  options.prompts = *std::move(prompts);
  options.imagesPerPrompt = asked.imagesPerPrompt;
  options.settings = planned.settings;
  auto requests = prompt::expandRun(options);
  if (!requests) {
    return Refusal{requests.error(), ExitCode::WrongUsage};
  }
  if (asked.initialLatents) {
    auto latents =
        readInitialLatents(*asked.initialLatents, {static_cast<std::int64_t>(requests->size()), sizes.latentChannels,
                                                   planned.settings.height / sizes.cell, planned.settings.width / sizes.cell});
    if (!latents) {
      return Refusal{latents.error(), ExitCode::WrongUsage};
    }
    planned.spec.initialLatents = *std::move(latents);
  }
  planned.spec.requests = *std::move(requests);
  planned.spec.wantsTrace = asked.trace.has_value();
  planned.spec.plan.computeType = asked.dtype;
  planned.spec.plan.noise = asked.noise;
  planned.spec.plan.threads = asked.threads.value_or(0);
  // A folder of its own keeps the size that it began with; a library chooses.
  planned.spec.plan.batch = asked.batch.value_or(asked.out || isOneUnit ? 1 : 0);
  planned.spec.plan.vaeSlicing = asked.vaeSlicing;
  planned.spec.plan.vaeTiling = asked.vaeTiling;
  return std::nullopt;
}

std::optional<Refusal> readModelHash(domain::ModelSpec& model) {
  auto hash = models::hashOfModel(model);
  if (!hash) {
    return Refusal{hash.error(), exitCodeOfModelError(hash.error())};
  }
  model.hash = *std::move(hash);
  return std::nullopt;
}

void giveSeeds(std::vector<domain::GenerationRequest>& requests, std::uint64_t base) {
  for (domain::GenerationRequest& request : requests) {
    request.seed = base + static_cast<std::uint64_t>(request.index);
  }
}

}  // namespace polyptych::cli
