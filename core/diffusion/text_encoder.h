#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>

#include "core/checkpoint/model_config.h"
#include "core/diffusion/weights.h"

namespace polyptych::diffusion {

/// transformers' CLIPTextModel: token and position embeddings, pre-norm transformer layers with a causal mask, final layer norm.
/// Does not change after construction, but for layouts of weights that it keeps for speed: one thread at a time.
class TextEncoder {
 public:
  /// Takes every tensor it needs. Throws EngineFailure(Unsupported) for a config value that is not done.
  TextEncoder(WeightReader& weights, const checkpoint::TextEncoderConfig& config);

  /// @param ids [B, L] int64 on the encoder's device; L at most maxPositionEmbeddings, every id below vocabSize
  /// (EngineFailure(InvalidArgument) else)
  /// @param clipSkip  layers to leave out at the end, as in diffusers' encode_prompt: hidden_states[-(clipSkip + 1)]; below 0 or
  /// above the number of layers is
  ///        EngineFailure(InvalidArgument)
  /// @return [B, L, hiddenSize] in the compute type, after the final layer norm
  at::Tensor encode(const at::Tensor& ids, std::optional<int> clipSkip = std::nullopt) const;

 private:
  struct Network;
  std::shared_ptr<const Network> m_network;
};

}  // namespace polyptych::diffusion
