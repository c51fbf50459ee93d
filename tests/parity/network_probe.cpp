// Runs one network of a model folder on tensors from a safetensors file and writes what it gives:
//   network_probe FOLDER IN.safetensors OUT.safetensors
// IN's metadata has a key for each case; its value is "text", "unet", "decode" or "encode", then words as skip=1, slicing,
// tiling, repeat=3. Tensors are named <case>.<input>, results <case>. The key "settings" holds type=fp32|fp16|bf16, variant=NAME,
// threads=N. Times of repeated cases go to standard output.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

#include "core/checkpoint/model_folder.h"
#include "core/checkpoint/safetensors.h"
#include "core/diffusion/failure.h"
#include "core/diffusion/text_encoder.h"
#include "core/diffusion/unet.h"
#include "core/diffusion/vae.h"

namespace {

using namespace polyptych;
using Words = std::map<std::string, std::string>;

class Quiet : public domain::LoadObserver {
 public:
  void onBytes(std::uint64_t, std::uint64_t) override {}
  bool isCancelled() const override { return false; }
};

template <typename T>
T orStop(base::Result<T> result) {
  if (!result) {
    std::cerr << result.error().message << "\n";
    std::exit(1);
  }
  return std::move(result).value();
}

Words splitWords(const std::string& text) {
  Words words;
  std::istringstream stream(text);
  for (std::string word; stream >> word;) {
    const std::size_t sign = word.find('=');
    words[word.substr(0, sign)] = sign == std::string::npos ? "" : word.substr(sign + 1);
  }
  return words;
}

std::string valueOr(const Words& words, const std::string& key, const std::string& fallback) {
  const auto found = words.find(key);
  return found == words.end() ? fallback : found->second;
}

at::ScalarType typeOf(const std::string& name) {
  return name == "fp16" ? at::kHalf : name == "bf16" ? at::kBFloat16 : at::kFloat;
}

at::Tensor asTensor(const checkpoint::TensorView& view) {
  const at::ScalarType type = view.dtype == checkpoint::Dtype::I64   ? at::kLong
                              : view.dtype == checkpoint::Dtype::F64 ? at::kDouble
                                                                     : at::kFloat;
  at::Tensor tensor = at::empty(view.shape, at::TensorOptions().dtype(type));
  std::memcpy(tensor.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
  return tensor;
}

class Networks {
 public:
  Networks(const std::string& folder, const Words& settings)
      : m_type(typeOf(valueOr(settings, "type", "fp32"))),
        m_folder(settings.contains("unet-alone")
                     ? openUNetAlone(folder)
                     : orStop(checkpoint::openModelFolder(folder, valueOr(settings, "variant", "")))) {}

  at::ScalarType type() const { return m_type; }
  const diffusion::TextEncoder& textEncoder() {
    return loaded(m_textEncoder, checkpoint::Component::TextEncoder, m_folder.textEncoder);
  }
  const diffusion::UNet& unet() { return loaded(m_unet, checkpoint::Component::UNet, m_folder.unet); }
  const diffusion::Vae& vae() { return loaded(m_vae, checkpoint::Component::Vae, m_folder.vae); }

 private:
  static checkpoint::ModelFolder openUNetAlone(const std::filesystem::path& folder) {
    std::stringstream config;
    config << std::ifstream(folder / "unet" / "config.json").rdbuf();
    checkpoint::ModelFolder model;
    model.unet = orStop(checkpoint::parseUNetConfig(config.str(), "unet/config.json"));
    model.unetFiles = {folder / "unet" / "diffusion_pytorch_model.safetensors"};
    return model;
  }

  template <typename Network, typename Config>
  const Network& loaded(std::unique_ptr<Network>& network, checkpoint::Component component, const Config& config) {
    if (!network) {
      const auto start = std::chrono::steady_clock::now();
      Quiet observer;
      diffusion::WeightReader reader(orStop(m_folder.openWeights(component)), std::string(checkpoint::toString(component)),
                                     at::kCPU, m_type, observer);
      network = std::make_unique<Network>(reader, config);
      if (const auto finished = reader.finish(); !finished) {
        std::cerr << finished.error().message << "\n";
        std::exit(1);
      }
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      std::cout << "load " << checkpoint::toString(component) << " " << seconds.count() << "\n";
    }
    return *network;
  }

  at::ScalarType m_type;
  checkpoint::ModelFolder m_folder;
  std::unique_ptr<diffusion::TextEncoder> m_textEncoder;
  std::unique_ptr<diffusion::UNet> m_unet;
  std::unique_ptr<diffusion::Vae> m_vae;
};

at::Tensor runCase(Networks& networks, const Words& words, const std::map<std::string, at::Tensor>& inputs) {
  const auto input = [&](const char* name) { return inputs.at(name).to(networks.type()); };
  const auto optional = [&](const char* name) { return inputs.contains(name) ? std::optional(inputs.at(name)) : std::nullopt; };
  diffusion::DecodeOptions options;
  options.slicing = words.contains("slicing");
  options.tiling = words.contains("tiling");
  if (words.contains("text")) {
    const std::string skip = valueOr(words, "skip", "");
    return networks.textEncoder().encode(inputs.at("ids"), skip.empty() ? std::nullopt : std::optional(std::stoi(skip)));
  }
  if (words.contains("unet")) {
    diffusion::UNetConditions conditions;
    conditions.timestepCond = optional("timestep_cond");
    conditions.textEmbeds = optional("text_embeds");
    conditions.timeIds = optional("time_ids");
    for (auto* condition : {&conditions.timestepCond, &conditions.textEmbeds}) {
      if (*condition) {
        *condition = (*condition)->to(networks.type());
      }
    }
    return networks.unet().predict(input("sample"), inputs.at("timestep"), input("context"), conditions);
  }
  if (words.contains("decode")) {
    return networks.vae().decode(input("latents"), options);
  }
  if (words.contains("encode")) {
    return networks.vae().encodeMoments(input("pictures"), options);
  }
  std::cerr << "unknown case\n";
  std::exit(2);
}

int run(const std::string& folder, const std::string& in, const std::string& out) {
  const auto file = orStop(checkpoint::SafetensorsFile::open(in));
  Words settings;
  if (const auto found = file->metadata().find("settings"); found != file->metadata().end()) {
    settings = splitWords(found->second);
  }
  at::set_num_threads(std::stoi(valueOr(settings, "threads", "1")));
  const c10::InferenceMode inference;
  Networks networks(folder, settings);
  std::map<std::string, at::Tensor> results;
  for (const auto& [name, description] : file->metadata()) {
    if (name == "settings") {
      continue;
    }
    std::map<std::string, at::Tensor> inputs;
    for (const auto& [tensorName, view] : file->tensors()) {
      if (tensorName.starts_with(name + ".")) {
        inputs[tensorName.substr(name.size() + 1)] = asTensor(view);
      }
    }
    const Words words = splitWords(description);
    results[name] = runCase(networks, words, inputs).to(at::kFloat).contiguous();
    std::cout << "ready " << name << std::endl;
    // A line is awaited before each repetition, so that another program can take turns on the same cores.
    for (std::string line; words.contains("repeat") && std::getline(std::cin, line) && line == "go";) {
      const auto start = std::chrono::steady_clock::now();
      runCase(networks, words, inputs);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      std::cout << "time " << name << " " << seconds.count() << std::endl;
    }
  }
  std::vector<checkpoint::NamedTensor> named;
  for (const auto& [name, tensor] : results) {
    named.push_back({name,
                     {checkpoint::Dtype::F32,
                      tensor.sizes().vec(),
                      {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}}});
  }
  const std::vector<std::byte> bytes = orStop(checkpoint::writeSafetensors(named));
  std::ofstream(out, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: network_probe FOLDER IN.safetensors OUT.safetensors\n";
    return 2;
  }
  try {
    return run(argv[1], argv[2], argv[3]);
  } catch (const diffusion::EngineFailure& failure) {
    std::cerr << failure.error().message << "\n";
    return 1;
  }
}
