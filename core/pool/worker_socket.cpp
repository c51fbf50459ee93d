#include "core/pool/worker_socket.h"

#include <sys/socket.h>

#include <QPointer>
#include <utility>
#include <vector>

namespace polyptych::pool {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr qint64 kReadBytes = 1 << 20;
constexpr std::size_t kMaxStrangers = 16;

/// Takes as long for any two texts of one length.
bool isEqual(const std::string& a, const QByteArray& b) {
  if (a.size() != static_cast<std::size_t>(b.size())) {
    return false;
  }
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[static_cast<qsizetype>(i)]);
  }
  return difference == 0;
}

}  // namespace

WorkerSocket::WorkerSocket(QObject* parent) : QObject(parent), m_server(this) {
  connect(&m_server, &QLocalServer::newConnection, this, &WorkerSocket::onNewConnection);
}

WorkerSocket::~WorkerSocket() { close(); }

Result<void> WorkerSocket::listen(const QString& path, const QByteArray& token) {
  m_token = token;
  m_server.setSocketOptions(QLocalServer::UserAccessOption);
  if (!m_server.listen(path)) {
    return Error{ErrorCode::Io, "A socket for a worker cannot be made; check the folder that XDG_RUNTIME_DIR names.",
                 (path + QStringLiteral(": ") + m_server.errorString()).toStdString()};
  }
  return {};
}

Result<void> WorkerSocket::send(const protocol::Message& message) {
  const Result<std::vector<std::byte>> bytes = protocol::encode(message);
  if (!bytes) {
    return bytes.error();
  }
  if (m_peer != nullptr) {
    m_peer->write(reinterpret_cast<const char*>(bytes->data()), static_cast<qint64>(bytes->size()));
    m_peer->flush();
  }
  return {};
}

void WorkerSocket::drain() {
  const QPointer<WorkerSocket> self(this);
  // A process that ended at once may not even have been let in.
  const auto letIn = [&] {
    const std::size_t before = m_parsers.size();
    return m_server.isListening() && m_server.waitForNewConnection(0) && self && m_parsers.size() > before;
  };
  while (letIn()) {
  }
  std::vector<QPointer<QLocalSocket>> strangers;
  if (self && m_peer == nullptr) {
    for (const auto& [socket, parser] : m_parsers) {
      strangers.emplace_back(socket);
    }
  }
  for (const auto& socket : strangers) {
    if (self && socket && socket->waitForReadyRead(0) && self && socket) {
      onReadyRead(socket);
    }
  }
  while (self && m_peer != nullptr && m_peer->waitForReadyRead(0)) {
    onReadyRead(m_peer);
  }
}

void WorkerSocket::close() {
  m_server.close();
  m_peer = nullptr;
  const auto parsers = std::exchange(m_parsers, {});
  for (const auto& [socket, parser] : parsers) {
    socket->disconnect(this);
    socket->flush();
    socket->disconnectFromServer();
    socket->deleteLater();
  }
}

void WorkerSocket::onNewConnection() {
  while (QLocalSocket* socket = m_server.nextPendingConnection()) {
    if (m_peer != nullptr || m_parsers.size() >= kMaxStrangers) {
      delete socket;
      continue;
    }
    m_parsers.emplace(socket, protocol::FrameParser(protocol::kHandshakeLimits));
    connect(socket, &QLocalSocket::readyRead, this, [this, socket] { onReadyRead(socket); });
    connect(socket, &QLocalSocket::disconnected, this, [this, socket] {
      onReadyRead(socket);
      if (m_parsers.erase(socket) == 0) {
        return;
      }
      socket->deleteLater();
      if (m_peer == socket) {
        m_peer = nullptr;
        Q_EMIT closed();
      }
    });
    onReadyRead(socket);
  }
}

bool WorkerSocket::isFromWorker(QLocalSocket* socket) const {
  ucred peer{};
  socklen_t size = sizeof peer;
  return socket == m_peer ||
         (::getsockopt(static_cast<int>(socket->socketDescriptor()), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
          peer.pid == m_workerPid);
}

void WorkerSocket::breakOff(const Error& error) {
  close();
  Q_EMIT broken(error);
}

void WorkerSocket::refuse(QLocalSocket* socket, const Error& error) {
  if (isFromWorker(socket)) {
    breakOff(error);
    return;
  }
  m_parsers.erase(socket);
  socket->disconnect(this);
  socket->abort();
  socket->deleteLater();
}

void WorkerSocket::onReadyRead(QLocalSocket* socket) {
  const QPointer<WorkerSocket> self(this);
  for (;;) {
    const auto parser = m_parsers.find(socket);
    if (parser == m_parsers.end()) {
      return;
    }
    Result<std::optional<protocol::Frame>> frame = parser->second.next();
    if (!frame) {
      refuse(socket, frame.error());
      return;
    }
    if (*frame) {
      if (!takeFrame(socket, std::move(**frame)) || !self) {
        return;
      }
      continue;
    }
    const QByteArray bytes = socket->read(kReadBytes);
    if (bytes.isEmpty()) {
      return;
    }
    parser->second.feed(std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size()))));
  }
}

bool WorkerSocket::takeFrame(QLocalSocket* socket, protocol::Frame frame) {
  Result<protocol::Message> message = protocol::decode(std::move(frame));
  if (!message) {
    refuse(socket, message.error());
    return false;
  }
  auto* hello = std::get_if<protocol::Hello>(&*message);
  if (socket == m_peer && hello == nullptr) {
    Q_EMIT received(*message);
    return true;
  }
  if (hello == nullptr || socket == m_peer || !isEqual(hello->token, m_token)) {
    refuse(socket, {ErrorCode::Protocol, "A worker did not greet as it should.",
                    hello == nullptr ? protocol::nameOf(protocol::typeOf(*message)) : "token or order"});
    return false;
  }
  m_peer = socket;
  m_parsers.at(socket).setLimits({});
  m_token.clear();
  m_server.close();
  Q_EMIT greeted(*hello);
  return true;
}

}  // namespace polyptych::pool
