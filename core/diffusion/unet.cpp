#include "core/diffusion/unet.h"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>
#include <vector>

#include "core/diffusion/failure.h"
#include "core/diffusion/ops.h"
#include "core/diffusion/transformer.h"

namespace polyptych::diffusion {
namespace {

constexpr double kMaxPeriod = 10000;

/// Two linear layers with an activation between (diffusers' TimestepEmbedding).
struct EmbeddingMlp {
  std::optional<Linear> condition;  ///< its result is added to the input
  Linear first;
  Linear second;
  Activation activation = Activation::Silu;
  std::optional<Activation> last;
};

struct Level {
  std::vector<Resnet> resnets;
  std::vector<PictureTransformer> transformers;  ///< one after each resnet, or none
  std::optional<Conv2d> resample;                ///< downsampling or, after growth, upsampling
};

struct Middle {
  std::vector<Resnet> resnets;
  std::vector<PictureTransformer> transformers;
};

EmbeddingMlp takeEmbedding(WeightReader& weights, const std::string& name, std::int64_t in, std::int64_t out,
                           Activation activation) {
  EmbeddingMlp mlp;
  mlp.first = takeLinear(weights, name + ".linear_1", in, out);
  mlp.second = takeLinear(weights, name + ".linear_2", out, out);
  mlp.activation = activation;
  return mlp;
}

at::Tensor embed(at::Tensor x, const EmbeddingMlp& mlp, const std::optional<at::Tensor>& condition = std::nullopt) {
  if (condition) {
    x = x + linear(*condition, *mlp.condition);
  }
  x = linear(activate(linear(x, mlp.first), mlp.activation), mlp.second);
  return mlp.last ? activate(x, *mlp.last) : x;
}

/// Sinusoids of [N] numbers: [N, width] in fp32 (diffusers' get_timestep_embedding).
at::Tensor sinusoids(const at::Tensor& numbers, std::int64_t width, bool isCosFirst, double shift) {
  const std::int64_t half = width / 2;
  const at::Tensor exponents = at::arange(half, at::TensorOptions().dtype(at::kFloat).device(numbers.device()))
                                   .mul_(-std::log(kMaxPeriod))
                                   .div_(static_cast<double>(half) - shift);
  const at::Tensor angles = numbers.to(at::kFloat).unsqueeze(1) * exponents.exp_().unsqueeze(0);
  const at::Tensor embedding =
      isCosFirst ? at::cat({at::cos(angles), at::sin(angles)}, 1) : at::cat({at::sin(angles), at::cos(angles)}, 1);
  return width % 2 == 1 ? at::constant_pad_nd(embedding, {0, 1}) : embedding;
}

const at::Tensor& required(const std::optional<at::Tensor>& condition, const char* what) {
  if (!condition) {
    throw EngineFailure({base::ErrorCode::InvalidArgument,
                         std::string("The UNet of this model also needs ") + what + ", which was not given.",
                         {}});
  }
  return *condition;
}

[[noreturn]] void refuseBlock(const std::string& type) {
  throw EngineFailure(
      {base::ErrorCode::Unsupported, "The UNet has a block of type \"" + type + "\", which this program does not have.", {}});
}

}  // namespace

struct UNet::Network {
  Network(WeightReader& weights, const checkpoint::UNetConfig& asked);

  at::Tensor timeEmbedding(const at::Tensor& timestep, std::int64_t batch, at::ScalarType type,
                           const UNetConditions& conditions) const;

