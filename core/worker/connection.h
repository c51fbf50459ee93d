#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/protocol/messages.h"

namespace polyptych::worker {

/// A connected local stream socket. send() may be called from any thread, receive() from one.
class Connection {
 public:
  /// Takes ownership of `fd`.
  explicit Connection(int fd) : m_fd(fd) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// @return a connected socket, or Io
  static base::Result<int> connectTo(const std::string& path);

  /// Writes one whole frame; frames of several threads do not mix. Waits while the peer does not read.
  /// @return InvalidArgument if the message cannot be encoded (nothing was written), Io if the socket is closed
  base::Result<void> send(const protocol::Message& message);

  /// The same within a time: for last words to a peer that may have stopped reading. @return also Timeout
  base::Result<void> sendWithin(const protocol::Message& message, std::chrono::milliseconds limit);

  /// Waits for the next message. @return nothing when the peer closed the socket (also in the middle of a frame); Protocol or
  /// VersionMismatch
  base::Result<std::optional<protocol::Message>> receive();

  /// From now on a receive() to which nothing comes for so long ends as if the peer had closed the socket.
  void limitSilence(std::chrono::seconds limit);

  /// Ends both directions: a receive() or send() that waits comes back.
  void shutDown();

 private:
  bool writeAll(const std::vector<std::byte>& bytes);

  const int m_fd;
  std::mutex m_writing;
  protocol::FrameParser m_parser;
  std::vector<std::byte> m_chunk;
};

}  // namespace polyptych::worker
