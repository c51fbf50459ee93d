#pragma once

#include <QString>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/polyptych-cli/arguments.h"
#include "core/base/result.h"

namespace polyptych::cli {

/// Prompts of the arguments, then of the list. Errors: InvalidArgument with the file's name and why.
base::Result<std::vector<std::string>> readPrompts(const GenerateArguments& arguments);

/// Bytes of --initial-latents, checked to be a safetensors file whose tensor `latents` is [pictures, C, height/8, width/8].
base::Result<std::vector<std::byte>> readInitialLatents(const std::string& path, std::size_t pictures, int width, int height);

/// The folder as an absolute path; made if it is not there, and tried by making a file in it. Errors: InvalidArgument.
base::Result<QString> prepareFolder(const std::string& path);
/// A name for a run without --out, in the current folder: "polyptych-20260131-235959", with "-2" and so on where it is taken.
std::string freshFolder();
/// Whether --trace's file could be written there. Errors: InvalidArgument.
base::Result<void> checkTraceFile(const std::string& path);

/// Seed of picture 0 of the run whose manifest.jsonl lies in the folder; nothing if there is none, or no line of it says.
std::optional<std::uint64_t> baseSeedOfFolder(const QString& folder);
/// 32 bits, easy to type again, from the system's source of randomness.
std::uint64_t drawSeed();

}  // namespace polyptych::cli
