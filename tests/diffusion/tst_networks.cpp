#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>

#include <QTemporaryDir>
#include <QtTest>
#include <fstream>
#include <functional>
#include <map>

#include "core/checkpoint/safetensors.h"
#include "core/diffusion/failure.h"
#include "core/diffusion/ops.h"
#include "core/diffusion/text_encoder.h"
#include "core/diffusion/vae.h"
#include "core/diffusion/weights.h"

using namespace polyptych;
using diffusion::DecodeOptions;
using diffusion::EngineFailure;
using diffusion::TextEncoder;
using diffusion::Vae;
using diffusion::WeightReader;

namespace {

class Observer : public domain::LoadObserver {
 public:
  void onBytes(std::uint64_t done, std::uint64_t total) override {
    m_done = done;
    m_total = total;
  }
  bool isCancelled() const override { return m_isCancelled; }

  std::uint64_t m_done = 0;
  std::uint64_t m_total = 0;
  bool m_isCancelled = false;
};

using Tensors = std::map<std::string, at::Tensor>;

/// Reproducible tensors by name, and the file of them.
class Maker {
 public:
  void add(const std::string& name, at::IntArrayRef shape) {
    m_tensors[name] = at::randn(shape, m_generator, at::TensorOptions().dtype(at::kFloat)).mul_(0.2);
  }
  void addLayer(const std::string& name, at::IntArrayRef shape) {
    add(name + ".weight", shape);
    add(name + ".bias", {shape[0]});
  }
  void addResnet(const std::string& name, std::int64_t channels) {
    addLayer(name + ".norm1", {channels});
    addLayer(name + ".conv1", {channels, channels, 3, 3});
    addLayer(name + ".norm2", {channels});
    addLayer(name + ".conv2", {channels, channels, 3, 3});
  }
  Tensors& tensors() { return m_tensors; }

 private:
  at::Generator m_generator = at::detail::createCPUGenerator(5);
  Tensors m_tensors;
};

checkpoint::Dtype dtypeOf(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kLong   ? checkpoint::Dtype::I64
         : tensor.scalar_type() == at::kHalf ? checkpoint::Dtype::F16
                                             : checkpoint::Dtype::F32;
}

/// A VAE of one level, so that a latent cell is a pixel; tiles of 8.
checkpoint::VaeConfig vaeConfig() {
  checkpoint::VaeConfig config;
  config.blockOutChannels = {4};
  config.normNumGroups = 2;
  config.sampleSize = 8;
  config.midBlockAddAttention = false;
  config.useQuantConv = false;
  config.usePostQuantConv = false;
  return config;
}

Tensors vaeTensors() {
  Maker maker;
  for (const std::string part : {"encoder", "decoder"}) {
    const bool isEncoder = part == "encoder";
    maker.addLayer(part + ".conv_in", {4, isEncoder ? 3 : 4, 3, 3});
    maker.addResnet(part + ".mid_block.resnets.0", 4);
    maker.addResnet(part + ".mid_block.resnets.1", 4);
    maker.addResnet(part + (isEncoder ? ".down_blocks.0.resnets.0" : ".up_blocks.0.resnets.0"), 4);
    if (!isEncoder) {
      maker.addResnet(part + ".up_blocks.0.resnets.1", 4);
    }
    maker.addLayer(part + ".conv_norm_out", {4});
    maker.addLayer(part + ".conv_out", {isEncoder ? 8 : 3, 4, 3, 3});
  }
  return maker.tensors();
}

}  // namespace

class TestNetworks : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void viewsTheFileWhereTypesAgree();
  void convertsOtherTypes();
  void listsEveryFault();
  void showsTenFaultsAtMost();
  void stopsWhenCancelled();
  void refusesClipSkipsAndIdsItDoesNotHave();
  void countsTilesAndSlices();
  void cancelsBetweenTiles();
  void givesTheSameBitsWhateverCameBefore();
  void convolvesNarrowPicturesInBf16_data();
  void convolvesNarrowPicturesInBf16();

 private:
  checkpoint::WeightSet write(const Tensors& tensors);
  Vae makeVae(const checkpoint::WeightSet& set);

  QTemporaryDir m_folder;
  int m_files = 0;
  Observer m_observer;
  c10::InferenceMode m_inference;
};

checkpoint::WeightSet TestNetworks::write(const Tensors& tensors) {
  std::vector<checkpoint::NamedTensor> named;
  for (const auto& [name, tensor] : tensors) {
    named.push_back(
        {name,
         {dtypeOf(tensor), tensor.sizes().vec(), {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}}});
  }
  const auto bytes = checkpoint::writeSafetensors(named);
  const std::string path = m_folder.filePath(QString::number(m_files++)).toStdString();
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.value().data()), static_cast<std::streamsize>(bytes.value().size()));
  return checkpoint::WeightSet::open({path}).value();
}

Vae TestNetworks::makeVae(const checkpoint::WeightSet& set) {
  WeightReader reader(set, "vae", at::kCPU, at::kFloat, m_observer);
  Vae vae(reader, vaeConfig());
  const auto finished = reader.finish();
  if (!finished) {
    qFatal("%s", finished.error().message.c_str());
  }
  return vae;
}

