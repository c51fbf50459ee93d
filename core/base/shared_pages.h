#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>

#include "core/base/result.h"

namespace polyptych::base {

/// Memory of equal content, kept once for several processes: a file in memory (memfd) that they inherited, and an index of what
/// is in it. A process gives the pages of its own, finished memory away for those of the file; the content stays as it is, and
/// may still be written to, freed and used for something else (a page that is written to becomes private again). What no process
/// uses is given back to the system by sweep(), also what a killed process had: use is noted by locks that end with the process.
/// For one thread.
class SharedPages {
 public:
  /// A new file; the processes to be started inherit fd(). @return Io
  static Result<std::unique_ptr<SharedPages>> create();
  /// @param fd  a file that create() made; owned from now on, and the only descriptor of it in this process: closing any other
  /// would end this process's locks. @return Io, Corrupt
  static Result<std::unique_ptr<SharedPages>> open(int fd);
  /// Everything that was shared here must be freed by then.
  ~SharedPages();
  SharedPages(const SharedPages&) = delete;
  SharedPages& operator=(const SharedPages&) = delete;

  /// Puts pages of the file in place of the whole pages of [data, data + bytes), which was allocated on the heap and must not
  /// be written to meanwhile. Does nothing if that is not worth it or not possible. @return bytes that are shared now
  std::size_t share(void* data, std::size_t bytes);
  /// Everything that was shared here is freed: nothing is used any more. Sweeps.
  void releaseAll();
  /// Gives back what no living process uses; nothing while another process is at the index. Does not wait. @return bytes given
  /// back
  std::size_t sweep();

  int fd() const { return m_fd; }
  /// Bytes of content in the file.
  std::size_t usedBytes() const;

 private:
  struct Index;
  struct Entry;
  explicit SharedPages(int fd) : m_fd(fd) {}
  Result<void> mapIndex(bool isNew);
  std::size_t sweepLocked();
  std::size_t entryFor(std::uint64_t hash, const std::byte* begin, std::size_t bytes, bool& isWritten);

  const int m_fd;
  Index* m_index = nullptr;
  std::set<std::size_t> m_mine;
};

}  // namespace polyptych::base
