#pragma once

#include <QString>

#include "core/domain/device_choice.h"

namespace polyptych::devices {

/// The CPU of this machine: name and memory, the latter cut to the limit of the process's control group (v1 or v2).
domain::DeviceInfo describeHost(const QString& procFolder, const QString& cgroupFolder);

}  // namespace polyptych::devices
