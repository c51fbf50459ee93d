#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace polyptych::domain {

/// 8-bit RGB picture, rows from the top, no padding: pixels.size() == 3 * width * height.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;

  bool isNull() const { return width == 0 || height == 0; }
  friend bool operator==(const Image&, const Image&) = default;
};

}  // namespace polyptych::domain
