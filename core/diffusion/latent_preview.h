#pragma once

#include <ATen/core/Tensor.h>

#include "core/diffusion/vae.h"
#include "core/domain/image.h"

namespace polyptych::diffusion {

/// Latents as a small picture, one pixel a latent cell, without running the decoder: a linear map from latent channels to RGB.
/// The map is fitted to the model's own decoder (least squares over its answers to smooth random latents), so that every VAE gets
/// its own colours.
class LatentPreview {
 public:
  /// Fits the map: one small decode.
  /// @param scale  what the decoder's input is divided by (scaling_factor)
  LatentPreview(const Vae& vae, std::int64_t channels, double scale, at::ScalarType type, at::Device device);

  /// @param latent [C, h, w] on any device, of about unit variance
  domain::Image render(const at::Tensor& latent) const;

 private:
  at::Tensor m_map;  ///< [C + 1, 3] fp32 CPU, last row the offset; result in [-1, 1]
};

}  // namespace polyptych::diffusion
