#include "core/diffusion/vae.h"

#include <ATen/ATen.h>

#include <optional>
#include <utility>
#include <vector>

#include "core/diffusion/failure.h"
#include "core/diffusion/ops.h"
#include "core/diffusion/transformer.h"

namespace polyptych::diffusion {
namespace {

constexpr double kNormEps = 1e-6;
constexpr double kTileOverlap = 0.25;

/// Resnets, attention over all cells with one head between them (or not), resnet.
struct Middle {
  Resnet first;
  std::optional<GroupNorm> norm;
  Attention attention;
  Resnet second;
};

struct Level {
  std::vector<Resnet> resnets;
  std::optional<Conv2d> resample;
};

struct Coder {
  Conv2d convIn;
  Middle middle;
  std::vector<Level> levels;
  GroupNorm normOut;
  Conv2d convOut;
};

class CoderTaker {
 public:
  CoderTaker(WeightReader& weights, const checkpoint::VaeConfig& config)
      : m_weights(weights), m_config(config), m_activation(activationFromName(config.actFn)) {}

  Coder takeEncoder() {
    const std::vector<int>& channels = m_config.blockOutChannels;
    Coder coder;
    coder.convIn = takeConv2d(m_weights, "encoder.conv_in", m_config.inChannels, channels.front(), 3, 1, 1);
    std::int64_t in = channels.front();
    for (std::size_t i = 0; i < channels.size(); ++i) {
      const std::string name = "encoder.down_blocks." + std::to_string(i);
      Level level = takeLevel(name, in, channels[i], m_config.layersPerBlock);
      in = channels[i];
      if (i + 1 < channels.size()) {
        level.resample = takeConv2d(m_weights, name + ".downsamplers.0.conv", in, in, 3, 2, 0);
      }
      coder.levels.push_back(std::move(level));
    }
    coder.middle = takeMiddle("encoder.mid_block", in);
    takeEnd(coder, "encoder", in, 2 * m_config.latentChannels);
    return coder;
  }

  Coder takeDecoder() {
    const std::vector<int>& channels = m_config.blockOutChannels;
    Coder coder;
    std::int64_t in = channels.back();
    coder.convIn = takeConv2d(m_weights, "decoder.conv_in", m_config.latentChannels, in, 3, 1, 1);
    coder.middle = takeMiddle("decoder.mid_block", in);
    for (std::size_t i = 0; i < channels.size(); ++i) {
      const std::string name = "decoder.up_blocks." + std::to_string(i);
      const std::int64_t out = channels[channels.size() - 1 - i];
      Level level = takeLevel(name, in, out, m_config.layersPerBlock + 1);
      in = out;
      if (i + 1 < channels.size()) {
        level.resample = takeConv2d(m_weights, name + ".upsamplers.0.conv", in, in, 3, 1, 1);
      }
      coder.levels.push_back(std::move(level));
    }
    takeEnd(coder, "decoder", in, m_config.outChannels);
    return coder;
  }

 private:
  Resnet takeVaeResnet(const std::string& name, std::int64_t in, std::int64_t out) {
    return takeResnet(m_weights, name, in, out, 0, m_config.normNumGroups, kNormEps, m_activation);
  }

  Level takeLevel(const std::string& name, std::int64_t in, std::int64_t out, int layers) {
    Level level;
    for (int j = 0; j < layers; ++j) {
      level.resnets.push_back(takeVaeResnet(name + ".resnets." + std::to_string(j), j == 0 ? in : out, out));
    }
    return level;
  }

  Middle takeMiddle(const std::string& name, std::int64_t channels) {
    Middle middle;
    middle.first = takeVaeResnet(name + ".resnets.0", channels, channels);
    if (m_config.midBlockAddAttention) {
      const std::string root = name + ".attentions.0";
      // The second name is that of files written by diffusers before 0.13.
      const auto project = [&](const std::string& part, const std::string& oldPart) {
        const bool isOld = !m_weights.contains(root + part + ".weight") && m_weights.contains(root + oldPart + ".weight");
        return takeLinear(m_weights, root + (isOld ? oldPart : part), channels, channels);
      };
      middle.norm = takeGroupNorm(m_weights, root + ".group_norm", channels, m_config.normNumGroups, kNormEps);
      middle.attention = {project(".to_q", ".query"), project(".to_k", ".key"), project(".to_v", ".value"),
                          project(".to_out.0", ".proj_attn"), 1};
    }
    middle.second = takeVaeResnet(name + ".resnets.1", channels, channels);
    return middle;
  }

