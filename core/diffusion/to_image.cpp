#include "core/diffusion/to_image.h"

#include <ATen/ATen.h>

#include <cstring>

namespace polyptych::diffusion {

domain::Image toImage(const at::Tensor& picture) {
  const at::Tensor unit = (picture * 0.5 + 0.5).clamp(0, 1).to(at::kCPU, at::kFloat);
  // NaN (overflowed fp16) has no 8-bit value: it becomes black.
  const at::Tensor bytes = at::nan_to_num(unit, 0.0).mul(255).round().to(at::kByte).permute({1, 2, 0}).contiguous();
  domain::Image image;
  image.height = static_cast<int>(bytes.size(0));
  image.width = static_cast<int>(bytes.size(1));
  image.pixels.resize(bytes.nbytes());
  std::memcpy(image.pixels.data(), bytes.const_data_ptr(), image.pixels.size());
  return image;
}

}  // namespace polyptych::diffusion
