#include "core/distributed/failure.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <initializer_list>

namespace polyptych::distributed {
namespace {

using base::Error;
using base::ErrorCode;

bool containsAny(const std::string& text, std::initializer_list<const char*> parts) {
  return std::any_of(parts.begin(), parts.end(), [&text](const char* part) { return text.find(part) != std::string::npos; });
}

Error errorOf(const std::string& what, bool isTimeout, const std::string& doing, const std::string& advice) {
  if (containsAny(what, {"EADDRINUSE", "address already in use", "Address already in use"})) {
    return {ErrorCode::AlreadyExists,
            "This process cannot " + doing + ": the port is taken by another program. Choose another MASTER_PORT.", what};
  }
  if (containsAny(what, {"could not be resolved", "Name or service not known", "getaddrinfo", "name resolution",
                         "hostname could not be", "host/port"})) {
    return {ErrorCode::NotFound, "This process cannot " + doing + ": the host has no address. Check MASTER_ADDR.", what};
  }
  if (containsAny(what, {kWithoutNccl})) {
    return {
        ErrorCode::Unsupported,
        "This process cannot " + doing + ": the program was built without CUDA. Build it where CUDA's parts are, or use CPUs.",
        what};
  }
  if (containsAny(what, {"CUDA", "NCCL", "NVIDIA"})) {
    return {ErrorCode::DeviceLost, "This process cannot " + doing + ": NCCL or the GPU's driver failed. " + advice, what};
  }
  if (isTimeout || containsAny(what, {"timed out", "Timed out", "timeout", "Timeout"})) {
    return {ErrorCode::Timeout, "This process cannot " + doing + ": no answer within the time. " + advice, what};
  }
  return {ErrorCode::Io, "This process cannot " + doing + ": a connection broke. " + advice, what};
}

}  // namespace

Error errorOfCurrentException(const std::string& doing, const std::string& advice) {
  try {
    throw;
  } catch (const c10::DistBackendError& failure) {
    return errorOf(failure.what_without_backtrace(), false, doing, advice);
  } catch (const c10::Error& failure) {
    return errorOf(failure.what_without_backtrace(), false, doing, advice);
  } catch (const std::exception& failure) {
    return errorOf(failure.what(), false, doing, advice);
  }
}

}  // namespace polyptych::distributed
