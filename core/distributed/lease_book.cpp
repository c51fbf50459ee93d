#include "core/distributed/lease_book.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace polyptych::distributed {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

/// Of what is left, a rank takes one part in so many times the number of ranks, up to kLargestLease.
constexpr std::int64_t kPartsPerRank = 4;
constexpr std::int64_t kLargestLease = 32;

constexpr char kCursor[] = "lease-cursor";
constexpr char kDoneUnits[] = "done-units";

std::string keyOf(const char* what, std::int64_t number) { return std::string(what) + "/" + std::to_string(number); }

std::int64_t numberIn(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// "rank:incarnation:count".
struct Record {
  int rank = 0;
  std::int64_t incarnation = 0;
  std::int64_t count = 0;
};

Record recordOf(std::string_view text) {
  const std::size_t first = text.find(':');
  const std::size_t second = text.find(':', first + 1);
  if (second == std::string_view::npos) {
    return {};
  }
  return {static_cast<int>(numberIn(text.substr(0, first))), numberIn(text.substr(first + 1, second - first - 1)),
          numberIn(text.substr(second + 1))};
}

}  // namespace

LeaseBook::LeaseBook(Store& store, LeaseOptions options, std::int64_t incarnation)
    : m_store(&store), m_options(options), m_incarnation(incarnation) {}

Result<LeaseBook> LeaseBook::open(Store& store, const LeaseOptions& options) {
  if (options.size < 1 || options.rank < 0 || options.rank >= options.size || options.units < 0) {
    return Error{ErrorCode::InvalidArgument,
                 "Rank " + std::to_string(options.rank) + " of " + std::to_string(options.size) + " processes cannot be.",
                 {}};
  }
  const Result<std::int64_t> incarnation = store.add(keyOf("incarnation", options.rank), 1);
  if (!incarnation) {
    return incarnation.error();
  }
  LeaseBook book(store, options, *incarnation);
  if (const Result<void> beaten = book.beat(); !beaten) {
    return beaten.error();
  }
  return book;
}

std::string LeaseBook::self() const { return std::to_string(m_options.rank) + ":" + std::to_string(m_incarnation); }

Result<void> LeaseBook::beat() {
  return m_store->set(keyOf("beat", m_options.rank), std::to_string(m_incarnation) + ":" + std::to_string(++m_beats));
}

Result<void> LeaseBook::leave() { return m_store->set(keyOf("beat", m_options.rank), std::to_string(m_incarnation) + ":left"); }

Result<std::vector<RankState>> LeaseBook::look() {
  std::vector<RankState> states;
  for (int rank = 0; rank < m_options.size; ++rank) {
    const Result<std::optional<std::string>> value = m_store->tryGet(keyOf("beat", rank));
    if (!value) {
      return value.error();
    }
    if (!*value) {
      states.push_back(RankState::Absent);
      continue;
    }
    Seen& seen = m_seen[rank];
    if (seen.value != **value && numberIn(**value) >= seen.incarnation) {
      seen.value = **value;
      seen.since = Clock::now();
      seen.incarnation = numberIn(seen.value);
      seen.hasLeft = seen.value.ends_with(":left");
    }
    const bool isQuiet = rank != m_options.rank && Clock::now() - seen.since > m_options.deadAfter;
    states.push_back(seen.hasLeft ? RankState::Left : isQuiet ? RankState::Lost : RankState::Working);
  }
  return states;
}

/// By what look() saw.
bool LeaseBook::isDead(const std::string& owner) const {
  const Record record = recordOf(owner);
  const auto seen = m_seen.find(record.rank);
  if (seen == m_seen.end()) {
    return false;
  }
  const bool isQuiet = record.rank != m_options.rank && Clock::now() - seen->second.since > m_options.deadAfter;
  return record.incarnation < seen->second.incarnation || seen->second.hasLeft || isQuiet;
}

Result<std::optional<UnitLease>> LeaseBook::take() {
  if (m_options.units == 0) {
    return std::optional<UnitLease>();
  }
  if (!m_isAllLeased) {
    Result<std::optional<UnitLease>> fresh = takeNew();
    if (!fresh || *fresh) {
      return fresh;
    }
  }
  return takeOver();
}

