#pragma once

#include "core/domain/engine.h"

namespace polyptych::diffusion {

/// What the first GPU says of itself, or DeviceLost with CUDA's own words. Defined by the CUDA worker's own file; the CPU
/// worker's has no GPU.
base::Result<domain::DeviceReport> cudaDeviceReport();

}  // namespace polyptych::diffusion
