#include "core/diffusion/schedulers/scheduler.h"

#include <array>

#include "core/diffusion/failure.h"
#include "core/diffusion/schedulers/factories.h"

namespace polyptych::diffusion {
namespace {

struct Entry {
  std::string_view className;
  std::unique_ptr<Scheduler> (*make)(const ConfigValues&);
};
constexpr std::array<Entry, 15> kClasses{{{"DDIM", makeDdim},
                                          {"DDPM", makeDdpm},
                                          {"DEISMultistep", makeDeisMultistep},
                                          {"DPMSolverMultistep", makeDpmSolverMultistep},
                                          {"DPMSolverSinglestep", makeDpmSolverSinglestep},
                                          {"EulerDiscrete", makeEuler},
                                          {"EulerAncestralDiscrete", makeEulerAncestral},
                                          {"HeunDiscrete", makeHeun},
                                          {"KDPM2Discrete", makeKdpm2},
                                          {"KDPM2AncestralDiscrete", makeKdpm2Ancestral},
                                          {"LCM", makeLcm},
                                          {"LMSDiscrete", makeLms},
                                          {"PNDM", makePndm},
                                          {"TCD", makeTcd},
                                          {"UniPCMultistep", makeUniPcMultistep}}};

}  // namespace

at::Tensor Scheduler::scaleModelInput(const at::Tensor& sample, int) const { return sample; }

std::unique_ptr<Scheduler> makeScheduler(const domain::SchedulerChoice& choice, const checkpoint::SchedulerConfig& model) {
  std::map<std::string, std::string> values = model.values;
  if (model.className == choice.className || model.className == choice.className + "Scheduler") {
    values.insert(model.repairedDefaults.begin(), model.repairedDefaults.end());
  }
  for (const auto& [key, value] : choice.overrides) {
    values[key] = value;
  }
  const ConfigValues config(choice.className, std::move(values));
  for (const Entry& entry : kClasses) {
    if (entry.className == choice.className) {
      return entry.make(config);
    }
  }
  throw EngineFailure(
      {base::ErrorCode::Unsupported, "There is no scheduler of class " + choice.className + " in this program.", {}});
}

}  // namespace polyptych::diffusion
