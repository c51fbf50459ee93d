#pragma once

#include "core/diffusion/schedulers/bounds.h"
#include "core/diffusion/schedulers/noise_schedule.h"
#include "core/diffusion/schedulers/scheduler.h"

namespace polyptych::diffusion {

/// What the samplers in DDPM's notation share (DDIM, DDPM, PNDM, LCM, TCD): the sample is sqrt(a) x0 + sqrt(1 - a) noise with a
/// from the training's table. Scalars are fp32 tensors without dimensions, so that types promote as in diffusers.
class AlphaScheduler : public Scheduler {
 protected:
  AlphaScheduler(const ConfigValues& config, BetaDefaults defaults, ZeroSnr zeroSnr, std::optional<bool> clipFallback,
                 bool takesSample);

  std::int64_t timestep(int call) const { return m_timesteps[call].item<std::int64_t>(); }
  /// a at a time; before the first (time < 0): 1, or the table's first if set_alpha_to_one is off.
  at::Tensor alpha(std::int64_t time) const;
  struct Prediction {
    at::Tensor original;
    at::Tensor noise;
  };
  /// Not bounded.
  Prediction predict(const at::Tensor& modelOutput, const at::Tensor& sample, const at::Tensor& alpha) const;
  /// Throws EngineFailure(InvalidArgument) if there are more steps than training steps.
  void checkSteps(int steps) const;
  /// Whole-number times for "linspace", "leading", "trailing".
  at::Tensor wholeTimesteps(int steps) const;

  NoiseSchedule m_schedule;
  at::Tensor m_finalAlpha;
  std::string m_prediction;
  std::string m_spacing;
  int m_stepsOffset;
  Bounds m_bounds;
};

/// Times of the samplers for distilled models (LCM, TCD): chosen from those the model was distilled at. Throws
/// EngineFailure(InvalidArgument).
at::Tensor distilledTimesteps(const ConfigValues& config, int trainSteps, int originalSteps, int steps);

}  // namespace polyptych::diffusion
