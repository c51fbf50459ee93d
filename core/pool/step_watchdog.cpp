#include "core/pool/step_watchdog.h"

#include <algorithm>

namespace polyptych::pool {
namespace {

constexpr std::size_t kUnits = 8;
constexpr std::size_t kShapes = 64;
constexpr std::int64_t kMegapixel = 1 << 20;
/// Keeps the arithmetic far from its end.
constexpr std::chrono::milliseconds kLongestBeat = std::chrono::hours(24 * 365);

}  // namespace

std::chrono::milliseconds StepWatchdog::begin(std::uint64_t shapeKey, std::int64_t pixels) {
  m_shapeKey = shapeKey;
  m_pixels = std::max<std::int64_t>(pixels, 1);
  m_next = Start;
  m_longest = {};
  return limitOf(Start);
}

/// From the finished units of the shape and the unit in work. A first unit has nothing but its own steps to go by.
std::chrono::milliseconds StepWatchdog::limitOf(Kind kind) const {
  std::chrono::milliseconds longest = kind == Step ? m_longest[Step] : std::chrono::milliseconds(0);
  bool isKnown = longest.count() > 0;
  if (const auto shape = m_shapes.find(m_shapeKey); shape != m_shapes.end()) {
    isKnown = true;
    for (const Longest& unit : shape->second.units) {
      longest = std::max(longest, unit[kind]);
    }
    longest = std::max(longest, m_longest[kind]);
  }
  if (isKnown) {
    return std::max(m_deadlines.stepFloor, std::min(longest, kLongestBeat) * m_deadlines.stepFactor);
  }
  return m_deadlines.firstBeat * ((m_pixels + kMegapixel - 1) / kMegapixel);
}

void StepWatchdog::take(std::chrono::milliseconds took) {
  m_longest[m_next] = std::max({m_longest[m_next], took, std::chrono::milliseconds(1)});
}

std::chrono::milliseconds StepWatchdog::beat(const domain::StepProgress& progress, std::chrono::milliseconds took) {
  take(took);
  switch (progress.stage) {
    case domain::Stage::Encoding:
      m_next = Start;
      break;
    case domain::Stage::Denoising:
      // The first step tells how long a step takes, in a unit that nothing is known of.
      m_longest[Step] = std::max({m_longest[Step], took, std::chrono::milliseconds(1)});
      m_next = progress.step < progress.steps ? Step : Tail;
      break;
    case domain::Stage::Decoding:
    case domain::Stage::Saving:
      m_next = Tail;
      break;
  }
  return limitOf(m_next);
}

std::chrono::milliseconds StepWatchdog::pictureMade(std::chrono::milliseconds took) {
  take(took);
  m_next = Tail;
  return limitOf(Tail);
}

void StepWatchdog::finish() {
  if (!m_shapes.contains(m_shapeKey) && m_shapes.size() >= kShapes) {
    m_shapes.erase(std::min_element(m_shapes.begin(), m_shapes.end(),
                                    [](const auto& a, const auto& b) { return a.second.lastUse < b.second.lastUse; }));
  }
  Shape& shape = m_shapes[m_shapeKey];
  shape.lastUse = ++m_uses;
  shape.units.push_back(m_longest);
  if (shape.units.size() > kUnits) {
    shape.units.pop_front();
  }
}

void StepWatchdog::forget() { m_shapes.clear(); }

}  // namespace polyptych::pool
