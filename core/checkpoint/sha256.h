#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace polyptych::checkpoint {

/// SHA-256 (FIPS 180-4), with the processor's SHA instructions where it has them.
class Sha256 {
 public:
  Sha256();
  void add(std::span<const std::byte> bytes);
  /// Lower-case hex of everything added. The object is done with after this.
  std::string finish();

  /// One that uses the portable code on every machine.
  static Sha256 portable();

 private:
  void compress(const std::byte* blocks, std::size_t count);

  std::array<std::uint32_t, 8> m_state;
  std::array<std::byte, 64> m_buffer{};
  std::size_t m_buffered = 0;
  std::uint64_t m_total = 0;
  bool m_hasInstructions = false;
};

}  // namespace polyptych::checkpoint
