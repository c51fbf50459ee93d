#include <ATen/ATen.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/cluster/launch_environment.h"
#include "core/diffusion/weight_feed.h"
#include "core/distributed/group_weight_feed.h"

using namespace polyptych;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int kTensors = 16;
constexpr std::int64_t kNumbers = 50'000;
constexpr std::chrono::milliseconds kJoinLimit{3000};
constexpr std::chrono::milliseconds kCallLimit{2000};

class Observer : public domain::LoadObserver {
 public:
  void onBytes(std::uint64_t, std::uint64_t) override {}
  bool isCancelled() const override { return Clock::now() >= cancelledAt; }
  Clock::time_point cancelledAt = Clock::time_point::max();
};

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

}  // namespace

/// feed_probe serve: keeps the store until it is killed.
/// feed_probe measured|broadcast FAULT FAULT_RANK: the first load of one of WORLD_SIZE processes. FAULT, of one rank, in the
/// middle of the load if not said otherwise: die | hang | unreadable | other (another list) | absent (never comes) | again (has
/// been there). "cancel": the other ranks, which wait for one that hangs, are cancelled.
int main(int argc, char** argv) {
  const auto launch = cluster::detectLaunchEnvironment();
  if (!launch || (argc != 2 && argc != 4)) {
    return 2;
  }
  distributed::WeightFeedOptions options;
  options.store = {launch->masterAddress, launch->masterPort, argc == 2, "weights"};
  if (argc == 2) {
    const auto store = distributed::Store::connect(options.store, kJoinLimit);
    say(store ? "serving" : store.error().message);
    pause();
  }
  const std::string fault = argv[2];
  const bool isFaulty = launch->rank == std::atoi(argv[3]);
  if (isFaulty && fault == "absent") {
    return 0;
  }
  options.rank = launch->rank;
  options.size = launch->worldSize;
  options.version = "1";
  options.isMeasured = std::string(argv[1]) == "measured";
  options.joinTimeout = kJoinLimit;
  options.callTimeout = fault == "cancel" ? std::chrono::minutes(5) : kCallLimit;
  if (isFaulty && fault == "again") {
    const auto store = distributed::Store::connect(options.store, kJoinLimit);
    if (!store || !(*store)->add("begun/" + std::to_string(launch->rank), 1)) {
      return 2;
    }
  }
  const auto feed = distributed::makeWeightFeed(options);
  Observer observer;
  std::vector<at::Tensor> tensors;
  for (int i = 0; i < kTensors; ++i) {
    tensors.push_back(at::zeros({kNumbers}));
  }
  const auto start = Clock::now();
  int reads = 0;
  const auto read = [&](std::size_t index, const at::Tensor& tensor) -> base::Result<void> {
    if (isFaulty && fault == "unreadable" && index == 7) {
      return base::Error{base::ErrorCode::Io, "The disk is broken.", {}};
    }
    ++reads;
    tensor.copy_(at::arange(kNumbers) + static_cast<std::int64_t>(index));
    return {};
  };
  const auto progress = [&](std::size_t filled) {
    if (filled < 7) {
      return;
    }
    if (isFaulty && fault == "die") {
      std::raise(SIGKILL);
    }
    if (isFaulty && (fault == "hang" || fault == "cancel")) {
      std::raise(SIGSTOP);
    }
    if (fault == "cancel") {
      observer.cancelledAt = Clock::now() + std::chrono::milliseconds(300);
    }
  };
  const bool hasMet = feed->meet(observer);
  const bool isFilled =
      hasMet && feed->fill(isFaulty && fault == "other" ? "another model" : "a model", tensors, read, progress, observer);
  bool isRight = isFilled;
  for (std::size_t i = 0; isFilled && i < tensors.size(); ++i) {
    isRight = isRight && at::equal(tensors[i], (at::arange(kNumbers) + static_cast<std::int64_t>(i)).to(at::kFloat));
  }
  const auto report = feed->takeReport();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
  say(std::string(hasMet ? "met" : "alone") +
      (isRight    ? " right"
       : isFilled ? " wrong"
                  : " unfilled") +
      " reads " + std::to_string(reads) + (took < std::chrono::milliseconds(8000) ? " soon" : " late"));
  say("report: " + (report ? report->sentence : std::string("none")));
  say(feed->meet(observer) ? "met again" : "once");
  std::_Exit(0);  // as a worker ends
}
