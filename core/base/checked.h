#pragma once

#include <concepts>
#include <optional>

namespace polyptych::base {

/// a * b, or nothing if the product does not fit T.
template <std::integral T>
[[nodiscard]] constexpr std::optional<T> checkedMul(T a, T b) {
  T out{};
  if (__builtin_mul_overflow(a, b, &out)) {
    return std::nullopt;
  }
  return out;
}

/// a + b, or nothing if the sum does not fit T.
template <std::integral T>
[[nodiscard]] constexpr std::optional<T> checkedAdd(T a, T b) {
  T out{};
  if (__builtin_add_overflow(a, b, &out)) {
    return std::nullopt;
  }
  return out;
}

}  // namespace polyptych::base
