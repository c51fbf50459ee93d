#include <cuda_runtime_api.h>

#include <cstdlib>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "core/distributed/group_backend.h"

namespace polyptych::distributed {

c10::intrusive_ptr<c10d::Backend> makeNccl(const c10::intrusive_ptr<c10d::Store>& store, const GroupOptions& options) {
  int devices = 0;
  const cudaError_t found = cudaGetDeviceCount(&devices);
  TORCH_CHECK(found == cudaSuccess && devices > 0, "CUDA has no device: ", cudaGetErrorString(found));
  // The watchdog's own way out is to end the process; time-outs and abort() are the group's. An explicit choice of the user
  // stays.
  setenv("TORCH_NCCL_ASYNC_ERROR_HANDLING", "2", 0);
  setenv("TORCH_NCCL_ENABLE_MONITORING", "0", 0);
  const auto settings = c10d::ProcessGroupNCCL::Options::create();
  settings->timeout = options.callTimeout;
  settings->config.blocking = 0;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, options.rank, options.size, settings);
}

}  // namespace polyptych::distributed
