#include <ATen/ATen.h>

#include "core/diffusion/schedulers/alpha_scheduler.h"
#include "core/diffusion/schedulers/factories.h"

namespace polyptych::diffusion {
namespace {

/// diffusers' DDPMScheduler: arXiv 2006.11239, eq. 6 and 7. Draws noise at every time but 0.
class Ddpm : public AlphaScheduler {
 public:
  explicit Ddpm(const ConfigValues& config)
      : AlphaScheduler(config, {}, ZeroSnr::Rescaled, true, true),
        m_variance(config.isNull("variance_type")
                       ? "fixed_small"  // what diffusers' branches come to
                       : config.choice("variance_type", "fixed_small",
                                       {"fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log"})) {}

  void setTimesteps(int steps) override {
    checkSteps(steps);
    m_timesteps = wholeTimesteps(steps);
  }

  at::Tensor step(const at::Tensor& modelOutput, int call, const at::Tensor& sample, NoiseSource& noise) override {
    const std::int64_t time = timestep(call);
    const at::Tensor here = alpha(time);
    const at::Tensor next = call + 1 < m_timesteps.size(0) ? alpha(timestep(call + 1)) : at::ones({}, at::kFloat);
    const at::Tensor stepAlpha = here / next;
    const at::Tensor stepBeta = 1 - stepAlpha;
    const at::Tensor original = m_bounds.apply(predict(modelOutput, sample, here).original);
    const at::Tensor originalShare = next.pow(0.5) * stepBeta / (1 - here);
    const at::Tensor sampleShare = stepAlpha.pow(0.5) * (1 - next) / (1 - here);
    const at::Tensor mean = originalShare * original + sampleShare * sample;
    if (time <= 0) {
      return mean;
    }
    const at::Tensor drawn = noise.normal(modelOutput.sizes(), modelOutput.scalar_type());
    const at::Tensor small = ((1 - next) / (1 - here) * stepBeta).clamp_min(1e-20);
    if (m_variance == "fixed_small_log") {
      return mean + at::exp(0.5 * at::log(small)) * drawn;
    }
    const at::Tensor variance = m_variance == "fixed_small" ? small : m_variance == "fixed_large" ? stepBeta : at::log(stepBeta);
    return mean + variance.pow(0.5) * drawn;
  }

 private:
  std::string m_variance;
};

}  // namespace

std::unique_ptr<Scheduler> makeDdpm(const ConfigValues& config) { return std::make_unique<Ddpm>(config); }

}  // namespace polyptych::diffusion
