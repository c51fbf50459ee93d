#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "core/cluster/launch_environment.h"
#include "core/diffusion/engine.h"
#include "core/distributed/group_exchange.h"

using namespace polyptych;

namespace {

constexpr std::chrono::milliseconds kJoinLimit{60'000};
constexpr std::chrono::milliseconds kStepLimit{10'000};

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

class Observer : public domain::LoadObserver, public domain::GenerateObserver {
 public:
  void onBytes(std::uint64_t, std::uint64_t) override {}
  void onStep(const domain::StepProgress& progress) override {
    if (progress.stage == domain::Stage::Denoising && progress.step > 0) {
      say("step " + std::to_string(progress.step));
    }
  }
  void onPreview(std::size_t, domain::Image) override {}
  bool isCancelled() const override { return false; }
};

/// The one group of this process, for every unit.
class Partners : public diffusion::ExchangeSource {
 public:
  explicit Partners(distributed::Group& group) : m_group(group) {}
  base::Result<std::unique_ptr<diffusion::GuidanceExchange>> open(const domain::UnitOfWork&) override {
    return std::unique_ptr<diffusion::GuidanceExchange>(std::make_unique<distributed::GroupExchange>(m_group));
  }

 private:
  distributed::Group& m_group;
};

int refuse(const base::Error& error) {
  say("error " + error.message);
  return 1;
}

}  // namespace

/// guidance_probe MODEL STEPS BATCH OUT: makes pictures as one of WORLD_SIZE processes, 1 or 2; writes OUT if it has them.
int main(int argc, char** argv) {
  if (argc != 5) {
    return 2;
  }
  const auto launch = cluster::detectLaunchEnvironment();
  if (!launch) {
    return refuse(launch.error());
  }
  std::unique_ptr<distributed::Store> store;
  std::unique_ptr<distributed::Group> group;
  std::shared_ptr<diffusion::ExchangeSource> partners;
  if (launch->worldSize == 2) {
    auto connected =
        distributed::Store::connect({launch->masterAddress, launch->masterPort, launch->rank == 0, "pair"}, kJoinLimit);
    if (!connected) {
      return refuse(connected.error());
    }
    store = std::move(*connected);
    distributed::GroupOptions options;
    options.rank = launch->rank;
    options.size = 2;
    options.version = "1";
    options.joinTimeout = kJoinLimit;
    options.callTimeout = kStepLimit;
    auto joined = distributed::Group::join(*store, options);
    if (!joined) {
      return refuse(joined.error());
    }
    group = std::move(*joined);
    partners = std::make_shared<Partners>(*group);
    say("joined");
  }
  const auto engine = diffusion::makeEngine(domain::DeviceKind::Cpu, 1, partners);
  Observer observer;
  domain::UnitOfWork unit;
  unit.id = 1;
  unit.plan.model = {argv[1], "probe", "", ""};
  unit.plan.computeType = domain::ComputeType::Fp32;
  unit.plan.batch = std::atoi(argv[3]);
  for (int i = 0; i < unit.plan.batch; ++i) {
    domain::GenerationRequest request;
    request.index = request.promptIndex = i;
    request.prompt = i % 2 == 0 ? "a red boat at sunset" : "a blue house in the snow";
    request.negativePrompt = "rain";
    request.seed = 7 + static_cast<std::uint64_t>(i);
    request.width = request.height = 128;
    request.steps = std::atoi(argv[2]);
    request.guidanceScale = 5;
    request.guidanceRescale = 0.3;
    request.scheduler = "Euler a";
    unit.requests.push_back(request);
  }
  if (auto loaded = engine->load(unit.plan.model, unit.plan.computeType, observer); !loaded) {
    return refuse(loaded.error());
  }
  const auto outcome = engine->generate(unit, observer);
  if (!outcome) {
    return refuse(outcome.error());
  }
  for (const domain::Warning& warning : outcome->warnings) {
    say("warning " + warning.sentence);
  }
  say(outcome->kind == domain::OutcomeKind::Cancelled ? "cancelled" : "pictures " + std::to_string(outcome->images.size()));
  std::ofstream file(argv[4], std::ios::binary);
  for (const domain::Image& image : outcome->images) {
    file.write(reinterpret_cast<const char*>(image.pixels.data()), static_cast<std::streamsize>(image.pixels.size()));
  }
  return file.good() ? 0 : 1;
}
