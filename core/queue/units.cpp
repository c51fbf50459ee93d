#include "core/queue/units.h"

#include <map>
#include <tuple>

namespace polyptych::queue {
namespace {

auto shapeOf(const domain::GenerationRequest& request) {
  return std::tie(request.width, request.height, request.steps, request.guidanceScale, request.guidanceRescale, request.scheduler,
                  request.clipSkip);
}

}  // namespace

bool haveEqualShape(const domain::GenerationRequest& a, const domain::GenerationRequest& b) { return shapeOf(a) == shapeOf(b); }

std::vector<Unit> groupUnits(const std::vector<domain::GenerationRequest>& requests, int batch) {
  using Shape = decltype(shapeOf(requests.front()));
  std::vector<Unit> units;
  std::map<Shape, std::size_t> openUnits;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (batch == 1) {
      units.push_back({i});
      continue;
    }
    const auto [open, isNew] = openUnits.try_emplace(shapeOf(requests[i]), units.size());
    if (isNew) {
      units.emplace_back();
    }
    units[open->second].push_back(i);
    if (units[open->second].size() == static_cast<std::size_t>(batch)) {
      openUnits.erase(open);
    }
  }
  return units;
}

}  // namespace polyptych::queue
