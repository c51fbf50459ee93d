#include "core/diffusion/ops.h"

#include <ATen/ATen.h>

#include <map>

#include "core/diffusion/failure.h"
#include "core/diffusion/onednn.h"

namespace polyptych::diffusion {
namespace {

/// @param bias  in place of the layer's own
at::Tensor conv2dWithBias(const at::Tensor& x, const Conv2d& layer, const at::Tensor& bias) {
  const at::Tensor& weight = layer.weight.forConv2d(layer.stride, layer.padding, x.sizes());
  if (weight.is_mkldnn()) {
    return onednn::conv2d(x, weight, bias, layer.stride, layer.padding);
  }
  return at::conv2d(x, weight, bias, {layer.stride, layer.stride}, {layer.padding, layer.padding});
}

}  // namespace

const at::Tensor& Weight::forConv2d(std::int64_t stride, std::int64_t padding, at::IntArrayRef inputSize) const {
  if (!m_tensor.is_mkldnn() && onednn::isFor(m_tensor)) {
    replace(onednn::packConv2d(m_tensor, stride, padding, inputSize));
  }
  return m_tensor;
}

const at::Tensor& Weight::forLinear() const {
  if (!m_tensor.is_mkldnn() && onednn::isFor(m_tensor)) {
    replace(onednn::packLinear(m_tensor));
  }
  return m_tensor;
}

void Weight::replace(at::Tensor packed) const {
  const at::Tensor before = std::exchange(m_tensor, std::move(packed));
  if (m_isMapped) {
    releasePages(before);
  }
  if (m_shared != nullptr) {
    const std::span<std::byte> memory = onednn::memoryOf(m_tensor);
    m_shared->share(memory.data(), memory.size());
  }
}

Activation activationFromName(const std::string& name) {
  static const std::map<std::string, Activation> kNames{
      {"silu", Activation::Silu}, {"swish", Activation::Silu},           {"mish", Activation::Mish},
      {"gelu", Activation::Gelu}, {"quick_gelu", Activation::QuickGelu}, {"relu", Activation::Relu}};
  const auto found = kNames.find(name);
  if (found == kNames.end()) {
    throw EngineFailure({base::ErrorCode::Unsupported,
                         "The model asks for the activation function \"" + name + "\", which this program does not have.",
                         {}});
  }
  return found->second;
}

at::Tensor activate(at::Tensor x, Activation activation) {
  switch (activation) {
    case Activation::Silu:
      return at::silu_(x);
    case Activation::Mish:
      return at::mish_(x);
    case Activation::Gelu:
      return at::gelu_(x);
    case Activation::Relu:
      return at::relu_(x);
    case Activation::QuickGelu:
      return x.mul_(at::sigmoid(x * 1.702));
  }
  return x;
}

namespace {

Weight takeWeight(WeightReader& weights, const std::string& name, at::IntArrayRef shape) {
  at::Tensor tensor = weights.take(name, shape);
  const bool isMapped = weights.isMapped(tensor);
  return {std::move(tensor), isMapped, weights.sharedPages()};
}

}  // namespace

Conv2d takeConv2d(WeightReader& weights, const std::string& name, std::int64_t in, std::int64_t out, std::int64_t kernel,
                  std::int64_t stride, std::int64_t padding) {
  return {takeWeight(weights, name + ".weight", {out, in, kernel, kernel}), weights.take(name + ".bias", {out}), stride, padding};
}

Linear takeLinear(WeightReader& weights, const std::string& name, std::int64_t in, std::int64_t out, bool hasBias) {
  return {takeWeight(weights, name + ".weight", {out, in}), hasBias ? weights.take(name + ".bias", {out}) : at::Tensor()};
}

Linear takePointwise(WeightReader& weights, const std::string& name, std::int64_t in, std::int64_t out) {
  const at::Tensor tensor = weights.take(name + ".weight", {out, in, 1, 1});
  return {Weight(tensor.reshape({out, in}), weights.isMapped(tensor), weights.sharedPages()),
          weights.take(name + ".bias", {out})};
}

GroupNorm takeGroupNorm(WeightReader& weights, const std::string& name, std::int64_t channels, std::int64_t groups, double eps) {
  if (groups < 1 || channels % groups != 0) {
    throw EngineFailure({base::ErrorCode::ModelUnusable,
                         "The model's config does not fit together: " + name + " has " + std::to_string(channels) +
                             " channels, which cannot be divided into " + std::to_string(groups) + " groups (norm_num_groups).",
                         {}});
  }
  return {weights.take(name + ".weight", {channels}), weights.take(name + ".bias", {channels}), groups, eps};
}

LayerNorm takeLayerNorm(WeightReader& weights, const std::string& name, std::int64_t width, double eps) {
  return {weights.take(name + ".weight", {width}), weights.take(name + ".bias", {width}), eps};
}

at::Tensor conv2d(const at::Tensor& x, const Conv2d& layer) { return conv2dWithBias(x, layer, layer.bias); }

at::Tensor conv2dPlus(const at::Tensor& x, const Conv2d& layer, const at::Tensor& other) {
  const at::Tensor& weight = layer.weight.forConv2d(layer.stride, layer.padding, x.sizes());
  if (!weight.is_mkldnn()) {
    return conv2d(x, layer).add_(other);
  }
  return onednn::conv2dPlus(x, weight, layer.bias, layer.stride, layer.padding, other);
}

at::Tensor linear(const at::Tensor& x, const Linear& layer) {
  const at::Tensor& weight = layer.weight.forLinear();
  return weight.is_mkldnn() ? onednn::linear(x, weight, layer.bias) : at::linear(x, weight, layer.bias);
}

at::Tensor linearPlus(const at::Tensor& x, const Linear& layer, const at::Tensor& other) {
  const at::Tensor& weight = layer.weight.forLinear();
  return weight.is_mkldnn() ? onednn::linear(x, weight, layer.bias, other, "add") : at::linear(x, weight, layer.bias).add_(other);
}

at::Tensor gatedLinear(const at::Tensor& x, const Linear& value, const Linear& gate) {
  const at::Tensor open = activate(linear(x, gate), Activation::Gelu);
  const at::Tensor& weight = value.weight.forLinear();
  return weight.is_mkldnn() ? onednn::linear(x, weight, value.bias, open, "mul") : at::linear(x, weight, value.bias).mul_(open);
}

at::Tensor groupNorm(const at::Tensor& x, const GroupNorm& layer) {
  return at::group_norm(x, layer.groups, layer.weight, layer.bias, layer.eps);
}

at::Tensor layerNorm(const at::Tensor& x, const LayerNorm& layer) {
  return at::layer_norm(x, {x.size(-1)}, layer.weight, layer.bias, layer.eps);
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads, bool isCausal) {
  const std::int64_t batch = q.size(0);
  const std::int64_t width = q.size(2) / heads;
  const auto split = [&](const at::Tensor& t) { return t.view({batch, t.size(1), heads, width}).transpose(1, 2); };
  const at::Tensor mixed = at::scaled_dot_product_attention(split(q), split(k), split(v), std::nullopt, 0.0, isCausal);
  return mixed.transpose(1, 2).reshape({batch, q.size(1), heads * width});
}

at::Tensor toRows(const at::Tensor& x) { return x.permute({0, 2, 3, 1}).reshape({x.size(0), x.size(2) * x.size(3), x.size(1)}); }

at::Tensor fromRows(const at::Tensor& rows, std::int64_t height, std::int64_t width) {
  return rows.view({rows.size(0), height, width, rows.size(2)}).permute({0, 3, 1, 2});
}

at::Tensor upsampleNearest(const at::Tensor& x, at::OptionalIntArrayRef size) {
  if (size) {
    return at::upsample_nearest2d(x, *size);
  }
  return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)}, 2.0, 2.0);
}

