#include <ATen/ATen.h>

#include <deque>

#include "core/diffusion/schedulers/exponential_scheduler.h"
#include "core/diffusion/schedulers/factories.h"

namespace polyptych::diffusion {
namespace {

constexpr int kFewSteps = 15;

/// Integrals of the Lagrange polynomials in log(rho) (arXiv 2204.13902, section 3.3), antiderivatives at t.
at::Tensor linearTerm(const at::Tensor& t, const at::Tensor& b, const at::Tensor& c) {
  return t * (-c.log() + t.log() - 1) / (b.log() - c.log());
}
at::Tensor quadraticTerm(const at::Tensor& t, const at::Tensor& b, const at::Tensor& c, const at::Tensor& d) {
  const at::Tensor top = t * (c.log() * (d.log() - t.log() + 1) - d.log() * t.log() + d.log() + t.log().pow(2) - 2 * t.log() + 2);
  return top / ((b.log() - c.log()) * (b.log() - d.log()));
}

/// diffusers' DEISMultistepScheduler.
class DeisMultistep : public ExponentialScheduler {
 public:
  explicit DeisMultistep(const ConfigValues& config)
      : ExponentialScheduler(config, ZeroSnr::Ignored, true, false), m_endsLower(config.flag("lower_order_final", true)) {
    config.choice("algorithm_type", "deis", {"deis", "dpmsolver", "dpmsolver++"});
    config.choice("solver_type", "logrho", {"logrho", "midpoint", "heun", "bh1", "bh2"});
  }

  void setTimesteps(int steps) override {
    Grid run = grid(steps, 0, Rounding::Karras);
    run.sigmas.push_back(m_sigmaSpacing.any() ? run.sigmas.back() : static_cast<double>(m_trained.front()));
    m_sigmas = asFloats(run.sigmas);
    m_timesteps = asInts(run.timesteps);
  }

  at::Tensor step(const at::Tensor& modelOutput, int call, const at::Tensor& sample, NoiseSource&) override {
    const int calls = static_cast<int>(m_timesteps.size(0));
    const bool isFew = m_endsLower && calls < kFewSteps;
    const Level now = level(call);
    const at::Tensor original = predictOriginal(modelOutput, sample, call);
    m_outputs.push_front((sample - now.alpha * original) / now.sigma);
    if (static_cast<int>(m_outputs.size()) > m_solverOrder) {
      m_outputs.pop_back();
    }
    const Level to = level(call + 1);
    if (m_solverOrder == 1 || call < 1 || (call == calls - 1 && isFew)) {
      const at::Tensor h = to.lambda - now.lambda;
      return to.alpha / now.alpha * sample - to.sigma * (at::exp(h) - 1.0) * m_outputs[0];
    }
    const auto rho = [this](int index) {
      const Level at = level(index);
      return at.sigma / at.alpha;
    };
    const at::Tensor end = rho(call + 1);
    const at::Tensor r0 = rho(call);
    const at::Tensor r1 = rho(call - 1);
    if (m_solverOrder == 2 || call < 2 || (call == calls - 2 && isFew)) {
      const at::Tensor c0 = linearTerm(end, r0, r1) - linearTerm(r0, r0, r1);
      const at::Tensor c1 = linearTerm(end, r1, r0) - linearTerm(r0, r1, r0);
      return to.alpha * (sample / now.alpha + c0 * m_outputs[0] + c1 * m_outputs[1]);
    }
    const at::Tensor r2 = rho(call - 2);
    const at::Tensor c0 = quadraticTerm(end, r0, r1, r2) - quadraticTerm(r0, r0, r1, r2);
    const at::Tensor c1 = quadraticTerm(end, r1, r2, r0) - quadraticTerm(r0, r1, r2, r0);
    const at::Tensor c2 = quadraticTerm(end, r2, r0, r1) - quadraticTerm(r0, r2, r0, r1);
    return to.alpha * (sample / now.alpha + c0 * m_outputs[0] + c1 * m_outputs[1] + c2 * m_outputs[2]);
  }

 private:
  bool m_endsLower;
  std::deque<at::Tensor> m_outputs;  ///< predicted noise, newest first
};

}  // namespace

std::unique_ptr<Scheduler> makeDeisMultistep(const ConfigValues& config) { return std::make_unique<DeisMultistep>(config); }

}  // namespace polyptych::diffusion
