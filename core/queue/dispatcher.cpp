#include "core/queue/dispatcher.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>
#include <utility>

namespace polyptych::queue {

using base::Error;
using base::ErrorCode;
using base::Result;

namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);
/// After so many times the limit a unit does not even wait for a slot that has its model.
constexpr int kStarvingFactor = 4;
/// A busy slot must end a unit sooner by this part before an idle one leaves it: no decisions by rounding.
constexpr double kClearlySooner = 1 - 1e-6;

using Key = std::pair<std::uint64_t, std::uint64_t>;

/// A slot while a plan is made.
struct Slot {
  const SlotView* view = nullptr;
  std::size_t key = kNone;  ///< what it has when it is free
  double secondsPerWork = 0;
  bool isKnown = false;  ///< its own speed was measured
  double freeAt = 0;
  bool isIdle = false;            ///< can begin and has nothing yet
  std::size_t firstLeft = kNone;  ///< end game: the first unit that is left to it, if it is of its model

  bool isUsable() const { return isIdle || std::isfinite(freeAt); }
};

bool avoids(const WaitingUnit& unit, const SlotView& slot) {
  return std::find(unit.avoidedSlots.begin(), unit.avoidedSlots.end(), slot.slot) != unit.avoidedSlots.end();
}

/// The state of one call. Units are named by their position in the window, slots by theirs in the view.
class Planner {
 public:
  Planner(std::span<const WaitingUnit> window, std::int64_t waitingInAll, std::span<const SlotView> views,
          const DispatchRules& rules)
      : m_window(window), m_rules(rules), m_waiting(std::max(waitingInAll, static_cast<std::int64_t>(window.size()))) {
    readKeys(views);
    readSlots(views);
    m_next.resize(window.size() + 1);
    std::iota(m_next.begin(), m_next.end(), std::size_t{1});
    m_previous.resize(window.size() + 1);
    std::iota(m_previous.begin(), m_previous.end(), kNone);
    m_backlog.resize(m_keys.size());
    m_unitsOfKey.resize(m_keys.size());
    for (std::size_t i = 0; i < window.size(); ++i) {
      m_backlog[m_unitKey[i]] += std::max(window[i].work, 0.0);
      ++m_unitsOfKey[m_unitKey[i]];
      m_work += std::max(window[i].work, 0.0);
    }
    m_scale = window.empty() ? 1 : static_cast<double>(m_waiting) / static_cast<double>(window.size());
  }

  DispatchPlan run() {
    findImpossible();
    if (static_cast<double>(m_waiting) <= m_rules.endGameFactor * static_cast<double>(m_slots.size())) {
      listSchedule();
    } else {
      takeOverdue();
      takeOwn();
      takeOthers();
    }
    abstain();
    prefetch();
    return std::move(m_plan);
  }

 private:
  void readKeys(std::span<const SlotView> views) {
    std::vector<Key> all;
    for (const WaitingUnit& unit : m_window) {
      all.emplace_back(unit.loadKey, unit.processKey);
    }
    m_keys = all;
    std::sort(m_keys.begin(), m_keys.end());
    m_keys.erase(std::unique(m_keys.begin(), m_keys.end()), m_keys.end());
    for (const Key& key : all) {
      m_unitKey.push_back(static_cast<std::size_t>(std::lower_bound(m_keys.begin(), m_keys.end(), key) - m_keys.begin()));
    }
    for (const SlotView& view : views) {
      std::size_t index = kNone;
      if (view.isStarted && view.loadedKey && view.processKey) {
        const Key key{*view.loadedKey, *view.processKey};
        const auto found = std::lower_bound(m_keys.begin(), m_keys.end(), key);
        index = found != m_keys.end() && *found == key ? static_cast<std::size_t>(found - m_keys.begin()) : kNone;
      }
      m_slotKey.push_back(index);
    }
  }

