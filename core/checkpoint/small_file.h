#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "core/base/result.h"

namespace polyptych::checkpoint {

/// Config files above this size are refused.
inline constexpr std::size_t kMaxConfigBytes = std::size_t{4} << 20;
/// Shard lists name every tensor, so they may be larger.
inline constexpr std::size_t kMaxIndexBytes = std::size_t{64} << 20;

/// The whole of an ordinary file. Errors: NotFound, Io, Corrupt (larger than `maxBytes`).
base::Result<std::string> readSmallFile(const std::filesystem::path& path, std::size_t maxBytes);

}  // namespace polyptych::checkpoint
