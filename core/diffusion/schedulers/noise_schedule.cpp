#include "core/diffusion/schedulers/noise_schedule.h"

#include <ATen/ATen.h>

#include <boost/math/special_functions/beta.hpp>
#include <cmath>
#include <numbers>

#include "core/diffusion/failure.h"

namespace polyptych::diffusion {
namespace {

constexpr double kBetaShape = 0.6;
constexpr double kKarrasRho = 7.0;

/// diffusers' betas_for_alpha_bar, cosine.
at::Tensor cosineBetas(int steps) {
  const auto alphaBar = [](double t) { return std::pow(std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2), 2); };
  std::vector<double> betas;
  for (int i = 0; i < steps; ++i) {
    betas.push_back(std::min(1 - alphaBar(double(i + 1) / steps) / alphaBar(double(i) / steps), 0.999));
  }
  return asFloats(betas);
}

at::Tensor rescaledToZeroSnr(const at::Tensor& betas) {
  at::Tensor root = at::cumprod(1.0 - betas, 0).sqrt();
  const at::Tensor first = root[0].clone();
  const at::Tensor last = root[-1].clone();
  root = (root - last) * (first / (first - last));
  const at::Tensor bar = root.pow(2);
  const at::Tensor alphas = at::cat({bar.slice(0, 0, 1), bar.slice(0, 1) / bar.slice(0, 0, -1)});
  return 1 - alphas;
}

}  // namespace

at::Tensor asFloats(const std::vector<double>& values) {
  at::Tensor out = at::empty({static_cast<std::int64_t>(values.size())}, at::kFloat);
  std::transform(values.begin(), values.end(), out.mutable_data_ptr<float>(),
                 [](double value) { return static_cast<float>(value); });
  return out;
}

at::Tensor asInts(const std::vector<double>& values) {
  at::Tensor out = at::empty({static_cast<std::int64_t>(values.size())}, at::kLong);
  std::transform(values.begin(), values.end(), out.mutable_data_ptr<std::int64_t>(),
                 [](double value) { return static_cast<std::int64_t>(value); });
  return out;
}

std::vector<double> rounded(std::vector<double> values) {
  for (double& value : values) {
    value = std::nearbyint(value);
  }
  return values;
}

std::vector<float> NoiseSchedule::sigmas() const {
  const at::Tensor values = ((1 - alphasCumprod) / alphasCumprod).pow(0.5).contiguous();
  const float* data = values.const_data_ptr<float>();
  return {data, data + values.numel()};
}

NoiseSchedule readNoiseSchedule(const ConfigValues& config, BetaDefaults defaults, ZeroSnr zeroSnr) {
  NoiseSchedule schedule;
  schedule.trainSteps = config.integer("num_train_timesteps", 1000);
  if (schedule.trainSteps < 2 || schedule.trainSteps > 1'000'000) {
    config.refuse("num_train_timesteps", std::to_string(schedule.trainSteps), "2 to 1000000");
  }
  const double start = config.number("beta_start", defaults.start);
  const double end = config.number("beta_end", defaults.end);
  const std::string kind =
      config.choice("beta_schedule", defaults.schedule, {"linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"});
  const auto fp32 = at::TensorOptions().dtype(at::kFloat);
  at::Tensor betas;
  if (const auto trained = config.numbers("trained_betas")) {
    if (static_cast<int>(trained->size()) != schedule.trainSteps) {
      config.refuse("trained_betas", "a list of " + std::to_string(trained->size()),
                    "as many numbers as num_train_timesteps, " + std::to_string(schedule.trainSteps));
    }
    betas = asFloats(*trained);
  } else if (kind == "linear") {
    betas = at::linspace(start, end, schedule.trainSteps, fp32);
  } else if (kind == "scaled_linear") {
    betas = at::linspace(std::sqrt(start), std::sqrt(end), schedule.trainSteps, fp32).pow(2);
  } else if (kind == "squaredcos_cap_v2") {
    betas = cosineBetas(schedule.trainSteps);
  } else if (config.className() == "DDPM") {
    betas = at::sigmoid(at::linspace(-6, 6, schedule.trainSteps, fp32)) * (end - start) + start;
  } else {
    config.refuse("beta_schedule", kind, "linear, scaled_linear, squaredcos_cap_v2");
  }
  const bool rescales = zeroSnr != ZeroSnr::Ignored && config.flag("rescale_betas_zero_snr", false);
  if (rescales) {
    betas = rescaledToZeroSnr(betas);
  }
  schedule.alphasCumprod = at::cumprod(1.0 - betas, 0);
  if (rescales && zeroSnr == ZeroSnr::RescaledAndFinite) {
    schedule.alphasCumprod[-1] = std::ldexp(1.0, -24);
  }
  return schedule;
}

