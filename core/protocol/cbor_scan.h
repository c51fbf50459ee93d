#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace polyptych::protocol {

/// Limits of a map, whatever its length in bytes.
struct CborLimits {
  std::size_t maxDepth = 6;
  std::size_t maxValues = 16384;  ///< keys count too
};

/// What is wrong with bytes that are to be one CBOR item and nothing behind it; nothing if they can be given to a library.
/// Libraries recurse once a level and once a piece of a text of open length, and reserve what a length promises, so that this
/// comes first. Refused: tags, byte strings, open lengths, simple values but false, true and null. Text is not looked at.
std::optional<std::string> problemOfCbor(std::span<const std::byte> bytes, const CborLimits& limits = {});

}  // namespace polyptych::protocol
