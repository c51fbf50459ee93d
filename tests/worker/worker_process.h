#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <QElapsedTimer>
#include <QProcess>
#include <QTemporaryDir>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "core/protocol/messages.h"
#include "core/worker/worker.h"

namespace polyptych::tests {

inline constexpr int kPatienceMs = 10000;

/// A worker (the program WORKER_PROGRAM) and this side of its socket. Blocking with deadlines; no event loop.
class WorkerProcess {
 public:
  explicit WorkerProcess(const QStringList& arguments, const QByteArray& token = "token-1") {
    m_process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    const QByteArray path = QFile::encodeName(m_folder.filePath("s"));
    m_listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.constData(),
                std::min<std::size_t>(std::size_t(path.size()), sizeof(address.sun_path) - 1));
    if (::bind(m_listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 || ::listen(m_listener, 1) != 0) {
      qFatal("no socket: %s", std::strerror(errno));
    }
    m_process.start(WORKER_PROGRAM, QStringList{"--socket", QString::fromLocal8Bit(path)} + arguments);
    m_process.waitForStarted(kPatienceMs);
    m_process.write(token + "\n");
    m_process.waitForBytesWritten(kPatienceMs);
  }

  ~WorkerProcess() {
    closeSocket();
    ::close(m_listener);
    m_process.kill();
    m_process.waitForFinished(kPatienceMs);
  }

  /// Waits for the worker to connect. @return false if it does not within the time
  bool accept(int timeoutMs = kPatienceMs) {
    if (!waitFor(m_listener, timeoutMs)) {
      return false;
    }
    m_fd = ::accept4(m_listener, nullptr, nullptr, SOCK_CLOEXEC);
    return m_fd >= 0;
  }

  /// Closes the socket. @return milliseconds until the process ended by itself with kExitSocketClosed; nothing if it did not
  std::optional<qint64> endByClosing() {
    QElapsedTimer timer;
    timer.start();
    closeSocket();
    const bool isGood =
        waitForEnd() && m_process.exitStatus() == QProcess::NormalExit && m_process.exitCode() == worker::kExitSocketClosed;
    return isGood ? std::optional(timer.elapsed()) : std::nullopt;
  }

  void closeSocket() {
    if (m_fd >= 0) {
      ::close(m_fd);
      m_fd = -1;
    }
  }

  void sendBytes(const std::vector<std::byte>& bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
      const ssize_t count = ::send(m_fd, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
      if (count <= 0) {
        return;
      }
      at += std::size_t(count);
    }
  }

  void send(const protocol::Message& message) { sendBytes(*protocol::encode(message)); }

  enum class Received { Message, Closed, Broken, Nothing };

  /// The next message into `message`; heartbeats are counted and passed over unless asked for.
  Received receive(protocol::Message& message, int timeoutMs = kPatienceMs, bool wantsHeartbeats = false) {
    QElapsedTimer timer;
    timer.start();
    for (;;) {
      auto frame = m_parser.next();
      if (!frame) {
        m_error = frame.error();
        return Received::Broken;
      }
      if (*frame) {
        auto decoded = protocol::decode(std::move(**frame));
        if (!decoded) {
          m_error = decoded.error();
          return Received::Broken;
        }
        message = std::move(*decoded);
        if (std::holds_alternative<protocol::Heartbeat>(message)) {
          ++m_heartbeats;
          if (!wantsHeartbeats) {
            continue;
          }
        }
        return Received::Message;
      }
      const int left = timeoutMs - int(timer.elapsed());
      if (left <= 0 || !waitFor(m_fd, left)) {
        return Received::Nothing;
      }
      std::array<std::byte, 65536> chunk;
      const ssize_t count = ::recv(m_fd, chunk.data(), chunk.size(), 0);
      if (count <= 0) {
        return Received::Closed;
      }
      m_parser.feed(std::span(chunk).first(std::size_t(count)));
    }
  }

  /// The next message, which must be a T; nothing otherwise.
  template <typename T>
  std::optional<T> expect(int timeoutMs = kPatienceMs) {
    protocol::Message message;
    const Received received = receive(message, timeoutMs);
    if (received != Received::Message || !std::holds_alternative<T>(message)) {
      qWarning("expected another message: outcome %d, got %s", int(received), protocol::nameOf(protocol::typeOf(message)));
      return std::nullopt;
    }
    return std::get<T>(std::move(message));
  }

  /// Passes over messages until a T comes.
  template <typename T>
  std::optional<T> waitUntil(int timeoutMs = kPatienceMs) {
    QElapsedTimer timer;
    timer.start();
    protocol::Message message;
    while (timer.elapsed() < timeoutMs) {
      if (receive(message, timeoutMs - int(timer.elapsed())) != Received::Message) {
        return std::nullopt;
      }
      if (std::holds_alternative<T>(message)) {
        return std::get<T>(std::move(message));
      }
    }
    return std::nullopt;
  }

  bool waitForEnd(int timeoutMs = kPatienceMs) {
    return m_process.state() == QProcess::NotRunning || m_process.waitForFinished(timeoutMs);
  }

  QProcess& process() { return m_process; }
  bool isMidFrame() const { return m_parser.isMidFrame(); }
  int heartbeats() const { return m_heartbeats; }
  const base::Error& error() const { return m_error; }

 private:
  static bool waitFor(int fd, int timeoutMs) {
    pollfd waiting{fd, POLLIN, 0};
    return ::poll(&waiting, 1, timeoutMs) > 0;
  }

  QTemporaryDir m_folder;
  QProcess m_process;
  int m_listener = -1;
  int m_fd = -1;
  protocol::FrameParser m_parser;
  int m_heartbeats = 0;
  base::Error m_error;
};

}  // namespace polyptych::tests
