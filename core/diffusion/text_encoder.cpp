#include "core/diffusion/text_encoder.h"

#include <ATen/ATen.h>

#include <vector>

#include "core/diffusion/failure.h"
#include "core/diffusion/ops.h"
#include "core/diffusion/transformer.h"

namespace polyptych::diffusion {
namespace {

struct Layer {
  LayerNorm norm1;
  Attention attention;
  LayerNorm norm2;
  Linear in;
  Linear out;
};

Layer takeLayer(WeightReader& weights, const std::string& name, const checkpoint::TextEncoderConfig& config) {
  const std::int64_t width = config.hiddenSize;
  const auto project = [&](const char* part) { return takeLinear(weights, name + ".self_attn." + part, width, width); };
  Layer layer;
  layer.norm1 = takeLayerNorm(weights, name + ".layer_norm1", width, config.layerNormEps);
  layer.attention = {project("q_proj"), project("k_proj"), project("v_proj"), project("out_proj"), config.numAttentionHeads};
  layer.norm2 = takeLayerNorm(weights, name + ".layer_norm2", width, config.layerNormEps);
  layer.in = takeLinear(weights, name + ".mlp.fc1", width, config.intermediateSize);
  layer.out = takeLinear(weights, name + ".mlp.fc2", config.intermediateSize, width);
  return layer;
}

[[noreturn]] void refuse(std::string sentence) {
  throw EngineFailure({base::ErrorCode::InvalidArgument, std::move(sentence), {}});
}

}  // namespace

struct TextEncoder::Network {
  at::Tensor tokens;     // [vocabulary, width]
  at::Tensor positions;  // [positions, width]
  std::vector<Layer> layers;
  LayerNorm finalNorm;
  Activation activation = Activation::QuickGelu;
};

TextEncoder::TextEncoder(WeightReader& weights, const checkpoint::TextEncoderConfig& config) {
  if (config.hiddenSize % config.numAttentionHeads != 0) {
    throw EngineFailure({base::ErrorCode::ModelUnusable,
                         "The text encoder's config does not fit together: hidden_size " + std::to_string(config.hiddenSize) +
                             " cannot be divided into " + std::to_string(config.numAttentionHeads) + " heads.",
                         {}});
  }
  auto network = std::make_shared<Network>();
  network->activation = activationFromName(config.hiddenAct);
  const std::string root = "text_model.";
  network->tokens = weights.take(root + "embeddings.token_embedding.weight", {config.vocabSize, config.hiddenSize});
  network->positions =
      weights.take(root + "embeddings.position_embedding.weight", {config.maxPositionEmbeddings, config.hiddenSize});
  weights.ignore(root + "embeddings.position_ids");  // 0, 1, 2, ...: written by transformers before 4.31
  for (int i = 0; i < config.numHiddenLayers; ++i) {
    network->layers.push_back(takeLayer(weights, root + "encoder.layers." + std::to_string(i), config));
  }
  network->finalNorm = takeLayerNorm(weights, root + "final_layer_norm", config.hiddenSize, config.layerNormEps);
  if (config.hasProjection) {
    weights.ignore("text_projection.weight");
  }
  m_network = std::move(network);
}

at::Tensor TextEncoder::encode(const at::Tensor& ids, std::optional<int> clipSkip) const {
  const Network& network = *m_network;
  const std::int64_t layers = static_cast<std::int64_t>(network.layers.size());
  const std::int64_t length = ids.size(1);
  if (clipSkip && (*clipSkip < 0 || *clipSkip > layers)) {
    refuse("Clip skip is " + std::to_string(*clipSkip) + ", but this model's text encoder has " + std::to_string(layers) +
           " layers.");
  }
  if (length < 1 || length > network.positions.size(0)) {
    refuse("The prompt has " + std::to_string(length) + " tokens; the text encoder takes 1 to " +
           std::to_string(network.positions.size(0)) + ".");
  }
  if (ids.lt(0).logical_or_(ids.ge(network.tokens.size(0))).any().item<bool>()) {
    refuse("The tokenizer gives ids that the text encoder does not know: tokenizer and text encoder are of different models.");
  }
  at::Tensor hidden = at::embedding(network.tokens, ids).add_(network.positions.narrow(0, 0, length));
  for (std::int64_t i = 0; i < layers - clipSkip.value_or(0); ++i) {
    const Layer& layer = network.layers[static_cast<std::size_t>(i)];
    const at::Tensor normed = layerNorm(hidden, layer.norm1);
    hidden = attend(normed, normed, layer.attention, hidden, /*isCausal=*/true);
    const at::Tensor inner = activate(linear(layerNorm(hidden, layer.norm2), layer.in), network.activation);
    hidden = linearPlus(inner, layer.out, hidden);
  }
  return layerNorm(hidden, network.finalNorm);
}

}  // namespace polyptych::diffusion
