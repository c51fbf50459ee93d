#include "core/base/shared_pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace polyptych::base {
namespace {

constexpr std::uint64_t kMagic = 0x3153454741504c50;  // "PLPAGES1"
constexpr std::size_t kEntries = 16384;
/// Less is not worth a mapping of its own.
constexpr std::size_t kLeastBytes = 64u << 10;
/// Locks are on bytes that the file will never have: one for the index, one for the use of each entry.
constexpr off_t kIndexLock = off_t(1) << 61;
constexpr off_t kFirstUseLock = kIndexLock + 1;
/// A process that stands still in the middle of the index must not hold the others.
constexpr std::chrono::milliseconds kLockLimit{5000};
constexpr std::chrono::milliseconds kLockPause{2};

Error systemError(const char* what) {
  return {ErrorCode::Io, std::string("Memory cannot be shared: ") + what + ".", std::strerror(errno)};
}

std::size_t pageBytes() {
  static const auto kBytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return kBytes;
}

bool setLock(int fd, short type, off_t at) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = at;
  lock.l_len = 1;
  int result = 0;
  do {
    result = ::fcntl(fd, F_SETLK, &lock);
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

/// True if another process has a lock there.
bool isLockedByOthers(int fd, off_t at) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = at;
  lock.l_len = 1;
  return ::fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

class IndexLock {
 public:
  explicit IndexLock(int fd, std::chrono::milliseconds limit = kLockLimit) : m_fd(fd) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!(m_isHeld = setLock(fd, F_WRLCK, kIndexLock)) && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(kLockPause);
    }
  }
  ~IndexLock() {
    if (m_isHeld) {
      setLock(m_fd, F_UNLCK, kIndexLock);
    }
  }
  IndexLock(const IndexLock&) = delete;
  IndexLock& operator=(const IndexLock&) = delete;
  explicit operator bool() const { return m_isHeld; }

 private:
  const int m_fd;
  bool m_isHeld = false;
};

/// For finding; equality is checked byte by byte. Four lanes keep the memory busy.
std::uint64_t hashOf(const std::byte* data, std::size_t bytes) {
  constexpr std::uint64_t kPrime = 0x9E3779B97F4A7C15;
  std::array<std::uint64_t, 4> lanes{kPrime, kPrime ^ 1, kPrime ^ 2, kPrime ^ 3};
  for (std::size_t at = 0; at + 32 <= bytes; at += 32) {
    std::array<std::uint64_t, 4> words;
    std::memcpy(words.data(), data + at, sizeof words);
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
      lanes[lane] = (lanes[lane] ^ words[lane]) * kPrime;
      lanes[lane] ^= lanes[lane] >> 29;
    }
  }
  std::uint64_t hash = bytes;
  for (const std::uint64_t lane : lanes) {
    hash = (hash ^ lane) * kPrime;
    hash ^= hash >> 32;
  }
  return hash;
}

bool writeAll(int fd, const std::byte* data, std::size_t bytes, off_t at) {
  while (bytes > 0) {
    const ssize_t count = ::pwrite(fd, data, bytes, at);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return false;
    }
    data += count;
    bytes -= static_cast<std::size_t>(count);
    at += count;
  }
  return true;
}

}  // namespace

struct SharedPages::Entry {
  std::uint64_t hash;
  std::uint64_t offset;
  std::uint64_t bytes;  ///< 0: free
};

struct SharedPages::Index {
  std::uint64_t magic;
  std::uint64_t end;  ///< of the file's content; offsets are not used again
  std::array<Entry, kEntries> entries;
};

Result<std::unique_ptr<SharedPages>> SharedPages::create() {
  const int fd = ::memfd_create("polyptych-weights", MFD_CLOEXEC);
  if (fd < 0) {
    return systemError("the system gives no file in memory");
  }
  std::unique_ptr<SharedPages> pages(new SharedPages(fd));
  if (const Result<void> mapped = pages->mapIndex(true); !mapped) {
    return mapped.error();
  }
  return pages;
}

Result<std::unique_ptr<SharedPages>> SharedPages::open(int fd) {
  std::unique_ptr<SharedPages> pages(new SharedPages(fd));
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  if (const Result<void> mapped = pages->mapIndex(false); !mapped) {
    return mapped.error();
  }
  return pages;
}

