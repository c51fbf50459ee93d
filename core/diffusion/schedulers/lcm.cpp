#include <ATen/ATen.h>

#include "core/diffusion/schedulers/alpha_scheduler.h"
#include "core/diffusion/schedulers/factories.h"
#include "core/domain/scheduler_name.h"

namespace polyptych::diffusion {
namespace {

constexpr double kSigmaData = 0.5;

/// diffusers' LCMScheduler: arXiv 2310.04378. Draws noise at every call but the last.
class Lcm : public AlphaScheduler {
 public:
  explicit Lcm(const ConfigValues& config)
      : AlphaScheduler(config, {0.00085, 0.012, "scaled_linear"}, ZeroSnr::Rescaled, false, true),
        m_config(config),
        m_originalSteps(config.integer("original_inference_steps", domain::kDefaultOriginalSteps)),
        m_timeScaling(config.number("timestep_scaling", 10.0)) {}

  void setTimesteps(int steps) override {
    m_timesteps = distilledTimesteps(m_config, m_schedule.trainSteps, m_originalSteps, steps);
  }

  at::Tensor step(const at::Tensor& modelOutput, int call, const at::Tensor& sample, NoiseSource& noise) override {
    const bool isLast = call + 1 == m_timesteps.size(0);
    const at::Tensor original = m_bounds.apply(predict(modelOutput, sample, alpha(timestep(call))).original);
    const at::Tensor time = m_timesteps[call] * m_timeScaling;
    const at::Tensor square = time.pow(2) + kSigmaData * kSigmaData;
    const at::Tensor denoised = time / square.pow(0.5) * original + kSigmaData * kSigmaData / square * sample;
    if (isLast) {
      return denoised;
    }
    const at::Tensor next = alpha(timestep(call + 1));
    return next.sqrt() * denoised + (1 - next).sqrt() * noise.normal(modelOutput.sizes(), denoised.scalar_type());
  }

 private:
  ConfigValues m_config;
  int m_originalSteps;
  double m_timeScaling;
};

}  // namespace

std::unique_ptr<Scheduler> makeLcm(const ConfigValues& config) { return std::make_unique<Lcm>(config); }

}  // namespace polyptych::diffusion
