#include "core/diffusion/cuda_device.h"

namespace polyptych::diffusion {

domain::DeviceReport cudaDeviceReport() { return {domain::DeviceKind::Cuda, {}, {}, 0}; }

}  // namespace polyptych::diffusion
