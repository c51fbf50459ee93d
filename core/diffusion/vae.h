#pragma once

#include <ATen/core/Tensor.h>

#include <exception>
#include <functional>
#include <memory>

#include "core/checkpoint/model_config.h"
#include "core/diffusion/weights.h"

namespace polyptych::diffusion {

/// Thrown out of a decode or encode whose isCancelled() said so.
class CancelledError : public std::exception {
 public:
  const char* what() const noexcept override { return "cancelled"; }
};

struct DecodeOptions {
  bool slicing = false;  ///< one picture of the batch at a time
  bool tiling =
      false;  ///< overlapping tiles where the picture is larger than VaeConfig::sampleSize; changes the result (diffusers' rule)
  std::function<bool()> isCancelled;                ///< asked before each tile or slice; may be empty
  std::function<void(int done, int total)> onTile;  ///< after each tile (or slice, or the one batch); may be empty
};

/// diffusers' AutoencoderKL. Scaling by scaling_factor is the caller's.
/// Does not change after construction, but for layouts of weights that it keeps for speed: one thread at a time.
class Vae {
 public:
  /// Takes every tensor it needs. Throws EngineFailure(Unsupported) for a config value that is not done.
  Vae(WeightReader& weights, const checkpoint::VaeConfig& config);

  /// @param latents [B, latentChannels, h, w] in the compute type, already divided by the scaling factor
  /// @return [B, outChannels, H, W], fp32, contiguous, unclamped (about -1 to 1); computed in the compute type
  at::Tensor decode(const at::Tensor& latents, const DecodeOptions& options = {}) const;

  /// @param pictures [B, inChannels, H, W] in the compute type, -1 to 1
  /// @return [B, 2 x latentChannels, h, w], fp32: mean, then log variance (not clamped) of the posterior, not scaled
  at::Tensor encodeMoments(const at::Tensor& pictures, const DecodeOptions& options = {}) const;
  /// The first half of encodeMoments(): diffusers' latent_dist.mode().
  at::Tensor encodeMean(const at::Tensor& pictures, const DecodeOptions& options = {}) const;

 private:
  struct Network;
  std::shared_ptr<const Network> m_network;
};

}  // namespace polyptych::diffusion
