#include "core/distributed/rendezvous.h"

#include <c10/util/Logging.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/distributed/lease_book.h"
#include "core/distributed/store.h"

namespace polyptych::distributed {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using nlohmann::json;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr int kExitOk = 0;
constexpr int kExitFailed = 1;
constexpr int kExitWrongUsage = 2;
constexpr std::size_t kMaxLineBytes = 64u << 20;
/// Between two signs of life, as a part of the time after which a rank is taken for dead.
constexpr int kBeatsWithin = 8;
constexpr milliseconds kSlowest{1000};
constexpr milliseconds kWhileWaiting{50};
constexpr milliseconds kAfterInput{2000};

struct Options {
  StoreAddress address;
  LeaseOptions lease;
  bool isMember = false;
  milliseconds joinTimeout{300'000};
};

Error invalid(std::string message) { return {ErrorCode::InvalidArgument, std::move(message), {}}; }

Result<Options> parse(std::span<const std::string> words) {
  Options options;
  options.lease.rank = -1;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& name = words[i];
    if (name == "--serve") {
      options.address.isServer = true;
      continue;
    }
    if (i + 1 == words.size()) {
      return invalid(name + " needs a value.");
    }
    const std::string& value = words[++i];
    if (name == "--host") {
      options.address.host = value;
      continue;
    }
    if (name == "--prefix") {
      options.address.prefix = value;
      continue;
    }
    int number = 0;
    const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (code != std::errc() || end != value.data() + value.size() || number < 0) {
      return invalid(name + " is '" + value + "'; it takes a whole number.");
    }
    if (name == "--port" && number <= 65535) {
      options.address.port = static_cast<std::uint16_t>(number);
    } else if (name == "--rank") {
      options.lease.rank = number;
    } else if (name == "--size") {
      options.lease.size = number;
    } else if (name == "--join-timeout") {
      options.joinTimeout = milliseconds(number);
    } else if (name == "--dead-after") {
      options.lease.deadAfter = milliseconds(std::max(number, 1));
    } else {
      return invalid("'" + name + "' is no argument of a rendezvous; it is started by polyptych-cli, not by hand.");
    }
  }
  options.isMember = options.lease.rank >= 0;
  if (options.address.host.empty() || (!options.isMember && !options.address.isServer)) {
    return invalid("A rendezvous is started by polyptych-cli, not by hand.");
  }
  return options;
}

bool tell(const json& event) {
  const std::string line = event.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  for (std::size_t at = 0; at < line.size();) {
    const ssize_t written = ::write(STDOUT_FILENO, line.data() + at, line.size() - at);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return false;
    }
    at += static_cast<std::size_t>(written);
  }
  return true;
}

json failureOf(const Error& error) {
  return {{"event", "failed"}, {"code", base::toString(error.code)}, {"message", error.message}, {"detail", error.detail}};
}

/// Lines of standard input.
class Lines {
 public:
  /// Reads what has come within `patience`. @return false at the end
  bool read(milliseconds patience) {
    pollfd waiting{STDIN_FILENO, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(patience.count()));
    if (ready <= 0) {
      return ready == 0 || errno == EINTR;
    }
    char buffer[65536];
    const ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (count < 0) {
      return errno == EINTR;
    }
    m_bytes.append(buffer, static_cast<std::size_t>(count));
    return count > 0 && m_bytes.size() <= kMaxLineBytes;
  }
  std::optional<std::string> next() {
    const std::size_t end = m_bytes.find('\n', m_at);
    if (end == std::string::npos) {
      m_bytes.erase(0, m_at);
      m_at = 0;
      return std::nullopt;
    }
    std::string line = m_bytes.substr(m_at, end - m_at);
    m_at = end + 1;
    return line;
  }

 private:
  std::string m_bytes;
  std::size_t m_at = 0;
};

const char* nameOf(RankState state) {
  switch (state) {
    case RankState::Absent:
      return "absent";
    case RankState::Working:
      return "working";
    case RankState::Left:
      return "left";
    case RankState::Lost:
      return "lost";
  }
  return "absent";
}

template <typename T>
T valueOf(const json& object, const char* key, T otherwise) {
  const auto found = object.find(key);
  if (found == object.end()) {
    return otherwise;
  }
  if constexpr (std::is_same_v<T, std::string>) {
    return found->is_string() ? found->get<std::string>() : otherwise;
  } else {
    return found->is_number_integer() ? found->get<T>() : otherwise;
  }
}

std::string itemKey(const std::string& list, std::int64_t number) { return "list/" + list + "/" + std::to_string(number); }

