#pragma once

#include <ATen/core/Tensor.h>

#include "core/domain/image.h"

namespace polyptych::diffusion {

/// [3, H, W] in [-1, 1] to 8 bits: halved, moved, clamped to [0, 1], times 255, rounded half to even (diffusers'
/// VaeImageProcessor: denormalize, numpy_to_pil).
domain::Image toImage(const at::Tensor& picture);

}  // namespace polyptych::diffusion
