#pragma once

#include <QString>
#include <vector>

#include "core/domain/device_choice.h"

namespace polyptych::devices {

/// GPUs that the driver's management library tells of, in PCI order. Empty without the library, the driver or a GPU. Values that
/// the driver does not give keep DeviceInfo's defaults; a GPU without UUID is left out, since no worker could be bound to it.
std::vector<domain::DeviceInfo> listGpus(const QString& library);

}  // namespace polyptych::devices
