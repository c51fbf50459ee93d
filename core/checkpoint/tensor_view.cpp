#include "core/checkpoint/tensor_view.h"

#include <array>
#include <utility>

namespace polyptych::checkpoint {
namespace {

struct DtypeTrait {
  Dtype dtype;
  std::string_view name;
  int bits;
  std::size_t alignment;
};

constexpr std::array kTraits{
    DtypeTrait{Dtype::Bool, "BOOL", 8, 1},
    DtypeTrait{Dtype::F4, "F4", 4, 1},
    DtypeTrait{Dtype::F6E2M3, "F6_E2M3", 6, 1},
    DtypeTrait{Dtype::F6E3M2, "F6_E3M2", 6, 1},
    DtypeTrait{Dtype::U8, "U8", 8, 1},
    DtypeTrait{Dtype::I8, "I8", 8, 1},
    DtypeTrait{Dtype::F8E5M2, "F8_E5M2", 8, 1},
    DtypeTrait{Dtype::F8E4M3, "F8_E4M3", 8, 1},
    DtypeTrait{Dtype::F8E5M2Fnuz, "F8_E5M2FNUZ", 8, 1},
    DtypeTrait{Dtype::F8E4M3Fnuz, "F8_E4M3FNUZ", 8, 1},
    DtypeTrait{Dtype::F8E8M0, "F8_E8M0", 8, 1},
    DtypeTrait{Dtype::I16, "I16", 16, 2},
    DtypeTrait{Dtype::U16, "U16", 16, 2},
    DtypeTrait{Dtype::F16, "F16", 16, 2},
    DtypeTrait{Dtype::BF16, "BF16", 16, 2},
    DtypeTrait{Dtype::I32, "I32", 32, 4},
    DtypeTrait{Dtype::U32, "U32", 32, 4},
    DtypeTrait{Dtype::F32, "F32", 32, 4},
    DtypeTrait{Dtype::C64, "C64", 64, 4},
    DtypeTrait{Dtype::F64, "F64", 64, 8},
    DtypeTrait{Dtype::I64, "I64", 64, 8},
    DtypeTrait{Dtype::U64, "U64", 64, 8},
};

constexpr bool isInEnumOrder() {
  for (std::size_t i = 0; i < kTraits.size(); ++i) {
    if (static_cast<std::size_t>(kTraits[i].dtype) != i) {
      return false;
    }
  }
  return true;
}
static_assert(isInEnumOrder());

const DtypeTrait& traitOf(Dtype dtype) { return kTraits[static_cast<std::size_t>(dtype)]; }

}  // namespace

std::string_view toString(Dtype dtype) { return traitOf(dtype).name; }

std::optional<Dtype> dtypeFromString(std::string_view name) {
  for (const DtypeTrait& trait : kTraits) {
    if (trait.name == name) {
      return trait.dtype;
    }
  }
  return std::nullopt;
}

int bitsOf(Dtype dtype) { return traitOf(dtype).bits; }

std::size_t alignmentOf(Dtype dtype) { return traitOf(dtype).alignment; }

}  // namespace polyptych::checkpoint
