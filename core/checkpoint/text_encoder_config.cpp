#include "core/checkpoint/config_reader.h"
#include "core/checkpoint/model_config.h"

namespace polyptych::checkpoint {
namespace {

constexpr int kMaxWidth = 1 << 16;
constexpr int kMaxLayers = 256;

}  // namespace

base::Result<TextEncoderConfig> parseTextEncoderConfig(std::string_view text, std::string_view where) {
  ConfigReader reader(text, where);
  std::string modelType;
  if (reader.has("model_type") && !reader.isNull("model_type")) {
    reader.read("model_type", modelType);
    reader.allow("model_type", modelType, {"clip_text_model", "clip"});
  }
  if (modelType == "clip" && reader.has("text_config")) {
    if (!reader.enter("text_config")) {
      reader.fail(base::ErrorCode::Corrupt, "has a text_config that is not an object.");
    }
  }
  TextEncoderConfig config;
  reader.read("vocab_size", config.vocabSize, 1, 1 << 24);
  reader.read("hidden_size", config.hiddenSize, 1, kMaxWidth);
  reader.read("intermediate_size", config.intermediateSize, 1, kMaxWidth * 4);
  reader.refuseIfTrue("use_attention_mask");
  if (!reader.isNull("projection_dim")) {
    reader.read("projection_dim", config.projectionDim, 1, kMaxWidth);
  }
  reader.read("num_hidden_layers", config.numHiddenLayers, 1, kMaxLayers);
  reader.read("num_attention_heads", config.numAttentionHeads, 1, kMaxWidth);
  reader.read("max_position_embeddings", config.maxPositionEmbeddings, 1, kMaxWidth);
  reader.read("hidden_act", config.hiddenAct);
  reader.allow("hidden_act", config.hiddenAct, {"quick_gelu", "gelu"});
  reader.read("layer_norm_eps", config.layerNormEps);
  for (const auto& [key, value] :
       {std::pair{"pad_token_id", &config.padTokenId}, std::pair{"bos_token_id", &config.bosTokenId}}) {
    if (!reader.isNull(key)) {
      reader.read(key, *value, 0, 1 << 24);
    }
  }
  if (reader.isArray("eos_token_id")) {
    std::vector<int> ids;
    reader.readList("eos_token_id", ids, 1, 0, 1 << 24);
    config.eosTokenId = ids.empty() ? config.eosTokenId : ids.front();
  } else if (!reader.isNull("eos_token_id")) {
    reader.read("eos_token_id", config.eosTokenId, 0, 1 << 24);
  }
  if (reader.isOk() && config.hiddenSize % config.numAttentionHeads != 0) {
    reader.fail(base::ErrorCode::Corrupt, "has hidden_size " + std::to_string(config.hiddenSize) +
                                              ", which num_attention_heads " + std::to_string(config.numAttentionHeads) +
                                              " does not divide.");
  }
  if (!reader.isOk()) {
    return reader.error();
  }
  return config;
}

}  // namespace polyptych::checkpoint
