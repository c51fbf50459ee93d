#include "core/diffusion/schedulers/sigma_scheduler.h"

#include <ATen/ATen.h>

namespace polyptych::diffusion {
namespace {

std::vector<double> asSingle(std::vector<double> values) {
  for (double& value : values) {
    value = static_cast<double>(static_cast<float>(value));
  }
  return values;
}

}  // namespace

SigmaScheduler::SigmaScheduler(const ConfigValues& config, BetaDefaults defaults, ZeroSnr zeroSnr, bool hasSpacings,
                               bool hasLimits, bool takesSample) {
  const NoiseSchedule schedule = readNoiseSchedule(config, defaults, zeroSnr);
  m_trained = schedule.sigmas();
  m_trainSteps = schedule.trainSteps;
  m_prediction = takesSample ? config.choice("prediction_type", "epsilon", {"epsilon", "v_prediction", "sample"})
                             : config.choice("prediction_type", "epsilon", {"epsilon", "v_prediction"});
  m_spacing = config.choice("timestep_spacing", "linspace", {"linspace", "leading", "trailing"});
  m_stepsOffset = config.integer("steps_offset", 0);
  if (hasSpacings) {
    m_sigmaSpacing = readSigmaSpacing(config, hasLimits);
  }
}

double SigmaScheduler::initNoiseSigma() const {
  const at::Tensor largest = m_sigmas.max();
  return (m_spacing == "leading" ? (largest.pow(2) + 1).pow(0.5) : largest).item<double>();
}

at::Tensor SigmaScheduler::scaleModelInput(const at::Tensor& sample, int call) const {
  return sample / (sigma(call).pow(2) + 1).pow(0.5);
}

SigmaScheduler::Grid SigmaScheduler::grid(int steps, bool roundsKarras) const {
  Grid grid;
  grid.timesteps = asSingle(spacedTimesteps(m_spacing, steps, m_trainSteps, m_trainSteps, m_stepsOffset, 0, false));
  grid.sigmas = sigmasAt(grid.timesteps, m_trained);
  if (m_sigmaSpacing.any()) {
    grid.sigmas = spacedSigmas(m_sigmaSpacing, grid.sigmas.front(), grid.sigmas.back(), steps);
    grid.timesteps.clear();
    for (const double level : grid.sigmas) {
      grid.timesteps.push_back(timeOfSigma(level, m_trained));
    }
    if (m_sigmaSpacing.karras && roundsKarras) {
      grid.timesteps = rounded(std::move(grid.timesteps));
    }
  }
  return grid;
}

at::Tensor SigmaScheduler::predictOriginal(const at::Tensor& modelOutput, const at::Tensor& sample,
                                           const at::Tensor& sigma) const {
  if (m_prediction == "epsilon") {
    return sample - sigma * modelOutput;
  }
  if (m_prediction == "sample") {
    return modelOutput;
  }
  return modelOutput * (-sigma / (sigma.pow(2) + 1).pow(0.5)) + sample / (sigma.pow(2) + 1);
}

at::Tensor doubledBetween(const at::Tensor& values) {
  return at::cat({values.slice(0, 0, 1), values.slice(0, 1, -1).repeat_interleave(2), values.slice(0, -1)});
}

}  // namespace polyptych::diffusion
