#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

/// oneDNN's layers on the CPU with weights in its own layout, and with what comes after them fused in. These are operators that
/// torch registers for its compiler (namespaces mkldnn of the dispatcher); they have no C++ header.
namespace polyptych::diffusion::onednn {

/// A CPU tensor of a type that this machine has kernels for.
bool isFor(const at::Tensor& weight);

/// @param weight [out, in, k, k]
/// @param inputSize  an example, [B, in, H, W]
at::Tensor packConv2d(const at::Tensor& weight, std::int64_t stride, std::int64_t padding, at::IntArrayRef inputSize);
/// @param weight [out, in]
at::Tensor packLinear(const at::Tensor& weight);

/// Where a packed weight lies.
std::span<std::byte> memoryOf(const at::Tensor& packed);

/// `weight` in all of these is packed; x of conv2d is [B, C, H, W] with channels last in memory.
at::Tensor conv2d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                  std::int64_t padding);
at::Tensor conv2dPlus(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                      std::int64_t padding, const at::Tensor& other);
/// `bias` may be undefined.
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);
/// @param operation  "add" or "mul" with `other`, of the result's shape
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& other,
                  std::string_view operation);

}  // namespace polyptych::diffusion::onednn
