#include "core/diffusion/generation_run.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/base/utf8.h"
#include "core/checkpoint/safetensors.h"
#include "core/diffusion/failure.h"
#include "core/diffusion/to_image.h"

namespace polyptych::diffusion {
namespace {

/// arXiv 2305.08891, section 3.4; diffusers' rescale_noise_cfg.
at::Tensor rescaleGuidance(const at::Tensor& guided, const at::Tensor& conditional, double amount) {
  const std::vector<std::int64_t> dims{1, 2, 3};
  const at::Tensor wanted = conditional.std(dims, /*unbiased=*/true, /*keepdim=*/true);
  const at::Tensor present = guided.std(dims, /*unbiased=*/true, /*keepdim=*/true);
  return amount * (guided * (wanted / present)) + (1.0 - amount) * guided;
}

/// The beginning of a text that may be a megabyte long, for a sentence.
std::string shortened(const std::string& text) {
  constexpr std::size_t kShownBytes = 200;
  return text.size() <= kShownBytes ? text : std::string(base::utf8Prefix(text, kShownBytes)) + "...";
}

}  // namespace

GenerationRun::GenerationRun(const LoadedModel& model, const domain::UnitOfWork& unit, domain::GenerateObserver& observer,
                             std::unique_ptr<LatentPreview>& preview, ExchangeSource* partners)
    : m_model(model),
      m_unit(unit),
      m_observer(observer),
      m_preview(preview),
      m_noise(unit.requests, unit.plan.noise, model.device),
      m_trace(unit.wantsTrace),
      // A model that takes the guidance scale as an input (LCM) is not guided by a second prediction.
      m_isGuided(first().guidanceScale > 1.0 && !model.folder.unet.timeCondProjDim),
      m_partners(m_isGuided ? partners : nullptr) {}

domain::UnitOutcome GenerationRun::run() {
  const int cell = m_model.latentScale();
  if (first().width % cell != 0 || first().height % cell != 0) {
    throw EngineFailure({base::ErrorCode::InvalidArgument,
                         "This model draws in cells of " + std::to_string(cell) +
                             " pixels: width and height must be multiples of " + std::to_string(cell) + ".",
                         {}});
  }
  const domain::UnitOutcome cancelled{domain::OutcomeKind::Cancelled, {}, {}, {}};
  if (m_observer.isCancelled()) {
    return cancelled;
  }
  if (m_partners != nullptr) {
    base::Result<std::unique_ptr<GuidanceExchange>> exchange = m_partners->open(m_unit);
    if (!exchange) {
      throw EngineFailure(exchange.error());
    }
    m_exchange = std::move(*exchange);
  }
  const bool isHelper = m_exchange != nullptr && m_exchange->side() == GuidanceExchange::Side::Conditional;
  m_observer.onStep({domain::Stage::Encoding, 0, 1});
  const at::Tensor context = encodePrompts();
  m_observer.onStep({domain::Stage::Encoding, 1, 1});
  const auto latents = denoise(context);
  m_exchange.reset();  // decoding needs no partner
  if (!latents) {
    return cancelled;
  }
  if (isHelper) {
    return {domain::OutcomeKind::Done, {}, {}, std::move(m_warnings)};
  }
  try {
    return decode(*latents);
  } catch (const CancelledError&) {
    return cancelled;
  }
}

at::Tensor GenerationRun::encodePrompts() {
  std::vector<std::string> prompts;
  std::vector<std::string> negatives;
  for (const auto& request : m_unit.requests) {
    prompts.push_back(request.prompt);
    negatives.push_back(request.negativePrompt.value_or(""));
  }
  at::Tensor context = encode(prompts, first().clipSkip, "prompt");
  if (m_isGuided) {
    // The negative prompt is always taken from the last layer (diffusers' encode_prompt).
    context = at::cat({encode(negatives, std::nullopt, "negative prompt"), context});
  }
  m_trace.add("prompt_embeds", context);
  return context;
}

at::Tensor GenerationRun::encode(const std::vector<std::string>& texts, std::optional<int> clipSkip, const char* what) {
  std::vector<at::Tensor> rows;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const tokenizer::Encoding encoding = m_model.tokenizer.encode(texts[i]);
    if (!encoding.dropped.empty()) {
      m_warnings.push_back(
          {domain::WarningCode::PromptCut, "Picture " + std::to_string(m_unit.requests[i].index) + ": the end of the " + what +
                                               " does not fit into " + std::to_string(m_model.tokenizer.maxLength()) +
                                               " tokens and is left out: \"" + shortened(encoding.dropped) + "\""});
    }
    rows.push_back(at::tensor(encoding.ids, at::kLong));
  }
  return m_model.textEncoder.encode(at::stack(rows).to(m_model.device), clipSkip);
}

