#pragma once

#include <cstddef>
#include <vector>

#include "core/domain/request.h"

namespace polyptych::queue {

/// Positions of the requests that one worker makes in one go.
using Unit = std::vector<std::size_t>;

/// True if two requests may be in one unit: equal size, steps, guidance, scheduler and clip skip.
bool haveEqualShape(const domain::GenerationRequest& a, const domain::GenerationRequest& b);

/// Units of at most `batch` requests of equal shape, in the order of their first request. Depends on the list and the batch size
/// alone, so that a unit can be made again after anything.
std::vector<Unit> groupUnits(const std::vector<domain::GenerationRequest>& requests, int batch);

}  // namespace polyptych::queue