void TestNetworks::viewsTheFileWhereTypesAgree() {
  const auto set = write({{"a", at::arange(6, at::kFloat).view({2, 3})}});
  WeightReader reader(set, "unet", at::kCPU, at::kFloat, m_observer, 100, 1000);
  const at::Tensor tensor = reader.take("a", {2, 3});
  QCOMPARE(tensor.const_data_ptr(), static_cast<const void*>(set.find("a")->bytes.data()));
  QVERIFY(reader.isMapped(tensor));
  QCOMPARE(tensor[1][2].item<float>(), 5.0F);
  QCOMPARE(m_observer.m_done, std::uint64_t{124});
  QCOMPARE(m_observer.m_total, std::uint64_t{1000});
  QVERIFY(reader.finish().isOk());
  diffusion::releasePages(tensor);
  QCOMPARE(tensor[1][2].item<float>(), 5.0F);
}

void TestNetworks::convertsOtherTypes() {
  const auto set = write({{"a", at::arange(6, at::kFloat).to(at::kHalf)}});
  WeightReader reader(set, "unet", at::kCPU, at::kFloat, m_observer);
  const at::Tensor tensor = reader.take("a", {6});
  QVERIFY(!reader.isMapped(tensor));
  QVERIFY(tensor.scalar_type() == at::kFloat);
  QCOMPARE(tensor[5].item<float>(), 5.0F);
}

void TestNetworks::listsEveryFault() {
  const auto set = write(
      {{"wrong", at::zeros({2})}, {"whole", at::zeros({2}, at::kLong)}, {"extra", at::zeros({7})}, {"known", at::zeros({1})}});
  WeightReader reader(set, "unet", at::kCPU, at::kFloat, m_observer);
  QCOMPARE(reader.take("absent", {5, 4}).size(1), std::int64_t{4});
  reader.take("wrong", {3});
  reader.take("whole", {2});
  reader.ignore("known");
  const auto finished = reader.finish();
  QVERIFY(!finished.isOk());
  QCOMPARE(finished.error().code, base::ErrorCode::ModelUnusable);
  const QString message = QString::fromStdString(finished.error().message);
  for (const char* part :
       {"\"unet\"", "(4 tensors)", "missing: absent [5, 4]", "wrong shape: wrong is [2], the config asks for [3]",
        "not floating-point numbers: whole (I64)", "not part of this model: extra [7]"}) {
    QVERIFY2(message.contains(part), qPrintable(message));
  }
  QVERIFY(!message.contains("known"));
}

void TestNetworks::showsTenFaultsAtMost() {
  const auto set = write({{"extra", at::zeros({7})}});
  WeightReader reader(set, "unet", at::kCPU, at::kFloat, m_observer);
  for (int i = 0; i < 30; ++i) {
    reader.take("absent" + std::to_string(i), {1});
  }
  const QString message = QString::fromStdString(reader.finish().error().message);
  QVERIFY2(message.contains("(31 tensors)"), qPrintable(message));
  QCOMPARE(message.count("missing: "), 10);
}

void TestNetworks::stopsWhenCancelled() {
  const auto set = write({{"a", at::zeros({1})}});
  Observer observer;
  observer.m_isCancelled = true;
  WeightReader reader(set, "unet", at::kCPU, at::kFloat, observer);
  try {
    reader.take("a", {1});
    QFAIL("take() went on");
  } catch (const EngineFailure& failure) {
    QCOMPARE(failure.error().code, base::ErrorCode::Cancelled);
  }
}

void TestNetworks::refusesClipSkipsAndIdsItDoesNotHave() {
  checkpoint::TextEncoderConfig config;
  config.vocabSize = 10;
  config.hiddenSize = 8;
  config.intermediateSize = 16;
  config.numHiddenLayers = 2;
  config.numAttentionHeads = 2;
  Maker maker;
  maker.add("text_model.embeddings.token_embedding.weight", {10, 8});
  maker.add("text_model.embeddings.position_embedding.weight", {77, 8});
  maker.addLayer("text_model.final_layer_norm", {8});
  for (const std::string layer : {"text_model.encoder.layers.0", "text_model.encoder.layers.1"}) {
    for (const char* part : {".q_proj", ".k_proj", ".v_proj", ".out_proj"}) {
      maker.addLayer(layer + ".self_attn" + part, {8, 8});
    }
    maker.addLayer(layer + ".layer_norm1", {8});
    maker.addLayer(layer + ".layer_norm2", {8});
    maker.addLayer(layer + ".mlp.fc1", {16, 8});
    maker.addLayer(layer + ".mlp.fc2", {8, 16});
  }
  WeightReader reader(write(maker.tensors()), "text_encoder", at::kCPU, at::kFloat, m_observer);
  const TextEncoder encoder(reader, config);
  QVERIFY(reader.finish().isOk());
  const at::Tensor ids = at::arange(10, at::kLong).unsqueeze(0);
  const at::Tensor whole = encoder.encode(ids);
  QVERIFY(whole.sizes() == at::IntArrayRef({1, 10, 8}));
  QVERIFY(at::equal(encoder.encode(ids, 0), whole));
  QVERIFY(!at::equal(encoder.encode(ids, 1), whole));
  // Nothing looks ahead: a later token does not change an earlier one.
  QVERIFY(at::allclose(encoder.encode(ids.narrow(1, 0, 4)), whole.narrow(1, 0, 4), 1e-5, 1e-6));
  const auto isRefused = [&](const at::Tensor& input, std::optional<int> skip) {
    try {
      encoder.encode(input, skip);
    } catch (const EngineFailure& failure) {
      return failure.error().code == base::ErrorCode::InvalidArgument;
    }
    return false;
  };
  QVERIFY(isRefused(ids, -1));
  QVERIFY(isRefused(ids, 3));
  QVERIFY(!isRefused(ids, 2));
  QVERIFY(isRefused(ids + 1, std::nullopt));
  QVERIFY(isRefused(ids - 1, std::nullopt));
  QVERIFY(isRefused(at::zeros({1, 78}, at::kLong), std::nullopt));
}

