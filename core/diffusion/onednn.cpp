#include "core/diffusion/onednn.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

namespace polyptych::diffusion::onednn {
namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;
using OptionalTensor = std::optional<at::Tensor>;
using OptionalName = std::optional<std::string_view>;

// For the choice of a layout only. Fixed, so that results do not depend on what was computed first.
constexpr std::int64_t kTypicalRows = 1024;

template <typename Signature>
c10::TypedOperatorHandle<Signature> find(const char* name, const char* overload) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).typed<Signature>();
}

OptionalTensor optional(const at::Tensor& tensor) { return tensor.defined() ? OptionalTensor(tensor) : std::nullopt; }

bool hasBFloat16() {
  static const bool kHas = find<bool()>("mkldnn::_is_mkldnn_bf16_supported", "").call();
  return kHas;
}

/// Strides of channels last beyond doubt: those of a picture of one cell fit several memory formats, and the operators take the
/// wrong one.
at::Tensor withClearStrides(const at::Tensor& x) {
  return x.size(2) * x.size(3) == 1 ? x.contiguous().as_strided(x.sizes(), {x.size(1), 1, x.size(1), x.size(1)}) : x;
}

std::int64_t outputWidth(const at::Tensor& x, const at::Tensor& weight, std::int64_t stride, std::int64_t padding) {
  return (x.size(3) + 2 * padding - weight.size(3)) / stride + 1;
}

/// oneDNN 3.10's bf16 kernels for AMX read memory that nobody wrote when a strided convolution's result is one cell wide.
bool isTooNarrow(const at::Tensor& x, const at::Tensor& weight, std::int64_t stride, std::int64_t padding) {
  return x.scalar_type() == at::kBFloat16 && stride > 1 && outputWidth(x, weight, stride, padding) == 1;
}

}  // namespace

bool isFor(const at::Tensor& weight) {
  if (!weight.is_cpu() || weight.is_mkldnn() || !at::hasMKLDNN()) {
    return false;
  }
  return weight.scalar_type() == at::kFloat || (weight.scalar_type() == at::kBFloat16 && hasBFloat16());
}

at::Tensor packConv2d(const at::Tensor& weight, std::int64_t stride, std::int64_t padding, at::IntArrayRef inputSize) {
  return at::mkldnn_reorder_conv2d_weight(weight.to_mkldnn(), {padding, padding}, {stride, stride}, {1, 1}, 1, inputSize);
}

at::Tensor packLinear(const at::Tensor& weight) {
  static const auto kReorder =
      find<at::Tensor(const at::Tensor&, std::optional<std::int64_t>)>("mkldnn::_reorder_linear_weight", "");
  return kReorder.call(weight, kTypicalRows);
}

std::span<std::byte> memoryOf(const at::Tensor& packed) {
  static const auto kAddress = find<std::int64_t(const at::Tensor&)>("mkldnn::data_ptr", "");
  static const auto kBytes = find<std::int64_t(const at::Tensor&)>("mkldnn::_nbytes", "");
  return {reinterpret_cast<std::byte*>(kAddress.call(packed)), static_cast<std::size_t>(kBytes.call(packed))};
}

at::Tensor conv2d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                  std::int64_t padding) {
  if (isTooNarrow(x, weight, stride, padding)) {
    // Columns of zeros on the right, as the padding's own, leave the first column of the result as it is.
    return conv2d(at::constant_pad_nd(x, {0, 2 * stride}).contiguous(at::MemoryFormat::ChannelsLast), weight, bias, stride,
                  padding)
        .narrow(3, 0, 1)
        .contiguous(at::MemoryFormat::ChannelsLast);
  }
  static const auto kConv =
      find<at::Tensor(const at::Tensor&, const at::Tensor&, const OptionalTensor&, at::IntArrayRef, at::IntArrayRef,
                      at::IntArrayRef, std::int64_t, std::string_view, Scalars, OptionalName)>("mkldnn::_convolution_pointwise",
                                                                                               "");
  return kConv.call(withClearStrides(x), weight, optional(bias), {padding, padding}, {stride, stride}, {1, 1}, 1, "none",
                    Scalars(), OptionalName());
}

at::Tensor conv2dPlus(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                      std::int64_t padding, const at::Tensor& other) {
  if (other.size(2) * other.size(3) == 1) {
    // The fused operator cannot do a result of one cell, whatever its strides.
    return conv2d(x, weight, bias, stride, padding).add_(other);
  }
  static const auto kConv =
      find<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, const OptionalTensor&, at::IntArrayRef,
                      at::IntArrayRef, at::IntArrayRef, std::int64_t, std::string_view, std::optional<at::Scalar>, OptionalName,
                      Scalars, OptionalName)>("mkldnn::_convolution_pointwise", "binary");
  return kConv.call(x, other, weight, optional(bias), {padding, padding}, {stride, stride}, {1, 1}, 1, "add", at::Scalar(1.0),
                    OptionalName(), Scalars(), OptionalName());
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  static const auto kLinear =
      find<at::Tensor(const at::Tensor&, const at::Tensor&, const OptionalTensor&, std::string_view, Scalars, OptionalName)>(
          "mkldnn::_linear_pointwise", "");
  return kLinear.call(x, weight, optional(bias), "none", Scalars(), OptionalName());
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& other,
                  std::string_view operation) {
  static const auto kLinear =
      find<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, const OptionalTensor&, std::string_view)>(
          "mkldnn::_linear_pointwise", "binary");
  return kLinear.call(x, other, weight, optional(bias), operation);
}

}  // namespace polyptych::diffusion::onednn
