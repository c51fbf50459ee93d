#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/checkpoint/json_check.h"
#include "core/checkpoint/model_config.h"

namespace polyptych::checkpoint {
namespace {

using base::Error;
using base::ErrorCode;
using nlohmann::json;

// diffusers 0.42.1: the classes whose constructor has steps_offset (always 0 by default), and clip_sample = True.
constexpr std::array<std::string_view, 19> kClassesWithStepsOffset = {"DDIMInverseScheduler",
                                                                      "DDIMParallelScheduler",
                                                                      "DDIMScheduler",
                                                                      "DDPMParallelScheduler",
                                                                      "DDPMScheduler",
                                                                      "DEISMultistepScheduler",
                                                                      "DPMSolverMultistepInverseScheduler",
                                                                      "DPMSolverMultistepScheduler",
                                                                      "DPMSolverSDEScheduler",
                                                                      "EulerAncestralDiscreteScheduler",
                                                                      "EulerDiscreteScheduler",
                                                                      "HeunDiscreteScheduler",
                                                                      "KDPM2AncestralDiscreteScheduler",
                                                                      "KDPM2DiscreteScheduler",
                                                                      "LCMScheduler",
                                                                      "LMSDiscreteScheduler",
                                                                      "PNDMScheduler",
                                                                      "TCDScheduler",
                                                                      "UniPCMultistepScheduler"};
constexpr std::array<std::string_view, 5> kClassesThatClipSample = {"DDIMInverseScheduler", "DDIMParallelScheduler",
                                                                    "DDIMScheduler", "DDPMParallelScheduler", "DDPMScheduler"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

base::Result<SchedulerConfig> parseSchedulerConfig(std::string_view text, std::string_view className, std::string_view where) {
  if (auto checked = checkJson(text, where); !checked) {
    return checked.error();
  }
  const json file = json::parse(text.begin(), text.end(), nullptr, false);
  if (!file.is_object()) {
    return Error{ErrorCode::Corrupt, std::string(where) + " is not a JSON object.", {}};
  }
  SchedulerConfig config;
  config.className = className;
  if (config.className.empty()) {
    const auto found = file.find("_class_name");
    if (found == file.end() || !found->is_string()) {
      return Error{ErrorCode::Corrupt, std::string(where) + " does not name its class (\"_class_name\").", {}};
    }
    config.className = found->get<std::string>();
  }
  for (const auto& [key, value] : file.items()) {
    if (!key.starts_with('_')) {
      config.values.emplace(key, value.dump());
    }
  }
  if (const auto found = file.find("steps_offset"); found != file.end()) {
    if (*found != 1) {
      config.values["steps_offset"] = "1";
    }
  } else if (contains(kClassesWithStepsOffset, config.className)) {
    config.repairedDefaults["steps_offset"] = "1";
  }
  if (const auto found = file.find("clip_sample"); found != file.end()) {
    if (*found == true) {
      config.values["clip_sample"] = "false";
    }
  } else if (contains(kClassesThatClipSample, config.className)) {
    config.repairedDefaults["clip_sample"] = "false";
  }
  return config;
}

}  // namespace polyptych::checkpoint
