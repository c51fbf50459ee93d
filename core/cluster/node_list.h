#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace polyptych::cluster {

/// More hosts than any list may name.
inline constexpr std::size_t kMaxNodes = 100'000;

/// The hosts of Slurm's compressed lists, in order: "gpu[01-03,7],login" is gpu01, gpu02, gpu03, gpu7, login. Several brackets in
/// a name are multiplied, the last runs fastest ("r[1-2]n[1-2]"). Widths with leading zeros are kept, as `scontrol show
/// hostnames` does.
/// @return InvalidArgument with the place that is wrong, also for more than kMaxNodes hosts
base::Result<std::vector<std::string>> expandNodeList(std::string_view list);

}  // namespace polyptych::cluster
