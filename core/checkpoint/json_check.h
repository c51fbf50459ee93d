#pragma once

#include <string_view>

#include "core/base/result.h"

namespace polyptych::checkpoint {

/// Nesting that config files may have.
inline constexpr int kMaxJsonDepth = 32;

/// True JSON of bounded depth, so that it can be read into a tree and written again. @return Corrupt, message begins with `where`
base::Result<void> checkJson(std::string_view text, std::string_view where);

}  // namespace polyptych::checkpoint
