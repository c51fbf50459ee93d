#include <ATen/ATen.h>

#include "core/diffusion/schedulers/factories.h"
#include "core/diffusion/schedulers/sigma_scheduler.h"

namespace polyptych::diffusion {
namespace {

/// diffusers' KDPM2DiscreteScheduler: a step's second call is asked at the geometric mean of its two noise levels.
class Kdpm2 : public SigmaScheduler {
 public:
  explicit Kdpm2(const ConfigValues& config)
      : SigmaScheduler(config, {0.00085, 0.012, "linear"}, ZeroSnr::Ignored, true, false, false) {}

  int order() const override { return 2; }

  void setTimesteps(int steps) override {
    Grid run = grid(steps, /*roundsKarras=*/true);
    run.sigmas.push_back(0.0);
    const at::Tensor levels = asFloats(run.sigmas);
    const at::Tensor between = levels.log().lerp(levels.roll(1).log(), 0.5).exp();
    const auto doubled = [](const at::Tensor& values) {
      return at::cat({values.slice(0, 0, 1), values.slice(0, 1).repeat_interleave(2), values.slice(0, -1)});
    };
    m_sigmas = doubled(levels);
    m_between = doubled(between);
    std::vector<double> times{run.timesteps.front()};
    for (int i = 1; i < steps; ++i) {
      times.push_back(timeOfSigma(between[i].item<double>(), m_trained));
      times.push_back(run.timesteps[static_cast<std::size_t>(i)]);
    }
    m_timesteps = asTimes(times);
  }

  at::Tensor scaleModelInput(const at::Tensor& sample, int call) const override {
    const at::Tensor level = isFirst() ? sigma(call) : m_between[call];
    return sample / (level.pow(2) + 1).pow(0.5);
  }

  at::Tensor step(const at::Tensor& modelOutput, int call, const at::Tensor& sample, NoiseSource&) override {
    if (isFirst()) {
      const at::Tensor now = sigma(call);
      m_start = sample;
      return sample + (sample - predictOriginal(modelOutput, sample, now)) / now * (m_between[call + 1] - now);
    }
    const at::Tensor middle = m_between[call];
    const at::Tensor slope = (sample - predictOriginal(modelOutput, sample, middle)) / middle;
    const at::Tensor out = m_start + slope * (sigma(call) - sigma(call - 1));
    m_start.reset();
    return out;
  }

 private:
  bool isFirst() const { return !m_start.defined(); }
  /// As diffusers: fp32 where the times are evenly spaced, else fp64.
  at::Tensor asTimes(const std::vector<double>& values) const {
    return m_sigmaSpacing.any() ? at::tensor(values, at::kDouble) : asFloats(values);
  }

  at::Tensor m_between;
  at::Tensor m_start;  ///< the sample of a step's first call; undefined between steps
};

}  // namespace

std::unique_ptr<Scheduler> makeKdpm2(const ConfigValues& config) { return std::make_unique<Kdpm2>(config); }

}  // namespace polyptych::diffusion
