#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "core/protocol/messages.h"
#include "core/worker/worker.h"
#include "tests/fake_worker/fake_engine.h"

namespace {

using namespace polyptych;
using tests::FakeOptions;

constexpr std::array<const char*, 20> kBehaviours{
    "good",        "slow-start",     "never-ready",        "hang",          "hang-early",      "crash",         "crash-once",
    "garbage",     "half-frame",     "oversize",           "wrong-version", "wrong-token",     "ignore-cancel", "out-of-memory",
    "device-lost", "model-unusable", "load-out-of-memory", "fail-unit",     "refuse-settings", "no-device"};

[[noreturn]] void usage(const std::string& problem) {
  std::fprintf(stderr, "%s (tests/fake_worker/README.md)\n", problem.c_str());
  std::exit(worker::kExitUsage);
}

/// Takes its own arguments out of the list and leaves a worker's.
FakeOptions takeOptions(std::vector<std::string>& arguments) {
  FakeOptions options;
  std::vector<std::string> left;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string name = arguments[i];
    std::string value;
    const std::size_t equals = name.find('=');
    const bool hasInlineValue = equals != std::string::npos;
    if (hasInlineValue) {
      value = name.substr(equals + 1);
      name.resize(equals);
    } else if (i + 1 < arguments.size()) {
      value = arguments[i + 1];
    }
    if (name == "--behave") {
      options.behave = value;
    } else if (name == "--when") {
      options.when = value;
    } else if (name == "--state") {
      options.stateFile = value;
    } else if (name == "--only-index") {
      options.onlyIndex = std::atoll(value.c_str());
    } else if (name == "--memory") {
      options.memory = std::atoll(value.c_str());
    } else if (name == "--step-ms") {
      options.step = std::chrono::milliseconds(std::atoi(value.c_str()));
    } else if (name == "--start-ms") {
      options.start = std::chrono::milliseconds(std::atoi(value.c_str()));
    } else if (name == "--load-ms") {
      options.load = std::chrono::milliseconds(std::atoi(value.c_str()));
    } else {
      left.push_back(arguments[i]);
      continue;
    }
    i += hasInlineValue ? 0 : 1;
  }
  arguments = std::move(left);
  if (std::find(kBehaviours.begin(), kBehaviours.end(), options.behave) == kBehaviours.end()) {
    usage("'" + options.behave + "' is no behaviour");
  }
  if (options.behave == "crash-once" && options.stateFile.empty()) {
    usage("crash-once needs --state");
  }
  return options;
}

int connectTo(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    usage("the socket's path is too long");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    usage("cannot connect to '" + path + "'");
  }
  return fd;
}

/// Waits until the other side closes.
void drain(int fd) {
  std::array<char, 4096> buffer{};
  while (::recv(fd, buffer.data(), buffer.size(), 0) > 0) {
  }
}

int speakAnotherVersion(int fd, const worker::WorkerOptions& options) {
  protocol::Hello hello;
  hello.token = options.token;
  hello.pid = ::getpid();
  hello.programVersion = POLYPTYCH_VERSION;
  std::vector<std::byte> bytes = std::move(protocol::encode(hello)).value();
  bytes[4] = static_cast<std::byte>(protocol::kProtocolVersion + 1);
  tests::writeRaw(fd, bytes);
  drain(fd);
  return worker::kExitSocketClosed;
}

int sendBrokenBytes(int fd, const FakeOptions& fake) {
  tests::writeRaw(fd, tests::brokenBytes(fake.behave));
  if (fake.behave != "half-frame") {
    drain(fd);
  }
  return worker::kExitFatal;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGINT, SIG_IGN);
  std::vector<std::string> arguments(argv + 1, argv + argc);
  FakeOptions fake = takeOptions(arguments);
  base::Result<worker::WorkerOptions> options = worker::parseArguments(arguments);
  if (!options) {
    usage(options.error().message);
  }
  base::Result<std::string> token = worker::readToken(STDIN_FILENO);
  if (!token) {
    usage(token.error().message);
  }
  options->token = fake.behave == "wrong-token" ? "not-" + *token : *token;
  if (fake.behave == "slow-start") {
    std::this_thread::sleep_for(fake.start);
  }
  options->socketFd = fake.socketFd = connectTo(options->socketPath);
  if (fake.behave == "wrong-version") {
    return speakAnotherVersion(fake.socketFd, *options);
  }
  if (fake.when == "hello" && !tests::brokenBytes(fake.behave).empty()) {
    return sendBrokenBytes(fake.socketFd, fake);
  }
  return worker::runWorker(*options,
                           [&fake](const worker::WorkerOptions& started) -> base::Result<std::unique_ptr<domain::Engine>> {
                             return tests::makeFakeEngine(started.kind, fake);
                           });
}
