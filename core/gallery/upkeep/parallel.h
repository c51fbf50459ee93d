#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace polyptych::gallery {

/// Calls work(i) for every i below `count`, on `threads` threads (0: as many as there are cores), this one among them; waits for
/// all.
template <typename Work>
void inParallel(std::size_t count, int threads, Work work) {
  constexpr std::size_t kAtOnce = 32;
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t wanted = std::min<std::size_t>(threads > 0 ? static_cast<std::size_t>(threads) : cores, count / kAtOnce + 1);
  std::atomic<std::size_t> next{0};
  const auto loop = [&] {
    for (std::size_t begin = 0; (begin = next.fetch_add(kAtOnce)) < count;) {
      for (std::size_t i = begin; i < std::min(begin + kAtOnce, count); ++i) {
        work(i);
      }
    }
  };
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < wanted; ++i) {
    others.emplace_back(loop);
  }
  loop();
}

}  // namespace polyptych::gallery
