#include "core/checkpoint/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace polyptych::checkpoint {

using base::Error;
using base::ErrorCode;

base::Result<std::string> readSmallFile(const std::filesystem::path& path, std::size_t maxBytes) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    const int code = errno;
    return Error{code == ENOENT || code == ENOTDIR ? ErrorCode::NotFound : ErrorCode::Io,
                 path.string() + " cannot be opened: " + std::strerror(code) + ".",
                 {}};
  }
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    return Error{ErrorCode::Io, path.string() + " is not an ordinary file.", {}};
  }
  if (static_cast<std::uint64_t>(status.st_size) > maxBytes) {
    ::close(descriptor);
    return Error{ErrorCode::Corrupt,
                 path.string() + " has " + std::to_string(status.st_size) + " bytes; at most " + std::to_string(maxBytes) +
                     " are expected of such a file.",
                 {}};
  }
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::read(descriptor, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      const int code = errno;
      ::close(descriptor);
      return Error{ErrorCode::Io, path.string() + " cannot be read: " + std::strerror(code) + ".", {}};
    }
    if (count == 0) {
      break;
    }
    done += static_cast<std::size_t>(count);
  }
  ::close(descriptor);
  text.resize(done);
  return text;
}

}  // namespace polyptych::checkpoint
