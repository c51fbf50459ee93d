#include <ATen/ATen.h>

#include "core/diffusion/schedulers/factories.h"
#include "core/diffusion/schedulers/sigma_scheduler.h"

namespace polyptych::diffusion {
namespace {

/// diffusers' EulerAncestralDiscreteScheduler. Draws noise at every call, the last one included.
class EulerAncestral : public SigmaScheduler {
 public:
  explicit EulerAncestral(const ConfigValues& config)
      : SigmaScheduler(config, {}, ZeroSnr::RescaledAndFinite, false, false, false) {}

  void setTimesteps(int steps) override {
    Grid run = grid(steps);
    run.sigmas.push_back(0.0);
    m_sigmas = asFloats(run.sigmas);
    m_timesteps = asFloats(run.timesteps);
  }

  at::Tensor step(const at::Tensor& modelOutput, int call, const at::Tensor& sample, NoiseSource& noise) override {
    const at::Tensor x = sample.to(at::kFloat);
    const at::Tensor from = sigma(call);
    const at::Tensor to = sigma(call + 1);
    const at::Tensor up = (to.pow(2) * (from.pow(2) - to.pow(2)) / from.pow(2)).pow(0.5);
    const at::Tensor down = (to.pow(2) - up.pow(2)).pow(0.5);
    const at::Tensor derivative = (x - predictOriginal(modelOutput, x, from)) / from;
    const at::Tensor next = x + derivative * (down - from);
    return (next + noise.normal(modelOutput.sizes(), modelOutput.scalar_type()) * up).to(modelOutput.scalar_type());
  }
};

}  // namespace

std::unique_ptr<Scheduler> makeEulerAncestral(const ConfigValues& config) { return std::make_unique<EulerAncestral>(config); }

}  // namespace polyptych::diffusion
