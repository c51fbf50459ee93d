#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <memory>

#include "core/base/result.h"
#include "core/base/shared_pages.h"
#include "core/checkpoint/model_folder.h"
#include "core/diffusion/text_encoder.h"
#include "core/diffusion/unet.h"
#include "core/diffusion/vae.h"
#include "core/domain/engine.h"
#include "core/tokenizer/clip_tokenizer.h"

namespace polyptych::diffusion {

class WeightFeed;

/// The parts of a model on one device in one type. Does not change after loading.
struct LoadedModel {
  checkpoint::ModelFolder folder;
  tokenizer::ClipTokenizer tokenizer;
  TextEncoder textEncoder;
  UNet unet;
  Vae vae;
  at::Device device;
  at::ScalarType type;
  std::uint64_t weightBytes = 0;

  /// Pixels a side of one latent cell: 8 for SD.
  int latentScale() const;
};

/// Opens the folder and maps or copies all weights. Throws EngineFailure and what ATen throws; a cancelled load is
/// ErrorCode::Cancelled. @param shared  for memory that several processes of one model have alike; may be nullptr
/// @param feed  of processes that load the same model at the same time; may be nullptr
std::unique_ptr<const LoadedModel> loadModel(const domain::ModelSpec& model, at::ScalarType type, at::Device device,
                                             domain::LoadObserver& observer, std::shared_ptr<base::SharedPages> shared = nullptr,
                                             WeightFeed* feed = nullptr);

}  // namespace polyptych::diffusion
