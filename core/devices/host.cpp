#include "core/devices/host.h"

#include <QFile>
#include <QList>
#include <algorithm>
#include <limits>
#include <optional>

namespace polyptych::devices {
namespace {

constexpr qint64 kMaxReadBytes = 4 << 20;
/// Version 1 writes a huge number for "no limit"; nothing real is above this.
constexpr std::uint64_t kNoLimitBytes = std::uint64_t(1) << 60;

QByteArray contentOf(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.read(kMaxReadBytes) : QByteArray();
}

/// The text behind "key<separator>" of the first line that has it.
std::optional<QByteArray> valueOf(const QByteArray& text, const QByteArray& key, char separator) {
  for (const QByteArray& line : text.split('\n')) {
    const qsizetype at = line.indexOf(separator);
    if (at > 0 && line.left(at).trimmed() == key) {
      return line.mid(at + 1).trimmed();
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> numberOf(const QByteArray& text) {
  bool isNumber = false;
  const qulonglong number = text.trimmed().toULongLong(&isNumber);
  return isNumber ? std::optional<std::uint64_t>(number) : std::nullopt;
}

std::uint64_t kibibytes(const QByteArray& meminfo, const QByteArray& key) {
  const auto text = valueOf(meminfo, key, ':');
  const auto number = text ? numberOf(text->split(' ').front()) : std::nullopt;
  return number.value_or(0) * 1024;
}

struct Memory {
  std::uint64_t total = 0;
  std::uint64_t free = 0;
};

void cutTo(Memory& memory, const QString& folder, const char* limitFile, const char* usageFile, const char* cacheKey) {
  const auto limit = numberOf(contentOf(folder + QLatin1String(limitFile)));
  if (!limit || *limit >= kNoLimitBytes) {
    return;
  }
  memory.total = std::min(memory.total, *limit);
  const std::uint64_t used = numberOf(contentOf(folder + QLatin1String(usageFile))).value_or(0);
  const auto cacheText = valueOf(contentOf(folder + QLatin1String("/memory.stat")), cacheKey, ' ');
  const std::uint64_t cache = cacheText ? numberOf(*cacheText).value_or(0) : 0;
  const std::uint64_t held = used > cache ? used - cache : 0;
  memory.free = std::min(memory.free, *limit > held ? *limit - held : 0);
}

/// Applies the limits of a group and of all groups above it.
void cutToGroup(Memory& memory, const QString& root, QString group, bool isVersion2) {
  if (group.contains(QLatin1String(".."))) {
    group.clear();  // a group outside the namespace: its files cannot be seen
  }
  for (;;) {
    while (group.endsWith(QLatin1Char('/'))) {
      group.chop(1);
    }
    if (isVersion2) {
      cutTo(memory, root + group, "/memory.max", "/memory.current", "inactive_file");
    } else {
      cutTo(memory, root + group, "/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_inactive_file");
    }
    if (group.isEmpty()) {
      return;
    }
    group.truncate(std::max<qsizetype>(group.lastIndexOf(QLatin1Char('/')), 0));
  }
}

Memory memoryOf(const QString& procFolder, const QString& cgroupFolder) {
  const QByteArray meminfo = contentOf(procFolder + QLatin1String("/meminfo"));
  Memory memory{kibibytes(meminfo, "MemTotal"), kibibytes(meminfo, "MemAvailable")};
  for (const QByteArray& line : contentOf(procFolder + QLatin1String("/self/cgroup")).split('\n')) {
    const QList<QByteArray> parts = line.split(':');
    if (parts.size() < 3) {
      continue;
    }
    const QString group = QFile::decodeName(parts.mid(2).join(':'));
    if (parts[0] == "0" && parts[1].isEmpty()) {
      cutToGroup(memory, cgroupFolder, group, true);
    } else if (parts[1].split(',').contains("memory")) {
      cutToGroup(memory, cgroupFolder + QLatin1String("/memory"), group, false);
    }
  }
  return memory;
}

}  // namespace

domain::DeviceInfo describeHost(const QString& procFolder, const QString& cgroupFolder) {
  const QByteArray name = valueOf(contentOf(procFolder + QLatin1String("/cpuinfo")), "model name", ':').value_or(QByteArray());
  const Memory memory = memoryOf(procFolder, cgroupFolder);
  domain::DeviceInfo cpu;
  cpu.id = "cpu";
  cpu.kind = domain::DeviceKind::Cpu;
  cpu.name = name.isEmpty() ? "CPU" : QString::fromUtf8(name).simplified().toStdString();
  cpu.totalBytes = memory.total;
  cpu.freeBytes = memory.free;
  return cpu;
}

}  // namespace polyptych::devices
