#include "core/diffusion/loaded_model.h"

#include "core/diffusion/failure.h"

namespace polyptych::diffusion {
namespace {

template <typename T>
T valueOrThrow(base::Result<T> result) {
  if (!result) {
    throw EngineFailure(result.error());
  }
  return std::move(result).value();
}

}  // namespace

int LoadedModel::latentScale() const { return folder.vae.scaleFactor(); }

std::unique_ptr<const LoadedModel> loadModel(const domain::ModelSpec& model, at::ScalarType type, at::Device device,
                                             domain::LoadObserver& observer, std::shared_ptr<base::SharedPages> shared) {
  using checkpoint::Component;
  checkpoint::ModelFolder folder = valueOrThrow(checkpoint::openModelFolder(model.folder, model.variant));
  tokenizer::ClipTokenizer tokenizer = valueOrThrow(tokenizer::ClipTokenizer::open(folder.tokenizerFolder));
  if (tokenizer.idLimit() > folder.textEncoder.vocabSize) {
    throw EngineFailure({base::ErrorCode::ModelUnusable,
                         "The model's tokenizer has ids up to " + std::to_string(tokenizer.idLimit() - 1) +
                             ", and its text encoder knows " + std::to_string(folder.textEncoder.vocabSize) +
                             " tokens (vocab_size): the two do not belong together. Download the model again.",
                         {}});
  }
  if (tokenizer.maxLength() > folder.textEncoder.maxPositionEmbeddings) {
    throw EngineFailure({base::ErrorCode::ModelUnusable,
                         "The model's tokenizer gives " + std::to_string(tokenizer.maxLength()) +
                             " tokens (model_max_length), and its text encoder takes " +
                             std::to_string(folder.textEncoder.maxPositionEmbeddings) +
                             " (max_position_embeddings): the two do not belong together. Download the model again.",
                         {}});
  }
  const checkpoint::WeightSet textWeights = valueOrThrow(folder.openWeights(Component::TextEncoder));
  const checkpoint::WeightSet unetWeights = valueOrThrow(folder.openWeights(Component::UNet));
  const checkpoint::WeightSet vaeWeights = valueOrThrow(folder.openWeights(Component::Vae));
  const std::uint64_t total = textWeights.totalBytes() + unetWeights.totalBytes() + vaeWeights.totalBytes();

  std::uint64_t done = 0;
  const auto build = [&]<typename Network>(const checkpoint::WeightSet& weights, Component component, const auto& config) {
    WeightReader reader(weights, std::string(checkpoint::toString(component)), device, type, observer, done, total, shared);
    Network network(reader, config);
    if (const auto complete = reader.finish(); !complete) {
      throw EngineFailure(complete.error());
    }
    done = reader.bytesDone();
    return network;
  };
  TextEncoder textEncoder = build.template operator()<TextEncoder>(textWeights, Component::TextEncoder, folder.textEncoder);
  UNet unet = build.template operator()<UNet>(unetWeights, Component::UNet, folder.unet);
  Vae vae = build.template operator()<Vae>(vaeWeights, Component::Vae, folder.vae);
  return std::make_unique<const LoadedModel>(LoadedModel{std::move(folder), std::move(tokenizer), std::move(textEncoder),
                                                         std::move(unet), std::move(vae), device, type, total});
}

}  // namespace polyptych::diffusion