Resnet takeResnet(WeightReader& weights, const std::string& name, std::int64_t in, std::int64_t out, std::int64_t timeWidth,
                  std::int64_t groups, double eps, Activation activation, double outputScale) {
  Resnet block;
  block.norm1 = takeGroupNorm(weights, name + ".norm1", in, groups, eps);
  block.conv1 = takeConv2d(weights, name + ".conv1", in, out, 3, 1, 1);
  if (timeWidth > 0) {
    block.time = takeLinear(weights, name + ".time_emb_proj", timeWidth, out);
  }
  block.norm2 = takeGroupNorm(weights, name + ".norm2", out, groups, eps);
  block.conv2 = takeConv2d(weights, name + ".conv2", out, out, 3, 1, 1);
  if (in != out) {
    block.shortcut = takePointwise(weights, name + ".conv_shortcut", in, out);
  }
  block.activation = activation;
  block.outputScale = outputScale;
  return block;
}

at::Tensor resnet(const at::Tensor& x, const at::Tensor& activatedTime, const Resnet& block) {
  at::Tensor hidden = activate(groupNorm(x, block.norm1), block.activation);
  if (!block.time) {
    hidden = conv2d(hidden, block.conv1);
  } else if (const at::Tensor time = linear(activatedTime, *block.time); time.size(0) == 1) {
    // One time for the whole batch: it is part of the convolution's bias.
    hidden = conv2dWithBias(hidden, block.conv1, block.conv1.bias + time[0]);
  } else {
    hidden = conv2d(hidden, block.conv1).add_(time.unsqueeze(-1).unsqueeze(-1));
  }
  hidden = activate(groupNorm(hidden, block.norm2), block.activation);
  hidden =
      conv2dPlus(hidden, block.conv2, block.shortcut ? fromRows(linear(toRows(x), *block.shortcut), x.size(2), x.size(3)) : x);
  return block.outputScale == 1 ? hidden : hidden.div_(block.outputScale);
}

}  // namespace polyptych::diffusion
