#include "core/distributed/store.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <type_traits>
#include <utility>

#include "core/distributed/failure.h"
#include "core/distributed/store_handle.h"

namespace polyptych::distributed {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using std::chrono::milliseconds;

/// Between two looks for a key, after some.
constexpr milliseconds kLongestPause{50};
/// Between two tries to reach a store that is not there yet.
constexpr milliseconds kBetweenTries{20};
/// Of calls that do not wait for anybody but the store itself.
constexpr milliseconds kCallLimit{10'000};
/// Of a connection on which nothing comes back: longer than a cable is out by mistake.
constexpr milliseconds kSilenceLimit{15'000};
constexpr int kUntilProbed = 3;  // seconds
constexpr int kBetweenProbes = 2;

std::string nameOf(const StoreAddress& address) { return address.host + ":" + std::to_string(address.port); }

std::string adviceFor(const StoreAddress& address) {
  return address.isServer
             ? "Check that the port " + std::to_string(address.port) + " may be used."
             : "Check that rank 0 runs, that MASTER_ADDR and MASTER_PORT name its machine, and that no firewall is between.";
}

/// Number of the port in an address; 0 if it is none of TCP.
std::uint16_t portOf(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  }
  return address.ss_family == AF_INET6 ? ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port) : 0;
}

/// c10d waits for an answer for ever, also where the other machine or the cable is gone and nobody says so. The kernel gives up
/// such connections of this process to a store.
void limitConnections(std::uint16_t port) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), ::closedir);
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    int fd = -1;
    std::from_chars(entry->d_name, entry->d_name + std::strlen(entry->d_name), fd);
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    if (fd < 0 || ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0 || portOf(peer) != port) {
      continue;
    }
    const auto set = [fd](int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); };
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, kUntilProbed);
    set(IPPROTO_TCP, TCP_KEEPINTVL, kBetweenProbes);
    set(IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(kSilenceLimit.count()));
  }
}

std::vector<std::uint8_t> bytesOf(const std::string& text) { return {text.begin(), text.end()}; }
std::string textOf(const std::vector<std::uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

/// A socket for TCPStore to listen on. Throws as TCPStore does.
int boundToLoopback(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (socket < 0 || ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int problem = errno;
    if (socket >= 0) {
      ::close(socket);
    }
    throw std::system_error(problem, std::generic_category());
  }
  return socket;
}

bool isHeard(const addrinfo& address, milliseconds limit) {
  const int socket = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) {
    return false;
  }
  pollfd waiting{socket, POLLOUT, 0};
  int problem = 0;
  socklen_t length = sizeof problem;
  const bool isConnected = ::connect(socket, address.ai_addr, address.ai_addrlen) == 0 ||
                           (errno == EINPROGRESS && ::poll(&waiting, 1, static_cast<int>(limit.count())) == 1 &&
                            ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &problem, &length) == 0 && problem == 0);
  ::close(socket);
  return isConnected;
}

/// Until somebody listens there, or the time is over: TCPStore would try again after whole seconds. Nothing is said of a host
/// without an address; TCPStore does.
void waitForListener(const StoreAddress& address, milliseconds timeout) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  if (::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &raw) != 0) {
    return;
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> found(raw, &::freeaddrinfo);
  const auto end = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    for (const addrinfo* one = found.get(); one != nullptr; one = one->ai_next) {
      const auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
      if (isHeard(*one, std::max(left, milliseconds(1)))) {
        return;
      }
    }
    if (std::chrono::steady_clock::now() >= end) {
      throw std::runtime_error("timed out: nobody listens at " + nameOf(address));
    }
    std::this_thread::sleep_for(kBetweenTries);
  }
}

}  // namespace

