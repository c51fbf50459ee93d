#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <set>
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
constexpr int kMaxRanks = 1 << 20;
constexpr int kMaxPort = 65535;

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

/// `--weights` and the arguments that go with it.
class SharedLoadArguments {
 public:
  static bool isOne(const std::string& name) { return name.starts_with("--weights"); }

  Result<void> take(const std::string& name, const std::string& value) {
    m_given.insert(name);
    if (name == "--weights") {
      if (value != "measured" && value != "broadcast") {
        return invalid("--weights is '" + value + "'; it must be measured or broadcast.");
      }
      m_options.isMeasured = value == "measured";
    } else if (name == "--weights-store") {
      const std::size_t colon = value.rfind(':');
      const auto port =
          colon == std::string::npos ? std::nullopt : numberIn(std::string_view(value).substr(colon + 1), 1, kMaxPort);
      if (!port || colon == 0) {
        return invalid("--weights-store is '" + value + "'; it must be HOST:PORT.");
      }
      m_options.host = value.substr(0, colon);
      m_options.port = static_cast<std::uint16_t>(*port);
    } else if (name == "--weights-prefix") {
      m_options.prefix = value;
    } else {
      const bool isRank = name == "--weights-rank";
      const auto number = numberIn(value, isRank ? 0 : 1, kMaxRanks);
      if (!number) {
        return invalid(name + " is '" + value + "'; it must be a number.");
      }
      (isRank ? m_options.rank : m_options.size) = *number;
    }
    return {};
  }

  Result<std::optional<SharedLoadOptions>> finish() const {
    if (m_given.empty()) {
      return std::optional<SharedLoadOptions>();
    }
    for (const char* name : {"--weights", "--weights-store", "--weights-prefix", "--weights-rank", "--weights-size"}) {
      if (!m_given.contains(name)) {
        return invalid(std::string(name) + " is missing; the arguments of shared weights go together.");
      }
    }
    if (m_options.rank >= m_options.size) {
      return invalid("--weights-rank must be less than --weights-size.");
    }
    return std::optional(m_options);
  }

 private:
  SharedLoadOptions m_options;
  std::set<std::string> m_given;
};

}  // namespace

Result<WorkerOptions> parseArguments(std::span<const std::string> arguments) {
  WorkerOptions options;
  const std::array kNames{"--socket",         "--partner-of",    "--device",        "--threads", "--cores",
                          "--partner",        "--partner-cores", "--shared-memory", "--weights", "--weights-store",
                          "--weights-prefix", "--weights-rank",  "--weights-size"};
  SharedLoadArguments sharedLoad;
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
    if (SharedLoadArguments::isOne(name)) {
      if (auto taken = sharedLoad.take(name, value); !taken) {
        return taken.error();
      }
    } else if (name == "--socket") {
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
  auto shared = sharedLoad.finish();
  if (!shared) {
    return shared.error();
  }
  options.sharedLoad = std::move(*shared);
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
