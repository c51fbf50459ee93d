#include "core/distributed/group.h"

#include <ATen/Functions.h>
#include <netdb.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <utility>

#include "core/distributed/failure.h"
#include "core/distributed/group_backend.h"
#include "core/distributed/store_handle.h"

namespace polyptych::distributed {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

/// Between two looks whether the call under way was given up.
constexpr milliseconds kSlice{50};
/// How long a rank whose call failed waits for the others to say that theirs failed too: who says nothing is what failed.
constexpr milliseconds kUntilBlame{1000};
/// Between two looks whether the call under way has failed on another rank.
constexpr milliseconds kBetweenLooks{500};
constexpr const char* kBroken = "broken";
constexpr std::int64_t kMostObjectBytes = std::int64_t(1) << 30;

std::string hostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string("unknown host");
}

/// Address of the interface by which packets to a host leave; empty if there is none. Nothing is sent.
std::string addressTowards(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
    return {};
  }
  std::string address;
  for (const addrinfo* one = found; one != nullptr && address.empty(); one = one->ai_next) {
    const int socket = ::socket(one->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_storage own{};
    socklen_t length = sizeof own;
    std::array<char, NI_MAXHOST> text{};
    if (socket >= 0 && ::connect(socket, one->ai_addr, one->ai_addrlen) == 0 &&
        getsockname(socket, reinterpret_cast<sockaddr*>(&own), &length) == 0 &&
        getnameinfo(reinterpret_cast<const sockaddr*>(&own), length, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0) {
      address = text.data();
    }
    if (socket >= 0) {
      ::close(socket);
    }
  }
  freeaddrinfo(found);
  return address;
}

std::string keyOf(const char* what, int rank) { return std::string(what) + "/" + std::to_string(rank); }

std::string listOf(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : ", ") + word;
  }
  return text;
}

/// Gloo writes to its sockets with writev(): the first write after a peer's death would end this process by SIGPIPE, as the
/// default is (a Python program, which Gloo was made for, ignores the signal from its start).
void keepAliveWhereAPeerIsGone() {
  struct sigaction now = {};
  if (sigaction(SIGPIPE, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL) {
    now.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &now, nullptr);
  }
}

}  // namespace

Group::Group(Store& store, GroupOptions options)
    : m_store(store), m_options(std::move(options)), m_callTimeout(m_options.callTimeout) {}

GroupOptions Group::withAddress(GroupOptions options, const Store& store) {
  if (options.hostAddress.empty()) {
    options.hostAddress = addressTowards(store.address().host, store.address().port);
  }
  return options;
}

Group::~Group() = default;

Result<std::unique_ptr<Group>> Group::join(Store& store, const GroupOptions& options) {
  keepAliveWhereAPeerIsGone();
  if (options.size < 1 || options.rank < 0 || options.rank >= options.size) {
    return Error{ErrorCode::InvalidArgument,
                 "Rank " + std::to_string(options.rank) + " of " + std::to_string(options.size) + " processes cannot be.",
                 {}};
  }
  std::unique_ptr<Group> group(new Group(store, withAddress(options, store)));
  if (const Result<void> met = group->meet(); !met) {
    return met.error();
  }
  return group;
}

/// The first error of the meeting is everybody's: who keeps the store stays until the others can have read it.
Error Group::condemn(Error error) {
  if (m_store.compareSet(kVerdict, "", std::string(base::toString(error.code)) + "\n" + error.message) &&
      m_store.address().isServer) {
    std::this_thread::sleep_for(kUntilBlame);
  }
  return error;
}

Result<std::string> Group::helloOf(int rank, Clock::time_point end) {
  for (;;) {
    const Result<std::optional<std::string>> verdict = m_store.tryGet(kVerdict);
    if (verdict && *verdict) {
      const std::size_t line = (*verdict)->find('\n');
      return Error{base::errorCodeFromString((*verdict)->substr(0, line)),
                   (*verdict)->substr(std::min(line, (*verdict)->size() - 1) + 1),
                   {}};
    }
    const milliseconds left = std::max(std::chrono::duration_cast<milliseconds>(end - Clock::now()), milliseconds(0));
    Result<std::string> hello = m_store.get(keyOf("hello", rank), std::min(left, kSlice));
    if (hello || hello.error().code != ErrorCode::Timeout) {
      return hello;
    }
    if (left == milliseconds(0)) {
      return std::string();
    }
  }
}

