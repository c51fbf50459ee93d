#include "core/diffusion/schedulers/alpha_scheduler.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/diffusion/failure.h"

namespace polyptych::diffusion {

AlphaScheduler::AlphaScheduler(const ConfigValues& config, BetaDefaults defaults, ZeroSnr zeroSnr,
                               std::optional<bool> clipFallback, bool takesSample)
    : m_schedule(readNoiseSchedule(config, defaults, zeroSnr)),
      m_finalAlpha(at::ones({}, at::kFloat)),
      m_prediction(takesSample ? config.choice("prediction_type", "epsilon", {"epsilon", "v_prediction", "sample"})
                               : config.choice("prediction_type", "epsilon", {"epsilon", "v_prediction"})),
      m_spacing(config.choice("timestep_spacing", "leading", {"linspace", "leading", "trailing"})),
      m_stepsOffset(config.integer("steps_offset", 0)),
      m_bounds(config, clipFallback) {}

at::Tensor AlphaScheduler::alpha(std::int64_t time) const {
  if (time < 0) {
    return m_finalAlpha;
  }
  if (time >= m_schedule.trainSteps) {
    throw EngineFailure({base::ErrorCode::InvalidArgument,
                         "This number of steps does not fit the model's scheduler (timestep " + std::to_string(time) + " of " +
                             std::to_string(m_schedule.trainSteps) + "). Choose another number of steps.",
                         {}});
  }
  return m_schedule.alphasCumprod[time];
}

AlphaScheduler::Prediction AlphaScheduler::predict(const at::Tensor& modelOutput, const at::Tensor& sample,
                                                   const at::Tensor& alpha) const {
  const at::Tensor rootAlpha = alpha.pow(0.5);
  const at::Tensor rootBeta = (1 - alpha).pow(0.5);
  if (m_prediction == "epsilon") {
    return {(sample - rootBeta * modelOutput) / rootAlpha, modelOutput};
  }
  if (m_prediction == "sample") {
    return {modelOutput, (sample - rootAlpha * modelOutput) / rootBeta};
  }
  return {rootAlpha * sample - rootBeta * modelOutput, rootAlpha * modelOutput + rootBeta * sample};
}

void AlphaScheduler::checkSteps(int steps) const {
  if (steps > m_schedule.trainSteps) {
    throw EngineFailure({base::ErrorCode::InvalidArgument,
                         "This scheduler makes at most " + std::to_string(m_schedule.trainSteps) + " steps with this model.",
                         {}});
  }
}

at::Tensor AlphaScheduler::wholeTimesteps(int steps) const {
  return asInts(spacedTimesteps(m_spacing, steps, m_schedule.trainSteps, m_schedule.trainSteps, m_stepsOffset, 0, true));
}

at::Tensor distilledTimesteps(const ConfigValues& config, int trainSteps, int originalSteps, int steps) {
  if (originalSteps < 1 || originalSteps > trainSteps) {
    config.refuse("original_inference_steps", std::to_string(originalSteps), "1 to " + std::to_string(trainSteps));
  }
  if (steps > originalSteps) {
    throw EngineFailure({base::ErrorCode::InvalidArgument,
                         "The scheduler " + config.className() + " makes at most " + std::to_string(originalSteps) +
                             " steps with this model. Ask for fewer.",
                         {}});
  }
  const int stride = trainSteps / originalSteps;
  std::vector<double> times;
  const double spacing = static_cast<double>(originalSteps) / steps;
  for (int i = 0; i < steps; ++i) {
    const int index = static_cast<int>(std::floor(i * spacing));
    times.push_back(static_cast<double>(originalSteps - index) * stride - 1);
  }
  return asInts(times);
}

}  // namespace polyptych::diffusion
