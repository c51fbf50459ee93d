#pragma once

#include <QProcessEnvironment>
#include <QString>
#include <QStringList>

#include "core/domain/device_choice.h"

namespace polyptych::pool {

/// One worker to start.
struct WorkerSpec {
  domain::DeviceSlot slot;
  QString program;  ///< path of polyptych-worker or polyptych-worker-cuda
  QStringList extraArguments;
  int threads = 1;
  int sharedMemoryFd = -1;  ///< of base::SharedPages, for a CPU worker; open for as long as the worker may start

  friend bool operator==(const WorkerSpec&, const WorkerSpec&) = default;
};

/// Arguments of a worker as core/protocol/PROTOCOL.md has them.
QStringList workerArguments(const WorkerSpec& spec, const QString& socketPath);

/// This process's environment with exactly one device in sight (none for a CPU worker) and the thread counts of the mathematics
/// libraries.
QProcessEnvironment workerEnvironment(const WorkerSpec& spec);

/// A new name for a local socket, in a folder of this process inside the user's runtime folder (or inside /tmp if that one's path
/// is too long for a socket). The folder is made.
QString newSocketPath();

/// Removes the folder of this process, at its end, and with `removeDeadSocketFolders()` those of processes that ended suddenly.
void removeSocketFolder();
void removeDeadSocketFolders();

/// The file that takes what a slot's worker prints: <cache>/polyptych/logs/worker-<slot>.log; its folder is made, and a file that
/// has grown large is moved aside. Empty if there can be none.
QString workerLogFile(const QString& slotId);

/// A one-time token: 64 hexadecimal digits from the system's random source.
QByteArray newToken();

}  // namespace polyptych::pool
