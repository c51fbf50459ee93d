#pragma once

#include "core/diffusion/guidance_exchange.h"
#include "core/diffusion/latent_preview.h"
#include "core/diffusion/loaded_model.h"
#include "core/diffusion/noise.h"
#include "core/diffusion/trace.h"
#include "core/domain/engine.h"

namespace polyptych::diffusion {

/// One unit of work from prompts to pictures: the program's one denoising loop. Arithmetic and order follow diffusers'
/// StableDiffusionPipeline.__call__. Call run() once, in inference mode. Throws EngineFailure and what ATen throws.
class GenerationRun {
 public:
  /// @param preview  made at the first preview if it is empty; kept by the caller between units of one model
  /// @param partners  for the guidance's other half; nullptr: both halves are made here. Not asked for a unit without guidance. A
  /// partner that is lost in the middle costs nothing but time: the leading side goes on alone, the helping side ends as
  /// cancelled
  GenerationRun(const LoadedModel& model, const domain::UnitOfWork& unit, domain::GenerateObserver& observer,
                std::unique_ptr<LatentPreview>& preview, ExchangeSource* partners = nullptr);

  domain::UnitOutcome run();

 private:
  /// [B or 2B, tokens, width], negative first.
  at::Tensor encodePrompts();
  at::Tensor encode(const std::vector<std::string>& texts, std::optional<int> clipSkip, const char* what);
  /// [B, C, H/8, W/8], scaled by the scheduler's initial sigma.
  at::Tensor initialLatents(const Scheduler& scheduler);
  at::Tensor readInitialLatents(at::IntArrayRef shape) const;
  std::optional<at::Tensor> guidanceEmbedding() const;
  /// Nothing if cancelled.
  std::optional<at::Tensor> denoise(const at::Tensor& context);
  /// Both halves, cat(unconditional, conditional) where there is guidance; nothing if the side that leads is gone.
  std::optional<at::Tensor> predict(const Scheduler& scheduler, const at::Tensor& latents, int call, const at::Tensor& context,
                                    const UNetConditions& conditions);
  at::Tensor guide(const at::Tensor& prediction) const;
  void sendPreviews(const Scheduler& scheduler, const at::Tensor& latents, int nextCall, int calls);
  domain::UnitOutcome decode(const at::Tensor& latents);

  const domain::GenerationRequest& first() const { return m_unit.requests.front(); }
  std::int64_t batch() const { return static_cast<std::int64_t>(m_unit.requests.size()); }

  const LoadedModel& m_model;
  const domain::UnitOfWork& m_unit;
  domain::GenerateObserver& m_observer;
  std::unique_ptr<LatentPreview>& m_preview;
  PictureNoise m_noise;
  Trace m_trace;
  bool m_isGuided;
  ExchangeSource* m_partners;
  std::unique_ptr<GuidanceExchange> m_exchange;
  std::vector<domain::Warning> m_warnings;
};

}  // namespace polyptych::diffusion
