#include "core/models/memory_estimate.h"

#include <algorithm>

namespace polyptych::models {
namespace {

constexpr std::uint64_t kGuided = 2;
constexpr std::uint64_t kLatentSide = 8;
constexpr std::uint64_t kAliveInStep = 20;
constexpr std::uint64_t kAliveInDecoding = 8;
constexpr std::uint64_t kGpuRuntime = 700'000'000;
constexpr std::uint64_t kCpuRuntime = 200'000'000;
constexpr double kComfortable = 0.80;
constexpr double kAtMost = 0.97;

/// First number of a setting such as "320, 640, 1280, 1280"; `otherwise` if there is none.
int firstNumber(const ComponentDescription& component, const QString& key, int otherwise) {
  for (const auto& [name, value] : component.settings) {
    if (name == key) {
      const int number = value.section(u',', 0, 0).trimmed().toInt();
      return number > 0 ? number : otherwise;
    }
  }
  return otherwise;
}

}  // namespace

ModelShape shapeOf(const ModelDescription& model) {
  ModelShape shape;
  if (model.width > 0 && model.height > 0) {
    shape.width = model.width;
    shape.height = model.height;
  }
  for (const ComponentDescription& component : model.components) {
    shape.parameters += static_cast<std::uint64_t>(std::max<qint64>(0, component.parameters));
    const QString channels = QStringLiteral("block_out_channels");
    if (component.name == QLatin1String("unet")) {
      shape.unetChannels = firstNumber(component, channels, shape.unetChannels);
    } else if (component.name == QLatin1String("vae")) {
      shape.vaeChannels = firstNumber(component, channels, shape.vaeChannels);
    }
  }
  return shape;
}

std::uint64_t estimatePeakBytes(const ModelShape& shape, Arithmetic arithmetic, bool isGpu) {
  const std::uint64_t number = arithmetic == Arithmetic::Half ? 2 : 4;
  const auto batch = static_cast<std::uint64_t>(std::max(1, shape.batch));
  const auto pixels =
      static_cast<std::uint64_t>(std::max(0, shape.width)) * static_cast<std::uint64_t>(std::max(0, shape.height));
  const std::uint64_t latents = pixels / (kLatentSide * kLatentSide);
  const std::uint64_t step =
      kGuided * batch * latents * static_cast<std::uint64_t>(std::max(0, shape.unetChannels)) * kAliveInStep * number;
  const std::uint64_t decoding =
      batch * pixels * static_cast<std::uint64_t>(std::max(0, shape.vaeChannels)) * kAliveInDecoding * number;
  return shape.parameters * number + std::max(step, decoding) + (isGpu ? kGpuRuntime : kCpuRuntime);
}

Fit fitOf(std::uint64_t peakBytes, std::uint64_t deviceBytes) {
  const auto peak = static_cast<double>(peakBytes);
  const auto device = static_cast<double>(deviceBytes);
  return peak <= kComfortable * device ? Fit::Fits : peak <= kAtMost * device ? Fit::Tight : Fit::DoesNotFit;
}

}  // namespace polyptych::models
