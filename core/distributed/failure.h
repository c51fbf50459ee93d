#pragma once

#include <string>

#include "core/base/result.h"

namespace polyptych::distributed {

/// What a program without NCCL throws in its place.
inline constexpr const char* kWithoutNccl = "This program was built without NCCL";

/// The exception in flight as an Error: Timeout, AlreadyExists (address in use), NotFound (no such host), DeviceLost (CUDA, NCCL
/// without a driver), Unsupported (kWithoutNccl), else Io for connections that broke. To be called in a catch block. @param doing
/// for the sentence: "join the group of 4 processes at node1:29500". @param advice  what to check
base::Error errorOfCurrentException(const std::string& doing, const std::string& advice);

}  // namespace polyptych::distributed
