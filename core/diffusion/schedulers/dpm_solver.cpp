#include "core/diffusion/schedulers/dpm_solver.h"

#include <ATen/ATen.h>

#include <cmath>

namespace polyptych::diffusion {

DpmSolver::DpmSolver(const ConfigValues& config, ZeroSnr zeroSnr, bool hasTimestepSpacing, bool takesSdeNoiseForm)
    : ExponentialScheduler(config, zeroSnr, hasTimestepSpacing, false) {
  m_algorithm = config.text("algorithm_type", "dpmsolver++");
  // diffusers' own DEIS files say so; its DPM++ refuses them, where this one takes its default.
  if (m_algorithm == "deis") {
    m_algorithm = "dpmsolver++";
  }
  if (m_algorithm != "dpmsolver" && m_algorithm != "dpmsolver++" && m_algorithm != "sde-dpmsolver++" &&
      !(takesSdeNoiseForm && m_algorithm == "sde-dpmsolver")) {
    config.refuse("algorithm_type", m_algorithm, "dpmsolver++, sde-dpmsolver++, dpmsolver");
  }
  m_solver = config.choice("solver_type", "midpoint", {"midpoint", "heun", "logrho", "bh1", "bh2"});
  if (m_solver != "heun") {
    m_solver = "midpoint";
  }
  m_isFinalZero = config.choice("final_sigmas_type", "zero", {"zero", "sigma_min"}) == "zero";
  if (m_isFinalZero && !isDataForm()) {
    config.refuse("final_sigmas_type", "zero", "sigma_min with algorithm_type " + m_algorithm);
  }
  const auto variance = config.isNull("variance_type") ? "none" : config.text("variance_type", "none");
  if (variance == "learned" || variance == "learned_range") {
    config.refuse("variance_type", variance, "models that predict no variance");
  }
  if (const auto clipped = config.optionalNumber("lambda_min_clipped"); clipped && std::isfinite(*clipped)) {
    m_cut = stepsBelow(*clipped);
  }
}

at::Tensor DpmSolver::convert(const at::Tensor& modelOutput, const at::Tensor& sample, int call) const {
  if (isDataForm()) {
    return predictOriginal(modelOutput, sample, call);
  }
  const at::Tensor noise = predictNoise(modelOutput, sample, call);
  if (!m_bounds.isThresholding()) {
    return noise;
  }
  const Level now = level(call);
  const at::Tensor original = m_bounds.threshold((sample - now.sigma * noise) / now.alpha);
  return (sample - now.alpha * original) / now.sigma;
}

at::Tensor DpmSolver::advance(const Level& to, const Level& from, const at::Tensor& sample, const Terms& terms,
                              const at::Tensor& noise, bool midpoint) const {
  const at::Tensor h = to.lambda - from.lambda;
  at::Tensor out;
  at::Tensor noiseScale;
  if (m_algorithm == "dpmsolver++") {
    const at::Tensor decay = at::exp(-h) - 1.0;
    out = to.sigma / from.sigma * sample - to.alpha * decay * terms.d0;
    if (terms.d1.defined()) {
      out = midpoint ? out - 0.5 * (to.alpha * decay) * terms.d1 : out + to.alpha * (decay / h + 1.0) * terms.d1;
    }
    if (terms.d2.defined()) {
      out = out - to.alpha * ((decay + h) / h.pow(2) - 0.5) * terms.d2;
    }
    return out;
  }
  if (m_algorithm == "dpmsolver") {
    const at::Tensor growth = at::exp(h) - 1.0;
    out = to.alpha / from.alpha * sample - to.sigma * growth * terms.d0;
    if (terms.d1.defined()) {
      out = midpoint ? out - 0.5 * (to.sigma * growth) * terms.d1 : out - to.sigma * (growth / h - 1.0) * terms.d1;
    }
    if (terms.d2.defined()) {
      out = out - to.sigma * ((growth - h) / h.pow(2) - 0.5) * terms.d2;
    }
    return out;
  }
  if (m_algorithm == "sde-dpmsolver++") {
    const at::Tensor share = 1 - at::exp(-2.0 * h);
    out = to.sigma / from.sigma * at::exp(-h) * sample + to.alpha * share * terms.d0;
    if (terms.d1.defined()) {
      out = midpoint ? out + 0.5 * (to.alpha * share) * terms.d1 : out + to.alpha * (share / (-2.0 * h) + 1.0) * terms.d1;
    }
    if (terms.d2.defined()) {
      out = out + to.alpha * ((share - 2.0 * h) / (2.0 * h).pow(2) - 0.5) * terms.d2;
    }
    return out + to.sigma * at::sqrt(1.0 - at::exp(-2 * h)) * noise;
  }
  const at::Tensor growth = at::exp(h) - 1.0;
  out = to.alpha / from.alpha * sample - 2.0 * (to.sigma * growth) * terms.d0;
  if (terms.d1.defined()) {
    out = midpoint ? out - to.sigma * growth * terms.d1 : out - 2.0 * (to.sigma * (growth / h - 1.0)) * terms.d1;
  }
  return out + to.sigma * at::sqrt(at::exp(2 * h) - 1.0) * noise;
}

void DpmSolver::appendFinalSigma(Grid& grid) const {
  grid.sigmas.push_back(m_isFinalZero ? 0.0 : static_cast<double>(m_trained.front()));
}

}  // namespace polyptych::diffusion
