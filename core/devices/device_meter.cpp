#include "core/devices/device_meter.h"

#include <unistd.h>

#include <QFile>
#include <algorithm>
#include <filesystem>

#include "core/devices/host.h"
#include "core/devices/nvml.h"

namespace polyptych::devices {
namespace {

/// What the link of the machine's own namespace of processes says (include/linux/proc_ns.h, PROC_PID_INIT_INO).
constexpr char kMachinesProcesses[] = "pid:[4026531836]";
constexpr qint64 kMaxReadBytes = 4 << 20;
/// Fields of a line of /proc/stat (proc(5)).
constexpr int kIdleField = 4;
constexpr int kWaitField = 5;
constexpr int kLastField = 8;  // steal; guests are in user already

QByteArray contentOf(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.read(kMaxReadBytes) : QByteArray();
}

/// The numbers that processes have here are not those that the driver knows.
bool isInContainer(const QString& procFolder) {
  std::error_code error;
  const auto link = std::filesystem::read_symlink((procFolder + QLatin1String("/self/ns/pid")).toStdString(), error);
  return !error && link != kMachinesProcesses;
}

}  // namespace

struct DeviceMeter::Gpus {
  explicit Gpus(const QString& library) : session(library), list(session.gpus()) {}

  NvmlSession session;
  const std::vector<domain::DeviceInfo> list;
};

DeviceMeter::DeviceMeter(DeviceSources sources)
    : m_sources(std::move(sources)),
      m_gpus(std::make_unique<Gpus>(m_sources.nvmlLibrary)),
      m_isInContainer(isInContainer(m_sources.procFolder)),
      m_before(readCpuTimes()) {}

DeviceMeter::~DeviceMeter() = default;

/// Of the cores that this process may use.
DeviceMeter::CpuTimes DeviceMeter::readCpuTimes() const {
  const std::vector<int> cores = usableCores();
  CpuTimes times;
  for (const QByteArray& line : contentOf(m_sources.procFolder + QLatin1String("/stat")).split('\n')) {
    const QList<QByteArray> fields = line.simplified().split(' ');
    bool isNumber = false;
    const int core = fields[0].mid(3).toInt(&isNumber);
    if (!isNumber || !fields[0].startsWith("cpu") || std::find(cores.begin(), cores.end(), core) == cores.end()) {
      continue;
    }
    for (int field = 1; field <= kLastField && field < fields.size(); ++field) {
      const std::uint64_t ticks = fields[field].toULongLong();
      times.all += ticks;
      times.busy += field == kIdleField || field == kWaitField ? 0 : ticks;
    }
  }
  return times;
}

DeviceReading DeviceMeter::measureCpu(const OwnProcesses& own) {
  const domain::DeviceInfo host = describeHost(m_sources.procFolder, m_sources.cgroupFolder);
  DeviceReading reading;
  reading.deviceId = QString::fromStdString(host.id);
  reading.totalBytes = host.totalBytes;
  reading.usedBytes = host.totalBytes - std::min(host.freeBytes, host.totalBytes);
  const CpuTimes now = readCpuTimes();
  if (now.all > m_before.all && now.busy >= m_before.busy) {
    reading.utilisation =
        std::min(1.0, static_cast<double>(now.busy - m_before.busy) / static_cast<double>(now.all - m_before.all));
  }
  m_before = now;
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  for (const qint64 pid : own.onCpu) {
    const QByteArray sizes = contentOf(m_sources.procFolder + QStringLiteral("/%1/statm").arg(pid));
    reading.oursBytes += sizes.split(' ').value(1).toULongLong() * page;
  }
  return reading;
}

std::vector<DeviceReading> DeviceMeter::measure(const OwnProcesses& own) {
  std::vector<DeviceReading> readings{measureCpu(own)};
  const std::vector<NvmlReading> gpus = m_gpus->session.measure();
  for (std::size_t i = 0; i < gpus.size(); ++i) {
    const domain::DeviceInfo& info = m_gpus->list[i];
    DeviceReading reading;
    reading.deviceId = QString::fromStdString(info.id);
    reading.totalBytes = gpus[i].totalBytes;
    reading.usedBytes = gpus[i].usedBytes;
    reading.utilisation = gpus[i].utilisation;
    reading.temperatureCelsius = gpus[i].temperatureCelsius;
    reading.powerWatts = gpus[i].powerWatts;
    reading.powerLimitWatts = gpus[i].powerLimitWatts;
    if (const auto pids = own.onGpu.find(info.uuid); pids != own.onGpu.end()) {
      reading.isOursKnown = gpus[i].areProcessesKnown;
      for (const qint64 pid : pids->second) {
        const auto process = gpus[i].bytesOfProcess.find(pid);
        if (process == gpus[i].bytesOfProcess.end()) {
          // It has no memory there yet; or the driver knows it by another number.
          reading.isOursKnown &= !m_isInContainer;
        } else {
          reading.isOursKnown &= process->second.has_value();
          reading.oursBytes += process->second.value_or(0);
        }
      }
    }
    readings.push_back(reading);
  }
  return readings;
}

}  // namespace polyptych::devices
