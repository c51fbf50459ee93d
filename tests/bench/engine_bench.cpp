// Times parts of the engine for bench.py: a command a line on standard input, seconds on standard output.
//   load FOLDER | text | unet SIDE | vae SIDE      (SIDE: latent cells)
#include <ATen/Functions.h>
#include <c10/core/InferenceMode.h>

#include <chrono>
#include <iostream>
#include <sstream>

#include "core/diffusion/engine.h"
#include "core/diffusion/loaded_model.h"

using namespace polyptych;

namespace {

class Silent : public domain::LoadObserver {
 public:
  void onBytes(std::uint64_t, std::uint64_t) override {}
  bool isCancelled() const override { return false; }
};

double run(const std::string& text, std::unique_ptr<const diffusion::LoadedModel>& model) {
  std::istringstream words(text);
  std::string command;
  words >> command;
  const auto seconds = [](auto&& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  if (command == "load") {
    std::string folder;
    std::getline(words >> std::ws, folder);
    model.reset();
    Silent silent;
    return seconds([&] { model = diffusion::loadModel({folder, "bench", "", ""}, at::kFloat, at::kCPU, silent); });
  }
  std::int64_t side = 0;
  words >> side;
  const std::int64_t channels = model->folder.unet.inChannels;
  if (command == "text") {
    const auto ids = at::stack({at::tensor(model->tokenizer.encode("").ids, at::kLong),
                                at::tensor(model->tokenizer.encode("a lighthouse at night, oil").ids, at::kLong)});
    return seconds([&] { model->textEncoder.encode(ids, std::nullopt); });
  }
  if (command == "unet") {
    const auto context = model->textEncoder.encode(at::stack({at::tensor(model->tokenizer.encode("").ids, at::kLong),
                                                              at::tensor(model->tokenizer.encode("a cat").ids, at::kLong)}),
                                                   std::nullopt);
    const auto sample = at::randn({2, channels, side, side});
    const auto timestep = at::tensor(500, at::kLong);
    return seconds([&] { model->unet.predict(sample, timestep, context); });
  }
  if (command == "vae") {
    const auto latents = at::randn({1, channels, side, side});
    return seconds([&] { model->vae.decode(latents, {}); });
  }
  std::cerr << "unknown command: " << text << std::endl;
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  diffusion::makeEngine(domain::DeviceKind::Cpu, argc > 1 ? std::atoi(argv[1]) : 2);
  const c10::InferenceMode guard;
  std::unique_ptr<const diffusion::LoadedModel> model;
  std::string text;
  while (std::getline(std::cin, text)) {
    std::cout << run(text, model) << std::endl;
  }
  return 0;
}