/// Everybody says who they are, then connects.
Result<void> Group::meet() {
  const Clock::time_point end = Clock::now() + m_options.joinTimeout;
  const Result<std::int64_t> claims = m_store.add(keyOf("claim", m_options.rank), 1);
  if (!claims) {
    return claims.error();
  }
  if (*claims > 1) {
    return Error{ErrorCode::InvalidArgument,
                 "Rank " + std::to_string(m_options.rank) + " is there " + std::to_string(*claims) +
                     " times: two launchers, or one started twice, gave the same rank. Start the processes once.",
                 {}};
  }
  const std::string me = hostName() + ", process " + std::to_string(getpid());
  if (auto said = m_store.set(keyOf("hello", m_options.rank), m_options.version + "\n" + me); !said) {
    return said;
  }
  std::vector<std::string> missing;
  for (int rank = 0; rank < m_options.size; ++rank) {
    const Result<std::string> hello = helloOf(rank, end);
    if (!hello) {
      return hello.error();
    }
    if (hello->empty()) {
      missing.push_back("rank " + std::to_string(rank));
      m_hosts.emplace_back();
      continue;
    }
    const std::size_t line = hello->find('\n');
    const std::string version = hello->substr(0, line);
    m_hosts.push_back(line == std::string::npos ? std::string() : hello->substr(line + 1));
    if (version != m_options.version) {
      return condemn(Error{ErrorCode::VersionMismatch,
                           "Rank " + std::to_string(rank) + " (" + m_hosts.back() + ") runs Polyptych " + version + ", rank " +
                               std::to_string(m_options.rank) + " (" + me + ") " + m_options.version +
                               ". Install the same version on all machines.",
                           {}});
    }
  }
  if (!missing.empty()) {
    return condemn(Error{ErrorCode::Timeout,
                         listOf(missing) + " of " + std::to_string(m_options.size) + " did not come to " +
                             m_store.address().host + ":" + std::to_string(m_store.address().port) + " within " +
                             std::to_string(m_options.joinTimeout.count() / 1000) +
                             " s. Check that these processes run and reach that address.",
                         {}});
  }
  if (m_options.size == 1 && m_options.device == domain::DeviceKind::Cpu) {
    return {};  // nobody to talk to
  }
  const bool isNccl = m_options.device == domain::DeviceKind::Cuda;
  try {
    auto own = c10::make_intrusive<c10d::PrefixStore>("c10d", m_store.m_handle->prefixed->clone());
    const auto left = std::max(std::chrono::duration_cast<milliseconds>(end - Clock::now()), milliseconds(1000));
    own->setTimeout(left);
    m_backend = std::make_unique<Backend>();
    if (isNccl) {
      m_backend->raw = makeNccl(own, m_options);
    } else {
      // Gloo has one time for connecting and for calls, and a rank may be lost between its hello and its connection.
      GroupOptions joining = m_options;
      joining.callTimeout = left;
      m_backend->raw = makeGloo(own, joining);
      m_backend->raw->setTimeout(m_options.callTimeout);
    }
  } catch (...) {
    return withMissing(errorOfCurrentException(std::string("connect with the other processes by ") + (isNccl ? "NCCL" : "Gloo"),
                                               isNccl ? "Check the GPU and its driver on every machine."
                                                      : "Check that the machines reach each other by their names."),
                       "join");
  }
  return {};
}

void Group::abort() {
  m_isAborted = true;
  m_store.abort();
}

std::optional<Error> Group::failure() const {
  const std::lock_guard lock(m_mutex);
  return m_failure;
}

/// Adds to an error which ranks have not failed in this call: they are gone, or hang.
Error Group::withMissing(Error error, const std::string& phase) {
  const std::string call = "failed/" + std::to_string(m_calls);
  (void)m_store.set(keyOf(call.c_str(), m_options.rank), phase);
  (void)m_store.set(kBroken, phase);
  const Clock::time_point end = Clock::now() + kUntilBlame;
  std::vector<std::string> silent;
  bool isStoreGone = false;
  for (int rank = 0; rank < m_options.size; ++rank) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
    const Result<std::string> word = m_store.get(keyOf(call.c_str(), rank), std::max(left, milliseconds(0)));
    if (!word && word.error().code != ErrorCode::Timeout) {
      isStoreGone = true;
      break;
    }
    if (!word) {
      const std::string host = static_cast<std::size_t>(rank) < m_hosts.size() ? m_hosts[static_cast<std::size_t>(rank)] : "";
      silent.push_back("rank " + std::to_string(rank) + (host.empty() ? "" : " (" + host + ")"));
    }
  }
  if (m_store.address().isServer) {
    std::this_thread::sleep_for(kUntilBlame);  // the others ask who is missing, too
  }
  error.message = "In " + phase + ", rank " + std::to_string(m_options.rank) + ": " + error.message;
  if (isStoreGone) {
    error.message += " The store of the group is gone, too: rank 0 or its machine has ended.";
  } else if (!silent.empty()) {
    error.message += " Without an answer: " + listOf(silent) + ".";
  }
  return error;
}

