#pragma once

#include <cstdint>
#include <map>

namespace polyptych::queue {

/// What is known when a run is submitted without a batch size.
struct BatchFacts {
  bool hasCpu = false;          ///< one of the ticked devices is a CPU slot
  std::uint64_t freeBytes = 0;  ///< of the ticked GPU that has least; 0: not known
  std::uint64_t modelBytes = 0;
  std::int64_t pixels = 0;  ///< of a picture
  /// Seconds a picture by batch size, measured on this model and size; the slowest device's where there are several.
  std::map<int, double> secondsPerPicture;
};

/// Largest batch that is chosen without being asked for.
inline constexpr int kMaxChosenBatch = 8;

/// A batch size for every unit of a run.
///
/// - A CPU works on one picture at a time: batches bring nothing there and cost memory.
/// - On GPUs: the largest of 1, 2, 4, 8 that fits into four fifths of the free memory, by the model's weights and 5 KiB a pixel
/// and
///   picture (a picture's largest moment is its decoding: some dozens of planes of 16-bit numbers at full size).
/// - What was measured is better than what is supposed: of the sizes that fit, the smallest that is within 3 % of the fastest; a
/// size
///   above the largest that was measured is tried only if the step before it brought more than 3 %.
int chooseBatch(const BatchFacts& facts);

}  // namespace polyptych::queue
