#include "core/diffusion/cuda_device.h"

#include <c10/cuda/CUDACachingAllocator.h>
#include <cuda_runtime_api.h>

#include <array>
#include <cstdio>

namespace polyptych::diffusion {

base::Result<domain::DeviceReport> cudaDeviceReport() {
  cudaDeviceProp properties{};
  if (const cudaError_t problem = cudaGetDeviceProperties(&properties, 0); problem != cudaSuccess) {
    return base::Error{
        base::ErrorCode::DeviceLost,
        "The GPU cannot be used: it is not there, or its driver does not answer. See what nvidia-smi says, or choose "
        "another device.",
        cudaGetErrorString(problem)};
  }
  domain::DeviceReport report;
  report.kind = domain::DeviceKind::Cuda;
  report.name = properties.name;
  report.totalBytes = properties.totalGlobalMem;
  std::array<char, 48> text{};
  const auto byteAt = [&](int i) { return static_cast<unsigned>(static_cast<unsigned char>(properties.uuid.bytes[i])); };
  std::snprintf(text.data(), text.size(), "GPU-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", byteAt(0),
                byteAt(1), byteAt(2), byteAt(3), byteAt(4), byteAt(5), byteAt(6), byteAt(7), byteAt(8), byteAt(9), byteAt(10),
                byteAt(11), byteAt(12), byteAt(13), byteAt(14), byteAt(15));
  report.uuid = text.data();
  return report;
}

void emptyCudaCache() { c10::cuda::CUDACachingAllocator::emptyCache(); }

}  // namespace polyptych::diffusion
