#include <cmath>

#include "core/checkpoint/config_reader.h"
#include "core/checkpoint/model_config.h"

namespace polyptych::checkpoint {
namespace {

using base::ErrorCode;

constexpr std::size_t kMaxLevels = 12;
constexpr int kMaxChannels = 1 << 16;
constexpr int kMaxLayers = 64;

void checkSense(ConfigReader& reader, const VaeConfig& config) {
  for (const int channels : config.blockOutChannels) {
    if (channels % config.normNumGroups != 0) {
      reader.fail(ErrorCode::Corrupt, "has " + std::to_string(channels) + " in block_out_channels, which norm_num_groups " +
                                          std::to_string(config.normNumGroups) + " does not divide.");
    }
  }
  if (config.scalingFactor == 0) {
    reader.fail(ErrorCode::Corrupt, "has scaling_factor 0.");
  }
  const auto latents = static_cast<std::size_t>(config.latentChannels);
  for (const auto* const list : {&config.latentsMean, &config.latentsStd}) {
    if (!list->empty() && list->size() != latents) {
      reader.fail(ErrorCode::Corrupt, "has a latents_mean or latents_std whose length is not latent_channels.");
    }
  }
}

}  // namespace

base::Result<VaeConfig> parseVaeConfig(std::string_view text, std::string_view where) {
  ConfigReader reader(text, where);
  VaeConfig config;
  std::vector<std::string> down = {"DownEncoderBlock2D"};
  std::vector<std::string> up = {"UpDecoderBlock2D"};
  reader.read("down_block_types", down, kMaxLevels);
  reader.read("up_block_types", up, kMaxLevels);
  for (const std::string& type : down) {
    reader.allow("down_block_types", type, {"DownEncoderBlock2D"});
  }
  for (const std::string& type : up) {
    reader.allow("up_block_types", type, {"UpDecoderBlock2D"});
  }
  reader.readList("block_out_channels", config.blockOutChannels, kMaxLevels, 1, kMaxChannels);
  if (reader.isOk() && (down.size() != config.blockOutChannels.size() || up.size() != down.size())) {
    reader.fail(ErrorCode::Corrupt, "has down_block_types, up_block_types and block_out_channels of different lengths.");
  }
  reader.read("in_channels", config.inChannels, 1, kMaxChannels);
  reader.read("out_channels", config.outChannels, 1, kMaxChannels);
  reader.read("layers_per_block", config.layersPerBlock, 1, kMaxLayers);
  readActivation(reader, "act_fn", config.actFn);
  reader.read("latent_channels", config.latentChannels, 1, kMaxChannels);
  reader.read("norm_num_groups", config.normNumGroups, 1, kMaxChannels);
  std::vector<int> sampleSize = {config.sampleSize};
  reader.readList("sample_size", sampleSize, 2, 1, 1 << 20);
  config.sampleSize = sampleSize.front();
  reader.read("scaling_factor", config.scalingFactor);
  reader.read("shift_factor", config.shiftFactor);
  reader.read("latents_mean", config.latentsMean, static_cast<std::size_t>(kMaxChannels));
  reader.read("latents_std", config.latentsStd, static_cast<std::size_t>(kMaxChannels));
  reader.read("force_upcast", config.forceUpcast);
  reader.read("use_quant_conv", config.useQuantConv);
  reader.read("use_post_quant_conv", config.usePostQuantConv);
  reader.read("mid_block_add_attention", config.midBlockAddAttention);
  if (reader.isOk()) {
    checkSense(reader, config);
  }
  if (!reader.isOk()) {
    return reader.error();
  }
  return config;
}

}  // namespace polyptych::checkpoint
