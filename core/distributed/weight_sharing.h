#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/distributed/group.h"

namespace polyptych::distributed {

/// How the ranks of a group come by the same weights.
enum class WeightSource {
  Measured,   ///< the faster of the two others, as the first weights of this load show
  Files,      ///< every rank reads by itself; on one machine from the page cache
  Broadcast,  ///< one rank reads and sends
};
/// "measured", "files", "broadcast".
std::string toString(WeightSource source);

struct WeightSharingOptions {
  WeightSource source = WeightSource::Measured;
  int root = 0;  ///< the rank that reads, where one does
  /// Sent at once: whole tensors up to so many bytes together, or a single larger one.
  std::int64_t bucketBytes = std::int64_t(256) << 20;
  /// What the list is, in words: ranks with other words are refused, as those with other shapes and types are.
  std::string identity;
  /// Called after each bucket with the number of tensors that are filled, those of the buckets before it included.
  std::function<void(std::size_t filled)> onFilled;
};

/// What became of it, the same on all ranks.
struct WeightSharingReport {
  WeightSource source = WeightSource::Files;  ///< never Measured
  std::uint64_t totalBytes = 0;
  /// Of the slowest rank, while all did the same at once; 0 where it was not measured. Sending counts the root's reading, too.
  double readBytesPerSecond = 0;
  double broadcastBytesPerSecond = 0;

  /// For the log: "3.4 GB of weights came from the files of each rank (reading 5.1 GB/s, sending 0.9 GB/s)."
  std::string sentence() const;
};

/// Fills one tensor of the list from this rank's files.
using ReadWeight = std::function<base::Result<void>(std::size_t index, const at::Tensor& tensor)>;

/// Fills the tensors of every rank with the same weights: from files, or from those of one rank over the group. A collective.
/// Measured: all read the first bucket at once, the root sends the second one, and what is slower on the slowest rank is done no
/// more; lists of less than three buckets are read from files.
/// @param tensors  contiguous, on the group's device; the same shapes and types in the same order on all ranks
/// @param read  called in the order of the list, for those tensors that this rank reads. Must have ended with the device when it
/// comes back
/// @return InvalidArgument on all ranks if their lists or options differ; what `read` failed with, on the root's failure on all
/// ranks; those of Group
base::Result<WeightSharingReport> shareWeights(Group& group, const std::vector<at::Tensor>& tensors, const ReadWeight& read,
                                               const WeightSharingOptions& options);

}  // namespace polyptych::distributed
