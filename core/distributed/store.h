#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace polyptych::distributed {

/// Where the processes of a group meet: torch's TCPStore.
struct StoreAddress {
  std::string host;
  std::uint16_t port = 0;
  bool isServer = false;  ///< this process keeps the store (rank 0, unless a launcher's agent does)
  /// In front of every key: an earlier start of the same group must not be heard.
  std::string prefix;
  /// The server listens on this machine's loopback alone (IPv4), not on all interfaces; `host` is 127.0.0.1.
  bool isLoopbackOnly = false;
};

/// Small values that all processes of a group see. Every call ends within its time: with an error that names the store and what
/// to check. For one thread; clone() for others.
class Store {
 public:
  /// Errors: AlreadyExists for a port that is taken, NotFound for a host that has no address, Timeout if nobody listens there.
  static base::Result<std::unique_ptr<Store>> connect(const StoreAddress& address, std::chrono::milliseconds timeout);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  base::Result<void> set(const std::string& key, const std::string& value);
  /// Waits for the key. @return Timeout, Cancelled after abort()
  base::Result<std::string> get(const std::string& key, std::chrono::milliseconds timeout);
  /// Nothing if it is not there.
  base::Result<std::optional<std::string>> tryGet(const std::string& key);
  /// Adds to a number (0 if it is not there) in one go. @return what it is then
  base::Result<std::int64_t> add(const std::string& key, std::int64_t value);
  /// Sets a key that has the expected value ("": that is not there). @return what it has then
  base::Result<std::string> compareSet(const std::string& key, const std::string& expected, const std::string& value);

  /// From any thread: what waits ends with Cancelled, and so does every later call.
  void abort() { m_isAborted = true; }
  const StoreAddress& address() const { return m_address; }
  /// The same store for another thread, with a connection of its own.
  base::Result<std::unique_ptr<Store>> clone() const;

 private:
  friend class Group;
  struct Handle;
  Store(StoreAddress address, std::unique_ptr<Handle> handle);
  template <typename Call>
  auto guarded(const std::string& doing, Call call) -> base::Result<decltype(call())>;

  const StoreAddress m_address;
  std::unique_ptr<Handle> m_handle;
  std::atomic<bool> m_isAborted = false;
};

}  // namespace polyptych::distributed
