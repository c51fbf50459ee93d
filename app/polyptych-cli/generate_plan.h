#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/polyptych-cli/arguments.h"
#include "app/polyptych-cli/exit_code.h"
#include "core/backend/backend.h"

namespace polyptych::cli {

/// Why a command does nothing.
struct Refusal {
  base::Error error;
  ExitCode code;
};

/// `generate` as far as its words, its prompts and the model decide it.
struct GeneratePlan {
  backend::RunSpec spec;  ///< without devices, seeds and the model's hash
  domain::GenerationRequest settings;
  std::vector<std::string> warnings;  ///< of the model, for the user
};

/// Reads prompts and model and fixes every request. @param arguments  get the default model if they name none
/// @return why not; nothing if all is well
std::optional<Refusal> planGenerate(Arguments& arguments, GeneratePlan& planned);

/// Reads the model's files, or what is known of them.
std::optional<Refusal> readModelHash(domain::ModelSpec& model);

/// Picture i gets base + i.
void giveSeeds(std::vector<domain::GenerationRequest>& requests, std::uint64_t base);

}  // namespace polyptych::cli
