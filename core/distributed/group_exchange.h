#pragma once

#include "core/diffusion/guidance_exchange.h"
#include "core/distributed/group.h"

namespace polyptych::distributed {

/// The halves of the guidance of one unit over a group of two: rank 0 leads. Before each step both say whether they go on, so
/// that a unit that one side leaves (cancelled, or out of memory) leaves the group well, for the next one.
class GroupExchange : public diffusion::GuidanceExchange {
 public:
  /// @param group  of size 2; outlives this
  explicit GroupExchange(Group& group);
  /// Says that this side goes on no more, and hears the other one, which may be in the middle of a step: the leading side, for
  /// which somebody waits, gives the group up after some seconds.
  ~GroupExchange() override;

  Side side() const override { return m_group.isMain() ? Side::Unconditional : Side::Conditional; }
  base::Result<at::Tensor> exchange(const at::Tensor& own) override;

 private:
  /// @return whether the other side goes on, too
  base::Result<bool> agree(bool goesOn);

  Group& m_group;
  const at::Tensor m_go;  ///< [1], bytes
  const at::Tensor m_leave;
  bool m_isOver = false;
};

}  // namespace polyptych::distributed
