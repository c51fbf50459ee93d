#include "core/queue/batch_choice.h"

#include <algorithm>

namespace polyptych::queue {
namespace {

constexpr std::uint64_t kBytesPerPixel = 5 * 1024;
/// A larger batch must bring more than this, as a part of the time.
constexpr double kWorthwhile = 0.03;

}  // namespace

int chooseBatch(const BatchFacts& facts) {
  if (facts.hasCpu || facts.freeBytes == 0 || facts.pixels <= 0) {
    return 1;
  }
  const std::uint64_t usable = facts.freeBytes / 5 * 4;
  const auto fits = [&](int batch) {
    const std::uint64_t pictures = static_cast<std::uint64_t>(batch) * static_cast<std::uint64_t>(facts.pixels) * kBytesPerPixel;
    return facts.modelBytes <= usable && pictures <= usable - facts.modelBytes;
  };
  int largest = 1;
  while (2 * largest <= kMaxChosenBatch && fits(2 * largest)) {
    largest *= 2;
  }
  if (facts.secondsPerPicture.empty()) {
    return largest;
  }
  int best = 0;
  double seconds = 0;
  for (const auto& [batch, measured] : facts.secondsPerPicture) {
    if (batch <= largest && measured > 0 && (best == 0 || measured < seconds * (1 - kWorthwhile))) {
      best = batch;
      seconds = measured;
    }
  }
  if (best == 0) {
    return largest;
  }
  // The largest that was measured is the best so far: one step further may be better still.
  const int last = facts.secondsPerPicture.rbegin()->first;
  return best == last && 2 * best <= largest ? 2 * best : best;
}

}  // namespace polyptych::queue
