#include "tests/library/fault_vfs.h"

#include <sqlite3.h>

#include <atomic>
#include <cstring>

namespace polyptych::tests::fault_vfs {
namespace {

std::atomic<int> operationCount{0};
std::atomic<int> failing{0};
std::atomic<bool> isForEver{false};
std::atomic<bool> hasFailedOnce{false};
std::atomic<Kind> failingKind{Kind::Error};

/// Counts an operation. @return whether it is to fail
bool isToFail() {
  const int number = ++operationCount;
  const int first = failing;
  const bool fails = first > 0 && (isForEver ? number >= first : number == first);
  hasFailedOnce = hasFailedOnce || fails;
  return fails;
}

sqlite3_vfs* real = nullptr;

/// Followed in memory by the file of the real layer.
struct File {
  sqlite3_file base;
  sqlite3_file* inner() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* innerOf(sqlite3_file* file) { return reinterpret_cast<File*>(file)->inner(); }

int closeFile(sqlite3_file* file) { return innerOf(file)->pMethods->xClose(innerOf(file)); }
int readFile(sqlite3_file* file, void* bytes, int count, sqlite3_int64 at) {
  return innerOf(file)->pMethods->xRead(innerOf(file), bytes, count, at);
}
int writeFile(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
  sqlite3_file* inner = innerOf(file);
  if (!isToFail()) {
    return inner->pMethods->xWrite(inner, bytes, count, at);
  }
  if (failingKind == Kind::Full) {
    (void)inner->pMethods->xWrite(inner, bytes, count / 2, at);
    return SQLITE_FULL;
  }
  return SQLITE_IOERR_WRITE;
}
int truncateFile(sqlite3_file* file, sqlite3_int64 size) {
  return isToFail() ? SQLITE_IOERR_TRUNCATE : innerOf(file)->pMethods->xTruncate(innerOf(file), size);
}
int syncFile(sqlite3_file* file, int flags) {
  return isToFail() ? SQLITE_IOERR_FSYNC : innerOf(file)->pMethods->xSync(innerOf(file), flags);
}
int fileSize(sqlite3_file* file, sqlite3_int64* size) { return innerOf(file)->pMethods->xFileSize(innerOf(file), size); }
int lockFile(sqlite3_file* file, int lock) { return innerOf(file)->pMethods->xLock(innerOf(file), lock); }
int unlockFile(sqlite3_file* file, int lock) { return innerOf(file)->pMethods->xUnlock(innerOf(file), lock); }
int checkReserved(sqlite3_file* file, int* out) { return innerOf(file)->pMethods->xCheckReservedLock(innerOf(file), out); }
int control(sqlite3_file* file, int operation, void* argument) {
  return innerOf(file)->pMethods->xFileControl(innerOf(file), operation, argument);
}
int sectorSize(sqlite3_file* file) { return innerOf(file)->pMethods->xSectorSize(innerOf(file)); }
int characteristics(sqlite3_file* file) { return innerOf(file)->pMethods->xDeviceCharacteristics(innerOf(file)); }
int shmMap(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
  return innerOf(file)->pMethods->xShmMap(innerOf(file), region, size, extend, out);
}
int shmLock(sqlite3_file* file, int offset, int count, int flags) {
  return innerOf(file)->pMethods->xShmLock(innerOf(file), offset, count, flags);
}
void shmBarrier(sqlite3_file* file) { innerOf(file)->pMethods->xShmBarrier(innerOf(file)); }
int shmUnmap(sqlite3_file* file, int isDeleted) { return innerOf(file)->pMethods->xShmUnmap(innerOf(file), isDeleted); }

constexpr sqlite3_io_methods kMethods{2,        closeFile,  readFile,      writeFile, truncateFile, syncFile,        fileSize,
                                      lockFile, unlockFile, checkReserved, control,   sectorSize,   characteristics, shmMap,
                                      shmLock,  shmBarrier, shmUnmap,      nullptr,   nullptr};

int openFile(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* outFlags) {
  file->pMethods = nullptr;
  const int code = real->xOpen(real, name, innerOf(file), flags, outFlags);
  if (innerOf(file)->pMethods != nullptr) {
    file->pMethods = &kMethods;
  }
  return code;
}

}  // namespace

void install() {
  static sqlite3_vfs layer;
  real = sqlite3_vfs_find(nullptr);
  layer = *real;
  layer.zName = "faults";
  layer.pNext = nullptr;
  layer.szOsFile = static_cast<int>(sizeof(File)) + real->szOsFile;
  layer.xOpen = openFile;
  sqlite3_vfs_register(&layer, 1);
}

void failAt(int n, Kind kind, bool forEver) {
  failing = 0;
  operationCount = 0;
  failingKind = kind;
  isForEver = forEver;
  hasFailedOnce = hasFailedOnce && n == 0;
  failing = n;
}

bool hasFailed() { return hasFailedOnce; }

}  // namespace polyptych::tests::fault_vfs
