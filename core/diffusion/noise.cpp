#include "core/diffusion/noise.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Functions.h>

namespace polyptych::diffusion {

PictureNoise::PictureNoise(std::span<const domain::GenerationRequest> requests, domain::NoiseKind kind, at::Device device)
    : m_kind(kind), m_device(device) {
  m_generators.reserve(requests.size());
  for (const auto& request : requests) {
    m_generators.push_back(at::detail::createCPUGenerator(request.seed));
  }
}

at::Tensor PictureNoise::normal(at::IntArrayRef shape, at::ScalarType type) {
  TORCH_CHECK(!shape.empty() && shape[0] == static_cast<std::int64_t>(m_generators.size()),
              "noise for another number of pictures");
  std::vector<std::int64_t> rowShape(shape.begin(), shape.end());
  rowShape[0] = 1;
  const at::ScalarType drawn = m_kind == domain::NoiseKind::Float ? at::kFloat : type;
  std::vector<at::Tensor> rows;
  rows.reserve(m_generators.size());
  for (const at::Generator& generator : m_generators) {
    rows.push_back(at::randn(rowShape, generator, at::TensorOptions().dtype(drawn).device(at::kCPU)));
  }
  return (rows.size() == 1 ? rows.front() : at::cat(rows)).to(m_device, type);
}

}  // namespace polyptych::diffusion
