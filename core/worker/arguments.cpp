#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "core/protocol/messages.h"
#include "core/worker/worker.h"

namespace polyptych::worker {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr int kMaxThreads = 1024;
constexpr int kMaxCore = 4095;
constexpr int kMaxDescriptor = 1 << 20;

Error invalid(std::string message) { return Error{ErrorCode::InvalidArgument, std::move(message), {}}; }

std::optional<int> numberIn(std::string_view text, int low, int high) {
  int value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || value < low || value > high) {
    return std::nullopt;
  }
  return value;
}

Result<std::vector<int>> parseCores(const std::string& name, std::string_view text) {
  std::vector<int> cores;
  for (;;) {
    const std::size_t comma = text.find(',');
    const auto core = numberIn(text.substr(0, comma), 0, kMaxCore);
    if (!core) {
      return invalid(name + " takes CPU numbers with commas between, for example 0,1.");
    }
    cores.push_back(*core);
    if (comma == std::string_view::npos) {
      return cores;
    }
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<WorkerOptions> parseArguments(std::span<const std::string> arguments) {
  WorkerOptions options;
  const std::array kNames{"--socket", "--partner-of", "--device",        "--threads",
                          "--cores",  "--partner",    "--partner-cores", "--shared-memory"};
  std::vector<int> partnerCores;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    const std::string& name = arguments[i];
    if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) {
      return invalid("'" + name +
                     "' is no argument of a worker; a worker is started by polyptych or polyptych-cli, not by hand.");
    }
    if (i + 1 == arguments.size()) {
      return invalid(name + " needs a value.");
    }
    const std::string& value = arguments[i + 1];
    if (name == "--socket") {
      options.socketPath = value;
    } else if (name == "--partner-of") {
      const auto fd = numberIn(value, 0, kMaxDescriptor);
      if (!fd) {
        return invalid("--partner-of is '" + value + "'; it must be the number of an open socket.");
      }
      options.socketFd = *fd;
      options.isPartner = true;
    } else if (name == "--shared-memory") {
      const auto fd = numberIn(value, 0, kMaxDescriptor);
      if (!fd) {
        return invalid("--shared-memory is '" + value + "'; it must be the number of an open file.");
      }
      options.sharedMemoryFd = *fd;
    } else if (name == "--device") {
      if (value != "cpu" && value != "cuda") {
        return invalid("--device is '" + value + "'; it must be cpu or cuda.");
      }
      options.kind = value == "cuda" ? domain::DeviceKind::Cuda : domain::DeviceKind::Cpu;
    } else if (name == "--threads") {
      const auto threads = numberIn(value, 1, kMaxThreads);
      if (!threads) {
        return invalid("--threads is '" + value + "'; it must be a number between 1 and " + std::to_string(kMaxThreads) + ".");
      }
      options.threads = *threads;
    } else if (name == "--partner") {
      options.partner = PartnerOptions{value == "cpu" ? std::string() : value, {}};
    } else {
      Result<std::vector<int>> cores = parseCores(name, value);
      if (!cores) {
        return cores.error();
      }
      (name == "--cores" ? options.cores : partnerCores) = std::move(cores).value();
    }
  }
  if (options.socketPath.empty() && !options.isPartner) {
    return invalid("--socket is missing; a worker is started by polyptych or polyptych-cli, not by hand.");
  }
  if (options.partner && (options.isPartner || options.partner->uuid.empty() != (options.kind == domain::DeviceKind::Cpu))) {
    return invalid("--partner must be cpu for a worker on the CPU and a GPU's UUID for one on a GPU, and a partner has none.");
  }
  if (options.partner) {
    options.partner->cores = std::move(partnerCores);
  } else if (!partnerCores.empty()) {
    return invalid("--partner-cores is for a worker with a partner.");
  }
  return options;
}

Result<std::string> readToken(int fd, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::string token;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd waiting{fd, POLLIN, 0};
    const int ready = left > 0 ? ::poll(&waiting, 1, static_cast<int>(left)) : 0;
    if (ready < 0 && errno == EINTR) {
      continue;
    }
    if (ready == 0) {
      return Error{ErrorCode::Timeout,
                   "No token came on standard input; a worker is started by polyptych or polyptych-cli, not by hand.",
                   {}};
    }
    char c = 0;
    const ssize_t count = ready < 0 ? -1 : ::read(fd, &c, 1);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return Error{ErrorCode::Io, "The token cannot be read from standard input.", std::strerror(errno)};
    }
    if (count == 0 || c == '\n') {
      break;
    }
    if (c <= ' ' || c > '~' || token.size() >= protocol::kMaxTokenBytes) {
      return invalid("The token on standard input is too long or has characters that do not belong there.");
    }
    token += c;
  }
  if (token.empty()) {
    return invalid("The token on standard input is empty; a worker is started by polyptych or polyptych-cli, not by hand.");
  }
  return token;
}

}  // namespace polyptych::worker
