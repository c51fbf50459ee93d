#include "core/diffusion/loaded_model.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/diffusion/failure.h"
#include "core/diffusion/weight_feed.h"
#include "core/diffusion/weights.h"

namespace polyptych::diffusion {
namespace {

template <typename T>
T valueOrThrow(base::Result<T> result) {
  if (!result) {
    throw EngineFailure(result.error());
  }
  return std::move(result).value();
}

/// A load in two passes, with others and then through the networks, that counts its bytes once.
class ForwardOnly : public domain::LoadObserver {
 public:
  explicit ForwardOnly(domain::LoadObserver& observer) : m_observer(observer) {}
  void onBytes(std::uint64_t done, std::uint64_t total) override {
    m_done = std::max(m_done, done);
    m_observer.onBytes(m_done, total);
  }
  bool isCancelled() const override { return m_observer.isCancelled(); }

 private:
  domain::LoadObserver& m_observer;
  std::uint64_t m_done = 0;
};

struct Part {
  checkpoint::Component component;
  checkpoint::WeightSet weights;
  FilledWeights filled;
};

/// Fills what the parts would copy together with others that load. Nothing is filled where that fails.
void fillTogether(WeightFeed& feed, const domain::ModelSpec& model, std::array<Part, 3>& parts, at::ScalarType type,
                  at::Device device, domain::LoadObserver& observer, std::uint64_t total) {
  struct Place {
    Part* part;
    CopiedWeight weight;
  };
  std::vector<Place> places;
  std::string identity = model.hash;
  for (Part& part : parts) {
    identity += ' ' + std::string(checkpoint::toString(part.component));
    for (CopiedWeight& weight : copiedWeights(part.weights, device, type)) {
      identity += ' ' + weight.name + ':' + std::to_string(static_cast<int>(weight.mapped.scalar_type()));
      places.push_back({&part, std::move(weight)});
    }
  }
  if (places.empty() || !feed.meet(observer)) {
    return;
  }
  std::vector<at::Tensor> tensors;
  std::vector<std::uint64_t> bytesBefore{0};  // of the files
  for (const Place& place : places) {
    tensors.push_back(at::empty(place.weight.mapped.sizes(), at::TensorOptions().dtype(type).device(device)));
    bytesBefore.push_back(bytesBefore.back() + place.weight.mapped.nbytes());
  }
  const auto read = [&](std::size_t index, const at::Tensor& tensor) -> base::Result<void> {
    tensor.copy_(places[index].weight.mapped.to(device));  // converted on the device, as WeightReader does
    return {};
  };
  if (!feed.fill(
          identity, tensors, read, [&](std::size_t filled) { observer.onBytes(bytesBefore[filled], total); }, observer)) {
    return;
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    places[i].part->filled.emplace(places[i].weight.name, std::move(tensors[i]));
  }
}

}  // namespace

int LoadedModel::latentScale() const { return folder.vae.scaleFactor(); }

std::unique_ptr<const LoadedModel> loadModel(const domain::ModelSpec& model, at::ScalarType type, at::Device device,
                                             domain::LoadObserver& sink, std::shared_ptr<base::SharedPages> shared,
                                             WeightFeed* feed) {
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
  std::array<Part, 3> parts{Part{Component::TextEncoder, valueOrThrow(folder.openWeights(Component::TextEncoder)), {}},
                            Part{Component::UNet, valueOrThrow(folder.openWeights(Component::UNet)), {}},
                            Part{Component::Vae, valueOrThrow(folder.openWeights(Component::Vae)), {}}};
  std::uint64_t total = 0;
  for (const Part& part : parts) {
    total += part.weights.totalBytes();
  }
  ForwardOnly observer(sink);
  if (feed != nullptr) {
    fillTogether(*feed, model, parts, type, device, observer, total);
  }

  std::uint64_t done = 0;
  const auto build = [&]<typename Network>(Part& part, const auto& config) {
    WeightReader reader(part.weights, std::string(checkpoint::toString(part.component)), device, type, observer, done, total,
                        shared, std::move(part.filled));
    Network network(reader, config);
    if (const auto complete = reader.finish(); !complete) {
      throw EngineFailure(complete.error());
    }
    done = reader.bytesDone();
    return network;
  };
  TextEncoder textEncoder = build.template operator()<TextEncoder>(parts[0], folder.textEncoder);
  UNet unet = build.template operator()<UNet>(parts[1], folder.unet);
  Vae vae = build.template operator()<Vae>(parts[2], folder.vae);
  return std::make_unique<const LoadedModel>(LoadedModel{std::move(folder), std::move(tokenizer), std::move(textEncoder),
                                                         std::move(unet), std::move(vae), device, type, total});
}

}  // namespace polyptych::diffusion