  void takeEnd(Coder& coder, const std::string& name, std::int64_t in, std::int64_t out) {
    coder.normOut = takeGroupNorm(m_weights, name + ".conv_norm_out", in, m_config.normNumGroups, kNormEps);
    coder.convOut = takeConv2d(m_weights, name + ".conv_out", in, out, 3, 1, 1);
  }

  WeightReader& m_weights;
  const checkpoint::VaeConfig& m_config;
  Activation m_activation;
};

at::Tensor runMiddle(at::Tensor x, const Middle& middle) {
  x = resnet(x, {}, middle.first);
  if (middle.norm) {
    const at::Tensor rows = toRows(groupNorm(x, *middle.norm));
    x = fromRows(attend(rows, rows, middle.attention, toRows(x)), x.size(2), x.size(3));
  }
  return resnet(x, {}, middle.second);
}

at::Tensor runEnd(const at::Tensor& x, const Coder& coder) {
  return conv2d(activate(groupNorm(x, coder.normOut), Activation::Silu), coder.convOut);
}

at::Tensor runEncoder(const at::Tensor& picture, const Coder& coder) {
  at::Tensor x = conv2d(picture.contiguous(at::MemoryFormat::ChannelsLast), coder.convIn);
  for (const Level& level : coder.levels) {
    for (const Resnet& block : level.resnets) {
      x = resnet(x, {}, block);
    }
    if (level.resample) {
      x = conv2d(at::constant_pad_nd(x, {0, 1, 0, 1}), *level.resample);
    }
  }
  return runEnd(runMiddle(x, coder.middle), coder);
}

at::Tensor runDecoder(const at::Tensor& latents, const Coder& coder) {
  at::Tensor x = conv2d(latents.contiguous(at::MemoryFormat::ChannelsLast), coder.convIn);
  x = runMiddle(x, coder.middle);
  for (const Level& level : coder.levels) {
    for (const Resnet& block : level.resnets) {
      x = resnet(x, {}, block);
    }
    if (level.resample) {
      x = conv2d(upsampleNearest(x), *level.resample);
    }
  }
  return runEnd(x, coder);
}

/// Writes over the first rows (dim 2) or columns (dim 3) of `tile` a ramp from the last ones of `before`.
void blend(const at::Tensor& before, const at::Tensor& tile, std::int64_t extent, int dim) {
  extent = std::min({before.size(dim), tile.size(dim), extent});
  for (std::int64_t i = 0; i < extent; ++i) {
    const double weight = static_cast<double>(i) / static_cast<double>(extent);
    const at::Tensor line = tile.select(dim, i);
    line.copy_(before.select(dim, before.size(dim) - extent + i) * (1 - weight) + line * weight);
  }
}

/// How one direction (decode or encode) cuts its input, and what a tile of its output is.
struct Tiling {
  std::int64_t inputTile = 0;
  std::int64_t outputTile = 0;
  std::int64_t step() const { return static_cast<std::int64_t>(static_cast<double>(inputTile) * (1 - kTileOverlap)); }
  std::int64_t blendExtent() const { return static_cast<std::int64_t>(static_cast<double>(outputTile) * kTileOverlap); }
  std::int64_t outputStep() const { return outputTile - blendExtent(); }
  bool isNeeded(const at::Tensor& input) const { return input.size(2) > inputTile || input.size(3) > inputTile; }
  std::int64_t count(std::int64_t side) const { return (side + step() - 1) / step(); }
};

/// Counts pieces for the observer and stops when it says so.
class Pieces {
 public:
  Pieces(const DecodeOptions& options, std::int64_t total) : m_options(options), m_total(static_cast<int>(total)) {}

  template <typename Work>
  at::Tensor run(Work work) {
    if (m_options.isCancelled && m_options.isCancelled()) {
      throw CancelledError();
    }
    at::Tensor result = work();
    ++m_done;
    if (m_options.onTile) {
      m_options.onTile(m_done, m_total);
    }
    return result;
  }

