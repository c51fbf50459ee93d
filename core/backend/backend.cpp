#include "core/backend/backend.h"

#include <QRandomGenerator>
#include <mutex>

#include "core/devices/device_list.h"

namespace polyptych::backend {

quint64 newRunId() {
  constexpr quint64 kBits = (quint64(1) << 48) - 1;
  for (;;) {
    const quint64 id = QRandomGenerator::system()->generate64() & kBits;
    if (id != 0) {
      return id;
    }
  }
}

void registerMetaTypes() {
  static std::once_flag once;
  std::call_once(once, [] {
    qRegisterMetaType<QueueStatus>();
    qRegisterMetaType<RunStatus>();
    qRegisterMetaType<CommandResult>();
    qRegisterMetaType<SlotStatus>();
    qRegisterMetaType<PictureEvent>();
    qRegisterMetaType<FailureEvent>();
    qRegisterMetaType<RunSummary>();
    qRegisterMetaType<base::Error>();
    qRegisterMetaType<domain::Image>();
    qRegisterMetaType<domain::Warning>();
    qRegisterMetaType<std::vector<domain::DeviceInfo>>();
    qRegisterMetaType<std::vector<DeviceReading>>();
    qRegisterMetaType<std::vector<qint64>>();
    qRegisterMetaType<pool::SupervisionLimits>();
  });
}

std::vector<int> usableCores() { return devices::usableCores(); }

}  // namespace polyptych::backend
