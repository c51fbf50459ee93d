#include <ATen/ATen.h>

#include "core/diffusion/schedulers/factories.h"
#include "core/diffusion/schedulers/sigma_scheduler.h"

namespace polyptych::diffusion {
namespace {

/// diffusers' HeunDiscreteScheduler: an Euler step, then the mean of both slopes; two calls a step but for the last.
class Heun : public SigmaScheduler {
 public:
  explicit Heun(const ConfigValues& config)
      : SigmaScheduler(config, {0.00085, 0.012, "linear"}, ZeroSnr::Ignored, true, false, true),
        m_clips(config.flag("clip_sample", false)),
        m_clipRange(config.number("clip_sample_range", 1.0)) {}

  int order() const override { return 2; }

  void setTimesteps(int steps) override {
    Grid run = grid(steps);
    run.sigmas.push_back(0.0);
    m_sigmas = doubledBetween(asFloats(run.sigmas));
    const at::Tensor times = asFloats(run.timesteps);
    m_timesteps = at::cat({times.slice(0, 0, 1), times.slice(0, 1).repeat_interleave(2)});
  }

  at::Tensor step(const at::Tensor& modelOutput, int call, const at::Tensor& sample, NoiseSource&) override {
    const bool isFirst = !m_slope.defined();
    const at::Tensor now = sigma(isFirst ? call : call - 1);
    const at::Tensor next = sigma(isFirst ? call + 1 : call);
    const at::Tensor at = isFirst ? now : next;
    at::Tensor original = predictOriginal(modelOutput, sample, at);
    if (m_clips) {
      original = original.clamp(-m_clipRange, m_clipRange);
    }
    const at::Tensor slope = (sample - original) / at;
    if (isFirst) {
      m_slope = slope;
      m_width = next - now;
      m_start = sample;
      return sample + slope * m_width;
    }
    const at::Tensor out = m_start + (m_slope + slope) / 2 * m_width;
    m_slope.reset();
    m_start.reset();
    return out;
  }

 private:
  bool m_clips;
  double m_clipRange;
  at::Tensor m_slope;  ///< of a step's first call; undefined between steps
  at::Tensor m_width;
  at::Tensor m_start;
};

}  // namespace

std::unique_ptr<Scheduler> makeHeun(const ConfigValues& config) { return std::make_unique<Heun>(config); }

}  // namespace polyptych::diffusion