/// One rank's side of the store.
class Member {
 public:
  Member(const Options& options, Store& store, LeaseBook book) : m_options(options), m_store(store), m_book(std::move(book)) {}

  int serve() {
    while (true) {
      if (!m_lines.read(patience())) {
        return kExitOk;
      }
      while (const std::optional<std::string> line = m_lines.next()) {
        if (const Result<void> done = carryOut(*line); !done) {
          return fail(done.error());
        }
      }
      if (const Result<void> done = goOn(); !done) {
        return fail(done.error());
      }
    }
  }

  static int fail(const Error& error) {
    tell(failureOf(error));
    return kExitFailed;
  }

 private:
  milliseconds beatEvery() const { return std::min(kSlowest, m_options.lease.deadAfter / kBeatsWithin); }
  milliseconds patience() const {
    return m_wantsLease || !m_fetches.empty() ? std::min(kWhileWaiting, beatEvery()) : beatEvery();
  }

  Result<void> carryOut(const std::string& line) {
    const json request = json::parse(line, nullptr, false);
    if (!request.is_object()) {
      return Error{ErrorCode::Protocol, "A request to the group's store is no JSON object.", line.substr(0, 200)};
    }
    const std::string what = valueOf<std::string>(request, "do", {});
    const std::string key = valueOf<std::string>(request, "key", {});
    const std::string value = valueOf<std::string>(request, "value", {});
    const std::string list = valueOf<std::string>(request, "list", {});
    if (what == "publish") {
      const Result<std::string> now = m_store.compareSet("value/" + key, "", value);
      if (!now) {
        return now.error();
      }
      tell({{"event", "published"}, {"key", key}, {"value", *now}});
    } else if (what == "fetch") {
      m_fetches[key] = Clock::now() + milliseconds(valueOf<std::int64_t>(request, "within", 0));
    } else if (what == "append") {
      const Result<std::int64_t> length = m_store.add("length/" + list, 1);
      if (!length) {
        return length.error();
      }
      return m_store.set(itemKey(list, *length - 1), value);
    } else if (what == "watch") {
      m_watched.try_emplace(list, 0);
    } else if (what == "share") {
      m_book.setUnits(valueOf<std::int64_t>(request, "units", 0));
    } else if (what == "lease") {
      m_wantsLease = true;
    } else if (what == "finish") {
      return m_book.finish({valueOf<std::int64_t>(request, "first", 0), valueOf<std::int64_t>(request, "count", 0)});
    } else if (what == "release") {
      m_wantsLease = false;
      return m_book.release();
    } else if (what == "status") {
      return m_store.set("status/" + std::to_string(m_options.lease.rank), valueOf<std::string>(request, "text", {}));
    } else if (what == "look") {
      m_lastBeat = {};
      m_wantsLook = true;
    } else if (what == "leave") {
      m_hasLeft = true;
      if (const Result<void> left = m_book.leave(); !left) {
        return left;
      }
      tell({{"event", "left"}});
    } else {
      return Error{ErrorCode::Protocol, "The group's store knows no request '" + what + "'.", {}};
    }
    return {};
  }

  Result<void> goOn() {
    if (const Result<void> fetched = fetch(); !fetched) {
      return fetched;
    }
    const bool isTime = Clock::now() - m_lastBeat >= beatEvery();
    if (isTime) {
      m_lastBeat = Clock::now();
      if (!m_hasLeft) {
        if (const Result<void> beaten = m_book.beat(); !beaten) {
          return beaten;
        }
      }
      if (const Result<void> looked = look(); !looked) {
        return looked;
      }
      if (std::exchange(m_wantsLook, false)) {
        tell({{"event", "looked"}});
      }
    }
    if (!m_wantsLease) {
      return {};
    }
    // What others have made already is told before the lease.
    if (const Result<void> read = readLists(); !read) {
      return read;
    }
    return lease();
  }

  Result<void> fetch() {
    for (auto wanted = m_fetches.begin(); wanted != m_fetches.end();) {
      const Result<std::optional<std::string>> value = m_store.tryGet("value/" + wanted->first);
      if (!value) {
        return value.error();
      }
      if (*value) {
        tell({{"event", "value"}, {"key", wanted->first}, {"value", **value}});
      } else if (Clock::now() > wanted->second) {
        json failed = failureOf({ErrorCode::Timeout, "Nobody told '" + wanted->first + "' within the time.", {}});
        failed["key"] = wanted->first;
        tell(failed);
      } else {
        ++wanted;
        continue;
      }
      wanted = m_fetches.erase(wanted);
    }
    return {};
  }

