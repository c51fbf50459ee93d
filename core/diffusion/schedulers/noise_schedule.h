#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "core/diffusion/schedulers/config_values.h"

namespace polyptych::diffusion {

/// The training's noise levels. [num_train_timesteps] fp32 on the CPU.
struct NoiseSchedule {
  at::Tensor alphasCumprod;
  int trainSteps = 1000;

  /// sqrt((1 - a) / a) of every level, from little noise to much; fp32 values.
  std::vector<float> sigmas() const;
};

/// Class defaults of the beta_* keys.
struct BetaDefaults {
  double start = 0.0001;
  double end = 0.02;
  const char* schedule = "linear";
};

enum class ZeroSnr { Ignored, Rescaled, RescaledAndFinite };

/// Reads num_train_timesteps, beta_*, trained_betas and, unless `zeroSnr` is Ignored, rescale_betas_zero_snr (arXiv 2305.08891,
/// algorithm 1; RescaledAndFinite: the last level is set to 2^-24 after it, as diffusers' sigma samplers do).
NoiseSchedule readNoiseSchedule(const ConfigValues& config, BetaDefaults defaults, ZeroSnr zeroSnr);

/// numpy.linspace(start, stop, count).
std::vector<double> linspace(double start, double stop, int count);

/// Times of a sampler that starts with noise, largest first.
/// @param spacing "linspace", "leading" or "trailing"
/// @param extra   1 for samplers that divide the range in steps + 1 and drop the last (DPM++, UniPC, DEIS), else 0
/// @param last    number of times to choose from (num_train_timesteps, or fewer where lambda_min_clipped cuts)
/// @param round   linspace times are rounded to whole numbers
std::vector<double> spacedTimesteps(const std::string& spacing, int steps, int trainSteps, int last, int stepsOffset, int extra,
                                    bool round);

/// numpy.interp of the schedule's sigmas at the times.
std::vector<double> sigmasAt(const std::vector<double>& timesteps, const std::vector<float>& trained);

/// Which keys spread the noise levels otherwise: Karras (arXiv 2206.00364, eq. 5), exponential, beta (arXiv 2407.12173, Beta(0.6,
/// 0.6)), Lu.
struct SigmaSpacing {
  bool karras = false;
  bool exponential = false;
  bool beta = false;
  std::optional<double> sigmaMin;
  std::optional<double> sigmaMax;

  bool any() const { return karras || exponential || beta; }
};
/// Throws EngineFailure(Unsupported) if more than one is asked for.
SigmaSpacing readSigmaSpacing(const ConfigValues& config, bool hasLimits = false);

/// Levels from the largest down. @param first,last the ends if the spacing has no limits of its own
std::vector<double> spacedSigmas(const SigmaSpacing& spacing, double first, double last, int steps);

/// The (broken) time whose log sigma is log(sigma), by linear interpolation in the trained ones; diffusers' _sigma_to_t.
double timeOfSigma(double sigma, const std::vector<float>& trained);

/// fp32 tensor of doubles, each rounded once.
at::Tensor asFloats(const std::vector<double>& values);
/// int64 tensor, fractions cut off.
at::Tensor asInts(const std::vector<double>& values);
std::vector<double> rounded(std::vector<double> values);

}  // namespace polyptych::diffusion
