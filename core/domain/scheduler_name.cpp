#include "core/domain/scheduler_name.h"

#include <algorithm>
#include <array>

namespace polyptych::domain {
namespace {

using Overrides = std::vector<std::pair<std::string, std::string>>;

/// Noise levels that a class can be asked to space in another way, and the key that does it.
struct Spacing {
  std::string_view suffix;
  std::string_view key;
};
constexpr std::array<Spacing, 3> kSpacings{
    {{" Karras", "use_karras_sigmas"}, {" Exponential", "use_exponential_sigmas"}, {" Beta", "use_beta_sigmas"}}};

/// Classes of diffusers 0.42 that have those keys.
constexpr std::array<std::string_view, 9> kSpacedClasses{"DPMSolverMultistep", "DPMSolverSinglestep", "UniPCMultistep",
                                                         "DEISMultistep",      "EulerDiscrete",       "HeunDiscrete",
                                                         "LMSDiscrete",        "KDPM2Discrete",       "KDPM2AncestralDiscrete"};

/// Samplers by the names that A1111's users know, and the class behind each (diffusers' page "Schedulers").
std::vector<SchedulerChoice> makeNamed() {
  return {
      {"DPM++ 2M", "DPMSolverMultistep", {}},
      {"DPM++ 2M SDE", "DPMSolverMultistep", {{"algorithm_type", "\"sde-dpmsolver++\""}}},
      {"DPM++ SDE", "DPMSolverSinglestep", {}},
      {"Euler", "EulerDiscrete", {}},
      {"Euler a", "EulerAncestralDiscrete", {}},
      {"Heun", "HeunDiscrete", {}},
      {"LMS", "LMSDiscrete", {}},
      {"DPM2", "KDPM2Discrete", {}},
      {"DPM2 a", "KDPM2AncestralDiscrete", {}},
      {"UniPC", "UniPCMultistep", {}},
      {"DEIS", "DEISMultistep", {}},
      {"DDIM", "DDIM", {}},
      {"DDPM", "DDPM", {}},
      {"PNDM", "PNDM", {}},
      {"PLMS", "PNDM", {{"skip_prk_steps", "true"}}},
      {"LCM", "LCM", {}},
      {"TCD", "TCD", {}},
  };
}

bool hasSpacings(std::string_view className) {
  return std::find(kSpacedClasses.begin(), kSpacedClasses.end(), className) != kSpacedClasses.end();
}

SchedulerChoice spaced(SchedulerChoice choice, const Spacing& spacing) {
  choice.name += spacing.suffix;
  // The model's file may ask for another one, and a sampler takes one of them.
  for (const Spacing& one : kSpacings) {
    choice.overrides.emplace_back(one.key, one.key == spacing.key ? "true" : "false");
  }
  return choice;
}

/// Lower case, blanks at the ends dropped and others made one: how names are compared.
std::string folded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == ' ' || c == '\t') {
      if (!out.empty() && out.back() != ' ') {
        out += ' ';
      }
    } else {
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  while (!out.empty() && out.back() == ' ') {
    out.pop_back();
  }
  return out;
}

std::string withoutSuffix(std::string name, std::string_view suffix) {
  if (name.size() > suffix.size() && std::string_view(name).ends_with(suffix)) {
    name.resize(name.size() - suffix.size());
  }
  return name;
}

/// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

/// @return nothing if the name is no sampler's, spacing not yet taken off
const SchedulerChoice* findPlain(const std::vector<SchedulerChoice>& named, const std::string& foldedName) {
  const std::string asClass = withoutSuffix(foldedName, "scheduler");
  for (const auto& choice : named) {
    if (folded(choice.name) == foldedName) {
      return &choice;
    }
  }
  // The first sampler of a class is the class as it is, or the one the class is best known by.
  for (const auto& choice : named) {
    if (choice.overrides.empty() && folded(choice.className) == asClass) {
      return &choice;
    }
  }
  return nullptr;
}

const std::vector<SchedulerChoice>& named() {
  static const std::vector<SchedulerChoice> list = makeNamed();
  return list;
}

}  // namespace

const std::vector<SchedulerChoice>& schedulerCatalogue() {
  static const std::vector<SchedulerChoice> list = [] {
    std::vector<SchedulerChoice> all;
    for (const auto& choice : named()) {
      all.push_back(choice);
      if (hasSpacings(choice.className)) {
        for (const auto& spacing : kSpacings) {
          all.push_back(spaced(choice, spacing));
        }
      }
    }
    return all;
  }();
  return list;
}

base::Result<SchedulerChoice> resolveScheduler(std::string_view name) {
  const std::string wanted = folded(name.substr(0, 100));
  if (const auto* choice = findPlain(named(), wanted)) {
    return *choice;
  }
  for (const auto& spacing : kSpacings) {
    const std::string suffix = folded(spacing.suffix);
    const std::string ending = ' ' + suffix.substr(suffix.starts_with(' ') ? 1 : 0);
    if (!std::string_view(wanted).ends_with(ending)) {
      continue;
    }
    const auto* choice = findPlain(named(), withoutSuffix(wanted, ending));
    if (choice != nullptr && hasSpacings(choice->className)) {
      return spaced(*choice, spacing);
    }
  }
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const auto& choice : schedulerCatalogue()) {
    near.emplace_back(std::min(distance(wanted, folded(choice.name)), distance(wanted, folded(choice.className))), choice.name);
  }
  std::stable_sort(near.begin(), near.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string list;
  for (std::size_t i = 0; i < 3; ++i) {
    list += (i == 0 ? "" : ", ") + near[i].second;
  }
  return base::Error{base::ErrorCode::NotFound,
                     "There is no scheduler \"" + std::string(name.substr(0, 100)) + "\". Close to it: " + list +
                         ". All: polyptych-cli schedulers.",
                     {}};
}

SchedulerChoice defaultScheduler(std::string_view modelClassName) {
  const std::string own = withoutSuffix(folded(modelClassName), "scheduler");
  for (const char* distilled : {"LCM", "TCD"}) {
    if (own == folded(distilled)) {
      return *resolveScheduler(distilled);
    }
  }
  return schedulerCatalogue().front();
}

}  // namespace polyptych::domain
