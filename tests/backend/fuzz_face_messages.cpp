#include <cstdlib>

#include "core/backend/face_messages.h"
#include "tests/support/fuzz_pieces.h"

using namespace polyptych::backend;
using polyptych::protocol::Frame;
using polyptych::protocol::FrameParser;

/// What decodes must encode, and to a message that encodes the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  polyptych::tests::fuzzPieces(data, size, [](Frame frame) {
    const auto message = face::decode(std::move(frame));
    if (!message) {
      return;
    }
    const auto bytes = face::encode(*message);
    if (!bytes) {
      std::abort();
    }
    FrameParser second;
    second.feed(std::as_bytes(std::span(bytes->constData(), static_cast<std::size_t>(bytes->size()))));
    auto again = second.next();
    if (!again || !*again) {
      std::abort();
    }
    const auto back = face::decode(std::move(**again));
    if (!back || face::encode(*back).value() != *bytes) {
      std::abort();
    }
  });
  return 0;
}
