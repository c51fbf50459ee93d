#include "core/diffusion/schedulers/bounds.h"

#include <ATen/ATen.h>

namespace polyptych::diffusion {

Bounds::Bounds(const ConfigValues& config, std::optional<bool> clipFallback)
    : m_isThresholding(config.flag("thresholding", false)),
      m_ratio(config.number("dynamic_thresholding_ratio", 0.995)),
      m_maximum(config.number("sample_max_value", 1.0)) {
  if (!(m_ratio >= 0 && m_ratio <= 1)) {
    config.refuse("dynamic_thresholding_ratio", std::to_string(m_ratio), "0 to 1");
  }
  if (clipFallback) {
    m_isClipping = config.flag("clip_sample", *clipFallback);
    m_range = config.number("clip_sample_range", 1.0);
  }
}

at::Tensor Bounds::apply(const at::Tensor& original) const {
  if (m_isThresholding) {
    return threshold(original);
  }
  return m_isClipping ? original.clamp(-m_range, m_range) : original;
}

at::Tensor Bounds::threshold(const at::Tensor& original) const {
  const at::Tensor rows = original.to(at::kFloat).reshape({original.size(0), -1});
  const at::Tensor limit = at::quantile(rows.abs(), m_ratio, 1).clamp(1.0, m_maximum).unsqueeze(1);
  return (at::clamp(rows, -limit, limit) / limit).reshape(original.sizes()).to(original.scalar_type());
}

}  // namespace polyptych::diffusion
