// What one look of the dispatcher costs: 64 slots, a window of 256, in the situations that make it work most.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <vector>

#include "core/queue/dispatcher.h"

using namespace polyptych::queue;

namespace {

constexpr int kSlots = 64;
constexpr int kWindow = 256;

struct Situation {
  const char* name;
  std::int64_t waiting;
  int idleOf64;
  unsigned models;
  int passedOver;
  double endGameFactor;
};

std::vector<WaitingUnit> windowOf(const Situation& it, std::mt19937& random) {
  std::vector<WaitingUnit> units(kWindow);
  for (int i = 0; i < kWindow; ++i) {
    WaitingUnit& unit = units[static_cast<std::size_t>(i)];
    unit.jobId = i;
    unit.loadKey = random() % it.models;
    unit.shapeKey = random() % 3;
    unit.work = 1 + static_cast<double>(random() % 4);
    unit.passedOver = it.passedOver;
    if (i % 8 == 0) {
      unit.avoidedSlots = {static_cast<int>(random() % kSlots), static_cast<int>(random() % kSlots)};
    }
  }
  return units;
}

std::vector<SlotView> slotsOf(const Situation& it, std::mt19937& random) {
  std::vector<SlotView> views(kSlots);
  for (int s = 0; s < kSlots; ++s) {
    SlotView& view = views[static_cast<std::size_t>(s)];
    view.slot = s;
    view.canBegin = s < it.idleOf64;
    view.canPrefetch = !view.canBegin;
    view.isStarted = true;
    view.loadedKey = random() % it.models;
    view.processKey = 0;
    view.lastShape = random() % 3;
    view.secondsPerWork = 1 + static_cast<double>(random() % 3);
    view.loadSeconds = 10;
    view.secondsUntilFree = view.canBegin ? 0 : static_cast<double>(random() % 5);
  }
  return views;
}

}  // namespace

int main() {
  const Situation situations[] = {
      {"one slot is free, one model", 100000, 1, 1, 0, 2},
      {"all slots are free, one model", 100000, 64, 1, 0, 2},
      {"all slots are free, 4 models", 100000, 64, 4, 0, 2},
      {"all slots are free, 256 models", 100000, 64, 256, 0, 2},
      {"all slots are free, 256 models, all overdue", 100000, 64, 256, 32, 2},
      {"all slots are busy, prefetch, 4 models", 100000, 0, 4, 0, 2},
      {"end game, one slot is free", 128, 1, 4, 0, 64},
      {"end game, all slots are free", 256, 64, 4, 0, 64},
  };
  std::printf("%-48s %10s %10s %8s\n", "64 slots, window of 256", "median us", "p99 us", "given");
  for (const Situation& situation : situations) {
    std::mt19937 random(1);
    const std::vector<WaitingUnit> units = windowOf(situation, random);
    const std::vector<SlotView> slots = slotsOf(situation, random);
    DispatchRules rules;
    rules.endGameFactor = situation.endGameFactor;
    std::vector<double> times;
    std::size_t given = 0;
    for (int i = 0; i < 2000; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      given = assign(units, situation.waiting, slots, rules).size();
      times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
    }
    std::sort(times.begin(), times.end());
    std::printf("%-48s %10.1f %10.1f %8zu\n", situation.name, times[times.size() / 2], times[times.size() * 99 / 100], given);
  }
  return 0;
}
