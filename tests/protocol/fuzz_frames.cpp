#include <cstdint>
#include <cstdlib>

#include "core/protocol/messages.h"

using namespace polyptych::protocol;

/// First byte: how large the pieces are in which the rest arrives. What decodes must encode to a message that is equal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::size_t piece = std::size_t{1} + data[0];
  std::span<const std::byte> rest(reinterpret_cast<const std::byte*>(data + 1), size - 1);
  FrameParser parser;
  while (!rest.empty()) {
    const auto now = rest.first(std::min(piece, rest.size()));
    rest = rest.subspan(now.size());
    parser.feed(now);
    for (;;) {
      auto frame = parser.next();
      if (!frame) {
        return 0;
      }
      if (!*frame) {
        break;
      }
      const auto message = decode(std::move(**frame));
      if (!message) {
        continue;
      }
      const auto bytes = encode(*message);
      if (!bytes) {
        std::abort();
      }
      FrameParser second;
      second.feed(*bytes);
      auto again = second.next();
      if (!again || !*again) {
        std::abort();
      }
      const auto back = decode(std::move(**again));
      if (!back || !(*back == *message)) {
        std::abort();
      }
    }
  }
  return 0;
}