Result<void> SharedPages::mapIndex(bool isNew) {
  const std::size_t whole = (sizeof(Index) + pageBytes() - 1) / pageBytes() * pageBytes();
  struct stat status {};
  if (isNew && ::ftruncate(m_fd, static_cast<off_t>(whole)) != 0) {
    return systemError("the file in memory does not grow");
  }
  if (::fstat(m_fd, &status) != 0 || status.st_size < static_cast<off_t>(whole)) {
    return Error{ErrorCode::Corrupt, "Memory cannot be shared: the descriptor is none of a file for that.", {}};
  }
  void* mapped = ::mmap(nullptr, sizeof(Index), PROT_READ | PROT_WRITE, MAP_SHARED, m_fd, 0);
  if (mapped == MAP_FAILED) {
    return systemError("the file in memory cannot be mapped");
  }
  m_index = static_cast<Index*>(mapped);
  if (isNew) {
    m_index->magic = kMagic;
    m_index->end = whole;
  }
  if (m_index->magic != kMagic) {
    return Error{ErrorCode::Corrupt, "Memory cannot be shared: the descriptor is none of a file for that.", {}};
  }
  return {};
}

SharedPages::~SharedPages() {
  if (m_index != nullptr) {
    releaseAll();
    ::munmap(m_index, sizeof(Index));
  }
  ::close(m_fd);
}

/// The entry of this content, noted as used; kEntries if there can be none. Holds the index for as long as a copy takes.
std::size_t SharedPages::entryFor(std::uint64_t hash, const std::byte* begin, std::size_t bytes, bool& isWritten) {
  const IndexLock lock(m_fd);
  if (!lock) {
    return kEntries;
  }
  const auto& entries = m_index->entries;
  const auto known = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.bytes == bytes && entry.hash == hash; });
  auto number = static_cast<std::size_t>(known - entries.begin());
  isWritten = known == entries.end();
  if (isWritten) {
    number = static_cast<std::size_t>(
        std::find_if(entries.begin(), entries.end(), [](const Entry& entry) { return entry.bytes == 0; }) - entries.begin());
    if (number == kEntries || !writeAll(m_fd, begin, bytes, static_cast<off_t>(m_index->end))) {
      return kEntries;
    }
    // In this order, should the process be killed between the two: what an entry names is never written again.
    const std::uint64_t offset = m_index->end;
    m_index->end = offset + bytes;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    m_index->entries[number] = {hash, offset, bytes};
  }
  if (!m_mine.contains(number) && !setLock(m_fd, F_RDLCK, kFirstUseLock + static_cast<off_t>(number))) {
    return kEntries;
  }
  m_mine.insert(number);
  return number;
}

std::size_t SharedPages::share(void* data, std::size_t bytes) {
  const auto page = static_cast<std::uintptr_t>(pageBytes());
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  const std::uintptr_t first = (address + page - 1) / page * page;
  const std::uintptr_t last = (address + bytes) / page * page;
  if (last <= first || last - first < kLeastBytes) {
    return 0;
  }
  auto* const begin = reinterpret_cast<std::byte*>(first);
  const auto whole = static_cast<std::size_t>(last - first);
  bool isWritten = false;
  const std::size_t number = entryFor(hashOf(begin, whole), begin, whole, isWritten);
  if (number == kEntries) {
    return 0;
  }
  const auto offset = static_cast<off_t>(m_index->entries[number].offset);
  if (!isWritten) {
    void* const there = ::mmap(nullptr, whole, PROT_READ, MAP_PRIVATE, m_fd, offset);
    if (there == MAP_FAILED) {
      return 0;
    }
    const bool isEqual = std::memcmp(begin, there, whole) == 0;
    ::munmap(there, whole);
    if (!isEqual) {
      return 0;
    }
  }
  const void* mapped = ::mmap(begin, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, m_fd, offset);
  return mapped == MAP_FAILED ? 0 : whole;
}

void SharedPages::releaseAll() {
  for (const std::size_t number : m_mine) {
    setLock(m_fd, F_UNLCK, kFirstUseLock + static_cast<off_t>(number));
  }
  m_mine.clear();
  if (const IndexLock lock(m_fd); lock) {
    sweepLocked();
  }
}

std::size_t SharedPages::sweep() {
  const IndexLock lock(m_fd, std::chrono::milliseconds(0));
  return lock ? sweepLocked() : 0;
}

std::size_t SharedPages::sweepLocked() {
  std::size_t freed = 0;
  for (std::size_t number = 0; number < kEntries; ++number) {
    Entry& entry = m_index->entries[number];
    if (entry.bytes == 0 || m_mine.contains(number) || isLockedByOthers(m_fd, kFirstUseLock + static_cast<off_t>(number))) {
      continue;
    }
    ::fallocate(m_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(entry.offset),
                static_cast<off_t>(entry.bytes));
    freed += entry.bytes;
    entry = {};
  }
  return freed;
}

std::size_t SharedPages::usedBytes() const {
  std::size_t bytes = 0;
  for (const Entry& entry : m_index->entries) {
    bytes += entry.bytes;
  }
  return bytes;
}

}  // namespace polyptych::base
