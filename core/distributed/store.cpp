#include "core/distributed/store.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
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
/// Of calls that do not wait for anybody but the store itself.
constexpr milliseconds kCallLimit{10'000};

std::string nameOf(const StoreAddress& address) { return address.host + ":" + std::to_string(address.port); }

std::string adviceFor(const StoreAddress& address) {
  return address.isServer
             ? "Check that the port " + std::to_string(address.port) + " may be used."
             : "Check that rank 0 runs, that MASTER_ADDR and MASTER_PORT name its machine, and that no firewall is between.";
}

std::vector<std::uint8_t> bytesOf(const std::string& text) { return {text.begin(), text.end()}; }
std::string textOf(const std::vector<std::uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

/// A socket bound to the loopback, for TCPStore to listen on. Throws as TCPStore does.
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
    auto handle = std::make_unique<Handle>();
    handle->raw = c10::make_intrusive<c10d::TCPStore>(address.host, options);
    handle->raw->setTimeout(kCallLimit);
    handle->prefixed = c10::make_intrusive<c10d::PrefixStore>(address.prefix, handle->raw);
    StoreAddress known = address;
    known.port = static_cast<c10d::TCPStore*>(handle->raw.get())->getPort();  // 0: one was chosen
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
