#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>

#include "core/domain/engine.h"
#include "core/pool/deadlines.h"

namespace polyptych::pool {

/// How long a worker may take for its next beat, by what it took before. One a slot: devices differ. The first unit of a shape
/// has the long limits of beats whose length nobody knows, except within denoising; later ones have measured limits from the
/// start.
///
///   limit = max(stepFloor, stepFactor x the longest beat of that kind), else firstBeat for each megapixel begun
class StepWatchdog {
 public:
  explicit StepWatchdog(const Deadlines& deadlines) : m_deadlines(deadlines) {}

  /// A unit is given. @param shapeKey  equal: the same beats are to be expected. @param pixels  of all its pictures
  /// @return the limit of its first beat
  std::chrono::milliseconds begin(std::uint64_t shapeKey, std::int64_t pixels);
  /// @param took  since the beat before, or since begin(). @return the limit of the next beat
  std::chrono::milliseconds beat(const domain::StepProgress& progress, std::chrono::milliseconds took);
  /// A finished picture arrived, between the beats. @return the limit of what comes next
  std::chrono::milliseconds pictureMade(std::chrono::milliseconds took);
  /// The unit was finished: what it took counts for the next of its shape. A unit that is not finished leaves nothing behind.
  void finish();
  /// The slot is another device now.
  void forget();

 private:
  /// Kinds of beats, by what a beat follows.
  enum Kind { Start, Step, Tail };  // to the first beat; between two steps; after the last step
  using Longest = std::array<std::chrono::milliseconds, 3>;
  struct Shape {
    std::deque<Longest> units;
    std::uint64_t lastUse = 0;
  };

  std::chrono::milliseconds limitOf(Kind kind) const;
  void take(std::chrono::milliseconds took);

  const Deadlines m_deadlines;
  std::map<std::uint64_t, Shape> m_shapes;
  std::uint64_t m_uses = 0;
  std::uint64_t m_shapeKey = 0;
  std::int64_t m_pixels = 0;
  Kind m_next = Start;
  Longest m_longest{};
};

}  // namespace polyptych::pool
