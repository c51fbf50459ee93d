#include <cstdlib>

#include "core/protocol/messages.h"
#include "tests/support/fuzz_pieces.h"

using namespace polyptych::protocol;

/// What decodes must encode to a message that is equal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  polyptych::tests::fuzzPieces(data, size, [](Frame frame) {
    const auto message = decode(std::move(frame));
    if (!message) {
      return;
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
  });
  return 0;
}
