#include "core/cluster/split.h"

#include <algorithm>

namespace polyptych::cluster {

using base::Error;
using base::ErrorCode;
using base::Result;

Result<Share> shareOf(std::size_t length, int worldSize, int rank, bool isPadded) {
  if (worldSize < 1 || rank < 0 || rank >= worldSize) {
    return Error{ErrorCode::InvalidArgument,
                 "Rank " + std::to_string(rank) + " of " + std::to_string(worldSize) +
                     " processes cannot be: ranks go from 0 to the number of processes less one.",
                 {}};
  }
  if (worldSize == 1) {
    return Share{0, length, 0};
  }
  if (isPadded && length == 0) {
    return Error{ErrorCode::InvalidArgument, "An empty list cannot be padded: it has no last element to repeat.", {}};
  }
  const auto world = static_cast<std::size_t>(worldSize);
  const auto place = static_cast<std::size_t>(rank);
  const std::size_t least = length / world;
  const std::size_t extras = length % world;
  Share share;
  share.begin = place * least + std::min(place, extras);
  share.end = share.begin + least + (place < extras ? 1 : 0);
  if (isPadded) {
    share.padding = least + (extras > 0 ? 1 : 0) - (share.end - share.begin);
  }
  return share;
}

}  // namespace polyptych::cluster
