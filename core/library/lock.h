#pragma once

#include <QByteArray>
#include <QString>
#include <optional>

#include "core/base/result.h"
#include "core/library/location.h"

namespace polyptych::library {

/// Who has a library, as its lock file says: one JSON object {"host", "pid", "program", "version", "socket", "token"}, and while
/// it is being opened {"doing", "done"}. The file is readable for its user alone; the token lets a face in.
struct Holder {
  QString host;
  qint64 pid = 0;
  QString program;  ///< "polyptych-core"
  QString version;
  QString socket;  ///< path of the local socket; empty until it listens
  QByteArray token;
  QString doing;    ///< what takes long before it listens, in words; empty: nothing
  qint64 done = 0;  ///< of that; whoever waits sees that it goes on

  friend bool operator==(const Holder&, const Holder&) = default;
};

/// Keeps every other process from a library. The system frees the lock when the process ends, however it ends; on a file system
/// without locks the holder's process id is looked for.
class Lock {
 public:
  /// Makes the library's folder if it is not there. @param self  written into the file; host and pid are filled in
  /// @return AlreadyExists with who holds it, Io, DiskFull
  static base::Result<Lock> acquire(const Location& location, Holder self);

  Lock(Lock&& other) noexcept;
  Lock& operator=(Lock&&) = delete;
  /// Removes the file and frees the lock.
  ~Lock();

  /// Writes the file again, whole or not at all: with the socket, once it listens.
  base::Result<void> update(Holder self);

  /// Sees that the file is still the one that this holds: somebody may have removed it, or its drive was off and came back. Then
  /// it takes the one that is there now, or makes it. Does nothing while the index is not where it was.
  /// @return AlreadyExists if another holder has it, NotFound if the library was removed: this one must not touch it any more;
  /// Io, DiskFull
  base::Result<void> keep();

 private:
  Lock(int fd, Location location);
  /// @param text  of the file, once it is locked. @return the open file
  static base::Result<int> take(const Location& location, const QByteArray& text);

  int m_fd = -1;
  Location m_location;
};

/// Who has the library now; nothing if nobody has, a file of a dead holder included. @return Io, Corrupt
base::Result<std::optional<Holder>> holderOf(const Location& location);

}  // namespace polyptych::library
