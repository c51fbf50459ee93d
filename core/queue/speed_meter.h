#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "core/queue/dispatcher.h"

namespace polyptych::queue {

/// How fast each slot is, by what it finished. A running median of the last units of a shape; the first unit after a load
/// (kernels are chosen, memory is touched) counts only while there is no other.
class SpeedMeter {
 public:
  /// The slot's next unit is the first after a load.
  void noteLoaded(int slot);
  /// Ignored unless both numbers are finite and above 0.
  void noteFinished(int slot, std::uint64_t shapeKey, double work, double seconds);
  /// The slot is another device now.
  void forget(int slot);

  /// Of that shape; of the slot's last units of any shape if it did none of that one; 0 if it did nothing yet.
  double secondsPerWork(int slot, std::uint64_t shapeKey) const;
  std::int64_t unitsDone() const { return m_unitsDone; }

  /// When equal units would all be done, those in work included, with the slots' own speeds (the mean of the others' for a slot
  /// of unknown speed). @return nothing ("estimating") until two units are done, or if no slot will ever be free
  std::optional<double> secondsLeft(std::int64_t units, double workOfUnit, std::span<const SlotView> slots) const;

 private:
  struct Samples {
    std::deque<double> steady;    ///< the last ones, seconds per work
    std::optional<double> first;  ///< after a load
    std::uint64_t lastUse = 0;
  };
  struct Slot {
    std::map<std::uint64_t, Samples> byShape;
    Samples ofAnyShape;
    bool isFirstAfterLoad = false;
  };

  static void add(Samples& samples, bool isFirstAfterLoad, double secondsPerWork);
  static double estimate(const Samples& samples);

  std::map<int, Slot> m_slots;
  std::int64_t m_unitsDone = 0;
  std::uint64_t m_uses = 0;
};

}  // namespace polyptych::queue