 private:
  const DecodeOptions& m_options;
  int m_total;
  int m_done = 0;
};

/// Each tile is blended with its upper, then with its left neighbour, both blended before (diffusers' tiled_decode and
/// _tiled_encode).
template <typename Work>
at::Tensor runTiled(const at::Tensor& input, const Tiling& tiling, Pieces& pieces, Work work) {
  std::vector<std::vector<at::Tensor>> rows;
  for (std::int64_t y = 0; y < input.size(2); y += tiling.step()) {
    rows.emplace_back();
    for (std::int64_t x = 0; x < input.size(3); x += tiling.step()) {
      const at::Tensor tile = input.slice(2, y, y + tiling.inputTile).slice(3, x, x + tiling.inputTile);
      rows.back().push_back(pieces.run([&] { return work(tile); }));
    }
  }
  std::vector<at::Tensor> finishedRows;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::vector<at::Tensor> finished;
    for (std::size_t j = 0; j < rows[i].size(); ++j) {
      const at::Tensor& tile = rows[i][j];
      if (i > 0) {
        blend(rows[i - 1][j], tile, tiling.blendExtent(), 2);
      }
      if (j > 0) {
        blend(rows[i][j - 1], tile, tiling.blendExtent(), 3);
      }
      finished.push_back(tile.slice(2, 0, tiling.outputStep()).slice(3, 0, tiling.outputStep()));
    }
    finishedRows.push_back(at::cat(finished, 3));
  }
  return at::cat(finishedRows, 2);
}

template <typename Work>
at::Tensor runPieces(const at::Tensor& input, const Tiling& tiling, const DecodeOptions& options, Work work) {
  const bool isTiled = options.tiling && tiling.isNeeded(input);
  if (isTiled && tiling.step() < 1) {
    throw EngineFailure(
        {base::ErrorCode::Unsupported, "This model's VAE is too small to be run in tiles. Switch tiling off.", {}});
  }
  const std::int64_t slices = options.slicing ? input.size(0) : 1;
  Pieces pieces(options, slices * (isTiled ? tiling.count(input.size(2)) * tiling.count(input.size(3)) : 1));
  std::vector<at::Tensor> results;
  for (const at::Tensor& slice : input.chunk(slices)) {
    results.push_back(isTiled ? runTiled(slice, tiling, pieces, work) : pieces.run([&] { return work(slice); }));
  }
  return (results.size() == 1 ? results.front() : at::cat(results)).to(at::kFloat).contiguous();
}

}  // namespace

struct Vae::Network {
  Coder encoder;
  Coder decoder;
  std::optional<Conv2d> quant;
  std::optional<Conv2d> postQuant;
  std::int64_t tilePixels = 0;
  std::int64_t tileCells = 0;
};

Vae::Vae(WeightReader& weights, const checkpoint::VaeConfig& config) {
  auto network = std::make_shared<Network>();
  CoderTaker taker(weights, config);
  network->encoder = taker.takeEncoder();
  network->decoder = taker.takeDecoder();
  const std::int64_t latents = config.latentChannels;
  if (config.useQuantConv) {
    network->quant = takeConv2d(weights, "quant_conv", 2 * latents, 2 * latents, 1);
  }
  if (config.usePostQuantConv) {
    network->postQuant = takeConv2d(weights, "post_quant_conv", latents, latents, 1);
  }
  network->tilePixels = config.sampleSize;
  network->tileCells = config.sampleSize / config.scaleFactor();
  m_network = std::move(network);
}

at::Tensor Vae::decode(const at::Tensor& latents, const DecodeOptions& options) const {
  const Network& network = *m_network;
  return runPieces(latents, {network.tileCells, network.tilePixels}, options, [&](const at::Tensor& tile) {
    return runDecoder(network.postQuant ? conv2d(tile, *network.postQuant) : tile, network.decoder);
  });
}

at::Tensor Vae::encodeMoments(const at::Tensor& pictures, const DecodeOptions& options) const {
  const Network& network = *m_network;
  return runPieces(pictures, {network.tilePixels, network.tileCells}, options, [&](const at::Tensor& tile) {
    const at::Tensor moments = runEncoder(tile, network.encoder);
    return network.quant ? conv2d(moments, *network.quant) : moments;
  });
}

at::Tensor Vae::encodeMean(const at::Tensor& pictures, const DecodeOptions& options) const {
  return encodeMoments(pictures, options).chunk(2, 1)[0];
}

}  // namespace polyptych::diffusion
