#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>

#include "core/checkpoint/model_config.h"
#include "core/domain/scheduler_name.h"

namespace polyptych::diffusion {

/// Where a scheduler's random numbers come from. The order and number of calls is part of a picture: they follow diffusers'.
class NoiseSource {
 public:
  virtual ~NoiseSource() = default;
  /// Standard normal numbers of the given shape and type on the unit's device.
  virtual at::Tensor normal(at::IntArrayRef shape, at::ScalarType type) = 0;
};

/// One sampler for one run: which times the network is asked at, and how its answers move the sample. Not for reuse between runs.
/// `call` counts the network's calls from 0; step() is to be called for 0, 1, 2, ... in order.
class Scheduler {
 public:
  virtual ~Scheduler() = default;

  /// Fixes the times of a run. Throws EngineFailure(InvalidArgument) if the sampler cannot do so many or so few steps.
  virtual void setTimesteps(int steps) = 0;
  /// One entry a call: fp32, fp64 or int64 on the CPU, diffusers' values.
  const at::Tensor& timesteps() const { return m_timesteps; }
  /// Noise levels, diffusers' `sigmas`, fp32 on the CPU; nothing for samplers that have none.
  virtual std::optional<at::Tensor> sigmas() const { return std::nullopt; }
  /// What standard normal noise is multiplied by to start from.
  virtual double initNoiseSigma() const { return 1.0; }
  /// What the network is to see instead of the sample.
  virtual at::Tensor scaleModelInput(const at::Tensor& sample, int call) const;
  /// @param modelOutput [B, C, h, w] after guidance  @param sample [B, C, h, w]  @return the next sample
  virtual at::Tensor step(const at::Tensor& modelOutput, int call, const at::Tensor& sample, NoiseSource& noise) = 0;
  /// Calls a step of the user's count takes (after the first).
  virtual int order() const { return 1; }

 protected:
  at::Tensor m_timesteps;
};

/// Builds the sampler as diffusers' from_config does: the model's keys that the class knows, the choice's keys over them, the
/// class's own defaults for the rest. The model's own class keeps the defaults that the pipeline repaired. Throws EngineFailure:
/// Unsupported naming key and value, Corrupt for a key of a wrong type.
std::unique_ptr<Scheduler> makeScheduler(const domain::SchedulerChoice& choice, const checkpoint::SchedulerConfig& model);

}  // namespace polyptych::diffusion
