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

/// Python's json writes float("-inf") (DPM++'s lambda_min_clipped) as a bare word, which is no JSON: such words, outside of
/// texts, become texts.
std::string withQuotedNonNumbers(std::string_view text) {
  constexpr std::array<std::string_view, 3> kWords = {"-Infinity", "Infinity", "NaN"};
  std::string out;
  bool isInText = false;
  for (std::size_t at = 0; at < text.size();) {
    const auto word =
        std::find_if(kWords.begin(), kWords.end(), [&](std::string_view one) { return text.substr(at).starts_with(one); });
    if (!isInText && word != kWords.end()) {
      out.append("\"").append(*word).append("\"");
      at += word->size();
      continue;
    }
    if (isInText && text[at] == '\\' && at + 1 < text.size()) {
      out += text[at++];
    } else if (text[at] == '"') {
      isInText = !isInText;
    }
    out += text[at++];
  }
  return out;
}

}  // namespace

base::Result<SchedulerConfig> parseSchedulerConfig(std::string_view written, std::string_view className, std::string_view where) {
  const std::string text = withQuotedNonNumbers(written);
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
