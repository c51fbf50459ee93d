#include <ATen/ATen.h>

#include <cmath>

#include "core/diffusion/schedulers/dpm_solver.h"
#include "core/diffusion/schedulers/factories.h"

namespace polyptych::diffusion {
namespace {

/// Below so many steps the last ones fall back to lower order.
constexpr int kFewSteps = 15;

/// diffusers' DPMSolverMultistepScheduler. The sde forms draw fp32 noise at every call.
class DpmSolverMultistep : public DpmSolver {
 public:
  explicit DpmSolverMultistep(const ConfigValues& config)
      : DpmSolver(config, ZeroSnr::RescaledAndFinite, true, true),
        m_endsLower(config.flag("lower_order_final", true)),
        m_endsWithEuler(config.flag("euler_at_final", false)),
        m_usesLu(config.flag("use_lu_lambdas", false) && !m_sigmaSpacing.karras) {
    if (m_solverOrder == 3 && m_algorithm == "sde-dpmsolver") {
      config.refuse("solver_order", "3", "1 or 2 with algorithm_type sde-dpmsolver");
    }
  }

  void setTimesteps(int steps) override {
    Grid run = m_usesLu ? luGrid(steps) : grid(steps, m_cut, Rounding::KarrasUnlessCosine);
    appendFinalSigma(run);
    m_sigmas = asFloats(run.sigmas);
    m_timesteps = asInts(run.timesteps);
  }

  at::Tensor step(const at::Tensor& modelOutput, int call, const at::Tensor& sample, NoiseSource& source) override {
    const int calls = static_cast<int>(m_timesteps.size(0));
    const bool isFew = m_endsLower && calls < kFewSteps;
    const bool isFirstOrderEnd = call == calls - 1 && (m_endsWithEuler || isFew || m_isFinalZero);
    const bool isSecondOrderEnd = call == calls - 2 && isFew;
    const at::Tensor converted = convert(modelOutput, sample, call);
    m_outputs.push_front(converted);
    if (static_cast<int>(m_outputs.size()) > m_solverOrder) {
      m_outputs.pop_back();
    }
    const at::Tensor x = sample.to(at::kFloat);
    const at::Tensor noise = drawsNoise() ? source.normal(converted.sizes(), at::kFloat) : at::Tensor();
    const Level to = level(call + 1);
    const Level from = level(call);
    Terms terms{m_outputs[0], {}, {}};
    const int known = std::min(call, m_solverOrder);
    bool midpoint = m_solver == "midpoint";
    if (m_solverOrder > 1 && known >= 1 && !isFirstOrderEnd) {
      const at::Tensor h = to.lambda - from.lambda;
      const at::Tensor h0 = from.lambda - level(call - 1).lambda;
      const at::Tensor r0 = h0 / h;
      const at::Tensor near = 1.0 / r0 * (m_outputs[0] - m_outputs[1]);
      if (m_solverOrder == 2 || known < 2 || isSecondOrderEnd) {
        terms.d1 = near;
      } else {
        const at::Tensor h1 = level(call - 1).lambda - level(call - 2).lambda;
        const at::Tensor r1 = h1 / h;
        const at::Tensor far = 1.0 / r1 * (m_outputs[1] - m_outputs[2]);
        terms.d1 = near + r0 / (r0 + r1) * (near - far);
        terms.d2 = 1.0 / (r0 + r1) * (near - far);
        midpoint = false;
      }
    }
    return advance(to, from, x, terms, noise, midpoint).to(converted.scalar_type());
  }

 private:
  /// Levels evenly spaced in lambda (arXiv 2206.00927, section 3.4, with diffusers' exponent of 1).
  Grid luGrid(int steps) const {
    Grid run;
    for (const double lambda : linspace(std::log(m_trained.back()), std::log(m_trained.front()), steps)) {
      run.sigmas.push_back(std::exp(lambda));
      run.timesteps.push_back(timeOfSigma(run.sigmas.back(), m_trained));
    }
    if (!m_isCosine) {
      run.timesteps = rounded(std::move(run.timesteps));
    }
    return run;
  }

  bool m_endsLower;
  bool m_endsWithEuler;
  bool m_usesLu;
};

}  // namespace

std::unique_ptr<Scheduler> makeDpmSolverMultistep(const ConfigValues& config) {
  return std::make_unique<DpmSolverMultistep>(config);
}

}  // namespace polyptych::diffusion