  void readSlots(std::span<const SlotView> views) {
    double sum = 0;
    int known = 0;
    for (std::size_t i = 0; i < views.size(); ++i) {
      const SlotView& view = views[i];
      const bool isKnown = view.secondsPerWork > 0 && std::isfinite(view.secondsPerWork);
      if (isKnown) {
        sum += view.secondsPerWork;
        ++known;
      }
      m_slots.push_back({&view, m_slotKey[i], isKnown ? view.secondsPerWork : 0, isKnown,
                         view.canBegin ? 0 : std::max(view.secondsUntilFree, 0.0), view.canBegin});
    }
    for (Slot& slot : m_slots) {
      if (!slot.isKnown && known > 0) {
        slot.secondsPerWork = sum / known;
      }
    }
  }

  void findImpossible() {
    for (const WaitingUnit& unit : m_window) {
      if (!m_slots.empty() && unit.avoidedSlots.size() >= m_slots.size() &&
          std::all_of(m_slots.begin(), m_slots.end(), [&unit](const Slot& slot) { return avoids(unit, *slot.view); })) {
        m_plan.impossible.push_back(unit.jobId);
      }
    }
  }

  bool mayTake(std::size_t slot, std::size_t unit) const { return !avoids(m_window[unit], *m_slots[slot].view); }

  /// Seconds from now until the slot would have finished the unit, everything it has to do before included.
  double endOf(const Slot& slot, std::size_t unit) const {
    double seconds = slot.freeAt + std::max(m_window[unit].work, 0.0) * slot.secondsPerWork;
    if (slot.key != m_unitKey[unit]) {
      const bool needsProcess = !slot.view->isStarted || slot.view->processKey != m_window[unit].processKey;
      seconds += slot.view->loadSeconds + (needsProcess ? slot.view->startSeconds : 0);
    }
    return seconds;
  }

  /// The slot that ends the unit soonest; of equal ones an idle one, then one with the model, the shape, the lower number.
  template <typename Condition>
  std::size_t bestSlot(std::size_t unit, Condition condition) const {
    const auto preference = [this, unit](const Slot& slot) {
      return std::make_tuple(!slot.isIdle, slot.key != m_unitKey[unit], slot.view->lastShape != m_window[unit].shapeKey,
                             slot.view->slot);
    };
    std::size_t best = kNone;
    double end = 0;
    for (std::size_t s = 0; s < m_slots.size(); ++s) {
      const Slot& slot = m_slots[s];
      if (!condition(slot)) {
        continue;
      }
      const double itsEnd = endOf(slot, unit);
      if (best != kNone && (itsEnd > end || (itsEnd == end && preference(m_slots[best]) < preference(slot)))) {
        continue;
      }
      if (mayTake(s, unit)) {
        best = s;
        end = itsEnd;
      }
    }
    return best;
  }

  std::size_t bestIdle(std::size_t unit) const {
    return bestSlot(unit, [](const Slot& slot) { return slot.isIdle; });
  }

  bool isOverdue(std::size_t unit) const {
    return m_window[unit].passedOver >= m_rules.maxPassedOver || m_window[unit].isLongAtHead;
  }
  bool isStarving(std::size_t unit) const {
    return m_window[unit].isLongAtHead || m_window[unit].passedOver >= kStarvingFactor * m_rules.maxPassedOver;
  }

  /// Positions of the units that are left, in order, are walked by m_next from head() to m_window.size().
  std::size_t head() const { return m_head; }

  void assign(std::size_t slot, std::size_t unit, bool isPrefetch) {
    Slot& it = m_slots[slot];
    m_plan.assignments.push_back({it.view->slot, m_window[unit].jobId, isPrefetch});
    it.freeAt = endOf(it, unit);
    it.key = m_unitKey[unit];
    it.isIdle = false;
    const std::size_t next = m_next[unit];
    const std::size_t previous = m_previous[unit];
    (previous == kNone ? m_head : m_next[previous]) = next;
    m_previous[next] = previous;
    m_backlog[it.key] -= std::max(m_window[unit].work, 0.0);
    --m_unitsOfKey[it.key];
    m_work -= std::max(m_window[unit].work, 0.0);
    --m_waiting;
  }

