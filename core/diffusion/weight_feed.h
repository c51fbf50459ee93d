#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/domain/engine.h"
#include "core/domain/warning.h"

namespace polyptych::diffusion {

/// Other processes that load the same model at the same time, so that not each of them has to read all of its files. Implemented
/// by core/distributed.
class WeightFeed {
 public:
  virtual ~WeightFeed() = default;

  /// Waits, within a limit, for those that load too. Called before every load, on the engine's thread. False: there is nobody,
  /// now or for ever, and the load reads its files.
  virtual bool meet(const domain::LoadObserver& observer) = 0;

  /// Fills one tensor of the list from this process's files; it has ended with the device when it comes back.
  using Read = std::function<base::Result<void>(std::size_t index, const at::Tensor& tensor)>;
  /// The tensors before this index are filled.
  using Progress = std::function<void(std::size_t filled)>;
  /// After meet(), once: fills the tensors, from the files or from others. Nobody is needed afterwards.
  /// @param identity  what the list is, in words that are equal where the weights are
  /// @return false: it was not done, whatever the reason; what the tensors have is of no meaning then
  virtual bool fill(const std::string& identity, const std::vector<at::Tensor>& tensors, const Read& read,
                    const Progress& progress, const domain::LoadObserver& observer) = 0;

  /// What the user should know of the last load, once: where the weights came from, or why nobody was there.
  virtual std::optional<domain::Warning> takeReport() = 0;
};

}  // namespace polyptych::diffusion