Result<std::optional<UnitLease>> LeaseBook::takeNew() {
  for (;;) {
    const Result<std::int64_t> taken = m_store->add(kCursor, 0);
    if (!taken) {
      return taken.error();
    }
    const std::int64_t left = m_options.units - *taken;
    if (left <= 0) {
      m_isAllLeased = true;
      return std::optional<UnitLease>();
    }
    const std::int64_t wanted = std::clamp<std::int64_t>(left / (kPartsPerRank * m_options.size), 1, kLargestLease);
    const Result<std::int64_t> end = m_store->add(kCursor, wanted);
    if (!end) {
      return end.error();
    }
    const std::int64_t first = *end - wanted;
    const std::int64_t count = std::min(wanted, m_options.units - first);
    if (count <= 0) {
      continue;
    }
    const std::string record = self() + ":" + std::to_string(count);
    const Result<std::string> written = m_store->compareSet(keyOf("lease", first), "", record);
    if (!written) {
      return written.error();
    }
    if (*written == record) {
      return std::optional<UnitLease>({first, count});
    }
    // Somebody took the gap for a dead rank's.
  }
}

/// What ranks had that are dead: their leases, and gaps that they left between counting and writing down.
Result<std::optional<UnitLease>> LeaseBook::takeOver() {
  const Result<std::int64_t> cursor = m_store->add(kCursor, 0);
  if (!cursor) {
    return cursor.error();
  }
  const std::int64_t end = std::min(*cursor, m_options.units);
  bool isAllDone = true;
  for (std::int64_t at = m_doneBefore; at < end;) {
    const std::string key = keyOf("lease", at);
    const Result<std::optional<std::string>> owner = m_store->tryGet(key);
    if (!owner) {
      return owner.error();
    }
    const std::int64_t count = *owner ? recordOf(**owner).count : 1;
    if (count < 1) {
      return Error{ErrorCode::Corrupt, "The store of the group has something else under '" + key + "'.", **owner};
    }
    const Result<std::optional<std::string>> done = m_store->tryGet(keyOf("done", at));
    if (!done) {
      return done.error();
    }
    bool isFree = false;
    if (!*owner) {
      const auto [gap, isNew] = m_gaps.try_emplace(at, Clock::now());
      isFree = Clock::now() - gap->second > m_options.deadAfter;
    } else if (!*done) {
      isFree = isDead(**owner);
    }
    if (isFree) {
      const std::string record = self() + ":" + std::to_string(count);
      const Result<std::string> written = m_store->compareSet(key, owner->value_or(""), record);
      if (!written) {
        return written.error();
      }
      if (*written == record) {
        return std::optional<UnitLease>({at, count});
      }
    }
    isAllDone = isAllDone && *done;
    at += count;
    if (isAllDone) {
      m_doneBefore = at;
    }
  }
  return std::optional<UnitLease>();
}

Result<void> LeaseBook::finish(const UnitLease& lease) {
  // Two ranks may have made it, one of them taken for dead: the first counts.
  const std::string mark = self() + ":" + std::to_string(lease.count);
  const Result<std::string> written = m_store->compareSet(keyOf("done", lease.first), "", mark);
  if (!written) {
    return written.error();
  }
  if (*written != mark) {
    return {};
  }
  const Result<std::int64_t> counted = m_store->add(kDoneUnits, lease.count);
  return counted ? Result<void>() : counted.error();
}

Result<void> LeaseBook::release() {
  const Result<std::int64_t> incarnation = m_store->add(keyOf("incarnation", m_options.rank), 1);
  if (!incarnation) {
    return incarnation.error();
  }
  m_incarnation = *incarnation;
  return beat();
}

Result<bool> LeaseBook::isOver() {
  const Result<std::int64_t> done = m_store->add(kDoneUnits, 0);
  if (!done) {
    return done.error();
  }
  if (*done >= m_options.units) {
    return true;
  }
  // A rank that died between mark and count: the marks decide.
  return m_isAllLeased && m_doneBefore >= m_options.units;
}

}  // namespace polyptych::distributed
