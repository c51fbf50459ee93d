#include "core/distributed/group_exchange.h"

namespace polyptych::distributed {

base::Result<at::Tensor> GroupExchange::exchange(const at::Tensor& own) {
  base::Result<std::vector<at::Tensor>> both = m_group.allGather(own, "a step of the picture");
  if (!both) {
    return both.error();
  }
  return std::move((*both)[m_group.isMain() ? 1 : 0]);
}

}  // namespace polyptych::distributed
