#include <ATen/ATen.h>

#include "core/diffusion/schedulers/factories.h"
#include "core/diffusion/schedulers/sigma_scheduler.h"

namespace polyptych::diffusion {
namespace {

/// diffusers' EulerDiscreteScheduler without churn: arXiv 2206.00364, algorithm 2.
class Euler : public SigmaScheduler {
 public:
  explicit Euler(const ConfigValues& config) : SigmaScheduler(config, {}, ZeroSnr::RescaledAndFinite, true, true, true) {
    m_isLogLinear = config.choice("interpolation_type", "linear", {"linear", "log_linear"}) == "log_linear";
    m_isContinuous =
        config.choice("timestep_type", "discrete", {"discrete", "continuous"}) == "continuous" && m_prediction == "v_prediction";
    m_endsAtMinimum = config.choice("final_sigmas_type", "zero", {"zero", "sigma_min"}) == "sigma_min";
  }

  void setTimesteps(int steps) override {
    Grid run = grid(steps);
    if (m_isLogLinear) {
      run = logLinearGrid(steps);
    }
    run.sigmas.push_back(m_endsAtMinimum ? static_cast<double>(m_trained.front()) : 0.0);
    m_sigmas = asFloats(run.sigmas);
    m_timesteps = m_isContinuous ? 0.25 * m_sigmas.slice(0, 0, -1).log() : asFloats(run.timesteps);
  }

  at::Tensor step(const at::Tensor& modelOutput, int call, const at::Tensor& sample, NoiseSource&) override {
    const at::Tensor x = sample.to(at::kFloat);
    const at::Tensor now = sigma(call);
    const at::Tensor derivative = (x - predictOriginal(modelOutput, x, now)) / now;
    return (x + derivative * (sigma(call + 1) - now)).to(modelOutput.scalar_type());
  }

 private:
  /// Levels evenly spaced in their logarithm over the whole training range, one more than steps (diffusers' "log_linear").
  Grid logLinearGrid(int steps) const {
    Grid run;
    const at::Tensor levels =
        at::linspace(std::log(m_trained.back()), std::log(m_trained.front()), steps + 1, at::TensorOptions().dtype(at::kFloat))
            .exp();
    for (std::int64_t i = 0; i <= steps; ++i) {
      run.sigmas.push_back(levels[i].item<double>());
    }
    if (m_sigmaSpacing.any()) {
      run.sigmas = spacedSigmas(m_sigmaSpacing, run.sigmas.front(), run.sigmas.back(), steps);
      for (const double level : run.sigmas) {
        run.timesteps.push_back(timeOfSigma(level, m_trained));
      }
    } else {
      run.timesteps = grid(steps).timesteps;
    }
    return run;
  }

  bool m_isLogLinear = false;
  bool m_isContinuous = false;
  bool m_endsAtMinimum = false;
};

}  // namespace

std::unique_ptr<Scheduler> makeEuler(const ConfigValues& config) { return std::make_unique<Euler>(config); }

}  // namespace polyptych::diffusion
