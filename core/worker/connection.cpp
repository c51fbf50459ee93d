#include "core/worker/connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

namespace polyptych::worker {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::size_t kChunkBytes = 64u << 10;
constexpr std::chrono::milliseconds kLockPause{5};

}  // namespace

Connection::~Connection() { ::close(m_fd); }

Result<int> Connection::connectTo(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return Error{ErrorCode::Io, "The path of the socket is longer than the system allows: '" + path + "'.", {}};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return Error{ErrorCode::Io, "No socket can be made.", std::strerror(errno)};
  }
  int result = 0;
  do {
    result = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  } while (result != 0 && errno == EINTR);
  if (result != 0) {
    const std::string reason = std::strerror(errno);
    ::close(fd);
    return Error{ErrorCode::Io, "The socket '" + path + "' cannot be reached: the program that started this worker has ended.",
                 reason};
  }
  return fd;
}

Result<void> Connection::send(const protocol::Message& message) {
  const Result<std::vector<std::byte>> bytes = protocol::encode(message);
  if (!bytes) {
    return bytes.error();
  }
  const std::lock_guard lock(m_writing);
  if (!writeAll(*bytes)) {
    return Error{ErrorCode::Io, "The connection to the program that started this worker is closed.", {}};
  }
  return {};
}

Result<void> Connection::sendWithin(const protocol::Message& message, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  const Result<std::vector<std::byte>> bytes = protocol::encode(message);
  if (!bytes) {
    return bytes.error();
  }
  // Not a timed mutex: GCC 12's ThreadSanitizer does not know how those lock.
  std::unique_lock lock(m_writing, std::try_to_lock);
  while (!lock && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kLockPause);
    (void)lock.try_lock();
  }
  const Error late{ErrorCode::Timeout, "The program that started this worker does not read what it says.", {}};
  if (!lock) {
    return late;
  }
  std::size_t at = 0;
  while (at < bytes->size()) {
    const ssize_t count = ::send(m_fd, bytes->data() + at, bytes->size() - at, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      at += static_cast<std::size_t>(count);
      continue;
    }
    if (count < 0 && errno == EINTR) {
      continue;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    pollfd waiting{m_fd, POLLOUT, 0};
    if (count == 0 || errno != EAGAIN) {
      return Error{ErrorCode::Io, "The connection to the program that started this worker is closed.", {}};
    }
    if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) == 0) {
      return late;
    }
  }
  return {};
}

bool Connection::writeAll(const std::vector<std::byte>& bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t count = ::send(m_fd, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return false;
    }
    at += static_cast<std::size_t>(count);
  }
  return true;
}

Result<std::optional<protocol::Message>> Connection::receive() {
  for (;;) {
    Result<std::optional<protocol::Frame>> frame = m_parser.next();
    if (!frame) {
      return frame.error();
    }
    if (*frame) {
      Result<protocol::Message> message = protocol::decode(std::move(**frame));
      if (!message) {
        return message.error();
      }
      return std::optional<protocol::Message>(std::move(*message));
    }
    m_chunk.resize(kChunkBytes);
    const ssize_t count = ::recv(m_fd, m_chunk.data(), m_chunk.size(), 0);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return std::optional<protocol::Message>();
    }
    m_parser.feed(std::span(m_chunk).first(static_cast<std::size_t>(count)));
  }
}

void Connection::limitSilence(std::chrono::seconds limit) {
  const timeval time{limit.count(), 0};
  (void)::setsockopt(m_fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
}

void Connection::shutDown() { ::shutdown(m_fd, SHUT_RDWR); }

}  // namespace polyptych::worker