void TestNetworks::countsTilesAndSlices() {
  const Vae vae = makeVae(write(vaeTensors()));
  const at::Tensor latents = at::ones({2, 4, 12, 12});
  std::vector<std::pair<int, int>> beats;
  DecodeOptions options;
  options.onTile = [&](int done, int total) { beats.emplace_back(done, total); };
  const at::Tensor plain = vae.decode(latents, options);
  QCOMPARE(beats, (std::vector<std::pair<int, int>>{{1, 1}}));
  QVERIFY(plain.sizes() == at::IntArrayRef({2, 3, 12, 12}));
  beats.clear();
  options.slicing = true;
  QVERIFY(at::allclose(vae.decode(latents, options), plain, 1e-5, 1e-6));
  QCOMPARE(beats, (std::vector<std::pair<int, int>>{{1, 2}, {2, 2}}));
  beats.clear();
  options.tiling = true;
  QVERIFY(vae.decode(latents, options).sizes() == plain.sizes());
  QCOMPARE(beats.size(), std::size_t{8});
  QCOMPARE(beats.back(), (std::pair<int, int>{8, 8}));
}

void TestNetworks::cancelsBetweenTiles() {
  const Vae vae = makeVae(write(vaeTensors()));
  DecodeOptions options;
  options.tiling = true;
  int tiles = 0;
  options.onTile = [&](int, int) { ++tiles; };
  options.isCancelled = [&] { return tiles == 2; };
  QVERIFY_THROWS_EXCEPTION(diffusion::CancelledError, vae.decode(at::ones({1, 4, 12, 12}), options));
  QCOMPARE(tiles, 2);
}

/// Weights are packed at first use for the sizes seen then; pictures must not depend on that.
void TestNetworks::givesTheSameBitsWhateverCameBefore() {
  const auto set = write(vaeTensors());
  const at::Tensor latents = at::randn({1, 4, 9, 7}, at::detail::createCPUGenerator(1));
  const at::Tensor fresh = makeVae(set).decode(latents);
  const Vae used = makeVae(set);
  used.decode(at::ones({3, 4, 16, 32}));
  used.decode(at::ones({1, 4, 1, 1}));
  QVERIFY(at::equal(used.decode(latents), fresh));
}

void TestNetworks::convolvesNarrowPicturesInBf16_data() {
  QTest::addColumn<int>("width");
  QTest::addColumn<int>("padding");
  for (const int padding : {0, 1}) {
    for (int width = 3 - 2 * padding; width <= 6; ++width) {
      QTest::addRow("width %d, padding %d", width, padding) << width << padding;
    }
  }
}

void TestNetworks::convolvesNarrowPicturesInBf16() {
  QFETCH(int, width);
  QFETCH(int, padding);
  const auto options = at::TensorOptions().dtype(at::kFloat);
  const at::Generator generator = at::detail::createCPUGenerator(3);
  const at::Tensor weight = at::randn({16, 16, 3, 3}, generator, options).to(at::kBFloat16);
  const at::Tensor bias = at::randn({16}, generator, options).to(at::kBFloat16);
  const at::Tensor x = at::randn({1, 16, 17, width}, generator, options).to(at::kBFloat16);
  const at::Tensor expected =
      at::conv2d(x.to(at::kFloat), weight.to(at::kFloat), bias.to(at::kFloat), {2, 2}, {padding, padding});
  const diffusion::Conv2d layer{diffusion::Weight(weight, false), bias, 2, padding};
  const at::Tensor made = diffusion::conv2d(x.contiguous(at::MemoryFormat::ChannelsLast), layer).to(at::kFloat);
  QVERIFY(made.sizes() == expected.sizes());
  const double difference = ((made - expected).abs().max() / expected.abs().max()).item<double>();
  QVERIFY2(difference < 0.02, qPrintable(QString::number(difference)));
}

QTEST_GUILESS_MAIN(TestNetworks)
#include "tst_networks.moc"
