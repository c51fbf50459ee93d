#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace polyptych::checkpoint {

/// Element types of the safetensors format. F4 and the F6 types are packed: several elements share bytes.
enum class Dtype {
  Bool,
  F4,
  F6E2M3,
  F6E3M2,
  U8,
  I8,
  F8E5M2,
  F8E4M3,
  F8E5M2Fnuz,
  F8E4M3Fnuz,
  F8E8M0,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  C64,
  F64,
  I64,
  U64,
};

/// The format's own spelling: "BF16". @return static storage
std::string_view toString(Dtype dtype);
/// @return nothing for a word that the format does not have
std::optional<Dtype> dtypeFromString(std::string_view name);
/// Bits of one element: 4 to 64.
int bitsOf(Dtype dtype);
/// Bytes at which an element's address must be a multiple: 1 for the packed types, 4 for C64 (two floats).
std::size_t alignmentOf(Dtype dtype);

/// Elements of one tensor, row-major and little-endian, owned by somebody else.
struct TensorView {
  Dtype dtype = Dtype::F32;
  std::vector<std::int64_t> shape;  ///< empty: one element
  std::span<const std::byte> bytes;
};

}  // namespace polyptych::checkpoint