at::Tensor GenerationRun::initialLatents(const Scheduler& scheduler) {
  const int cell = m_model.latentScale();
  const std::vector<std::int64_t> shape{batch(), m_model.folder.unet.inChannels, first().height / cell, first().width / cell};
  const at::Tensor noise = m_unit.initialLatents.empty() ? m_noise.normal(shape, m_model.type) : readInitialLatents(shape);
  const at::Tensor latents = noise * scheduler.initNoiseSigma();
  m_trace.add("initial_latents", latents);
  return latents;
}

at::Tensor GenerationRun::readInitialLatents(at::IntArrayRef shape) const {
  const auto refuse = [&](const std::string& why) -> EngineFailure {
    std::string wanted;
    for (const std::int64_t side : shape) {
      wanted += (wanted.empty() ? "" : ", ") + std::to_string(side);
    }
    return EngineFailure({base::ErrorCode::InvalidArgument,
                          "The initial latents cannot be used: " + why +
                              " Give a safetensors file with a tensor \"latents\" of shape [" + wanted + "] in F32, F16 or BF16.",
                          {}});
  };
  auto file = checkpoint::SafetensorsFile::fromBytes(m_unit.initialLatents);
  if (!file) {
    throw refuse(file.error().message);
  }
  const auto found = (*file)->tensors().find("latents");
  if (found == (*file)->tensors().end()) {
    throw refuse("there is no tensor of that name.");
  }
  const checkpoint::TensorView& view = found->second;
  if (at::IntArrayRef(view.shape) != shape) {
    throw refuse("the shape is another one.");
  }
  at::ScalarType type = at::kFloat;
  switch (view.dtype) {
    case checkpoint::Dtype::F32:
      break;
    case checkpoint::Dtype::F16:
      type = at::kHalf;
      break;
    case checkpoint::Dtype::BF16:
      type = at::kBFloat16;
      break;
    default:
      throw refuse("the numbers are of another type.");
  }
  at::Tensor latents = at::empty(shape, at::TensorOptions().dtype(type));
  std::memcpy(latents.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
  if (!at::isfinite(latents).all().item<bool>()) {
    throw refuse("some numbers are not finite.");
  }
  return latents.to(m_model.device, m_model.type);
}

/// Sinusoids of (guidance scale - 1) * 1000: the input of models that were distilled with guidance (diffusers'
/// get_guidance_scale_embedding).
std::optional<at::Tensor> GenerationRun::guidanceEmbedding() const {
  if (!m_model.folder.unet.timeCondProjDim) {
    return std::nullopt;
  }
  const std::int64_t width = *m_model.folder.unet.timeCondProjDim;
  const std::int64_t half = width / 2;
  const auto fp32 = at::TensorOptions().dtype(at::kFloat);
  const at::Tensor scale = at::full({batch()}, first().guidanceScale - 1.0, fp32) * 1000.0;
  const at::Tensor rate = at::log(at::full({}, 10000.0, fp32)) / (half - 1);
  const at::Tensor frequencies = at::exp(at::arange(half, fp32) * -rate);
  const at::Tensor angles = scale.unsqueeze(1) * frequencies.unsqueeze(0);
  at::Tensor embedding = at::cat({at::sin(angles), at::cos(angles)}, 1);
  if (width % 2 == 1) {
    embedding = at::constant_pad_nd(embedding, {0, 1});
  }
  return embedding.to(m_model.device, m_model.type);
}

std::optional<at::Tensor> GenerationRun::denoise(const at::Tensor& context) {
  const auto choice = domain::resolveScheduler(first().scheduler);
  if (!choice) {
    throw EngineFailure(choice.error());
  }
  const std::unique_ptr<Scheduler> scheduler = makeScheduler(*choice, m_model.folder.scheduler);
  scheduler->setTimesteps(first().steps);
  const at::Tensor& timesteps = scheduler->timesteps();
  m_trace.add("timesteps", timesteps);
  if (const auto sigmas = scheduler->sigmas()) {
    m_trace.add("sigmas", *sigmas);
  }
  at::Tensor latents = initialLatents(*scheduler);
  UNetConditions conditions;
  conditions.timestepCond = guidanceEmbedding();

  const int calls = static_cast<int>(timesteps.size(0));
  // Multi-stage schedulers call the network more often than there are steps; beats are counted as diffusers' progress bar does.
  const int warmup = calls - first().steps * scheduler->order();
  int stepsDone = 0;
  for (int call = 0; call < calls; ++call) {
    if (m_observer.isCancelled()) {
      return std::nullopt;
    }
    const std::optional<at::Tensor> halves = predict(*scheduler, latents, call, context, conditions);
    if (!halves) {
      return std::nullopt;
    }
    const at::Tensor prediction = m_isGuided ? guide(*halves) : *halves;
    m_trace.add("noise_pred", call, prediction);
    latents = scheduler->step(prediction, call, latents, m_noise);
    m_trace.add("latents", call, latents);
    if (call == calls - 1 || (call + 1 > warmup && (call + 1) % scheduler->order() == 0)) {
      m_observer.onStep({domain::Stage::Denoising, ++stepsDone, first().steps});
      if (m_unit.wantsPreviews) {
        sendPreviews(*scheduler, latents, call + 1, calls);
      }
    }
  }
  return latents;
}

std::optional<at::Tensor> GenerationRun::predict(const Scheduler& scheduler, const at::Tensor& latents, int call,
                                                 const at::Tensor& context, const UNetConditions& conditions) {
  const at::Tensor timestep = scheduler.timesteps()[call];
  const auto predictFor = [&](const at::Tensor& input, const at::Tensor& words) {
    return m_model.unet.predict(scheduler.scaleModelInput(input, call), timestep, words, conditions);
  };
  if (m_exchange == nullptr) {
    return predictFor(m_isGuided ? at::cat({latents, latents}) : latents, context);
  }
  const auto contexts = context.chunk(2);
  const bool isHelper = m_exchange->side() == GuidanceExchange::Side::Conditional;
  const at::Tensor own = predictFor(latents, contexts[isHelper ? 1 : 0]).contiguous();
  base::Result<at::Tensor> other = m_exchange->exchange(own);
  if (!other && isHelper) {
    return std::nullopt;
  }
  if (!other) {
    m_warnings.push_back({domain::WarningCode::PartnerLost, "The second device was lost in the middle of picture " +
                                                                std::to_string(first().index) +
                                                                ", which was finished on one: " + other.error().message});
    m_exchange.reset();
    return at::cat({own, predictFor(latents, contexts[1])});
  }
  return isHelper ? at::cat({*other, own}) : at::cat({own, *other});
}

/// u + g (t - u) in the model's type; the batch is cat(unconditional, conditional).
at::Tensor GenerationRun::guide(const at::Tensor& prediction) const {
  const auto halves = prediction.chunk(2);
  const at::Tensor guided = halves[0] + first().guidanceScale * (halves[1] - halves[0]);
  return first().guidanceRescale > 0.0 ? rescaleGuidance(guided, halves[1], first().guidanceRescale) : guided;
}

void GenerationRun::sendPreviews(const Scheduler& scheduler, const at::Tensor& latents, int nextCall, int calls) {
  if (!m_preview) {
    m_preview = std::make_unique<LatentPreview>(m_model.vae, m_model.folder.unet.inChannels, m_model.folder.vae.scalingFactor,
                                                m_model.type, m_model.device);
  }
  // What the network will see next has about unit variance for every scheduler.
  const at::Tensor shown = nextCall < calls ? scheduler.scaleModelInput(latents, nextCall) : latents;
  for (std::int64_t i = 0; i < batch(); ++i) {
    m_observer.onPreview(static_cast<std::size_t>(i), m_preview->render(shown[i]));
  }
}

domain::UnitOutcome GenerationRun::decode(const at::Tensor& latents) {
  DecodeOptions options;
  options.slicing = m_unit.plan.vaeSlicing;
  options.tiling = m_unit.plan.vaeTiling;
  options.isCancelled = [this] { return m_observer.isCancelled(); };
  options.onTile = [this](int done, int total) { m_observer.onStep({domain::Stage::Decoding, done, total}); };
  const at::Tensor pictures = m_model.vae.decode(latents / m_model.folder.vae.scalingFactor, options);
  m_trace.add("image", pictures);

  domain::UnitOutcome outcome;
  for (std::int64_t i = 0; i < batch(); ++i) {
    if (at::isnan(pictures[i]).any().item<bool>()) {
      m_warnings.push_back({domain::WarningCode::OutOfRange,
                            "Picture " + std::to_string(m_unit.requests[static_cast<std::size_t>(i)].index) +
                                ": the numbers left the range of this arithmetic, and parts are black. Choose fp32 or bf16."});
    }
    outcome.images.push_back(toImage(pictures[i]));
  }
  outcome.trace = m_trace.bytes();
  outcome.warnings = std::move(m_warnings);
  return outcome;
}

}  // namespace polyptych::diffusion
