#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "core/backend/face_messages.h"

using namespace polyptych::backend;
using polyptych::protocol::FrameParser;

namespace {

std::span<const std::byte> spanOf(const QByteArray& bytes) {
  return std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size())));
}

}  // namespace

/// First byte: how large the pieces are in which the rest arrives. What decodes must encode, and to a message that encodes the
/// same.
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
      const auto message = face::decode(std::move(**frame));
      if (!message) {
        continue;
      }
      const auto bytes = face::encode(*message);
      if (!bytes) {
        std::abort();
      }
      FrameParser second;
      second.feed(spanOf(*bytes));
      auto again = second.next();
      if (!again || !*again) {
        std::abort();
      }
      const auto back = face::decode(std::move(**again));
      if (!back || face::encode(*back).value() != *bytes) {
        std::abort();
      }
    }
  }
  return 0;
}
