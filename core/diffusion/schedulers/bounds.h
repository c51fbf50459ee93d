#pragma once

#include <ATen/core/Tensor.h>

#include "core/diffusion/schedulers/config_values.h"

namespace polyptych::diffusion {

/// What keeps a predicted picture in range: dynamic thresholding (arXiv 2205.11487, section 2.3), or clamping where the class has
/// it.
class Bounds {
 public:
  /// @param clipFallback  the class's default of clip_sample; nothing: the class has no such key
  Bounds(const ConfigValues& config, std::optional<bool> clipFallback);

  bool isThresholding() const { return m_isThresholding; }
  /// Thresholds or clamps as configured. @param original [B, C, h, w]
  at::Tensor apply(const at::Tensor& original) const;
  at::Tensor threshold(const at::Tensor& original) const;

 private:
  bool m_isThresholding;
  double m_ratio;
  double m_maximum;
  bool m_isClipping = false;
  double m_range = 1.0;
};

}  // namespace polyptych::diffusion
