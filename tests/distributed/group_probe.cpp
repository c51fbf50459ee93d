#include <ATen/ATen.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "core/cluster/launch_environment.h"
#include "core/distributed/group.h"

using namespace polyptych;
using distributed::Group;
using distributed::Store;

namespace {

constexpr std::chrono::milliseconds kLimit{2000};
/// Launchers start the processes of several machines one after another.
constexpr std::chrono::milliseconds kPatientLimit{30'000};

/// One line on standard output; the test waits for some of them.
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
void must(const base::Result<void>& result) {
  if (!result) {
    leave(result.error());
  }
}

/// Until somebody ends this process.
[[noreturn]] void hang() {
  for (;;) {
    pause();
  }
}

}  // namespace

/// group_probe VERSION ACTION...: joins by the launcher's variables and does one action after the other. GROUP_PROBE_DEVICE=cuda:
/// as a rank on the GPU that it sees, over NCCL.
int main(int argc, char** argv) {
  const cluster::LaunchEnvironment launch = must(cluster::detectLaunchEnvironment());
  distributed::GroupOptions options;
  options.rank = launch.rank;
  options.localRank = launch.localRank;
  options.size = launch.worldSize;
  options.version = argv[1];
  const char* deviceName = std::getenv("GROUP_PROBE_DEVICE");
  const bool isCuda = deviceName != nullptr && std::string(deviceName) == "cuda";
  options.device = isCuda ? domain::DeviceKind::Cuda : domain::DeviceKind::Cpu;
  const auto device = at::TensorOptions().device(isCuda ? at::kCUDA : at::kCPU);
  const bool isPatient = std::getenv("GROUP_PROBE_PATIENT") != nullptr;
  const std::chrono::milliseconds limit = isPatient ? kPatientLimit : kLimit;
  options.joinTimeout = options.callTimeout = limit;
  const std::vector<std::string> actions(argv + 2, argv + argc);
  if (!actions.empty() && actions.front() == "hang-before") {
    hang();
  }
  std::unique_ptr<Store> store =
      must(Store::connect({launch.masterAddress, launch.masterPort, launch.rank == 0 && !launch.hasAgentStore,
                           "attempt" + std::to_string(launch.restartCount)},
                          limit));
  say("store");
  std::unique_ptr<Group> group = must(Group::join(*store, options));
  say("joined");
  for (const std::string& action : actions) {
    if (action == "hang") {
      hang();
    } else if (action == "barrier") {
      must(group->barrier("the barrier"));
      say("barrier");
    } else if (action == "broadcast") {
      at::Tensor tensor = group->isMain() ? at::arange(1 << 20, device.dtype(at::kFloat)) : at::zeros({1 << 20}, device);
      must(group->broadcast(tensor, 0, "the broadcast"));
      say("broadcast " + std::to_string(tensor.sum(at::kDouble).item<double>()));
    } else if (action == "broadcasts") {
      at::Tensor tensor = at::ones({8 << 20}, device);
      say("broadcasts");
      for (;;) {
        must(group->broadcast(tensor, 0, "the broadcast"));
      }
    } else if (action == "all-gather") {
      std::string line = "all-gather";
      for (const at::Tensor& one : must(group->allGather(at::full({2}, group->rank() + 1.0, device), "the gather"))) {
        line += " " + std::to_string(one.sum().item<int>());
      }
      say(line);
    } else if (action == "objects") {
      std::string line = "objects";
      const std::string mine = std::string(static_cast<std::size_t>(group->rank()), 'x');
      for (const std::string& one : must(group->gatherObjects(mine, "the gather"))) {
        line += " [" + one + "]";
      }
      say(line);
    } else if (action == "count") {
      say("count " + std::to_string(must(store->add("counter", 1))));
    } else if (action == "name") {
      // As a shared library finds it.
      const auto nameOf = reinterpret_cast<decltype(&::getnameinfo)>(::dlsym(RTLD_DEFAULT, "getnameinfo"));
      sockaddr_in loopback{};
      loopback.sin_family = AF_INET;
      loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      std::array<char, NI_MAXHOST> name{};
      nameOf(reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback, name.data(), name.size(), nullptr, 0, 0);
      say(std::string("name ") + name.data());
    } else if (action == "broken-pipe") {
      std::raise(SIGPIPE);
      say("broken-pipe");
    } else if (action == "abort-soon") {
      std::thread([&group] {
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        group->abort();
      }).detach();
    } else if (action == "again") {
      const base::Result<void> first = group->barrier("the first try");
      const base::Result<void> second = group->barrier("the second try");
      say(std::string("again ") + (!first && !second && first.error() == second.error() ? "same" : "other"));
    }
  }
  say("done");
  return 0;
}
