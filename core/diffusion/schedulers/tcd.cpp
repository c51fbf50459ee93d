#include <ATen/ATen.h>

#include "core/diffusion/schedulers/alpha_scheduler.h"
#include "core/diffusion/schedulers/factories.h"
#include "core/domain/scheduler_name.h"

namespace polyptych::diffusion {
namespace {

/// diffusers' TCDScheduler with eta 0, which StableDiffusionPipeline passes: arXiv 2402.19159. Draws no noise.
class Tcd : public AlphaScheduler {
 public:
  explicit Tcd(const ConfigValues& config)
      : AlphaScheduler(config, {0.00085, 0.012, "scaled_linear"}, ZeroSnr::Rescaled, false, true),
        m_config(config),
        m_originalSteps(config.integer("original_inference_steps", domain::kDefaultOriginalSteps)) {}

  void setTimesteps(int steps) override {
    m_timesteps = distilledTimesteps(m_config, m_schedule.trainSteps, m_originalSteps, steps);
  }

  at::Tensor step(const at::Tensor& modelOutput, int call, const at::Tensor& sample, NoiseSource&) override {
    const std::int64_t next = call + 1 < m_timesteps.size(0) ? timestep(call + 1) : 0;
    const at::Tensor target = alpha(next);
    const Prediction prediction = predict(modelOutput, sample, alpha(timestep(call)));
    return target.sqrt() * prediction.original + (1 - target).sqrt() * prediction.noise;
  }

 private:
  ConfigValues m_config;
  int m_originalSteps;
};

}  // namespace

std::unique_ptr<Scheduler> makeTcd(const ConfigValues& config) { return std::make_unique<Tcd>(config); }

}  // namespace polyptych::diffusion
