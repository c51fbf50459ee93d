#pragma once

#include <torch/csrc/distributed/c10d/Store.hpp>

#include "core/distributed/store.h"

namespace polyptych::distributed {

struct Store::Handle {
  c10::intrusive_ptr<c10d::Store> raw;  ///< as connected
  c10::intrusive_ptr<c10d::Store> prefixed;
};

}  // namespace polyptych::distributed
