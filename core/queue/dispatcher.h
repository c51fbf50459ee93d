#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"

namespace polyptych::queue {

/// Of SlotView::secondsUntilFree: nobody knows.
inline constexpr double kUnknownSeconds = std::numeric_limits<double>::infinity();

/// A unit of work as the dispatcher sees it. Keys are compared for equality alone: any hash of what they stand for will do.
struct WaitingUnit {
  std::int64_t jobId = 0;
  std::uint64_t loadKey = 0;      ///< equal: same model and compute type, nothing to load
  std::uint64_t processKey = 0;   ///< equal: the same worker process can do it (threads of a CPU worker)
  std::uint64_t shapeKey = 0;     ///< equal: size, steps and so on are the same, so the same speed is to be expected
  double work = 0;                ///< pixels x steps x pictures; the unit of SlotView::secondsPerWork
  std::vector<int> avoidedSlots;  ///< slots whose device failed this unit, or cannot use its model
  int passedOver = 0;             ///< from FairnessBook
  bool isLongAtHead = false;      ///< from FairnessBook
};

/// A slot as the dispatcher sees it. "Free" means after the unit in work and the one that is reserved for it. A slot that neither
/// begins nor will be free soon (set aside, stopped for good) may be left out.
struct SlotView {
  int slot = 0;
  bool canBegin = false;     ///< idle, and ready or startable
  bool canPrefetch = false;  ///< busy, and nothing is reserved for it
  bool isStarted = false;
  std::optional<std::uint64_t> loadedKey;   ///< model that it has, or will have when it is free
  std::optional<std::uint64_t> processKey;  ///< of the running process
  std::optional<std::uint64_t> lastShape;
  double secondsPerWork = 0;    ///< for what waits now; 0: not known yet
  double loadSeconds = 0;       ///< to be expected for another model
  double startSeconds = 0;      ///< to be expected for a process, without the model
  double secondsUntilFree = 0;  ///< 0 if it can begin
};

struct DispatchRules {
  int affinityWindow = 32;  ///< how many units a slot looks ahead for its own model and shape
  int maxPassedOver = 32;   ///< a unit that was passed over so often goes first
  std::chrono::milliseconds maxAtHead{std::chrono::minutes(2)};  ///< a unit that is the queue's first for so long is begun anyway
  double endGameFactor = 2;                                      ///< waiting units a slot from which on expected ends decide
};

/// @return InvalidArgument with the field and what is allowed
base::Result<void> validate(const DispatchRules& rules);

struct Assignment {
  int slot = 0;
  std::int64_t jobId = 0;
  bool isPrefetch = false;  ///< to be begun when the slot's unit in work is done

  friend bool operator==(const Assignment&, const Assignment&) = default;
};

/// Why a slot that could begin gets nothing; for its card in the window.
enum class WhyIdle {
  NoUnitWaits,
  NoUnitForThisSlot,   ///< every unit in sight avoids it
  NotWorthLoading,     ///< slots that have the model will be through before this one has loaded it
  OthersFinishSooner,  ///< the last units end sooner on faster slots, though those are busy
};

struct Abstention {
  int slot = 0;
  WhyIdle why = WhyIdle::NoUnitWaits;

  friend bool operator==(const Abstention&, const Abstention&) = default;
};

struct DispatchPlan {
  std::vector<Assignment> assignments;   ///< one at most a slot and one at most a unit, in the order they were decided
  std::vector<Abstention> abstentions;   ///< one for each slot that can begin and got nothing
  std::vector<std::int64_t> impossible;  ///< units that avoid every slot of the view: the caller forgives or fails them
};

/// Decides who does what next. Pure and deterministic; O(window x slots).
///
/// - Slots pull: only a slot that can begin gets a unit. A unit is reserved for a busy slot only if no other slot could begin it,
///   more units wait than there are slots, and the slot will be through with it before the waiting work is.
/// - The order of the queue is kept, but for bounded affinity: a slot takes the first unit of its own model among the next
///   `affinityWindow`, one of the shape it did last if there is one. A unit that was passed over too often goes first: on a slot
///   that has its model, or on the best one if none has; after four times as often, or too long at the head, on the best one in
///   any case.
/// - Another model is loaded only if the window has no unit of the slot's own and the slots that have the other one would take
///   longer for what waits than this one takes for the load and a unit.
/// - From `endGameFactor` waiting units a slot on: list scheduling by expected end (Graham 1969), starts and loads included. A
/// unit
///   that a busy slot is going to finish sooner is left to it. A slot of unknown speed is given one all the same.
///
/// @param window        the head of the queue, in order
/// @param waitingInAll  units that wait, those of the window included
DispatchPlan plan(std::span<const WaitingUnit> window, std::int64_t waitingInAll, std::span<const SlotView> slots,
                  const DispatchRules& rules);

/// plan() for who does not ask why.
std::vector<Assignment> assign(std::span<const WaitingUnit> window, std::int64_t waitingInAll, std::span<const SlotView> slots,
                               const DispatchRules& rules);

/// Remembers which units were passed over, and since when one is the first. Forgets those that leave the window.
class FairnessBook {
 public:
  explicit FairnessBook(const DispatchRules& rules) : m_rules(rules) {}

  /// Fills passedOver and isLongAtHead. @param now  of any clock that never goes back
  void fill(std::span<WaitingUnit> window, std::chrono::milliseconds now);
  /// Counts what these assignments passed over: every earlier unit that stays and that the slot could have taken.
  void note(std::span<const WaitingUnit> window, std::span<const Assignment> assignments);

 private:
  DispatchRules m_rules;
  std::unordered_map<std::int64_t, int> m_passedOver;
  std::optional<std::int64_t> m_head;
  std::chrono::milliseconds m_headSince{0};
};

}  // namespace polyptych::queue
