#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>

#include "core/checkpoint/model_config.h"
#include "core/diffusion/weights.h"

namespace polyptych::diffusion {

/// What some models are conditioned on besides time and text. Tensors on the UNet's device.
struct UNetConditions {
  std::optional<at::Tensor> timestepCond;  ///< [B, timeCondProjDim]: guidance embedding of distilled models
  std::optional<at::Tensor> textEmbeds;    ///< [B, P]: pooled text, for additionEmbedType "text_time"
  std::optional<at::Tensor> timeIds;       ///< [B, n]: original size, crop, target size, for "text_time"
};

/// diffusers' UNet2DConditionModel for the block types of SD 1.x, 2.x and XL.
/// Does not change after construction, but for layouts of weights that it keeps for speed: one thread at a time.
class UNet {
 public:
  /// Takes every tensor it needs. Throws EngineFailure(Unsupported) for a config value that is not done.
  UNet(WeightReader& weights, const checkpoint::UNetConfig& config);

  /// @param sample    [B, inChannels, h, w] in the compute type; any h, w >= 1
  /// @param timestep  one number of any type on any device, or [B]
  /// @param context   [B, L, crossAttentionDim] in the compute type
  /// @return [B, outChannels, h, w] in the compute type, contiguous
  /// Throws EngineFailure(InvalidArgument) if a condition that the config asks for is absent.
  at::Tensor predict(const at::Tensor& sample, const at::Tensor& timestep, const at::Tensor& context,
                     const UNetConditions& conditions = {}) const;

 private:
  struct Network;
  std::shared_ptr<const Network> m_network;
};

}  // namespace polyptych::diffusion
