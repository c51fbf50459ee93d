#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/distributed/store.h"

namespace polyptych::distributed {

/// Units [first, first + count) of the list that all ranks have.
struct UnitLease {
  std::int64_t first = 0;
  std::int64_t count = 0;

  friend bool operator==(const UnitLease&, const UnitLease&) = default;
};

struct LeaseOptions {
  int rank = 0;
  int size = 1;
  std::int64_t units = 0;  ///< length of the list; the same on all ranks
  /// A rank that shows no sign of life for so long is taken for dead, and what it had is made again. The clocks of the ranks are
  /// never compared.
  std::chrono::milliseconds deadAfter{20'000};
};

/// What a rank is to the others.
enum class RankState {
  Absent,   ///< never seen
  Working,  ///< shows signs of life
  Left,     ///< said that it is done
  Lost      ///< was seen, and shows none any more
};

/// Shares a list of units between ranks that ask for more when they have done what they had: through the store alone, nobody
/// waits for anybody. Shares are large at first and small at the end, so that unequal devices finish together; what a dead rank
/// had goes to whoever asks when nothing else is left. A rank that was started again is a new owner; its old leases are free at
/// once. For one thread. Errors of all calls: those of Store.
class LeaseBook {
 public:
  using Clock = std::chrono::steady_clock;

  /// Counts this rank's start. @param store  outlives this
  static base::Result<LeaseBook> open(Store& store, const LeaseOptions& options);

  /// How often this rank has started, from 1.
  std::int64_t incarnation() const { return m_incarnation; }
  /// The length of the list, once it is known. Before it take() gives nothing.
  void setUnits(std::int64_t units) { m_options.units = units; }
  /// Units for this rank; nothing if all are leased to ranks that live, or done.
  base::Result<std::optional<UnitLease>> take();
  /// All of the lease is made, or failed for good. A lease that somebody took over counts once.
  base::Result<void> finish(const UnitLease& lease);
  /// Gives back all that this rank has and has not finished. It goes on as if it had been started again.
  base::Result<void> release();
  /// True if every unit is done.
  base::Result<bool> isOver();
  /// A sign of life, to be given several times within deadAfter.
  base::Result<void> beat();
  /// The last one: this rank does nothing any more.
  base::Result<void> leave();
  /// Looks at everybody's signs of life. @return by rank
  base::Result<std::vector<RankState>> look();

 private:
  struct Seen {
    std::string value;
    Clock::time_point since;
    std::int64_t incarnation = 0;  ///< the latest; signs of life of an earlier one are none
    bool hasLeft = false;
  };

  LeaseBook(Store& store, LeaseOptions options, std::int64_t incarnation);
  std::string self() const;
  bool isDead(const std::string& owner) const;
  base::Result<std::optional<UnitLease>> takeNew();
  base::Result<std::optional<UnitLease>> takeOver();

  Store* m_store;
  LeaseOptions m_options;
  std::int64_t m_incarnation;
  std::int64_t m_beats = 0;
  bool m_isAllLeased = false;
  std::int64_t m_doneBefore = 0;                     ///< everything before it is done
  std::map<std::int64_t, Clock::time_point> m_gaps;  ///< taken and not written down, since
  std::map<int, Seen> m_seen;
};

}  // namespace polyptych::distributed