Store::Store(StoreAddress address, std::unique_ptr<Handle> handle) : m_address(std::move(address)), m_handle(std::move(handle)) {}

Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::connect(const StoreAddress& address, milliseconds timeout) {
  try {
    c10d::TCPStoreOptions options;
    options.port = address.port;
    options.isServer = address.isServer;
    options.waitWorkers = false;  // who comes, and who does not, is told by the group
    options.timeout = timeout;
    if (address.isServer && address.isLoopbackOnly) {
      options.masterListenFd = boundToLoopback(address.port);
    }
    if (!address.isServer) {
      waitForListener(address, timeout);
    }
    auto handle = std::make_unique<Handle>();
    handle->raw = c10::make_intrusive<c10d::TCPStore>(address.host, options);
    handle->raw->setTimeout(kCallLimit);
    handle->prefixed = c10::make_intrusive<c10d::PrefixStore>(address.prefix, handle->raw);
    StoreAddress known = address;
    known.port = static_cast<c10d::TCPStore*>(handle->raw.get())->getPort();  // 0: one was chosen
    limitConnections(known.port);
    return std::unique_ptr<Store>(new Store(std::move(known), std::move(handle)));
  } catch (...) {
    return errorOfCurrentException(
        (address.isServer ? "open the store of its group at " : "reach the store of its group at ") + nameOf(address),
        adviceFor(address));
  }
}

Result<std::unique_ptr<Store>> Store::clone() const {
  try {
    auto handle = std::make_unique<Handle>();
    handle->raw = m_handle->raw->clone();
    limitConnections(m_address.port);
    handle->prefixed = c10::make_intrusive<c10d::PrefixStore>(m_address.prefix, handle->raw);
    return std::unique_ptr<Store>(new Store(m_address, std::move(handle)));
  } catch (...) {
    return errorOfCurrentException("reach the store of its group at " + nameOf(m_address), adviceFor(m_address));
  }
}

template <typename Call>
auto Store::guarded(const std::string& doing, Call call) -> Result<decltype(call())> {
  if (m_isAborted) {
    return Error{ErrorCode::Cancelled, "The group was given up.", {}};
  }
  try {
    if constexpr (std::is_void_v<decltype(call())>) {
      call();
      return {};
    } else {
      return call();
    }
  } catch (...) {
    return errorOfCurrentException(doing + " at the store of its group (" + nameOf(m_address) + ")", adviceFor(m_address));
  }
}

Result<void> Store::set(const std::string& key, const std::string& value) {
  return guarded("write '" + key + "'", [&] { m_handle->prefixed->set(key, bytesOf(value)); });
}

Result<std::optional<std::string>> Store::tryGet(const std::string& key) {
  return guarded("read '" + key + "'", [&]() -> std::optional<std::string> {
    if (!m_handle->prefixed->check({key})) {
      return std::nullopt;
    }
    return textOf(m_handle->prefixed->get(key));
  });
}

Result<std::string> Store::get(const std::string& key, milliseconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  milliseconds pause{1};
  for (;;) {
    Result<std::optional<std::string>> value = tryGet(key);
    if (!value) {
      return value.error();
    }
    if (*value) {
      return std::move(**value);
    }
    const auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
    if (left <= milliseconds::zero()) {
      return Error{ErrorCode::Timeout,
                   "Nobody wrote '" + key + "' to the store of the group (" + nameOf(m_address) + ") within " +
                       std::to_string(timeout.count()) + " ms.",
                   {}};
    }
    // c10d's own wait() ends in an exception with a stack trace, which costs more than these looks.
    std::this_thread::sleep_for(std::min(left, pause));
    pause = std::min(2 * pause, kLongestPause);
  }
}

Result<std::int64_t> Store::add(const std::string& key, std::int64_t value) {
  return guarded("count '" + key + "'", [&] { return m_handle->prefixed->add(key, value); });
}

Result<std::string> Store::compareSet(const std::string& key, const std::string& expected, const std::string& value) {
  return guarded("write '" + key + "'",
                 [&] { return textOf(m_handle->prefixed->compareSet(key, bytesOf(expected), bytesOf(value))); });
}

}  // namespace polyptych::distributed
