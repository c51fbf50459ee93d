#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

#include "core/diffusion/schedulers/scheduler.h"
#include "core/domain/request.h"

namespace polyptych::diffusion {

/// A CPU generator for each picture of a unit, so that the noise of a picture depends on its seed alone: not on the device, not
/// on its neighbours in the batch. As diffusers' randn_tensor with a list of generators.
class PictureNoise : public NoiseSource {
 public:
  PictureNoise(std::span<const domain::GenerationRequest> requests, domain::NoiseKind kind, at::Device device);

  /// [B, ...] on the unit's device: row i from picture i's generator, drawn in `type` if the kind is Model, else in fp32 and then
  /// cast.
  at::Tensor normal(at::IntArrayRef shape, at::ScalarType type) override;

 private:
  std::vector<at::Generator> m_generators;
  domain::NoiseKind m_kind;
  at::Device m_device;
};

}  // namespace polyptych::diffusion
