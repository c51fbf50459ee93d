#include <ATen/ATen.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "core/cluster/launch_environment.h"
#include "core/distributed/weight_sharing.h"

using namespace polyptych;
using distributed::Group;
using distributed::Store;
using distributed::WeightSource;

namespace {

constexpr std::chrono::milliseconds kLimit{20'000};

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

[[noreturn]] void leave(const base::Error& error) {
  say("error " + std::string(base::toString(error.code)) + " " + error.message);
  std::_Exit(1);
}

template <typename T>
T must(base::Result<T> result) {
  if (!result) {
    leave(result.error());
  }
  return std::move(*result);
}

/// What the files of every rank have.
at::Tensor weight(std::size_t index, const at::Tensor& like) {
  const std::int64_t count = like.numel();
  return (at::arange(count, at::kLong) * 7 + static_cast<std::int64_t>(index))
      .remainder(251)
      .to(like.scalar_type())
      .view(like.sizes());
}

}  // namespace

/// weight_probe SOURCE ROOT READ_MS SLOW_AT FAIL_RANK FAIL_AT EXTRA_RANK: shares a list of weights as one of WORLD_SIZE
/// processes. Reading tensor SLOW_AT takes READ_MS; FAIL_RANK fails at tensor FAIL_AT; EXTRA_RANK has one tensor more
/// than the others. -1: nobody.
int main(int argc, char** argv) {
  if (argc != 8) {
    return 2;
  }
  const cluster::LaunchEnvironment launch = must(cluster::detectLaunchEnvironment());
  const std::unique_ptr<Store> store =
      must(Store::connect({launch.masterAddress, launch.masterPort, launch.rank == 0, "weights"}, kLimit));
  distributed::GroupOptions groupOptions;
  groupOptions.rank = launch.rank;
  groupOptions.size = launch.worldSize;
  groupOptions.version = "1";
  groupOptions.joinTimeout = groupOptions.callTimeout = kLimit;
  const std::unique_ptr<Group> group = must(Group::join(*store, groupOptions));

  distributed::WeightSharingOptions options;
  const std::string source = argv[1];
  options.source = source == "files"       ? WeightSource::Files
                   : source == "broadcast" ? WeightSource::Broadcast
                                           : WeightSource::Measured;
  options.root = std::atoi(argv[2]);
  options.bucketBytes = source == "measured-small" ? 100'000'000 : 10'000;
  const std::chrono::milliseconds pause(std::atoi(argv[3]));
  const auto slowAt = static_cast<std::size_t>(std::atoi(argv[4]));
  const int failRank = std::atoi(argv[5]);
  const auto failAt = static_cast<std::size_t>(std::atoi(argv[6]));

  // Two that are buckets of their own and alike, for the measurement; then small ones together, one above the bucket's size,
  // every type, one of no elements, one of a single number.
  std::vector<at::Tensor> tensors{at::zeros({1000, 30}), at::zeros({1000, 30})};
  for (int i = 0; i < 4; ++i) {
    tensors.push_back(at::zeros({3, 100}));
    tensors.push_back(at::zeros({17, 5}, at::kHalf));
    tensors.push_back(at::zeros({1000, 30}));
    tensors.push_back(at::zeros({0, 8}));
    tensors.push_back(at::zeros({}, at::kDouble));
    tensors.push_back(at::zeros({64, 3, 3, 3}, at::kBFloat16));
  }
  if (launch.rank == std::atoi(argv[7])) {
    tensors.push_back(at::zeros({1}));
  }
  int reads = 0;
  const auto read = [&](std::size_t index, const at::Tensor& tensor) -> base::Result<void> {
    if (launch.rank == failRank && index == failAt) {
      return base::Error{base::ErrorCode::Corrupt, "Tensor " + std::to_string(index) + " is damaged.", {}};
    }
    std::this_thread::sleep_for(index == slowAt ? pause : std::chrono::milliseconds(0));
    ++reads;
    tensor.copy_(weight(index, tensor));
    return {};
  };
  const distributed::WeightSharingReport report = must(distributed::shareWeights(*group, tensors, read, options));
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!at::equal(tensors[i], weight(i, tensors[i]))) {
      say("wrong " + std::to_string(i));
    }
  }
  const bool isMeasured = report.readBytesPerSecond > 0 && report.broadcastBytesPerSecond > 0;
  say(distributed::toString(report.source) + " reads " + std::to_string(reads) + " of " + std::to_string(tensors.size()) +
      (isMeasured ? " measured" : ""));
  say(report.sentence());
  return 0;
}
