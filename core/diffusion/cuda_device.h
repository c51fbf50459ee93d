#pragma once

#include "core/domain/engine.h"

namespace polyptych::diffusion {

/// What the first GPU says of itself. Defined by the CUDA worker's own file; the CPU worker's answers with an empty report.
domain::DeviceReport cudaDeviceReport();

}  // namespace polyptych::diffusion
