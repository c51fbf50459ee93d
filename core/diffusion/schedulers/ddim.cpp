#include <ATen/ATen.h>

#include "core/diffusion/schedulers/alpha_scheduler.h"
#include "core/diffusion/schedulers/factories.h"

namespace polyptych::diffusion {
namespace {

/// diffusers' DDIMScheduler with eta 0: arXiv 2010.02502, eq. 12. Draws no noise.
class Ddim : public AlphaScheduler {
 public:
  explicit Ddim(const ConfigValues& config) : AlphaScheduler(config, {}, ZeroSnr::Rescaled, true, true) {
    if (!config.flag("set_alpha_to_one", true)) {
      m_finalAlpha = m_schedule.alphasCumprod[0];
    }
  }

  void setTimesteps(int steps) override {
    checkSteps(steps);
    m_steps = steps;
    m_timesteps = wholeTimesteps(steps);
  }

  at::Tensor step(const at::Tensor& modelOutput, int call, const at::Tensor& sample, NoiseSource&) override {
    const std::int64_t time = timestep(call);
    const at::Tensor next = alpha(time - m_schedule.trainSteps / m_steps);
    const Prediction prediction = predict(modelOutput, sample, alpha(time));
    const at::Tensor direction = (1 - next).pow(0.5) * prediction.noise;
    return next.pow(0.5) * m_bounds.apply(prediction.original) + direction;
  }

 private:
  int m_steps = 1;
};

}  // namespace

std::unique_ptr<Scheduler> makeDdim(const ConfigValues& config) { return std::make_unique<Ddim>(config); }

}  // namespace polyptych::diffusion
