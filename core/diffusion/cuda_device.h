#pragma once

#include "core/domain/engine.h"

namespace polyptych::diffusion {

/// What the first GPU says of itself, or DeviceLost with CUDA's own words. Defined by the CUDA worker's own file; the CPU
/// worker's has no GPU.
base::Result<domain::DeviceReport> cudaDeviceReport();

/// Gives the GPU's memory back that the allocator keeps for later. Defined in the same files.
void emptyCudaCache();

}  // namespace polyptych::diffusion
