#pragma once

#include <vector>

#include "core/domain/device_choice.h"

namespace polyptych::devices {

/// What this machine has: exactly one CPU entry first, then GPUs in PCI order through NVML (loaded when present; no driver is a
/// normal state). May take some tenths of a second with a driver: not for a window's thread.
/// @param nvmlLibrary name or path given to dlopen
std::vector<domain::DeviceInfo> listDevices(const char* nvmlLibrary = "libnvidia-ml.so.1");

/// Numbers of the cores that this process may use (sched_getaffinity), not empty.
std::vector<int> usableCores();

}  // namespace polyptych::devices