  /// How long the slots that will have the unit's model need for all that waits for it; infinite if none has it.
  double secondsOfOwners(std::size_t unit) const {
    const std::size_t key = m_unitKey[unit];
    double rate = 0;
    double work = m_backlog[key] * m_scale;
    for (std::size_t s = 0; s < m_slots.size(); ++s) {
      const Slot& slot = m_slots[s];
      if (slot.key == key && slot.isUsable() && mayTake(s, unit)) {
        if (slot.secondsPerWork <= 0) {
          return 0;
        }
        rate += 1 / slot.secondsPerWork;
        work += slot.freeAt / slot.secondsPerWork;
      }
    }
    return rate > 0 ? work / rate : kUnknownSeconds;
  }

  bool isWorthLoading(std::size_t slot, std::size_t unit) const {
    return !m_slots[slot].isKnown || endOf(m_slots[slot], unit) < secondsOfOwners(unit);
  }

  bool hasOwner(std::size_t unit) const {
    for (std::size_t s = 0; s < m_slots.size(); ++s) {
      if (m_slots[s].key == m_unitKey[unit] && m_slots[s].isUsable() && mayTake(s, unit)) {
        return true;
      }
    }
    return false;
  }

  void takeOverdue() {
    for (std::size_t unit = head(); unit < m_window.size(); unit = m_next[unit]) {
      if (!isOverdue(unit)) {
        continue;
      }
      std::size_t slot = bestSlot(unit, [this, unit](const Slot& it) { return it.isIdle && it.key == m_unitKey[unit]; });
      if (slot == kNone && (isStarving(unit) || !hasOwner(unit))) {
        slot = bestIdle(unit);
      }
      if (slot != kNone) {
        assign(slot, unit, false);
      }
    }
  }

  /// The unit of the slot's own model that it should do next; kNone if there is none within its reach.
  std::size_t ownUnit(std::size_t slot) const {
    std::size_t found = kNone;
    int seen = 0;
    for (std::size_t unit = head(); unit < m_window.size() && seen < m_rules.affinityWindow; unit = m_next[unit]) {
      if (!mayTake(slot, unit)) {
        continue;
      }
      ++seen;
      if (m_unitKey[unit] != m_slots[slot].key) {
        continue;
      }
      if (isOverdue(unit) || m_slots[slot].view->lastShape == m_window[unit].shapeKey) {
        return found != kNone && isOverdue(found) ? found : unit;
      }
      found = found == kNone ? unit : found;
    }
    return found;
  }

