// Drives the engine for pipeline_parity.py: one JSON object a line on standard input, one answer a line on standard output.
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/diffusion/engine.h"
#include "core/domain/engine.h"
#include "core/domain/scheduler_name.h"

using namespace polyptych;
using nlohmann::json;

namespace {

class Observer : public domain::LoadObserver, public domain::GenerateObserver {
 public:
  void onBytes(std::uint64_t, std::uint64_t) override {}
  void onStep(const domain::StepProgress& progress) override {
    beats += progress.stage == domain::Stage::Denoising && progress.step > 0 ? 1 : 0;
  }
  void onPreview(std::size_t, domain::Image) override { ++previews; }
  bool isCancelled() const override { return cancelAfter >= 0 && beats >= cancelAfter; }

  int beats = 0;
  int previews = 0;
  int cancelAfter = -1;
};

void writePpm(const std::string& path, const domain::Image& image) {
  std::ofstream file(path, std::ios::binary);
  file << "P6\n" << image.width << ' ' << image.height << "\n255\n";
  file.write(reinterpret_cast<const char*>(image.pixels.data()), static_cast<std::streamsize>(image.pixels.size()));
}

domain::UnitOfWork unitOf(const json& line) {
  domain::UnitOfWork unit;
  unit.id = 1;
  unit.plan.model = {line.at("model"), "probe", "", line.value("variant", "")};
  unit.plan.computeType = *domain::computeTypeFromString(line.value("dtype", "fp32"));
  unit.plan.noise = *domain::noiseKindFromString(line.value("noise", "float"));
  unit.plan.vaeSlicing = line.value("slicing", false);
  unit.plan.vaeTiling = line.value("tiling", false);
  const auto prompts = line.at("prompts").get<std::vector<std::string>>();
  unit.plan.batch = static_cast<int>(prompts.size());
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    domain::GenerationRequest request;
    request.index = static_cast<std::int64_t>(i);
    request.promptIndex = request.index;
    request.prompt = prompts[i];
    if (line.contains("negative")) {
      request.negativePrompt = line.at("negative").get<std::string>();
    }
    request.seed = line.value("seed", std::uint64_t{0}) + i;
    request.width = line.value("width", 64);
    request.height = line.value("height", 64);
    request.steps = line.value("steps", 2);
    request.guidanceScale = line.value("guidance", 7.5);
    request.guidanceRescale = line.value("guidanceRescale", 0.0);
    request.scheduler = line.value("scheduler", "DPM++ 2M");
    if (line.contains("clipSkip")) {
      request.clipSkip = line.at("clipSkip").get<int>();
    }
    unit.requests.push_back(request);
  }
  unit.wantsTrace = line.contains("trace");
  unit.wantsPreviews = line.value("previews", false);
  if (line.contains("initialLatents")) {
    std::ifstream file(line.at("initialLatents").get<std::string>(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
    unit.initialLatents.assign(data, data + bytes.size());
  }
  return unit;
}

json catalogue() {
  json list = json::array();
  for (const auto& choice : domain::schedulerCatalogue()) {
    json overrides = json::object();
    for (const auto& [key, value] : choice.overrides) {
      overrides[key] = json::parse(value);
    }
    list.push_back({{"name", choice.name}, {"class", choice.className}, {"overrides", overrides}});
  }
  return list;
}

json errorAnswer(const base::Error& error) {
  return {{"code", base::toString(error.code)}, {"message", error.message}, {"detail", error.detail}};
}

}  // namespace

int main(int argc, char** argv) {
  auto engine = diffusion::makeEngine(domain::DeviceKind::Cpu, argc > 1 ? std::atoi(argv[1]) : 1);
  std::string loaded;
  std::string text;
  while (std::getline(std::cin, text)) {
    const json line = json::parse(text);
    if (line.contains("catalogue")) {
      std::cout << catalogue().dump() << std::endl;
      continue;
    }
    const domain::UnitOfWork unit = unitOf(line);
    Observer observer;
    observer.cancelAfter = line.value("cancelAfter", -1);
    const std::string wanted = unit.plan.model.folder + '|' + unit.plan.model.variant + '|' + toString(unit.plan.computeType);
    json answer;
    base::Result<void> ready;
    if (wanted != loaded) {
      const auto report = engine->load(unit.plan.model, unit.plan.computeType, observer);
      ready = report ? base::Result<void>() : base::Result<void>(report.error());
      loaded = report ? wanted : std::string();
    }
    if (!ready) {
      answer = errorAnswer(ready.error());
    } else if (auto outcome = engine->generate(unit, observer); !outcome) {
      answer = errorAnswer(outcome.error());
    } else {
      std::vector<std::string> warnings;
      for (const domain::Warning& warning : outcome->warnings) {
        warnings.push_back(warning.sentence);
      }
      answer = {{"cancelled", outcome->kind == domain::OutcomeKind::Cancelled},
                {"beats", observer.beats},
                {"previews", observer.previews},
                {"warnings", warnings}};
      for (std::size_t i = 0; i < outcome->images.size(); ++i) {
        writePpm(line.at("image").get<std::string>() + '.' + std::to_string(i) + ".ppm", outcome->images[i]);
      }
      if (unit.wantsTrace) {
        std::ofstream file(line.at("trace").get<std::string>(), std::ios::binary);
        file.write(reinterpret_cast<const char*>(outcome->trace.data()), static_cast<std::streamsize>(outcome->trace.size()));
      }
    }
    std::cout << answer.dump() << std::endl;
  }
  return 0;
}
