#pragma once

#include <QString>
#include <cstdint>

#include "core/models/model_description.h"

namespace polyptych::models {

/// What a model asks of a device's memory, as far as its folder tells.
struct ModelShape {
  std::uint64_t parameters = 0;  ///< of text encoder, UNet and VAE
  int unetChannels = 320;        ///< of the UNet's first stage
  int vaeChannels = 128;         ///< of the VAE's last stage
  int width = 512;               ///< of a picture, pixels
  int height = 512;
  int batch = 1;
};

ModelShape shapeOf(const ModelDescription& model);

enum class Arithmetic { Half, Single };

/// Bytes that a worker needs at its peak, an estimate: weights + the larger of one denoising step and the decoding of a picture +
/// what the runtime takes.
///
///   weights   parameters x bytes of a number
///   step      2 (guided and unguided) x batch x (W/8 x H/8) x UNet channels x 20 x bytes of a number
///   decoding  batch x W x H x VAE channels x 8 x bytes of a number
///   runtime   700 MB on a GPU (context, libraries and their work space), 200 MB on a CPU
///
/// 20 is what is alive at once in the first stage in multiples of its channels: 8 of the feed-forward's gate, 3 of query, key and
/// value, 9 of kept and passing activations; attention is computed in parts and keeps no matrix. 8 is the last stage of the
/// decoder: two tensors of twice its channels, their normalisation and the result of the convolution.
std::uint64_t estimatePeakBytes(const ModelShape& shape, Arithmetic arithmetic, bool isGpu);

enum class Fit { Fits, Tight, DoesNotFit };

/// Fits: at most 80 % of the device's memory. Tight: at most 97 %; other programs may be in the way.
Fit fitOf(std::uint64_t peakBytes, std::uint64_t deviceBytes);

}  // namespace polyptych::models