  void takeOwn() {
    std::vector<std::size_t> order;
    for (std::size_t s = 0; s < m_slots.size(); ++s) {
      if (m_slots[s].isIdle && m_slots[s].key != kNone) {
        order.push_back(s);
      }
    }
    std::sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
      const auto rankOf = [this](std::size_t s) {
        return std::make_tuple(!m_slots[s].isKnown, m_slots[s].secondsPerWork, m_slots[s].view->slot);
      };
      return rankOf(a) < rankOf(b);
    });
    for (const std::size_t slot : order) {
      if (const std::size_t unit = ownUnit(slot); unit != kNone) {
        assign(slot, unit, false);
      }
    }
  }

  /// Units of models that no idle slot has. A model that was not worth a load once is not in this call.
  void takeOthers() {
    std::vector<bool> isLeft(m_keys.size());
    int seen = 0;
    for (std::size_t unit = head(); unit < m_window.size() && seen < m_rules.affinityWindow; unit = m_next[unit]) {
      const std::size_t slot = bestIdle(unit);
      if (slot == kNone) {
        continue;
      }
      if (!isLeft[m_unitKey[unit]] && (m_slots[slot].key == m_unitKey[unit] || isWorthLoading(slot, unit))) {
        assign(slot, unit, false);
        continue;
      }
      isLeft[m_unitKey[unit]] = true;
      ++seen;
    }
  }

  void listSchedule() {
    m_isEndGame = true;
    for (std::size_t unit = head(); unit < m_window.size(); unit = m_next[unit]) {
      const std::size_t idle = bestIdle(unit);
      const std::size_t busy = bestSlot(unit, [](const Slot& slot) { return !slot.isIdle && std::isfinite(slot.freeAt); });
      if (idle == kNone && busy == kNone) {
        continue;
      }
      if (idle != kNone &&
          (busy == kNone || isStarving(unit) || !(endOf(m_slots[busy], unit) < kClearlySooner * endOf(m_slots[idle], unit)))) {
        assign(idle, unit, false);
        continue;
      }
      // A slot of unknown speed has to be tried; but not with a load while units of its own model wait.
      const std::size_t unknown = bestSlot(unit, [this, unit](const Slot& slot) {
        return slot.isIdle && !slot.isKnown && (slot.key == kNone || slot.key == m_unitKey[unit] || m_unitsOfKey[slot.key] == 0);
      });
      if (unknown != kNone) {
        assign(unknown, unit, false);
        continue;
      }
      Slot& slot = m_slots[busy];
      if (slot.firstLeft == kNone && slot.key == m_unitKey[unit]) {
        slot.firstLeft = unit;
      }
      slot.freeAt = endOf(slot, unit);
      slot.key = m_unitKey[unit];
    }
  }

  void abstain() {
    for (std::size_t s = 0; s < m_slots.size(); ++s) {
      if (!m_slots[s].isIdle) {
        continue;
      }
      WhyIdle why = m_waiting == 0 ? WhyIdle::NoUnitWaits : WhyIdle::NoUnitForThisSlot;
      for (std::size_t unit = head(); unit < m_window.size(); unit = m_next[unit]) {
        if (mayTake(s, unit)) {
          why = m_isEndGame ? WhyIdle::OthersFinishSooner : WhyIdle::NotWorthLoading;
          m_isAnyoneHoldingBack = true;
          break;
        }
      }
      m_plan.abstentions.push_back({m_slots[s].view->slot, why});
    }
  }

  void prefetch() {
    const auto count = static_cast<std::int64_t>(m_slots.size());
    if (m_isAnyoneHoldingBack || m_waiting <= count) {
      return;
    }
    if (m_isEndGame) {
      for (std::size_t s = 0; s < m_slots.size() && m_waiting > count; ++s) {
        const Slot& slot = m_slots[s];
        if (slot.view->canPrefetch && !slot.view->canBegin && slot.isKnown && slot.firstLeft != kNone) {
          assign(s, slot.firstLeft, true);
        }
      }
      return;
    }
    std::vector<std::size_t> order;
    double rate = 0;
    double work = m_work * m_scale;
    for (std::size_t s = 0; s < m_slots.size(); ++s) {
      const Slot& slot = m_slots[s];
      if (std::isfinite(slot.freeAt) && slot.secondsPerWork > 0) {
        rate += 1 / slot.secondsPerWork;
        work += slot.freeAt / slot.secondsPerWork;
      }
      if (slot.view->canPrefetch && !slot.view->canBegin && slot.key != kNone) {
        order.push_back(s);
      }
    }
    std::sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
      return std::tuple(m_slots[a].freeAt, m_slots[a].view->slot) < std::tuple(m_slots[b].freeAt, m_slots[b].view->slot);
    });
    const double secondsOfAll = rate > 0 ? work / rate : kUnknownSeconds;
    for (const std::size_t s : order) {
      if (m_waiting <= count) {
        return;
      }
      const std::size_t unit = ownUnit(s);
      if (unit == kNone || isOverdueUnitOfOthers(s, unit)) {
        continue;
      }
      const bool isForeseen = m_slots[s].isKnown && std::isfinite(m_slots[s].freeAt);
      if (isForeseen ? endOf(m_slots[s], unit) <= secondsOfAll
                     : static_cast<double>(m_waiting) > m_rules.endGameFactor * static_cast<double>(count)) {
        assign(s, unit, true);
      }
    }
  }

  /// True if an overdue unit before `unit` is one for this slot too: it should come to that one with nothing reserved.
  bool isOverdueUnitOfOthers(std::size_t slot, std::size_t unit) const {
    for (std::size_t other = head(); other < unit; other = m_next[other]) {
      if (isOverdue(other) && mayTake(slot, other) && (isStarving(other) || !hasOwner(other))) {
        return true;
      }
    }
    return false;
  }

  const std::span<const WaitingUnit> m_window;
  const DispatchRules& m_rules;
  std::int64_t m_waiting;
  std::vector<Key> m_keys;
  std::vector<std::size_t> m_unitKey;
  std::vector<std::size_t> m_slotKey;
  std::vector<Slot> m_slots;
  std::vector<std::size_t> m_next;
  std::vector<std::size_t> m_previous;
  std::size_t m_head = 0;
  std::vector<double> m_backlog;  ///< work that waits in the window, by key
  std::vector<int> m_unitsOfKey;  ///< units that wait in the window, by key
  double m_work = 0;              ///< all of m_backlog
  double m_scale = 1;             ///< what waits in all to what waits in the window
  bool m_isEndGame = false;
  bool m_isAnyoneHoldingBack = false;
  DispatchPlan m_plan;
};

}  // namespace

