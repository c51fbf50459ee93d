#include "core/distributed/group_exchange.h"

#include <ATen/Functions.h>

namespace polyptych::distributed {
namespace {

/// How long a leader that leaves a unit waits for its helper, whose step may take long.
constexpr std::chrono::milliseconds kLeaveLimit{5000};
constexpr const char* kPhase = "a step of the picture";

at::Tensor flag(const Group& group, bool isSet) {
  const auto device = group.device() == domain::DeviceKind::Cuda ? at::kCUDA : at::kCPU;
  return at::full({1}, isSet ? 1 : 0, at::TensorOptions().dtype(at::kByte).device(device));
}

}  // namespace

GroupExchange::GroupExchange(Group& group) : m_group(group), m_go(flag(group, true)), m_leave(flag(group, false)) {}

GroupExchange::~GroupExchange() {
  if (m_isOver || m_group.failure()) {
    return;
  }
  if (m_group.isMain()) {
    m_group.limitCalls(kLeaveLimit);
  }
  try {
    (void)agree(false);
  } catch (...) {  // out of memory: the other side must not wait for what does not come
    m_group.abort();
  }
  m_group.restoreLimit();
}

base::Result<bool> GroupExchange::agree(bool goesOn) {
  const base::Result<std::vector<at::Tensor>> both = m_group.allGather(goesOn ? m_go : m_leave, kPhase);
  if (!both) {
    return both.error();
  }
  return (*both)[m_group.isMain() ? 1 : 0].item<std::uint8_t>() != 0;
}

base::Result<at::Tensor> GroupExchange::exchange(const at::Tensor& own) {
  const base::Result<bool> goesOn = agree(true);
  if (!goesOn) {
    return goesOn.error();
  }
  if (!*goesOn) {
    m_isOver = true;
    return base::Error{base::ErrorCode::Cancelled, "The other device left it.", {}};
  }
  base::Result<std::vector<at::Tensor>> both = m_group.allGather(own, kPhase);
  if (!both) {
    return both.error();
  }
  return std::move((*both)[m_group.isMain() ? 1 : 0]);
}

}  // namespace polyptych::distributed
