#pragma once

#include <QByteArray>
#include <QDir>
#include <QFile>
#include <QString>
#include <vector>

namespace polyptych::tests {

/// The fields of /proc/<pid>/stat behind the name: state, parent, ...; empty if there is no such process.
inline QByteArrayList statOf(qint64 pid) {
  QFile file(QStringLiteral("/proc/%1/stat").arg(pid));
  if (!file.open(QIODevice::ReadOnly)) {
    return {};
  }
  const QByteArray line = file.readAll();
  return line.mid(line.lastIndexOf(')') + 2).split(' ');
}

/// Not there, or dead and waiting for somebody who asks.
inline bool isGone(qint64 pid) {
  const QByteArrayList stat = statOf(pid);
  return stat.isEmpty() || stat.front() == "Z" || stat.front() == "X";
}

inline qint64 parentOf(qint64 pid) { return statOf(pid).value(1).toLongLong(); }

/// Ticks of processor time.
inline double workOf(qint64 pid) {
  const QByteArrayList stat = statOf(pid);
  return stat.size() < 13 ? 0.0 : stat[11].toDouble() + stat[12].toDouble();
}

inline std::vector<qint64> allProcesses() {
  std::vector<qint64> all;
  for (const QString& name : QDir(QStringLiteral("/proc")).entryList(QDir::Dirs)) {
    bool isNumber = false;
    const qint64 pid = name.toLongLong(&isNumber);
    if (isNumber && !isGone(pid)) {
      all.push_back(pid);
    }
  }
  return all;
}

/// The living child of a process; 0 if there is none.
inline qint64 childOf(qint64 parent) {
  for (const qint64 pid : allProcesses()) {
    if (parentOf(pid) == parent) {
      return pid;
    }
  }
  return 0;
}

/// Words with spaces between.
inline QByteArray commandLineOf(qint64 pid) {
  QFile file(QStringLiteral("/proc/%1/cmdline").arg(pid));
  return file.open(QIODevice::ReadOnly) ? file.readAll().replace('\0', ' ') : QByteArray();
}

}  // namespace polyptych::tests
