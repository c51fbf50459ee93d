#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/shared_pages.h"
#include "core/diffusion/weights.h"

namespace polyptych::diffusion {

/// The layers that the networks are made of: weights as plain structs, and functions over them. Pictures are [B, C, H, W] whose
/// memory is channels last
/// ([B, H, W, C]): norms, 1x1 convolutions and transformers then read the same memory without a copy, and convolutions run on it
/// directly.

enum class Activation { Silu, Mish, Gelu, Relu, QuickGelu };
/// diffusers' and transformers' names: "silu", "swish", "mish", "gelu", "relu", "quick_gelu". Throws EngineFailure(Unsupported).
Activation activationFromName(const std::string& name);
/// Overwrites `x` and returns it.
at::Tensor activate(at::Tensor x, Activation activation);

/// A weight that its layer brings into the layout of the CPU's kernels at first use, in place of the file's layout: nothing is
/// kept twice, and no call rearranges it again. The layout has no influence on the arithmetic: a picture does not depend on what
/// was made before it.
class Weight {
 public:
  Weight() = default;
  /// @param isMapped  the tensor is a view of a mapped file, whose pages can be let go
  /// @param shared  takes the memory of the layout that is made at first use; may be nullptr
  Weight(at::Tensor tensor, bool isMapped, std::shared_ptr<base::SharedPages> shared = nullptr)
      : m_tensor(std::move(tensor)), m_isMapped(isMapped), m_shared(std::move(shared)) {}

  /// Rows of a linear layer's weight. To be called before the first use.
  Weight rows(std::int64_t first, std::int64_t count) const { return {m_tensor.narrow(0, first, count), m_isMapped, m_shared}; }
  c10::Device device() const { return m_tensor.device(); }

  /// As the file has it. Not for a weight that was packed.
  const at::Tensor& plain() const { return m_tensor; }
  /// For oneDNN's convolution or linear layer; plain if the device or type has no such layout.
  const at::Tensor& forConv2d(std::int64_t stride, std::int64_t padding, at::IntArrayRef inputSize) const;
  const at::Tensor& forLinear() const;

 private:
  void replace(at::Tensor packed) const;

  mutable at::Tensor m_tensor;
  bool m_isMapped = false;
  std::shared_ptr<base::SharedPages> m_shared;
};

/// Square kernel, weight [out, in, k, k].
struct Conv2d {
  Weight weight;
  at::Tensor bias;
  std::int64_t stride = 1;
  std::int64_t padding = 0;
};

/// weight [out, in]; bias [out] or undefined.
struct Linear {
  Weight weight;
  at::Tensor bias;
};

struct GroupNorm {
  at::Tensor weight;
  at::Tensor bias;
  std::int64_t groups = 32;
  double eps = 1e-5;
};

struct LayerNorm {
  at::Tensor weight;
  at::Tensor bias;
  double eps = 1e-5;
};

/// Each takes `name`.weight and `name`.bias.
Conv2d takeConv2d(WeightReader& weights, const std::string& name, std::int64_t in, std::int64_t out, std::int64_t kernel,
                  std::int64_t stride = 1, std::int64_t padding = 0);
Linear takeLinear(WeightReader& weights, const std::string& name, std::int64_t in, std::int64_t out, bool hasBias = true);
/// A 1x1 convolution of the file, as a linear layer.
Linear takePointwise(WeightReader& weights, const std::string& name, std::int64_t in, std::int64_t out);
/// Throws EngineFailure(ModelUnusable) if `channels` cannot be divided into `groups`.
GroupNorm takeGroupNorm(WeightReader& weights, const std::string& name, std::int64_t channels, std::int64_t groups, double eps);
LayerNorm takeLayerNorm(WeightReader& weights, const std::string& name, std::int64_t width, double eps);

/// [B, in, H, W] to [B, out, H', W'].
at::Tensor conv2d(const at::Tensor& x, const Conv2d& layer);
/// The same plus a tensor of the result's shape.
at::Tensor conv2dPlus(const at::Tensor& x, const Conv2d& layer, const at::Tensor& other);
/// [..., in] to [..., out].
at::Tensor linear(const at::Tensor& x, const Linear& layer);
/// The same plus a tensor of the result's shape.
at::Tensor linearPlus(const at::Tensor& x, const Linear& layer, const at::Tensor& other);
/// value(x) * gelu(gate(x)).
at::Tensor gatedLinear(const at::Tensor& x, const Linear& value, const Linear& gate);
/// Over [B, C, H, W].
at::Tensor groupNorm(const at::Tensor& x, const GroupNorm& layer);
at::Tensor layerNorm(const at::Tensor& x, const LayerNorm& layer);
/// softmax(q k^T / sqrt(d)) v over `heads` heads. q [B, N, heads * d], k and v [B, M, heads * d]. @return [B, N, heads * d]
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads, bool isCausal = false);

/// The cells of a picture as rows: [B, C, H, W] to [B, H * W, C]; a view if the memory is channels last.
at::Tensor toRows(const at::Tensor& x);
/// The way back, a view: [B, H * W, C] to [B, C, H, W].
at::Tensor fromRows(const at::Tensor& rows, std::int64_t height, std::int64_t width);

/// Nearest-neighbour growth to twice the size, or to `size` ({height, width}).
at::Tensor upsampleNearest(const at::Tensor& x, at::OptionalIntArrayRef size = std::nullopt);

/// diffusers' ResnetBlock2D without its own resampling: norm, activation, 3x3 convolution, time, norm, activation, 3x3
/// convolution, plus the input.
struct Resnet {
  GroupNorm norm1;
  Conv2d conv1;
  std::optional<Linear> time;
  GroupNorm norm2;
  Conv2d conv2;
  std::optional<Linear> shortcut;
  Activation activation = Activation::Silu;
  double outputScale = 1;
};

/// @param timeWidth  size of the time embedding; 0: the block knows no time
Resnet takeResnet(WeightReader& weights, const std::string& name, std::int64_t in, std::int64_t out, std::int64_t timeWidth,
                  std::int64_t groups, double eps, Activation activation, double outputScale = 1);
/// @param activatedTime  [B, timeWidth], or [1, timeWidth] for the whole batch: the time embedding after the activation;
/// undefined if the block knows no
///        time
at::Tensor resnet(const at::Tensor& x, const at::Tensor& activatedTime, const Resnet& block);

}  // namespace polyptych::diffusion
