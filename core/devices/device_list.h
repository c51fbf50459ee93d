#pragma once

#include <QByteArray>
#include <QString>
#include <optional>
#include <vector>

#include "core/domain/device_choice.h"

namespace polyptych::devices {

/// Where the facts come from; a test gives its own.
struct DeviceSources {
  QString nvmlLibrary = QStringLiteral("libnvidia-ml.so.1");  ///< opened with dlopen; not there: no GPUs
  QString procFolder = QStringLiteral("/proc");
  QString cgroupFolder = QStringLiteral("/sys/fs/cgroup");
  /// Value of CUDA_VISIBLE_DEVICES, as a cluster's scheduler sets it; nothing: every GPU may be used.
  std::optional<QByteArray> visibleDevices = variableOf("CUDA_VISIBLE_DEVICES");

  static std::optional<QByteArray> variableOf(const char* name);
};

/// The CPU, then the GPUs in PCI order ("cuda:0" is the first of all GPUs of the machine, also if it may not be used and is left
/// out). No driver, or a driver that does not answer, is a machine without GPUs. May wait for the driver: not for a thread that
/// must not.
std::vector<domain::DeviceInfo> listDevices(const DeviceSources& sources = {});

/// Numbers of the CPU cores that this process may run on, ascending, never empty.
std::vector<int> usableCores();

}  // namespace polyptych::devices
