#include "core/diffusion/latent_preview.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "core/diffusion/to_image.h"

namespace polyptych::diffusion {
namespace {

constexpr std::uint64_t kFitSeed = 20220822;
constexpr std::int64_t kFitPictures = 4;
constexpr std::int64_t kCoarseCells = 4;
constexpr std::int64_t kFitCells = 16;

at::Tensor withOnes(const at::Tensor& cells) { return at::cat({cells, at::ones({cells.size(0), 1})}, 1); }

/// [N, C, h, w] -> [N * h * w, C]
at::Tensor asCells(const at::Tensor& planes) { return planes.permute({0, 2, 3, 1}).reshape({-1, planes.size(1)}); }

}  // namespace

LatentPreview::LatentPreview(const Vae& vae, std::int64_t channels, double scale, at::ScalarType type, at::Device device) {
  const at::Generator generator = at::detail::createCPUGenerator(kFitSeed);
  const at::Tensor coarse =
      at::randn({kFitPictures, channels, kCoarseCells, kCoarseCells}, generator, at::TensorOptions().dtype(at::kFloat));
  const at::Tensor latents = at::upsample_bilinear2d(coarse, {kFitCells, kFitCells}, /*align_corners=*/true);
  const at::Tensor decoded = vae.decode((latents / scale).to(device, type), {}).to(at::kCPU, at::kFloat);
  const at::Tensor colours = at::adaptive_avg_pool2d(decoded, {kFitCells, kFitCells});
  // Normal equations in fp64 with a little damping: always solvable, whatever the weights are.
  const at::Tensor a = withOnes(asCells(latents)).to(at::kDouble);
  const at::Tensor b = asCells(colours).to(at::kDouble);
  const at::Tensor normal = a.t().matmul(a) + at::eye(channels + 1, at::kDouble) * 1e-3;
  m_map = at::linalg_solve(normal, a.t().matmul(b)).to(at::kFloat);
}

domain::Image LatentPreview::render(const at::Tensor& latent) const {
  const at::Tensor planes = latent.to(at::kCPU, at::kFloat).unsqueeze(0);
  const at::Tensor colours =
      withOnes(asCells(planes)).matmul(m_map).reshape({planes.size(2), planes.size(3), 3}).permute({2, 0, 1});
  return toImage(colours);
}

}  // namespace polyptych::diffusion
