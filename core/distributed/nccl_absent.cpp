#include "core/distributed/failure.h"
#include "core/distributed/group_backend.h"

namespace polyptych::distributed {

c10::intrusive_ptr<c10d::Backend> makeNccl(const c10::intrusive_ptr<c10d::Store>&, const GroupOptions&) {
  TORCH_CHECK(false, kWithoutNccl);
}

}  // namespace polyptych::distributed
