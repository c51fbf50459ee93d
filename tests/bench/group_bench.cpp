// One process of a group, for group_bench.py: a command a line on standard input, seconds on standard output.
//   join PREFIX | broadcast BYTES BUCKET | read FILE BYTES BUCKET
// RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT as a launcher sets them.
#include <ATen/Functions.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <sstream>

#include "core/cluster/launch_environment.h"
#include "core/distributed/group.h"

using namespace polyptych;

namespace {

constexpr std::chrono::milliseconds kLimit{120'000};

template <typename T>
T must(base::Result<T> result) {
  if (!result) {
    std::cerr << result.error().message << std::endl;
    std::_Exit(1);
  }
  return std::move(*result);
}
void must(const base::Result<void>& result) {
  if (!result) {
    std::cerr << result.error().message << std::endl;
    std::_Exit(1);
  }
}

double secondsOf(auto&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main() {
  const cluster::LaunchEnvironment launch = must(cluster::detectLaunchEnvironment());
  std::unique_ptr<distributed::Store> store;
  std::unique_ptr<distributed::Group> group;
  const auto join = [&](const std::string& prefix) {
    distributed::GroupOptions options;
    options.rank = launch.rank;
    options.localRank = launch.localRank;
    options.size = launch.worldSize;
    options.version = "1";
    options.joinTimeout = options.callTimeout = kLimit;
    store = must(distributed::Store::connect({launch.masterAddress, launch.masterPort, launch.rank == 0, prefix}, kLimit));
    group = must(distributed::Group::join(*store, options));
    must(group->barrier("the bench"));
  };
  std::cout << "up" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command;
    std::string name;
    std::int64_t bytes = 0;
    std::int64_t bucketBytes = 0;
    words >> command;
    double seconds = 0;
    if (command == "join") {
      words >> name;
      seconds = secondsOf([&] { join(name); });
    } else if (command == "broadcast") {
      words >> bytes >> bucketBytes;
      at::Tensor bucket = at::ones({bucketBytes}, at::kByte);
      must(group->barrier("the bench"));
      seconds = secondsOf([&] {
        for (std::int64_t at = 0; at < bytes; at += bucketBytes) {
          must(group->broadcast(bucket.narrow(0, 0, std::min(bucketBytes, bytes - at)), 0, "the bench"));
        }
      });
    } else if (command == "read") {
      words >> name >> bytes >> bucketBytes;
      at::Tensor bucket = at::ones({bucketBytes}, at::kByte);
      const int file = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
      must(group->barrier("the bench"));
      seconds = secondsOf([&] {
        for (std::int64_t at = 0; at < bytes;) {
          const auto wanted = static_cast<std::size_t>(std::min(bucketBytes, bytes - at));
          const ssize_t got = ::pread(file, bucket.mutable_data_ptr(), wanted, at);
          if (got <= 0) {
            std::cerr << "cannot read " << name << std::endl;
            std::_Exit(1);
          }
          at += got;
        }
      });
      ::close(file);
    } else {
      std::cerr << "unknown command: " << line << std::endl;
      return 2;
    }
    std::cout << seconds << std::endl;
  }
  std::_Exit(0);
}
