// Steps one sampler for scheduler_parity.py: a JSON object a line on standard input; a safetensors file and an answer a line
// back.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/diffusion/failure.h"
#include "core/diffusion/noise.h"
#include "core/diffusion/schedulers/scheduler.h"
#include "core/diffusion/trace.h"

using namespace polyptych;
using nlohmann::json;

namespace {

at::Tensor normal(std::uint64_t seed, at::ScalarType type) {
  return at::randn({2, 4, 6, 5}, at::detail::createCPUGenerator(seed), at::TensorOptions().dtype(at::kFloat)).to(type);
}

/// scheduler_parity.py makes the same numbers: seed + call gives the network's answer of a call.
void run(const json& line) {
  checkpoint::SchedulerConfig config;
  if (line.contains("file")) {
    // A scheduler_config.json as diffusers wrote it, for any class.
    auto parsed = checkpoint::parseSchedulerConfig(line.at("file").get<std::string>(), {}, "the file");
    if (!parsed) {
      throw diffusion::EngineFailure(parsed.error());
    }
    config = *std::move(parsed);
  } else {
    for (const auto& [key, value] : line.at("config").items()) {
      config.values[key] = value.dump();
    }
  }
  domain::SchedulerChoice choice{"", line.at("class"), {}};
  for (const auto& [key, value] : line.at("overrides").items()) {
    choice.overrides.emplace_back(key, value.dump());
  }
  const at::ScalarType type = line.value("half", false) ? at::kHalf : at::kFloat;
  const auto scheduler = diffusion::makeScheduler(choice, config);
  scheduler->setTimesteps(line.at("steps"));
  diffusion::Trace trace(true);
  trace.add("timesteps", scheduler->timesteps());
  if (const auto sigmas = scheduler->sigmas()) {
    trace.add("sigmas", *sigmas);
  }
  std::vector<domain::GenerationRequest> requests(2);
  requests[0].seed = 11;
  requests[1].seed = 12;
  diffusion::PictureNoise noise(requests, domain::NoiseKind::Model, at::kCPU);
  at::Tensor sample = normal(7, type) * scheduler->initNoiseSigma();
  trace.add("start", sample);
  for (int call = 0; call < scheduler->timesteps().size(0); ++call) {
    const at::Tensor input = scheduler->scaleModelInput(sample, call);
    trace.add("input", call, input);
    sample = scheduler->step(normal(static_cast<std::uint64_t>(1000 + call), type) * 0.5 + input * 0.5, call, sample, noise);
    trace.add("sample", call, sample);
  }
  const auto bytes = trace.bytes();
  std::ofstream file(line.at("out").get<std::string>(), std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

int main() {
  const c10::InferenceMode guard;
  std::string text;
  while (std::getline(std::cin, text)) {
    json answer = json::object();
    try {
      run(json::parse(text));
    } catch (...) {
      const base::Error error = diffusion::errorOfCurrentException("step the sample");
      answer = {{"code", base::toString(error.code)}, {"message", error.message}, {"detail", error.detail}};
    }
    std::cout << answer.dump() << std::endl;
  }
  return 0;
}