std::vector<double> linspace(double start, double stop, int count) {
  std::vector<double> out(static_cast<std::size_t>(count));
  const double step = count > 1 ? (stop - start) / (count - 1) : 0;
  for (int i = 0; i < count; ++i) {
    out[static_cast<std::size_t>(i)] = i * step + start;
  }
  if (count > 1) {
    out.back() = stop;
  }
  return out;
}

std::vector<double> spacedTimesteps(const std::string& spacing, int steps, int trainSteps, int last, int stepsOffset, int extra,
                                    bool round) {
  std::vector<double> out;
  if (spacing == "linspace") {
    out = linspace(0, last - 1, steps + extra);
    if (round) {
      out = rounded(std::move(out));
    }
    std::reverse(out.begin(), out.end());
    out.resize(static_cast<std::size_t>(steps));
  } else if (spacing == "leading") {
    const int ratio = last / (steps + extra);
    for (int i = steps + extra - 1; i >= extra; --i) {
      out.push_back(static_cast<double>(i) * ratio + stepsOffset);
    }
  } else {
    // numpy.arange(last, 0, -ratio), each value from the start. For some counts (61, 103, ...) its ceil gives one value more: a
    // time of -1, at which no network was trained. Left out.
    const double ratio = static_cast<double>(trainSteps) / steps;
    const int count = std::min(steps, static_cast<int>(std::ceil((0 - static_cast<double>(last)) / -ratio)));
    const double delta = (last - ratio) - last;
    for (int i = 0; i < count; ++i) {
      out.push_back(std::nearbyint(last + i * delta) - 1);
    }
  }
  return out;
}

std::vector<double> sigmasAt(const std::vector<double>& timesteps, const std::vector<float>& trained) {
  std::vector<double> out;
  for (const double time : timesteps) {
    const double clamped = std::clamp(time, 0.0, static_cast<double>(trained.size() - 1));
    const auto low = std::min(static_cast<std::size_t>(clamped), trained.size() - 1);
    if (low + 1 >= trained.size()) {
      out.push_back(trained.back());
      continue;
    }
    const double slope = static_cast<double>(trained[low + 1]) - static_cast<double>(trained[low]);
    out.push_back(slope * (clamped - static_cast<double>(low)) + static_cast<double>(trained[low]));
  }
  return out;
}

SigmaSpacing readSigmaSpacing(const ConfigValues& config, bool hasLimits) {
  SigmaSpacing spacing;
  spacing.karras = config.flag("use_karras_sigmas", false);
  spacing.exponential = config.flag("use_exponential_sigmas", false);
  spacing.beta = config.flag("use_beta_sigmas", false);
  if (spacing.karras + spacing.exponential + spacing.beta > 1) {
    throw EngineFailure({base::ErrorCode::Unsupported,
                         "The scheduler " + config.className() +
                             " is asked for more than one of Karras, exponential and beta sigmas; choose one.",
                         {}});
  }
  if (hasLimits) {
    spacing.sigmaMin = config.optionalNumber("sigma_min");
    spacing.sigmaMax = config.optionalNumber("sigma_max");
  }
  return spacing;
}

std::vector<double> spacedSigmas(const SigmaSpacing& spacing, double first, double last, int steps) {
  const double low = spacing.sigmaMin.value_or(last);
  const double high = spacing.sigmaMax.value_or(first);
  std::vector<double> out;
  if (spacing.karras) {
    const double lowRoot = std::pow(low, 1 / kKarrasRho);
    const double highRoot = std::pow(high, 1 / kKarrasRho);
    for (const double ramp : linspace(0, 1, steps)) {
      out.push_back(std::pow(highRoot + ramp * (lowRoot - highRoot), kKarrasRho));
    }
  } else if (spacing.exponential) {
    for (const double level : linspace(std::log(high), std::log(low), steps)) {
      out.push_back(std::exp(level));
    }
  } else {
    for (const double ramp : linspace(0, 1, steps)) {
      out.push_back(low + boost::math::ibeta_inv(kBetaShape, kBetaShape, 1 - ramp) * (high - low));
    }
  }
  return out;
}

double timeOfSigma(double sigma, const std::vector<float>& trained) {
  const double wanted = std::log(std::max(sigma, 1e-10));
  // The last index whose log sigma is not above the wanted one.
  std::size_t low = 0;
  for (std::size_t i = 0; i < trained.size(); ++i) {
    if (wanted - static_cast<double>(std::log(trained[i])) >= 0) {
      low = i;
    }
  }
  low = std::min(low, trained.size() - 2);
  const float lowLog = std::log(trained[low]);
  const float highLog = std::log(trained[low + 1]);
  const double weight = std::clamp((static_cast<double>(lowLog) - wanted) / static_cast<double>(lowLog - highLog), 0.0, 1.0);
  return (1 - weight) * static_cast<double>(low) + weight * static_cast<double>(low + 1);
}

}  // namespace polyptych::diffusion
