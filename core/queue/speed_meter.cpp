#include "core/queue/speed_meter.h"

#include <algorithm>
#include <cmath>

namespace polyptych::queue {
namespace {

constexpr std::size_t kSamples = 9;
constexpr std::size_t kShapesPerSlot = 64;
/// The last so many units a slot are put on the slots one by one; before them work flows like water.
constexpr std::int64_t kLastUnitsPerSlot = 4;

double median(std::vector<double> values) {
  const std::size_t middle = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(middle), values.end());
  return values[middle];
}

/// When all slots together have done `work` if each begins when it is free: the level of water over an uneven floor.
double levelOf(double work, const std::vector<std::pair<double, double>>& freeAtAndSecondsPerWork) {
  std::vector<std::pair<double, double>> floor = freeAtAndSecondsPerWork;
  std::sort(floor.begin(), floor.end());
  double rate = 0;
  double done = 0;  // what the slots so far would have done by the level
  double level = floor.front().first;
  for (const auto& [freeAt, secondsPerWork] : floor) {
    if (done + rate * (freeAt - level) >= work && rate > 0) {
      break;
    }
    done += rate * (freeAt - level);
    level = freeAt;
    rate += 1 / secondsPerWork;
  }
  return level + (work - done) / rate;
}

}  // namespace

void SpeedMeter::noteLoaded(int slot) { m_slots[slot].isFirstAfterLoad = true; }

void SpeedMeter::add(Samples& samples, bool isFirstAfterLoad, double secondsPerWork) {
  if (isFirstAfterLoad) {
    samples.first = secondsPerWork;
    return;
  }
  samples.steady.push_back(secondsPerWork);
  if (samples.steady.size() > kSamples) {
    samples.steady.pop_front();
  }
}

double SpeedMeter::estimate(const Samples& samples) {
  if (samples.steady.empty()) {
    return samples.first.value_or(0);
  }
  return median({samples.steady.begin(), samples.steady.end()});
}

void SpeedMeter::noteFinished(int slot, std::uint64_t shapeKey, double work, double seconds) {
  if (!(work > 0) || !(seconds > 0) || !std::isfinite(work) || !std::isfinite(seconds)) {
    return;
  }
  ++m_unitsDone;
  Slot& it = m_slots[slot];
  if (it.byShape.size() >= kShapesPerSlot && !it.byShape.contains(shapeKey)) {
    it.byShape.erase(std::min_element(it.byShape.begin(), it.byShape.end(),
                                      [](const auto& a, const auto& b) { return a.second.lastUse < b.second.lastUse; }));
  }
  Samples& samples = it.byShape[shapeKey];
  samples.lastUse = ++m_uses;
  add(samples, it.isFirstAfterLoad, seconds / work);
  add(it.ofAnyShape, it.isFirstAfterLoad, seconds / work);
  it.isFirstAfterLoad = false;
}

void SpeedMeter::forget(int slot) { m_slots.erase(slot); }

double SpeedMeter::secondsPerWork(int slot, std::uint64_t shapeKey) const {
  const auto found = m_slots.find(slot);
  if (found == m_slots.end()) {
    return 0;
  }
  const auto shape = found->second.byShape.find(shapeKey);
  return estimate(shape == found->second.byShape.end() ? found->second.ofAnyShape : shape->second);
}

std::optional<double> SpeedMeter::secondsLeft(std::int64_t units, double workOfUnit, std::span<const SlotView> slots) const {
  if (m_unitsDone < 2 || units < 0 || !(workOfUnit >= 0)) {
    return std::nullopt;
  }
  double sum = 0;
  int known = 0;
  double inWork = 0;
  std::vector<std::pair<double, double>> floor;
  for (const SlotView& slot : slots) {
    if (slot.secondsPerWork > 0 && std::isfinite(slot.secondsPerWork)) {
      sum += slot.secondsPerWork;
      ++known;
    }
    const double freeAt = slot.canBegin ? 0 : std::max(slot.secondsUntilFree, 0.0);
    if (std::isfinite(freeAt)) {
      inWork = std::max(inWork, freeAt);
      const bool isCold = !slot.isStarted || !slot.loadedKey;
      floor.emplace_back(freeAt + (isCold ? slot.startSeconds + slot.loadSeconds : 0), slot.secondsPerWork);
    }
  }
  if (units == 0) {
    return inWork;
  }
  if (known == 0 || floor.empty()) {
    return std::nullopt;
  }
  for (auto& [freeAt, secondsPerWork] : floor) {
    if (!(secondsPerWork > 0) || !std::isfinite(secondsPerWork)) {
      secondsPerWork = sum / known;
    }
  }
  const std::int64_t last = std::min(units, kLastUnitsPerSlot * static_cast<std::int64_t>(floor.size()));
  if (units > last) {
    const double level = levelOf(static_cast<double>(units - last) * workOfUnit, floor);
    for (auto& [freeAt, secondsPerWork] : floor) {
      freeAt = std::max(freeAt, level);
    }
  }
  double end = inWork;
  for (std::int64_t i = 0; i < last; ++i) {
    auto& best = *std::min_element(floor.begin(), floor.end(), [workOfUnit](const auto& a, const auto& b) {
      return a.first + a.second * workOfUnit < b.first + b.second * workOfUnit;
    });
    best.first += best.second * workOfUnit;
    end = std::max(end, best.first);
  }
  return end;
}

}  // namespace polyptych::queue
