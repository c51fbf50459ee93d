#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace polyptych::domain {

/// A sampler as a person names it: diffusers' class plus the configuration keys that the name implies.
struct SchedulerChoice {
  std::string name;       ///< canonical spelling, what metadata and lists show: "DPM++ 2M Karras"
  std::string className;  ///< diffusers' class without "Scheduler": "DPMSolverMultistep"
  /// Keys set over the model's own configuration, value as JSON text: {"use_karras_sigmas", "true"}, {"algorithm_type",
  /// "\"sde-dpmsolver++\""}.
  std::vector<std::pair<std::string, std::string>> overrides;

  friend bool operator==(const SchedulerChoice&, const SchedulerChoice&) = default;
};

/// Steps a distilled model was made for, and so makes at most, where its scheduler's configuration has no
/// original_inference_steps (diffusers' LCM and TCD).
inline constexpr int kDefaultOriginalSteps = 50;

/// Every sampler the program offers, in the order lists show them, default first.
const std::vector<SchedulerChoice>& schedulerCatalogue();

/// Finds a sampler by diffusers' class name (with or without "Scheduler", "EulerDiscrete"), by A1111's name ("Euler a", "DPM++ 2M
/// Karras", "PLMS"), letter case and repeated spaces ignored. Any name may be followed by " Karras", " Exponential" or " Beta"
/// where the class has those sigmas.
/// @return NotFound with the names that come closest.
base::Result<SchedulerChoice> resolveScheduler(std::string_view name);

/// The sampler used when nobody chose one: DPM++ 2M, or the model's own class if it was distilled for it (LCM, TCD).
/// @param modelClassName  class in the model's scheduler_config.json, with or without "Scheduler"; may be empty
SchedulerChoice defaultScheduler(std::string_view modelClassName);

}  // namespace polyptych::domain
