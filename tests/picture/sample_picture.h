#pragma once

#include "core/domain/image.h"
#include "core/domain/request.h"

namespace polyptych::tests {

inline domain::PictureMetadata sampleMetadata() {
  domain::PictureMetadata metadata;
  domain::GenerationRequest& request = metadata.request;
  request.index = 12;
  request.promptIndex = 3;
  request.prompt = "a lighthouse, oil paint";
  request.negativePrompt = "blurry";
  request.seed = 0xFEDCBA9876543210ULL;
  request.width = 16;
  request.height = 8;
  request.steps = 25;
  request.guidanceScale = 7.5;
  request.guidanceRescale = 0.7;
  request.scheduler = "DPM++ 2M Karras";
  request.clipSkip = 1;
  metadata.modelName = "org/name";
  metadata.modelHash = "0123456789abcdef";
  metadata.computeType = domain::ComputeType::Fp16;
  metadata.noise = domain::NoiseKind::Model;
  metadata.threads = 4;
  metadata.batch = 2;
  metadata.vaeSlicing = true;
  metadata.vaeTiling = true;
  metadata.programVersion = "0.1.0";
  return metadata;
}

inline domain::Image sampleImage(int width = 16, int height = 8) {
  domain::Image image{width, height, {}};
  for (int i = 0; i < 3 * width * height; ++i) {
    image.pixels.push_back(static_cast<std::uint8_t>(i % 997 * (i % 991) / 7));
  }
  return image;
}

}  // namespace polyptych::tests
