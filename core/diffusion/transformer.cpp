#include "core/diffusion/transformer.h"

#include <ATen/ATen.h>

#include "core/diffusion/failure.h"

namespace polyptych::diffusion {
namespace {

constexpr double kPictureNormEps = 1e-6;  // fixed in diffusers' Transformer2DModel, whatever the config's norm_eps
constexpr double kBlockNormEps = 1e-5;
constexpr std::int64_t kFeedForwardFactor = 4;

Attention takeAttention(WeightReader& weights, const std::string& name, std::int64_t width, std::int64_t contextWidth,
                        std::int64_t heads) {
  return {takeLinear(weights, name + ".to_q", width, width, false),
          takeLinear(weights, name + ".to_k", contextWidth, width, false),
          takeLinear(weights, name + ".to_v", contextWidth, width, false), takeLinear(weights, name + ".to_out.0", width, width),
          heads};
}

TransformerBlock takeBlock(WeightReader& weights, const std::string& name, const PictureTransformerShape& shape) {
  const std::int64_t width = shape.channels;
  const std::int64_t inner = kFeedForwardFactor * width;
  TransformerBlock block;
  block.norm1 = takeLayerNorm(weights, name + ".norm1", width, kBlockNormEps);
  block.attention1 = takeAttention(weights, name + ".attn1", width, shape.isOnlyCross ? shape.contextWidth : width, shape.heads);
  block.isFirstCross = shape.isOnlyCross;
  block.norm2 = takeLayerNorm(weights, name + ".norm2", width, kBlockNormEps);
  block.attention2 = takeAttention(weights, name + ".attn2", width, shape.contextWidth, shape.heads);
  block.norm3 = takeLayerNorm(weights, name + ".norm3", width, kBlockNormEps);
  const Linear both = takeLinear(weights, name + ".ff.net.0.proj", width, 2 * inner);
  block.value = {both.weight.rows(0, inner), both.bias.narrow(0, 0, inner)};
  block.gate = {both.weight.rows(inner, inner), both.bias.narrow(0, inner, inner)};
  block.out = takeLinear(weights, name + ".ff.net.2", inner, width);
  return block;
}

}  // namespace

at::Tensor attend(const at::Tensor& x, const at::Tensor& context, const Attention& layer, const at::Tensor& residual,
                  bool isCausal) {
  const at::Tensor mixed =
      attention(linear(x, layer.q), linear(context, layer.k), linear(context, layer.v), layer.heads, isCausal);
  return linearPlus(mixed, layer.out, residual);
}

PictureTransformer takePictureTransformer(WeightReader& weights, const std::string& name, const PictureTransformerShape& shape) {
  if (shape.heads < 1 || shape.channels % shape.heads != 0) {
    throw EngineFailure({base::ErrorCode::ModelUnusable,
                         "The model's config does not fit together: " + name + " has " + std::to_string(shape.channels) +
                             " channels, which cannot be divided into " + std::to_string(shape.heads) +
                             " heads (attention_head_dim).",
                         {}});
  }
  PictureTransformer transformer;
  const auto takeProjection = [&](const std::string& part) {
    return shape.hasLinearProjection ? takeLinear(weights, name + part, shape.channels, shape.channels)
                                     : takePointwise(weights, name + part, shape.channels, shape.channels);
  };
  transformer.norm = takeGroupNorm(weights, name + ".norm", shape.channels, shape.groups, kPictureNormEps);
  transformer.in = takeProjection(".proj_in");
  for (int i = 0; i < shape.layers; ++i) {
    transformer.blocks.push_back(takeBlock(weights, name + ".transformer_blocks." + std::to_string(i), shape));
  }
  transformer.out = takeProjection(".proj_out");
  return transformer;
}

at::Tensor transformPicture(const at::Tensor& x, const at::Tensor& context, const PictureTransformer& transformer) {
  at::Tensor hidden = linear(toRows(groupNorm(x, transformer.norm)), transformer.in);
  for (const TransformerBlock& block : transformer.blocks) {
    at::Tensor normed = layerNorm(hidden, block.norm1);
    hidden = attend(normed, block.isFirstCross ? context : normed, block.attention1, hidden);
    normed = layerNorm(hidden, block.norm2);
    hidden = attend(normed, context, block.attention2, hidden);
    normed = layerNorm(hidden, block.norm3);
    hidden = linearPlus(gatedLinear(normed, block.value, block.gate), block.out, hidden);
  }
  return fromRows(linearPlus(hidden, transformer.out, toRows(x)), x.size(2), x.size(3));
}

}  // namespace polyptych::diffusion
