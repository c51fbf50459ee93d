#pragma once

#include <QString>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/polyptych-cli/arguments.h"
#include "core/base/result.h"
#include "core/domain/request.h"
#include "core/library/location.h"

namespace polyptych::cli {

/// Prompts of the arguments, then of the list. Errors: InvalidArgument with the file's name and why.
base::Result<std::vector<std::string>> readPrompts(const GenerateArguments& arguments);

/// Bytes of --initial-latents, checked to be a safetensors file whose tensor `latents` has that shape ([pictures, C, height/cell,
/// width/cell]) and finite numbers in F32, F16 or BF16.
base::Result<std::vector<std::byte>> readInitialLatents(const std::string& path, const std::vector<std::int64_t>& shape);

/// The folder as an absolute path; made if it is not there. Errors: InvalidArgument.
base::Result<QString> prepareFolder(const std::string& path);
/// The library that the words name: that of --out, that of --library, or the default one.
library::Location libraryOf(const Arguments& arguments);
/// Whether --trace's file is new, outside of the folder of pictures, and could be written. Errors: InvalidArgument.
base::Result<void> checkTraceFile(const std::string& path, const std::string& outputFolder);

/// Seed of picture 0 of the run in the folder: from its manifest.jsonl, else from a picture that has no row yet, else from parts
/// that several processes have left; nothing if none says.
std::optional<std::uint64_t> baseSeedOfFolder(const QString& folder);
/// Several processes may have left parts of these pictures in the folder: they are joined, so that one process goes on.
/// @return AlreadyExists if the parts are of another run, or in use; errors of gallery::joinParts()
base::Result<void> joinLeftParts(const QString& folder, const std::vector<domain::GenerationRequest>& requests,
                                 const std::string& modelHash);
/// Gives processes that write into the folder's parts some seconds to end. @return AlreadyExists if they do not
base::Result<void> waitForParts(const QString& folder);
/// 32 bits, easy to type again, from the system's source of randomness.
std::uint64_t drawSeed();

}  // namespace polyptych::cli
