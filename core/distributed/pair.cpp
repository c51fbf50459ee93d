#include "core/distributed/pair.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "core/distributed/group_exchange.h"
#include "core/distributed/store.h"

namespace polyptych::distributed {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using diffusion::GuidanceExchange;

constexpr const char* kLoopback = "127.0.0.1";
constexpr char kBetween = ':';

Result<std::string> newSecret() {
  std::array<unsigned char, 32> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return Error{ErrorCode::Io, "The system gives no random numbers.", {}};
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

GroupOptions groupOptions(const PairOptions& options, int rank) {
  GroupOptions group;
  group.rank = group.localRank = rank;
  group.size = 2;
  group.device = options.device;
  group.hostAddress = kLoopback;
  group.version = options.version;
  group.joinTimeout = options.joinTimeout;
  group.callTimeout = options.stepTimeout;
  return group;
}

/// Both are on one machine. A user's own choice stays.
void keepOnThisMachine(domain::DeviceKind device) {
  if (device == domain::DeviceKind::Cuda) {
    setenv("NCCL_SOCKET_IFNAME", "lo", 0);
  }
}

class Leader : public domain::PairLink, public diffusion::ExchangeSource {
 public:
  Leader(PairOptions options, std::function<bool(const domain::UnitOfWork&)> begin)
      : m_options(std::move(options)), m_begin(std::move(begin)) {}
  ~Leader() override { Leader::close(); }

  Result<std::string> open() override {
    close();
    Result<std::string> secret = newSecret();
    if (!secret) {
      return secret;
    }
    StoreAddress address{kLoopback, 0, true, *secret, true};
    Result<std::unique_ptr<Store>> store = Store::connect(address, m_options.joinTimeout);
    if (!store) {
      return store.error();
    }
    std::unique_ptr<Store> oldStore;  // ends after the group, and outside of the lock
    std::unique_ptr<Group> oldGroup;
    const std::lock_guard lock(m_mutex);
    oldStore = std::exchange(m_store, std::move(*store));
    oldGroup = std::exchange(m_group, nullptr);
    m_isClosed = false;
    return std::to_string(m_store->address().port) + kBetween + *secret;
  }

  void close() override {
    const std::lock_guard lock(m_mutex);
    m_isClosed = true;
    if (m_store != nullptr) {
      m_store->abort();
    }
    if (m_group != nullptr) {
      m_group->abort();
    }
  }

  bool isWell() const override {
    const std::lock_guard lock(m_mutex);
    return !m_isClosed && (m_group == nullptr || !m_group->failure());
  }

  Result<std::unique_ptr<GuidanceExchange>> open(const domain::UnitOfWork& unit) override {
    if (!isWell() || !m_begin(unit)) {
      return std::unique_ptr<GuidanceExchange>();
    }
    if (m_group == nullptr) {
      Result<std::unique_ptr<Group>> joined = Group::join(*m_store, groupOptions(m_options, 0));
      const std::lock_guard lock(m_mutex);
      if (!joined || m_isClosed) {
        m_isClosed = true;
        return std::unique_ptr<GuidanceExchange>();
      }
      m_group = std::move(*joined);
    }
    return std::unique_ptr<GuidanceExchange>(std::make_unique<GroupExchange>(*m_group));
  }

 private:
  const PairOptions m_options;
  const std::function<bool(const domain::UnitOfWork&)> m_begin;
  mutable std::mutex m_mutex;  ///< the engine's thread changes what the others read
  bool m_isClosed = true;
  std::unique_ptr<Store> m_store;
  std::unique_ptr<Group> m_group;
};

class Helper : public diffusion::ExchangeSource {
 public:
  Helper(PairOptions options, std::string token) : m_options(std::move(options)), m_token(std::move(token)) {}

  Result<std::unique_ptr<GuidanceExchange>> open(const domain::UnitOfWork&) override {
    if (m_group == nullptr) {
      if (Result<void> met = meet(); !met) {
        return met.error();
      }
    }
    if (const std::optional<Error> failed = m_group->failure()) {
      return *failed;
    }
    return std::unique_ptr<GuidanceExchange>(std::make_unique<GroupExchange>(*m_group));
  }

 private:
  Result<void> meet() {
    const std::size_t colon = m_token.find(kBetween);
    StoreAddress address{kLoopback, 0, false, {}, true};
    const char* end = m_token.data() + std::min(colon, m_token.size());
    if (const auto [at, problem] = std::from_chars(m_token.data(), end, address.port);
        colon == std::string::npos || problem != std::errc() || at != end) {
      return Error{ErrorCode::InvalidArgument, "This process was not told where to meet the first device of its pair.", {}};
    }
    address.prefix = m_token.substr(colon + 1);
    Result<std::unique_ptr<Store>> store = Store::connect(address, m_options.joinTimeout);
    if (!store) {
      return store.error();
    }
    m_store = std::move(*store);
    Result<std::unique_ptr<Group>> joined = Group::join(*m_store, groupOptions(m_options, 1));
    if (!joined) {
      return joined.error();
    }
    m_group = std::move(*joined);
    return {};
  }

  const PairOptions m_options;
  const std::string m_token;
  std::unique_ptr<Store> m_store;
  std::unique_ptr<Group> m_group;
};

}  // namespace

PairLeader makePairLeader(const PairOptions& options, std::function<bool(const domain::UnitOfWork&)> begin) {
  keepOnThisMachine(options.device);
  auto leader = std::make_shared<Leader>(options, std::move(begin));
  return {leader, leader};
}

std::shared_ptr<diffusion::ExchangeSource> makePairHelper(const PairOptions& options, const std::string& token) {
  keepOnThisMachine(options.device);
  return std::make_shared<Helper>(options, token);
}

}  // namespace polyptych::distributed
