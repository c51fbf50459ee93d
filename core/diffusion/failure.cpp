#include "core/diffusion/failure.h"

#include <c10/util/Exception.h>

#include <new>

namespace polyptych::diffusion {
namespace {

constexpr const char* kOutOfMemoryAdvice =
    "Use a smaller size, a smaller batch or fewer workers on this device, or close other programs.";

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

base::Error errorOfCurrentException(const std::string& doing) {
  try {
    throw;
  } catch (const EngineFailure& failure) {
    return failure.error();
  } catch (const c10::OutOfMemoryError& failure) {
    return {base::ErrorCode::OutOfMemory, "The device has too little free memory to " + doing + ". " + kOutOfMemoryAdvice,
            failure.what_without_backtrace()};
  } catch (const c10::Error& failure) {
    const std::string what = failure.what_without_backtrace();
    // The CPU's allocator and cuDNN/cuBLAS workspaces have no exception type of their own.
    if (contains(what, "DefaultCPUAllocator") || contains(what, "ALLOC_FAILED") || contains(what, "out of memory")) {
      return {base::ErrorCode::OutOfMemory, "There is too little free memory to " + doing + ". " + kOutOfMemoryAdvice, what};
    }
    if (contains(what, "CUDA error") || contains(what, "CUDA driver") || contains(what, "NVIDIA driver") ||
        contains(what, "CUDNN_STATUS") || contains(what, "CUBLAS_STATUS")) {
      return {base::ErrorCode::DeviceLost, "The GPU or its driver failed while it was to " + doing + ". The worker starts anew.",
              what};
    }
    return {base::ErrorCode::Internal, "The engine could not " + doing + ". The worker's log has the details.", what};
  } catch (const std::bad_alloc&) {
    return {base::ErrorCode::OutOfMemory, "There is too little free memory to " + doing + ". " + kOutOfMemoryAdvice,
            "std::bad_alloc"};
  } catch (const std::exception& failure) {
    return {base::ErrorCode::Internal, "The engine could not " + doing + ". The worker's log has the details.", failure.what()};
  }
}

}  // namespace polyptych::diffusion
