#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "core/protocol/frame.h"

namespace polyptych::tests {

/// Bytes as they come from a socket: the first one says how large the pieces are in which the rest arrives.
/// @param take is given every whole frame; what comes behind bytes that are no frame is not read
template <typename Take>
void fuzzPieces(const std::uint8_t* data, std::size_t size, const Take& take) {
  if (size == 0) {
    return;
  }
  const std::size_t piece = std::size_t{1} + data[0];
  std::span<const std::byte> rest(reinterpret_cast<const std::byte*>(data + 1), size - 1);
  protocol::FrameParser parser;
  while (!rest.empty()) {
    const auto now = rest.first(std::min(piece, rest.size()));
    rest = rest.subspan(now.size());
    parser.feed(now);
    for (;;) {
      auto frame = parser.next();
      if (!frame) {
        return;
      }
      if (!*frame) {
        break;
      }
      take(std::move(**frame));
    }
  }
}

}  // namespace polyptych::tests
