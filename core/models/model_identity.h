#pragma once

#include "core/base/result.h"
#include "core/domain/request.h"

namespace polyptych::models {

/// checkpoint::modelHash() with its cache in the user's cache folder (<cache>/polyptych/model-hashes.json). Reads every file of
/// the model the first time: not for a thread that must not wait.
base::Result<std::string> hashOfModel(const domain::ModelSpec& model);

}  // namespace polyptych::models