  checkpoint::UNetConfig config;
  Activation activation;
  Conv2d convIn;
  EmbeddingMlp time;
  std::optional<EmbeddingMlp> addition;
  std::vector<Level> down;
  std::optional<Middle> middle;
  std::vector<Level> up;
  GroupNorm normOut;
  Conv2d convOut;
};

UNet::Network::Network(WeightReader& weights, const checkpoint::UNetConfig& asked)
    : config(asked), activation(activationFromName(asked.actFn)) {
  const std::vector<int>& channels = config.blockOutChannels;
  const std::size_t levels = channels.size();
  const std::int64_t timeWidth = config.timeEmbeddingDim.value_or(4 * channels.front());

  const auto takeUNetResnet = [&](const std::string& name, std::int64_t in, std::int64_t out, double scale = 1) {
    return takeResnet(weights, name, in, out, timeWidth, config.normNumGroups, config.normEps, activation, scale);
  };
  const auto takeTransformer = [&](const std::string& name, std::size_t level, int layers, bool isOnlyCross) {
    PictureTransformerShape shape;
    shape.channels = channels[level];
    shape.heads = config.numAttentionHeads[level];
    shape.contextWidth = config.crossAttentionDim[level];
    shape.groups = config.normNumGroups;
    shape.layers = layers;
    shape.hasLinearProjection = config.useLinearProjection;
    shape.isOnlyCross = isOnlyCross;
    return takePictureTransformer(weights, name, shape);
  };

  convIn =
      takeConv2d(weights, "conv_in", config.inChannels, channels.front(), config.convInKernel, 1, (config.convInKernel - 1) / 2);
  time = takeEmbedding(weights, "time_embedding", channels.front(), timeWidth, activation);
  if (config.timeCondProjDim) {
    time.condition = takeLinear(weights, "time_embedding.cond_proj", *config.timeCondProjDim, channels.front(), false);
  }
  if (config.timestepPostAct) {
    time.last = activationFromName(*config.timestepPostAct);
  }
  if (config.additionEmbedType) {
    if (*config.additionEmbedType != "text_time" || !config.projectionClassEmbeddingsInputDim || !config.additionTimeEmbedDim) {
      throw EngineFailure({base::ErrorCode::Unsupported,
                           "The UNet asks for addition_embed_type \"" + *config.additionEmbedType +
                               "\" in a form that this program does not have.",
                           {}});
    }
    addition = takeEmbedding(weights, "add_embedding", *config.projectionClassEmbeddingsInputDim, timeWidth, Activation::Silu);
  }

  std::int64_t in = channels.front();
  for (std::size_t i = 0; i < levels; ++i) {
    const std::string name = "down_blocks." + std::to_string(i);
    const std::string& type = config.downBlockTypes[i];
    if (type != "CrossAttnDownBlock2D" && type != "DownBlock2D") {
      refuseBlock(type);
    }
    Level level;
    for (int j = 0; j < config.layersPerBlock[i]; ++j) {
      level.resnets.push_back(takeUNetResnet(name + ".resnets." + std::to_string(j), in, channels[i]));
      in = channels[i];
      if (type == "CrossAttnDownBlock2D") {
        level.transformers.push_back(takeTransformer(name + ".attentions." + std::to_string(j), i,
                                                     config.transformerLayersPerBlock[i][static_cast<std::size_t>(j)],
                                                     config.onlyCrossAttention[i]));
      }
    }
    if (i + 1 < levels) {
      level.resample = takeConv2d(weights, name + ".downsamplers.0.conv", in, in, 3, 2, config.downsamplePadding);
    }
    down.push_back(std::move(level));
  }

  if (config.midBlockType) {
    const bool hasAttention = *config.midBlockType == "UNetMidBlock2DCrossAttn";
    if (!hasAttention && *config.midBlockType != "UNetMidBlock2D") {
      refuseBlock(*config.midBlockType);
    }
    Middle block;
    block.resnets.push_back(takeUNetResnet("mid_block.resnets.0", in, in, config.midBlockScaleFactor));
    if (hasAttention) {
      block.transformers.push_back(takeTransformer("mid_block.attentions.0", levels - 1, config.midTransformerLayers, false));
      block.resnets.push_back(takeUNetResnet("mid_block.resnets.1", in, in, config.midBlockScaleFactor));
    }
    middle = std::move(block);
  }

  for (std::size_t i = 0; i < levels; ++i) {
    const std::string name = "up_blocks." + std::to_string(i);
    const std::string& type = config.upBlockTypes[i];
    if (type != "CrossAttnUpBlock2D" && type != "UpBlock2D") {
      refuseBlock(type);
    }
    const std::size_t depth = levels - 1 - i;
    const std::int64_t out = channels[depth];
    const std::int64_t lastSkip = channels[depth == 0 ? 0 : depth - 1];
    Level level;
    for (int j = 0; j <= config.layersPerBlock[depth]; ++j) {
      const std::int64_t skip = j == config.layersPerBlock[depth] ? lastSkip : out;
      level.resnets.push_back(takeUNetResnet(name + ".resnets." + std::to_string(j), in + skip, out));
      in = out;
      if (type == "CrossAttnUpBlock2D") {
        level.transformers.push_back(takeTransformer(name + ".attentions." + std::to_string(j), depth,
                                                     config.upTransformerLayersPerBlock[i][static_cast<std::size_t>(j)],
                                                     config.onlyCrossAttention[depth]));
      }
    }
    if (i + 1 < levels) {
      level.resample = takeConv2d(weights, name + ".upsamplers.0.conv", out, out, 3, 1, 1);
    }
    up.push_back(std::move(level));
  }
  normOut = takeGroupNorm(weights, "conv_norm_out", channels.front(), config.normNumGroups, config.normEps);
  convOut = takeConv2d(weights, "conv_out", channels.front(), config.outChannels, config.convOutKernel, 1,
                       (config.convOutKernel - 1) / 2);
}

at::Tensor UNet::Network::timeEmbedding(const at::Tensor& timestep, std::int64_t batch, at::ScalarType type,
                                        const UNetConditions& conditions) const {
  const at::Tensor numbers = timestep.to(time.first.weight.device()).reshape({-1}).expand({batch});
  std::optional<at::Tensor> condition;
  if (time.condition) {
    condition = required(conditions.timestepCond, "a guidance embedding");
  }
  const at::Tensor waves = sinusoids(numbers, config.blockOutChannels.front(), config.flipSinToCos, config.freqShift);
  at::Tensor embedding = embed(waves.to(type), time, condition);
  if (addition) {
    const at::Tensor& text = required(conditions.textEmbeds, "pooled text embeddings");
    const at::Tensor& ids = required(conditions.timeIds, "picture sizes (time ids)");
    const at::Tensor sizes = sinusoids(ids.reshape({-1}), *config.additionTimeEmbedDim, config.flipSinToCos, config.freqShift);
    embedding = embedding + embed(at::cat({text, sizes.reshape({text.size(0), -1})}, 1).to(type), *addition);
  }
  return config.timeEmbeddingActFn ? activate(embedding, activationFromName(*config.timeEmbeddingActFn)) : embedding;
}

UNet::UNet(WeightReader& weights, const checkpoint::UNetConfig& config) : m_network(std::make_shared<Network>(weights, config)) {}

at::Tensor UNet::predict(const at::Tensor& sample, const at::Tensor& timestep, const at::Tensor& context,
                         const UNetConditions& conditions) const {
  const Network& network = *m_network;
  // Each resnet applies the activation to the time embedding anew in diffusers; once is the same.
  const bool isOneTime = timestep.numel() == 1 && !conditions.timestepCond && !conditions.textEmbeds;
  const at::Tensor time = activate(
      network.timeEmbedding(timestep, isOneTime ? 1 : sample.size(0), sample.scalar_type(), conditions), network.activation);
  at::Tensor hidden = network.config.centerInputSample ? 2 * sample - 1.0 : sample;
  hidden = conv2d(hidden.contiguous(at::MemoryFormat::ChannelsLast), network.convIn);

  std::vector<at::Tensor> skips{hidden};
  const auto runPair = [&](const auto& block, std::size_t j) {
    hidden = resnet(hidden, time, block.resnets[j]);
    if (j < block.transformers.size()) {
      hidden = transformPicture(hidden, context, block.transformers[j]);
    }
  };
  for (const Level& level : network.down) {
    for (std::size_t j = 0; j < level.resnets.size(); ++j) {
      runPair(level, j);
      skips.push_back(hidden);
    }
    if (level.resample) {
      hidden = conv2d(level.resample->padding == 0 ? at::constant_pad_nd(hidden, {0, 1, 0, 1}) : hidden, *level.resample);
      skips.push_back(hidden);
    }
  }
  if (network.middle) {
    for (std::size_t j = 0; j < network.middle->resnets.size(); ++j) {
      runPair(*network.middle, j);
    }
  }
  for (const Level& level : network.up) {
    for (std::size_t j = 0; j < level.resnets.size(); ++j) {
      hidden = at::cat({hidden, skips.back()}, 1);
      skips.pop_back();
      runPair(level, j);
    }
    if (level.resample) {
      // The size that the way down had here: twice the present one, or one less where a side was odd.
      hidden = conv2d(upsampleNearest(hidden, skips.back().sizes().slice(2)), *level.resample);
    }
  }
  hidden = activate(groupNorm(hidden, network.normOut), network.activation);
  return conv2d(hidden, network.convOut).contiguous();
}

}  // namespace polyptych::diffusion