Result<void> validate(const DispatchRules& rules) {
  if (rules.affinityWindow < 1 || rules.affinityWindow > 4096) {
    return Error{ErrorCode::InvalidArgument, "affinityWindow must be 1 to 4096.", {}};
  }
  if (rules.maxPassedOver < 1 || rules.maxPassedOver > 1000000) {
    return Error{ErrorCode::InvalidArgument, "maxPassedOver must be 1 to 1000000.", {}};
  }
  if (rules.maxAtHead.count() < 0) {
    return Error{ErrorCode::InvalidArgument, "maxAtHead must not be negative.", {}};
  }
  if (!(rules.endGameFactor >= 0 && rules.endGameFactor <= 64)) {
    return Error{ErrorCode::InvalidArgument, "endGameFactor must be 0 to 64.", {}};
  }
  return {};
}

DispatchPlan plan(std::span<const WaitingUnit> window, std::int64_t waitingInAll, std::span<const SlotView> slots,
                  const DispatchRules& rules) {
  return Planner(window, waitingInAll, slots, rules).run();
}

std::vector<Assignment> assign(std::span<const WaitingUnit> window, std::int64_t waitingInAll, std::span<const SlotView> slots,
                               const DispatchRules& rules) {
  return plan(window, waitingInAll, slots, rules).assignments;
}

void FairnessBook::fill(std::span<WaitingUnit> window, std::chrono::milliseconds now) {
  const std::optional<std::int64_t> head = window.empty() ? std::nullopt : std::optional(window.front().jobId);
  if (head != m_head) {
    m_head = head;
    m_headSince = now;
  }
  for (WaitingUnit& unit : window) {
    const auto found = m_passedOver.find(unit.jobId);
    unit.passedOver = found == m_passedOver.end() ? 0 : found->second;
    unit.isLongAtHead = false;
  }
  if (!window.empty()) {
    window.front().isLongAtHead = now - m_headSince >= m_rules.maxAtHead;
  }
}

void FairnessBook::note(std::span<const WaitingUnit> window, std::span<const Assignment> assignments) {
  std::unordered_map<std::int64_t, int> slotOf;
  for (const Assignment& assignment : assignments) {
    slotOf.emplace(assignment.jobId, assignment.slot);
  }
  std::unordered_map<std::int64_t, int> counts;
  std::vector<int> laterSlots;  // of the units behind the one that is looked at
  for (std::size_t i = window.size(); i-- > 0;) {
    const WaitingUnit& unit = window[i];
    if (const auto taken = slotOf.find(unit.jobId); taken != slotOf.end()) {
      laterSlots.push_back(taken->second);
      continue;
    }
    const auto passed = std::count_if(laterSlots.begin(), laterSlots.end(), [&unit](int slot) {
      return std::find(unit.avoidedSlots.begin(), unit.avoidedSlots.end(), slot) == unit.avoidedSlots.end();
    });
    const auto before = m_passedOver.find(unit.jobId);
    const int count = (before == m_passedOver.end() ? 0 : before->second) + static_cast<int>(passed);
    if (count > 0) {
      counts.emplace(unit.jobId, count);
    }
  }
  m_passedOver = std::move(counts);
}

}  // namespace polyptych::queue
