#include "core/pool/supervision_limits.h"

#include <string>

namespace polyptych::pool {

using base::Error;
using base::ErrorCode;
using base::Result;

namespace {

constexpr int kMostCount = 1000000;

Error refusal(const std::string& sentence) { return {ErrorCode::InvalidArgument, sentence, {}}; }

}  // namespace

Result<void> validate(const SupervisionLimits& limits) {
  const struct {
    const char* name;
    int value;
    int least;
  } counts[] = {
      {"maxDeathsPerUnit", limits.maxDeathsPerUnit, 0},       {"maxOutOfMemoryPerUnit", limits.maxOutOfMemoryPerUnit, 1},
      {"maxRestartsInWindow", limits.maxRestartsInWindow, 0}, {"deviceBreaker", limits.deviceBreaker, 0},
      {"overallBreaker", limits.overallBreaker, 0},           {"smallestSide", limits.smallestSide, 64},
  };
  for (const auto& count : counts) {
    if (count.value < count.least || count.value > kMostCount) {
      return refusal(std::string(count.name) + " must be " + std::to_string(count.least) + " to " + std::to_string(kMostCount) +
                     ".");
    }
  }
  if (limits.restartBase.count() < 0 || limits.restartMax < limits.restartBase) {
    return refusal("restartBase must not be negative, and restartMax not below it.");
  }
  if (!(limits.restartFactor >= 1 && limits.restartFactor <= 100)) {
    return refusal("restartFactor must be 1 to 100.");
  }
  if (limits.restartWindow.count() <= 0) {
    return refusal("restartWindow must be above 0.");
  }
  if ((limits.releaseAfter && limits.releaseAfter->count() <= 0) || (limits.stopAfter && limits.stopAfter->count() <= 0)) {
    return refusal("releaseAfter and stopAfter must be above 0, or absent.");
  }
  return {};
}

}  // namespace polyptych::pool