template <typename Start>
Result<void> Group::run(const std::string& phase, Start start) {
  if (const std::optional<Error> failed = failure()) {
    return *failed;
  }
  ++m_calls;
  const auto fail = [this](Error error) {
    const std::lock_guard lock(m_mutex);
    m_failure = std::move(error);
    return *m_failure;
  };
  const Error cancelled{ErrorCode::Cancelled, "The group was given up.", {}};
  if (m_isAborted) {
    return fail(cancelled);
  }
  if (m_backend == nullptr) {
    return {};  // alone
  }
  try {
    const c10::intrusive_ptr<c10d::Work> work = start(*m_backend->raw);
    const Clock::time_point end = Clock::now() + m_callTimeout;
    Clock::time_point nextLook = Clock::now() + kBetweenLooks;
    while (!work->isCompleted()) {
      if (m_isAborted) {
        m_backend->raw->abort();
        return fail(cancelled);
      }
      bool isBroken = false;
      if (Clock::now() >= nextLook) {
        nextLook = Clock::now() + kBetweenLooks;
        const auto broken = m_store.tryGet(kBroken);
        isBroken = !broken || *broken;
      }
      if (isBroken) {
        m_backend->raw->abort();
        return fail(
            withMissing({ErrorCode::Io,
                         "the call failed on another rank. Check the other processes and the network between the machines.",
                         {}},
                        phase));
      }
      if (Clock::now() >= end) {
        m_backend->raw->abort();
        return fail(withMissing({ErrorCode::Timeout,
                                 "no answer within " + std::to_string(m_callTimeout.count()) +
                                     " ms. Check the other processes and the network between the machines.",
                                 {}},
                                phase));
      }
      try {
        work->wait(kSlice);
      } catch (const c10::Error&) {
        // Out of time, or ended with an error that wait() below tells.
      } catch (const std::exception&) {
      }
    }
    work->wait();
    return {};
  } catch (...) {
    return fail(withMissing(errorOfCurrentException("go on with the other processes",
                                                    "Check the other processes and the network between the machines."),
                            phase));
  }
}

Result<void> Group::barrier(const std::string& phase) {
  return run(phase, [](c10d::Backend& backend) { return backend.barrier(); });
}

Result<void> Group::broadcast(at::Tensor tensor, int root, const std::string& phase) {
  std::vector<at::Tensor> tensors{std::move(tensor)};
  return run(phase, [&](c10d::Backend& backend) {
    c10d::BroadcastOptions options;
    options.rootRank = root;
    return backend.broadcast(tensors, options);
  });
}

Result<std::vector<at::Tensor>> Group::allGather(const at::Tensor& tensor, const std::string& phase) {
  std::vector<std::vector<at::Tensor>> gathered(1);
  for (int rank = 0; rank < m_options.size; ++rank) {
    gathered[0].push_back(at::empty_like(tensor));
  }
  std::vector<at::Tensor> own{tensor};
  if (m_backend == nullptr) {
    gathered[0][0].copy_(tensor);
  }
  if (const Result<void> done = run(phase, [&](c10d::Backend& backend) { return backend.allgather(gathered, own); }); !done) {
    return done.error();
  }
  return std::move(gathered[0]);
}

Result<std::vector<std::string>> Group::gatherObjects(const std::string& bytes, const std::string& phase) {
  const auto device = m_options.device == domain::DeviceKind::Cuda ? at::kCUDA : at::kCPU;
  const auto length = static_cast<std::int64_t>(bytes.size());
  const Result<std::vector<at::Tensor>> lengths = allGather(at::full({1}, length, at::kLong).to(device), phase);
  if (!lengths) {
    return lengths.error();
  }
  std::vector<std::int64_t> sizes;
  for (const at::Tensor& one : *lengths) {
    sizes.push_back(one.item<std::int64_t>());
  }
  const std::int64_t most = *std::max_element(sizes.begin(), sizes.end());
  if (most > kMostObjectBytes || *std::min_element(sizes.begin(), sizes.end()) < 0) {
    return Error{
        ErrorCode::InvalidArgument,
        "In " + phase + ": an object of " + std::to_string(most) + " bytes is too large to be gathered; the most is 1 GiB.",
        {}};
  }
  at::Tensor own = at::zeros({most}, at::kByte);
  std::copy(bytes.begin(), bytes.end(), own.mutable_data_ptr<std::uint8_t>());
  const Result<std::vector<at::Tensor>> padded = allGather(own.to(device), phase);
  if (!padded) {
    return padded.error();
  }
  std::vector<std::string> objects;
  for (std::size_t rank = 0; rank < sizes.size(); ++rank) {
    const at::Tensor there = (*padded)[rank].cpu();
    const auto* begin = reinterpret_cast<const char*>(there.const_data_ptr<std::uint8_t>());
    objects.emplace_back(begin, begin + sizes[rank]);
  }
  return objects;
}

}  // namespace polyptych::distributed
