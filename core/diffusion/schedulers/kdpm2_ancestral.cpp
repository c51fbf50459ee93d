#include <ATen/ATen.h>

#include "core/diffusion/schedulers/factories.h"
#include "core/diffusion/schedulers/sigma_scheduler.h"

namespace polyptych::diffusion {
namespace {

/// diffusers' KDPM2AncestralDiscreteScheduler. Draws noise at each step's second call.
class Kdpm2Ancestral : public SigmaScheduler {
 public:
  explicit Kdpm2Ancestral(const ConfigValues& config)
      : SigmaScheduler(config, {0.00085, 0.012, "linear"}, ZeroSnr::Ignored, true, false, false) {}

  int order() const override { return 2; }

  void setTimesteps(int steps) override {
    Grid run = grid(steps, /*roundsKarras=*/true);
    run.sigmas.push_back(0.0);
    const at::Tensor levels = asFloats(run.sigmas);
    at::Tensor next = levels.roll(-1);
    next[-1] = 0.0;
    const at::Tensor up = (next.pow(2) * (levels.pow(2) - next.pow(2)) / levels.pow(2)).pow(0.5);
    const at::Tensor down = (next.pow(2) - up.pow(2)).pow(0.5);
    down[-1] = 0.0;
    at::Tensor between = levels.log().lerp(down.log(), 0.5).exp();
    between.slice(0, -2).fill_(0.0);
    const auto doubled = [](const at::Tensor& values) {
      return at::cat({values.slice(0, 0, 1), values.slice(0, 1).repeat_interleave(2), values.slice(0, -1)});
    };
    m_sigmas = doubled(levels);
    m_between = doubled(between);
    m_up = doubled(up);
    m_down = doubled(down);
    std::vector<double> times{run.timesteps.front()};
    for (int i = 1; i < steps; ++i) {
      times.push_back(timeOfSigma(between[i - 1].item<double>(), m_trained));
      times.push_back(run.timesteps[static_cast<std::size_t>(i)]);
    }
    m_timesteps = m_sigmaSpacing.any() ? at::tensor(times, at::kDouble) : asFloats(times);
  }

  at::Tensor scaleModelInput(const at::Tensor& sample, int call) const override {
    const at::Tensor level = isFirst() ? sigma(call) : m_between[call - 1];
    return sample / (level.pow(2) + 1).pow(0.5);
  }

  at::Tensor step(const at::Tensor& modelOutput, int call, const at::Tensor& sample, NoiseSource& noise) override {
    if (isFirst()) {
      const at::Tensor now = sigma(call);
      m_start = sample;
      return sample + (sample - predictOriginal(modelOutput, sample, now)) / now * (m_between[call] - now);
    }
    const at::Tensor middle = m_between[call - 1];
    const at::Tensor slope = (sample - predictOriginal(modelOutput, sample, middle)) / middle;
    const at::Tensor out = m_start + slope * (m_down[call - 1] - sigma(call - 1));
    m_start.reset();
    return out + noise.normal(modelOutput.sizes(), modelOutput.scalar_type()) * m_up[call - 1];
  }

 private:
  bool isFirst() const { return !m_start.defined(); }

  at::Tensor m_between;
  at::Tensor m_up;
  at::Tensor m_down;
  at::Tensor m_start;  ///< the sample of a step's first call; undefined between steps
};

}  // namespace

std::unique_ptr<Scheduler> makeKdpm2Ancestral(const ConfigValues& config) { return std::make_unique<Kdpm2Ancestral>(config); }

}  // namespace polyptych::diffusion
