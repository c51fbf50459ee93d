#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "core/checkpoint/config_reader.h"
#include "core/checkpoint/model_config.h"

namespace polyptych::checkpoint {
namespace {

using base::ErrorCode;

constexpr std::size_t kMaxLevels = 12;
constexpr int kMaxChannels = 1 << 16;
constexpr int kMaxLayers = 64;
constexpr int kMaxTransformerLayers = 256;
constexpr int kMaxKernel = 31;
constexpr int kMaxSampleSize = 1 << 16;
constexpr int kRepairedSampleSize = 64;

/// True for a version below 0.9.0 (pre-release and local parts do not count); false if it cannot be read.
bool isBefore090(const std::string& version) {
  int parts[2] = {0, 0};
  const char* at = version.c_str();
  for (int& part : parts) {
    char* end = nullptr;
    if (*at < '0' || *at > '9') {
      return false;
    }
    part = static_cast<int>(std::min(std::strtol(at, &end, 10), 1L << 20));
    if (*end != '.') {
      at = end;
      break;
    }
    at = end + 1;
  }
  return parts[0] == 0 && parts[1] < 9;
}

void readSampleSize(ConfigReader& reader, UNetConfig& config) {
  if (!reader.has("sample_size") || reader.isNull("sample_size")) {
    return;
  }
  config.isSampleSizeInt = reader.isInteger("sample_size");
  reader.readList("sample_size", config.sampleSize, 2, 1, kMaxSampleSize);
  if (!reader.isOk()) {
    return;
  }
  if (config.sampleSize.size() == 1 && !config.isSampleSizeInt) {
    reader.fail(ErrorCode::Corrupt, "has a sample_size that is a list of one number; two are expected.");
    return;
  }
  if (config.isSampleSizeInt) {
    std::string version;
    if (reader.has("_diffusers_version") && !reader.isNull("_diffusers_version")) {
      reader.read("_diffusers_version", version);
    }
    if (isBefore090(version)) {
      config.sampleSize.front() = std::max(config.sampleSize.front(), kRepairedSampleSize);
    }
    config.sampleSize.push_back(config.sampleSize.front());
  }
}

void readTransformerLayers(ConfigReader& reader, UNetConfig& config) {
  constexpr const char* kKey = "transformer_layers_per_block";
  constexpr const char* kReverseKey = "reverse_transformer_layers_per_block";
  const std::size_t levels = config.blockOutChannels.size();
  const auto corrupt = [&](const char* key) {
    reader.fail(ErrorCode::Corrupt, "has a " + std::string(key) +
                                        " that does not fit its blocks: one number, a number for each of " +
                                        std::to_string(levels) + " blocks, or a list for each with a number per layer.");
  };
  const bool isList = reader.isArray(kKey);
  const bool isReversed = reader.has(kReverseKey) && !reader.isNull(kReverseKey);
  bool isNested = false;
  int single = 1;
  if (!isList) {
    reader.read(kKey, single, 0, kMaxTransformerLayers);
  } else if (*reader.listSize(kKey) != levels) {
    corrupt(kKey);
  }
  if (isReversed && (!reader.isArray(kReverseKey) || *reader.listSize(kReverseKey) != levels)) {
    corrupt(kReverseKey);
  }
  if (!reader.isOk()) {
    return;
  }
  // A list of one stands both for a plain number and for a nested list of one: with one layer they mean the same.
  const auto expand = [&](const char* key, std::size_t index, std::size_t layers) {
    std::vector<int> list = reader.readNested(key, index, kMaxLayers + 1, 0, kMaxTransformerLayers);
    if (list.size() == 1) {
      list.assign(layers, list.front());
    }
    return list;
  };
  config.transformerLayersPerBlock.clear();
  config.upTransformerLayersPerBlock.clear();
  for (std::size_t level = 0; level < levels; ++level) {
    const auto layers = static_cast<std::size_t>(config.layersPerBlock[level]);
    const bool hasAttention = config.downBlockTypes[level] == "CrossAttnDownBlock2D";
    std::vector<int> list = isList ? expand(kKey, level, layers) : std::vector<int>(layers, single);
    if (level + 1 == levels) {
      config.midTransformerLayers = list.empty() ? single : list.front();
    }
    if (hasAttention && list.size() != layers) {
      return corrupt(kKey);
    }
    list.resize(layers, 0);
    isNested = isNested || std::adjacent_find(list.begin(), list.end(), std::not_equal_to<>()) != list.end();
    config.transformerLayersPerBlock.push_back(std::move(list));
  }
  if (isNested && !isReversed) {
    reader.fail(ErrorCode::Corrupt, "has different transformer layers inside one block, so it needs " + std::string(kReverseKey) +
                                        ", which is not there.");
    return;
  }
  for (std::size_t up = 0; up < levels; ++up) {
    const std::size_t level = levels - 1 - up;
    const auto layers = static_cast<std::size_t>(config.layersPerBlock[level]) + 1;
    std::vector<int> list;
    if (isReversed) {
      list = expand(kReverseKey, up, layers);
    } else if (isList) {
      const std::vector<int>& down = config.transformerLayersPerBlock[level];
      list.assign(layers, down.empty() ? 0 : down.front());
    } else {
      list.assign(layers, single);
    }
    if (config.upBlockTypes[up] == "CrossAttnUpBlock2D" && list.size() != layers) {
      return corrupt(isReversed ? kReverseKey : kKey);
    }
    list.resize(layers, 0);
    config.upTransformerLayersPerBlock.push_back(std::move(list));
  }
}

void refuseUnsupported(ConfigReader& reader) {
  for (const char* const key :
       {"class_embed_type", "num_class_embeds", "encoder_hid_dim", "encoder_hid_dim_type", "num_attention_heads"}) {
    reader.refuseUnlessNull(key);
  }
  reader.refuseIfTrue("class_embeddings_concat");
  reader.refuseIfTrue("dual_cross_attention");
  reader.refuseUnless("attention_type", "default");
  reader.refuseUnless("resnet_time_scale_shift", "default");
  reader.refuseUnless("time_embedding_type", "positional");
  if (reader.isNull("norm_num_groups")) {
    reader.fail(ErrorCode::Unsupported, "has norm_num_groups = null; models without group norm are not supported.");
  }
}

void checkSense(ConfigReader& reader, const UNetConfig& config) {
  const auto corrupt = [&](const std::string& sentence) { reader.fail(ErrorCode::Corrupt, sentence); };
  const std::size_t levels = config.blockOutChannels.size();
  for (std::size_t level = 0; level < levels && reader.isOk(); ++level) {
    const int channels = config.blockOutChannels[level];
    const std::string where = " in block_out_channels[" + std::to_string(level) + "]";
    if (channels % config.normNumGroups != 0) {
      corrupt("has " + std::to_string(channels) + where + ", which norm_num_groups " + std::to_string(config.normNumGroups) +
              " does not divide.");
    }
    const bool hasAttention = config.downBlockTypes[level] == "CrossAttnDownBlock2D" ||
                              config.upBlockTypes[levels - 1 - level] == "CrossAttnUpBlock2D" ||
                              (level + 1 == levels && config.midBlockType == "UNetMidBlock2DCrossAttn");
    if (hasAttention && channels % config.numAttentionHeads[level] != 0) {
      corrupt("has " + std::to_string(channels) + where + ", which attention_head_dim (the number of heads) " +
              std::to_string(config.numAttentionHeads[level]) + " does not divide.");
    }
  }
  if (config.blockOutChannels.front() % 2 != 0) {
    corrupt("has an odd first entry in block_out_channels.");
  }
  for (const auto& [key, kernel] :
       {std::pair{"conv_in_kernel", config.convInKernel}, std::pair{"conv_out_kernel", config.convOutKernel}}) {
    if (kernel % 2 == 0) {
      corrupt("has an even " + std::string(key) + ", so that input and output would differ in size.");
    }
  }
  if (config.additionEmbedType && (!config.additionTimeEmbedDim || !config.projectionClassEmbeddingsInputDim)) {
    corrupt("has addition_embed_type \"text_time\" without addition_time_embed_dim and projection_class_embeddings_input_dim.");
  }
  if (config.midBlockScaleFactor == 0) {
    corrupt("has mid_block_scale_factor 0.");
  }
}

}  // namespace

base::Result<UNetConfig> parseUNetConfig(std::string_view text, std::string_view where) {
  ConfigReader reader(text, where);
  UNetConfig config;
  refuseUnsupported(reader);
  readSampleSize(reader, config);
  reader.read("in_channels", config.inChannels, 1, kMaxChannels);
  reader.read("out_channels", config.outChannels, 1, kMaxChannels);
  reader.read("center_input_sample", config.centerInputSample);
  reader.read("flip_sin_to_cos", config.flipSinToCos);
  reader.read("freq_shift", config.freqShift);
  reader.read("down_block_types", config.downBlockTypes, kMaxLevels);
  reader.read("up_block_types", config.upBlockTypes, kMaxLevels);
  for (const std::string& type : config.downBlockTypes) {
    reader.allow("down_block_types", type, {"CrossAttnDownBlock2D", "DownBlock2D"});
  }
  for (const std::string& type : config.upBlockTypes) {
    reader.allow("up_block_types", type, {"CrossAttnUpBlock2D", "UpBlock2D"});
  }
  reader.read("mid_block_type", config.midBlockType);
  if (config.midBlockType) {
    reader.allow("mid_block_type", *config.midBlockType, {"UNetMidBlock2DCrossAttn", "UNetMidBlock2D"});
  }
  reader.readList("block_out_channels", config.blockOutChannels, kMaxLevels, 1, kMaxChannels);
  const std::size_t levels = config.downBlockTypes.size();
  if (reader.isOk() && (config.upBlockTypes.size() != levels || config.blockOutChannels.size() != levels)) {
    reader.fail(ErrorCode::Corrupt, "has down_block_types, up_block_types and block_out_channels of different lengths.");
  }
  if (!reader.isOk()) {
    return reader.error();
  }
  reader.readEach("only_cross_attention", config.onlyCrossAttention, levels);
  reader.readEach("layers_per_block", config.layersPerBlock, levels, 1, kMaxLayers);
  reader.read("downsample_padding", config.downsamplePadding, 0, 1);
  reader.read("mid_block_scale_factor", config.midBlockScaleFactor);
  readActivation(reader, "act_fn", config.actFn);
  reader.read("norm_num_groups", config.normNumGroups, 1, kMaxChannels);
  reader.read("norm_eps", config.normEps);
  reader.readEach("cross_attention_dim", config.crossAttentionDim, levels, 1, kMaxChannels);
  reader.readEach("attention_head_dim", config.numAttentionHeads, levels, 1, kMaxChannels);
  reader.read("use_linear_projection", config.useLinearProjection);
  reader.read("upcast_attention", config.upcastAttention);
  reader.read("addition_embed_type", config.additionEmbedType);
  if (config.additionEmbedType) {
    reader.allow("addition_embed_type", *config.additionEmbedType, {"text_time"});
  }
  reader.read("addition_time_embed_dim", config.additionTimeEmbedDim, 2, kMaxChannels);
  reader.read("projection_class_embeddings_input_dim", config.projectionClassEmbeddingsInputDim, 1, 1 << 20);
  reader.read("time_embedding_dim", config.timeEmbeddingDim, 1, kMaxChannels * 4);
  readActivation(reader, "time_embedding_act_fn", config.timeEmbeddingActFn);
  readActivation(reader, "timestep_post_act", config.timestepPostAct);
  reader.read("time_cond_proj_dim", config.timeCondProjDim, 2, kMaxChannels);
  reader.read("conv_in_kernel", config.convInKernel, 1, kMaxKernel);
  reader.read("conv_out_kernel", config.convOutKernel, 1, kMaxKernel);
  if (reader.isOk()) {
    readTransformerLayers(reader, config);
  }
  if (reader.isOk()) {
    checkSense(reader, config);
  }
  if (!reader.isOk()) {
    return reader.error();
  }
  return config;
}

}  // namespace polyptych::checkpoint
