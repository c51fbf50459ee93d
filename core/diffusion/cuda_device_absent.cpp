#include "core/diffusion/cuda_device.h"

namespace polyptych::diffusion {

base::Result<domain::DeviceReport> cudaDeviceReport() {
  return base::Error{base::ErrorCode::DeviceLost, "This worker is the one for CPUs; GPUs need polyptych-worker-cuda.", {}};
}

void emptyCudaCache() {}

}  // namespace polyptych::diffusion
