#include "core/pool/load_admission.h"

#include <algorithm>
#include <limits>

namespace polyptych::pool {
namespace {

std::uint64_t sum(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

/// "4.2 GB"
std::string inGigabytes(std::uint64_t bytes) {
  const std::uint64_t tenths = bytes / 100000000 + (bytes % 100000000 >= 50000000 ? 1 : 0);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GB";
}

}  // namespace

LoadAdmission::Decision LoadAdmission::decide(std::uint64_t freeBytes, std::optional<std::uint64_t> neededBytes,
                                              std::span<const LoadInProgress> loads) const {
  if (loads.empty()) {
    return {true, {}};
  }
  const bool isAllKnown = neededBytes && std::all_of(loads.begin(), loads.end(),
                                                     [](const LoadInProgress& load) { return load.neededBytes.has_value(); });
  if (!isAllKnown) {
    return {false, "Waits for another device to load: nobody knows how much memory a load takes."};
  }
  std::uint64_t reserved = m_limits.hostReserveBytes;
  for (const LoadInProgress& load : loads) {
    reserved = sum(reserved, *load.neededBytes - std::min(*load.neededBytes, load.takenBytes));
  }
  if (sum(reserved, *neededBytes) <= freeBytes) {
    return {true, {}};
  }
  return {false, "Waits for memory of the computer: the load takes " + inGigabytes(*neededBytes) + ", " + inGigabytes(freeBytes) +
                     " are free and " + inGigabytes(reserved) + " of them are kept for other loads and programs."};
}

}  // namespace polyptych::pool
