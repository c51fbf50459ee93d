#pragma once

#include "core/diffusion/guidance_exchange.h"
#include "core/distributed/group.h"

namespace polyptych::distributed {

/// The halves of the guidance over a group of two: rank 0 leads.
class GroupExchange : public diffusion::GuidanceExchange {
 public:
  /// @param group  of size 2; outlives this
  explicit GroupExchange(Group& group) : m_group(group) {}

  Side side() const override { return m_group.isMain() ? Side::Unconditional : Side::Conditional; }
  base::Result<at::Tensor> exchange(const at::Tensor& own) override;

 private:
  Group& m_group;
};

}  // namespace polyptych::distributed
