#include "core/backend/backend.h"

#include <mutex>

#include "core/devices/device_list.h"

namespace polyptych::backend {

void registerMetaTypes() {
  static std::once_flag once;
  std::call_once(once, [] {
    qRegisterMetaType<SlotStatus>();
    qRegisterMetaType<PictureEvent>();
    qRegisterMetaType<FailureEvent>();
    qRegisterMetaType<RunSummary>();
    qRegisterMetaType<domain::Image>();
    qRegisterMetaType<domain::Warning>();
    qRegisterMetaType<std::vector<domain::DeviceInfo>>();
  });
}

std::vector<int> usableCores() { return devices::usableCores(); }

}  // namespace polyptych::backend
