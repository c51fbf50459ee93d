#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <vector>

#include "core/diffusion/ops.h"

namespace polyptych::diffusion {

/// Multi-head attention; queries and values of width `width`.
struct Attention {
  Linear q;
  Linear k;
  Linear v;
  Linear out;
  std::int64_t heads = 1;
};

/// @param context   where keys and values come from: x itself for self-attention
/// @param residual  is added to the result
at::Tensor attend(const at::Tensor& x, const at::Tensor& context, const Attention& layer, const at::Tensor& residual,
                  bool isCausal = false);

/// diffusers' BasicTransformerBlock with layer norms and GEGLU: self-attention (or cross-attention instead), cross-attention,
/// feed-forward.
struct TransformerBlock {
  LayerNorm norm1;
  Attention attention1;
  bool isFirstCross = false;
  LayerNorm norm2;
  Attention attention2;
  LayerNorm norm3;
  Linear value;  ///< GEGLU: value * gelu(gate)
  Linear gate;
  Linear out;
};

/// diffusers' Transformer2DModel on pictures: norm, projection in, blocks, projection out, plus the input.
struct PictureTransformer {
  GroupNorm norm;
  Linear in;
  std::vector<TransformerBlock> blocks;
  Linear out;
};

struct PictureTransformerShape {
  std::int64_t channels = 0;
  std::int64_t heads = 1;
  std::int64_t contextWidth = 0;
  std::int64_t groups = 32;
  int layers = 1;
  bool hasLinearProjection = false;
  bool isOnlyCross = false;
};

PictureTransformer takePictureTransformer(WeightReader& weights, const std::string& name, const PictureTransformerShape& shape);
/// @param x [B, C, H, W]  @param context [B, L, contextWidth]
at::Tensor transformPicture(const at::Tensor& x, const at::Tensor& context, const PictureTransformer& transformer);

}  // namespace polyptych::diffusion
