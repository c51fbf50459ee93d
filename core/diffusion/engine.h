#pragma once

#include <memory>

#include "core/domain/engine.h"

namespace polyptych::diffusion {

/// The Stable Diffusion engine on LibTorch. `threads` is the size of ATen's CPU thread pool, fixed for the process; call once,
/// before any other work. Cuda: the process's first GPU (a worker sees only one).
std::unique_ptr<domain::Engine> makeEngine(domain::DeviceKind kind, int threads);

}  // namespace polyptych::diffusion
