#pragma once

#include <memory>

#include "core/base/shared_pages.h"
#include "core/domain/engine.h"

namespace polyptych::diffusion {

class ExchangeSource;
class WeightFeed;

/// The Stable Diffusion engine on LibTorch. `threads` is the size of ATen's CPU thread pool, fixed for the process; call once,
/// before any other work. Cuda: the process's first GPU (a worker sees only one).
/// @param partners  for units that two engines make together; may be nullptr
/// @param shared  of CPU engines in several processes, so that equal weights are in memory once; may be nullptr
/// @param feed  of other processes that load the same model at the same time; may be nullptr
std::unique_ptr<domain::Engine> makeEngine(domain::DeviceKind kind, int threads,
                                           std::shared_ptr<ExchangeSource> partners = nullptr,
                                           std::shared_ptr<base::SharedPages> shared = nullptr,
                                           std::shared_ptr<WeightFeed> feed = nullptr);

}  // namespace polyptych::diffusion
