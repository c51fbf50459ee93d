#pragma once

#include "core/diffusion/schedulers/bounds.h"
#include "core/diffusion/schedulers/noise_schedule.h"
#include "core/diffusion/schedulers/scheduler.h"

namespace polyptych::diffusion {

/// What the exponential integrators share (DPM-Solver in both forms, UniPC, DEIS): the sample is alpha x0 + sigma noise with
/// alpha^2 + sigma^2 = 1, time is lambda = log(alpha / sigma). Scalars are fp32 tensors without dimensions, so that types promote
/// as in diffusers.
class ExponentialScheduler : public Scheduler {
 public:
  std::optional<at::Tensor> sigmas() const override { return m_sigmas; }

 protected:
  ExponentialScheduler(const ConfigValues& config, ZeroSnr zeroSnr, bool hasTimestepSpacing, bool hasLimits);

  struct Level {
    at::Tensor alpha;
    at::Tensor sigma;
    at::Tensor lambda;
  };
  Level level(int index) const;

  /// Times and levels of a run, without the final level. @param cut training steps left out at the noisy end
  struct Grid {
    std::vector<double> timesteps;
    std::vector<double> sigmas;
  };
  enum class Rounding { Never, Karras, KarrasUnlessCosine };
  /// Throws EngineFailure(InvalidArgument) for more steps than the spacing has times for.
  Grid grid(int steps, int cut, Rounding rounding) const;
  /// Training steps whose lambda is below lambda_min_clipped (diffusers' searchsorted).
  int stepsBelow(double lambda) const;

  at::Tensor predictOriginal(const at::Tensor& modelOutput, const at::Tensor& sample, int call) const;
  at::Tensor predictNoise(const at::Tensor& modelOutput, const at::Tensor& sample, int call) const;

  NoiseSchedule m_schedule;
  std::vector<float> m_trained;
  at::Tensor m_sigmas;  ///< sigma / alpha, one a call and the final one
  std::string m_prediction;
  std::string m_spacing = "linspace";
  int m_stepsOffset = 0;
  bool m_isCosine;
  SigmaSpacing m_sigmaSpacing;
  Bounds m_bounds;
  int m_solverOrder;

 private:
  void checkLeading(int steps, int cut) const;
};

}  // namespace polyptych::diffusion