  Result<void> look() {
    const Result<std::vector<RankState>> states = m_book.look();
    if (!states) {
      return states.error();
    }
    // What a rank has told before it left is heard before its leaving.
    if (const Result<void> read = readLists(); !read) {
      return read;
    }
    if (m_options.lease.rank != 0) {
      tellChange(0, states->front());
      return {};
    }
    for (int rank = 0; rank < static_cast<int>(states->size()); ++rank) {
      const RankState state = (*states)[static_cast<std::size_t>(rank)];
      if (state != RankState::Absent && rank != 0) {
        const Result<std::optional<std::string>> text = m_store.tryGet("status/" + std::to_string(rank));
        if (!text) {
          return text.error();
        }
        if (*text && std::exchange(m_statuses[rank], **text) != **text) {
          tell({{"event", "status"}, {"rank", rank}, {"text", **text}});
        }
      }
      tellChange(rank, state);
    }
    return {};
  }

  void tellChange(int rank, RankState state) {
    const auto [known, isNew] = m_states.try_emplace(rank, RankState::Absent);
    if (std::exchange(known->second, state) != state) {
      tell({{"event", "rank"}, {"rank", rank}, {"state", nameOf(state)}});
    }
  }

  Result<void> readLists() {
    for (auto& [list, next] : m_watched) {
      const Result<std::int64_t> length = m_store.add("length/" + list, 0);
      if (!length) {
        return length.error();
      }
      while (next < *length) {
        const Result<std::optional<std::string>> value = m_store.tryGet(itemKey(list, next));
        if (!value) {
          return value.error();
        }
        if (!*value) {
          break;  // counted, and not written yet
        }
        tell({{"event", "item"}, {"list", list}, {"value", **value}});
        ++next;
      }
    }
    return {};
  }

  Result<void> lease() {
    const Result<std::optional<UnitLease>> taken = m_book.take();
    if (!taken) {
      return taken.error();
    }
    if (*taken) {
      m_wantsLease = false;
      tell({{"event", "lease"}, {"first", (*taken)->first}, {"count", (*taken)->count}});
      return {};
    }
    const Result<bool> isOver = m_book.isOver();
    if (!isOver) {
      return isOver.error();
    }
    if (*isOver) {
      m_wantsLease = false;
      tell({{"event", "over"}});
    }
    return {};
  }

  const Options& m_options;
  Store& m_store;
  LeaseBook m_book;
  Lines m_lines;
  std::map<std::string, Clock::time_point> m_fetches;
  std::map<std::string, std::int64_t> m_watched;
  std::map<int, RankState> m_states;
  std::map<int, std::string> m_statuses;
  Clock::time_point m_lastBeat;
  bool m_wantsLease = false;
  bool m_wantsLook = false;
  bool m_hasLeft = false;
};

/// Ends the process a moment after its standard input was closed, whatever it waits for: a store that does not answer, say.
void endWithInput() {
  std::thread([] {
    pollfd input{STDIN_FILENO, 0, 0};
    while (::poll(&input, 1, -1) < 0 && errno == EINTR) {
    }
    std::this_thread::sleep_for(kAfterInput);
    ::_exit(kExitOk);
  }).detach();
}

int keepStore() {
  Lines lines;
  while (lines.read(kSlowest)) {
    while (lines.next()) {
    }
  }
  return kExitOk;
}

}  // namespace

int rendezvousMain(std::span<const std::string> words) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::signal(SIGPIPE, SIG_IGN);
  // Ctrl-C is for the program that this one serves; its end closes the standard input.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  // A connection that breaks is told in our words; c10d would print a stack.
  ::setenv("TORCH_CPP_LOG_LEVEL", "FATAL", 0);
  c10::initLogging();
  const Result<Options> options = parse(words);
  if (!options) {
    std::fprintf(stderr, "%s\n", options.error().message.c_str());
    return kExitWrongUsage;
  }
  endWithInput();
  Result<std::unique_ptr<Store>> store = Store::connect(options->address, options->joinTimeout);
  if (!store) {
    return Member::fail(store.error());
  }
  if (!options->isMember) {
    tell({{"event", "connected"}, {"port", (*store)->address().port}});
    return keepStore();
  }
  Result<LeaseBook> book = LeaseBook::open(**store, options->lease);
  if (!book) {
    return Member::fail(book.error());
  }
  tell({{"event", "connected"}, {"port", (*store)->address().port}, {"incarnation", book->incarnation()}});
  return Member(*options, **store, *std::move(book)).serve();
}

}  // namespace polyptych::distributed
