#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/domain/request.h"

namespace polyptych::backend {

/// What a list may be at most, whoever made it.
inline constexpr std::size_t kMaxPicturesInList = 1'000'000;
/// All texts of all pictures together, each counted as often as it is used: what decoding may need memory for.
inline constexpr std::size_t kMaxTextBytesInList = std::size_t(1) << 30;

/// The requests of a run as bytes: a text that several pictures share is there once (core/backend/FACES.md, "Requests").
/// @return InvalidArgument for texts that are not UTF-8, numbers that are not finite, and lists above the limits
base::Result<std::vector<std::byte>> encodeRequests(const std::vector<domain::GenerationRequest>& requests);

/// Whether a request makes sense is domain::validate()'s to say. @return Protocol
base::Result<std::vector<domain::GenerationRequest>> decodeRequests(std::span<const std::byte> bytes);

}  // namespace polyptych::backend
