#include "core/diffusion/schedulers/exponential_scheduler.h"

#include <ATen/ATen.h>

#include "core/diffusion/failure.h"

namespace polyptych::diffusion {

ExponentialScheduler::ExponentialScheduler(const ConfigValues& config, ZeroSnr zeroSnr, bool hasTimestepSpacing, bool hasLimits)
    : m_schedule(readNoiseSchedule(config, {}, zeroSnr)),
      m_trained(m_schedule.sigmas()),
      m_prediction(config.choice("prediction_type", "epsilon", {"epsilon", "v_prediction", "sample"})),
      m_isCosine(config.text("beta_schedule", "linear") == "squaredcos_cap_v2"),
      m_sigmaSpacing(readSigmaSpacing(config, hasLimits)),
      m_bounds(config, std::nullopt),
      m_solverOrder(config.integer("solver_order", 2)) {
  config.refuseFlag("use_flow_sigmas");
  config.refuseFlag("use_dynamic_shifting");
  if (hasTimestepSpacing) {
    m_spacing = config.choice("timestep_spacing", "linspace", {"linspace", "leading", "trailing"});
    m_stepsOffset = config.integer("steps_offset", 0);
  }
  if (m_solverOrder < 1 || m_solverOrder > 3) {
    config.refuse("solver_order", std::to_string(m_solverOrder), "1, 2 or 3");
  }
}

ExponentialScheduler::Level ExponentialScheduler::level(int index) const {
  const at::Tensor ratio = m_sigmas[index];
  const at::Tensor alpha = 1 / (ratio.pow(2) + 1).pow(0.5);
  const at::Tensor sigma = ratio * alpha;
  return {alpha, sigma, at::log(alpha) - at::log(sigma)};
}

int ExponentialScheduler::stepsBelow(double lambda) const {
  const at::Tensor lambdas =
      (at::log(at::sqrt(m_schedule.alphasCumprod)) - at::log(at::sqrt(1 - m_schedule.alphasCumprod))).flip(0);
  return at::searchsorted(lambdas, at::Scalar(lambda)).item<int>();
}

/// With so many steps "leading" comes to strides of no time at all, or begins at a time that no network was trained for:
/// diffusers goes on to NaN there.
void ExponentialScheduler::checkLeading(int steps, int cut) const {
  const int last = m_schedule.trainSteps - cut;
  const auto fits = [&](int count) {
    const int stride = last / (count + 1);
    return stride > 0 && count * stride + m_stepsOffset < m_schedule.trainSteps;
  };
  if (m_spacing != "leading" || fits(steps)) {
    return;
  }
  int most = steps;
  while (most > 1 && !fits(most)) {
    --most;
  }
  throw EngineFailure(
      {base::ErrorCode::InvalidArgument, "This scheduler makes at most " + std::to_string(most) + " steps with this model.", {}});
}

ExponentialScheduler::Grid ExponentialScheduler::grid(int steps, int cut, Rounding rounding) const {
  Grid grid;
  if (!m_sigmaSpacing.any()) {
    checkLeading(steps, cut);
    // Whole times, as the sampler counts them.
    const at::Tensor whole =
        asInts(spacedTimesteps(m_spacing, steps, m_schedule.trainSteps, m_schedule.trainSteps - cut, m_stepsOffset, 1, true));
    const auto* data = whole.const_data_ptr<std::int64_t>();
    grid.timesteps.assign(data, data + whole.numel());
    grid.sigmas = sigmasAt(grid.timesteps, m_trained);
    return grid;
  }
  grid.sigmas = spacedSigmas(m_sigmaSpacing, m_trained.back(), m_trained.front(), steps);
  for (const double value : grid.sigmas) {
    grid.timesteps.push_back(timeOfSigma(value, m_trained));
  }
  if (m_sigmaSpacing.karras && (rounding == Rounding::Karras || (rounding == Rounding::KarrasUnlessCosine && !m_isCosine))) {
    grid.timesteps = rounded(std::move(grid.timesteps));
  }
  return grid;
}

at::Tensor ExponentialScheduler::predictOriginal(const at::Tensor& modelOutput, const at::Tensor& sample, int call) const {
  const Level now = level(call);
  at::Tensor original = modelOutput;
  if (m_prediction == "epsilon") {
    original = (sample - now.sigma * modelOutput) / now.alpha;
  } else if (m_prediction == "v_prediction") {
    original = now.alpha * sample - now.sigma * modelOutput;
  }
  return m_bounds.apply(original);
}

at::Tensor ExponentialScheduler::predictNoise(const at::Tensor& modelOutput, const at::Tensor& sample, int call) const {
  const Level now = level(call);
  if (m_prediction == "sample") {
    return (sample - now.alpha * modelOutput) / now.sigma;
  }
  return m_prediction == "v_prediction" ? now.alpha * modelOutput + now.sigma * sample : modelOutput;
}

}  // namespace polyptych::diffusion
