#pragma once

namespace polyptych::tests {

/// A layer over SQLite's files that fails on purpose. Becomes the default of every connection that is opened in this process from
/// install() on.
namespace fault_vfs {

enum class Kind {
  Error,  ///< EIO: nothing of it is done
  Full,   ///< ENOSPC: a write writes half of it; syncs and cuts fail as by EIO
};

/// Once, before any connection.
void install();
/// The `n`-th write, sync or cut from now on fails, and with `forEver` every one behind it. 0: none.
void failAt(int n, Kind kind, bool forEver);
/// Whether anything has failed since the last failAt() that was not 0.
bool hasFailed();

}  // namespace fault_vfs

}  // namespace polyptych::tests
