#pragma once

#include <vector>

#include "core/diffusion/schedulers/noise_schedule.h"
#include "core/diffusion/schedulers/scheduler.h"

namespace polyptych::diffusion {

/// What the samplers in Karras' notation share (Euler, Heun, LMS, KDPM2 and their ancestral forms): the sample is x0 + sigma *
/// noise, the network sees it divided by sqrt(sigma^2 + 1). Scalars are fp32 tensors without dimensions, so that types promote as
/// in diffusers.
class SigmaScheduler : public Scheduler {
 public:
  std::optional<at::Tensor> sigmas() const override { return m_sigmas; }
  double initNoiseSigma() const override;
  at::Tensor scaleModelInput(const at::Tensor& sample, int call) const override;

 protected:
  SigmaScheduler(const ConfigValues& config, BetaDefaults defaults, ZeroSnr zeroSnr, bool hasSpacings, bool hasLimits,
                 bool takesSample);

  /// Times and noise levels of a run, without the final level.
  struct Grid {
    std::vector<double> timesteps;
    std::vector<double> sigmas;
  };
  Grid grid(int steps, bool roundsKarras = false) const;
  at::Tensor sigma(int index) const { return m_sigmas[index]; }
  /// x0 from the network's answer at noise level `sigma`.
  at::Tensor predictOriginal(const at::Tensor& modelOutput, const at::Tensor& sample, const at::Tensor& sigma) const;

  std::vector<float> m_trained;
  at::Tensor m_sigmas;  ///< one a call and the final one
  std::string m_prediction;
  std::string m_spacing;
  int m_trainSteps;
  int m_stepsOffset;
  SigmaSpacing m_sigmaSpacing;
};

/// [s0, s1, s1, s2, s2, ..., last]: each level but the first and the last for two calls.
at::Tensor doubledBetween(const at::Tensor& values);

}  // namespace polyptych::diffusion
