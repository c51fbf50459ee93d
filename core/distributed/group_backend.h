#pragma once

#include <torch/csrc/distributed/c10d/Backend.hpp>

#include "core/distributed/group.h"

namespace polyptych::distributed {

struct Group::Backend {
  c10::intrusive_ptr<c10d::Backend> raw;
};

/// Both throw what c10d throws. @param store  of this group alone
c10::intrusive_ptr<c10d::Backend> makeGloo(const c10::intrusive_ptr<c10d::Store>& store, const GroupOptions& options);
c10::intrusive_ptr<c10d::Backend> makeNccl(const c10::intrusive_ptr<c10d::Store>& store, const GroupOptions& options);

}  // namespace polyptych::distributed
