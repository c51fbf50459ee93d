#include "core/backend/backend.h"

#include <mutex>

namespace polyptych::backend {

void registerMetaTypes() {
  static std::once_flag once;
  std::call_once(once, [] {
    qRegisterMetaType<SlotStatus>();
    qRegisterMetaType<PictureEvent>();
    qRegisterMetaType<FailureEvent>();
    qRegisterMetaType<RunSummary>();
    qRegisterMetaType<domain::Image>();
    qRegisterMetaType<std::vector<domain::DeviceInfo>>();
  });
}

}  // namespace polyptych::backend
