#include "core/backend/face_link.h"

#include <QDeadlineTimer>
#include <QPointer>
#include <optional>
#include <span>
#include <utility>

namespace polyptych::backend {
namespace {

constexpr qint64 kReadBytes = 1 << 20;
constexpr qint64 kReadBufferBytes = 4 << 20;
/// What is taken before others have their turn.
constexpr int kPiecesInARow = 8;
constexpr int kMessagesInARow = 2000;

}  // namespace

FaceLink::FaceLink(QLocalSocket* socket, const protocol::FrameLimits& limits, QObject* parent)
    : QObject(parent), m_socket(socket), m_parser(limits) {
  m_socket->setParent(this);
  m_socket->setReadBufferSize(kReadBufferBytes);
}

void FaceLink::start() {
  connect(m_socket, &QLocalSocket::readyRead, this, &FaceLink::read);
  connect(m_socket, &QLocalSocket::bytesWritten, this, &FaceLink::sent);
  connect(m_socket, &QLocalSocket::disconnected, this, [this] {
    const QPointer<FaceLink> self(this);
    while (self && !m_isOver && readSome()) {
    }
    if (self && !std::exchange(m_isOver, true)) {
      Q_EMIT closed();
    }
  });
  QMetaObject::invokeMethod(this, &FaceLink::read, Qt::QueuedConnection);
  if (m_socket->state() != QLocalSocket::ConnectedState) {
    QMetaObject::invokeMethod(m_socket, &QLocalSocket::disconnected, Qt::QueuedConnection);
  }
}

void FaceLink::send(const QByteArray& frame) {
  if (!m_isOver) {
    m_socket->write(frame);
  }
}

void FaceLink::flush(std::chrono::milliseconds limit) {
  m_isOver = true;
  m_socket->disconnect(this);
  const QDeadlineTimer deadline(limit);
  m_socket->flush();
  while (m_socket->bytesToWrite() > 0 && m_socket->waitForBytesWritten(static_cast<int>(deadline.remainingTime()))) {
  }
}

bool FaceLink::waitForClose(std::chrono::milliseconds limit) {
  m_isOver = true;
  m_socket->disconnect(this);
  m_socket->setReadBufferSize(0);
  return m_socket->state() == QLocalSocket::UnconnectedState || m_socket->waitForDisconnected(static_cast<int>(limit.count()));
}

void FaceLink::close() {
  m_isOver = true;
  m_socket->disconnect(this);
  m_socket->flush();
  m_socket->abort();
}

void FaceLink::read() {
  if (readSome()) {
    QMetaObject::invokeMethod(this, &FaceLink::read, Qt::QueuedConnection);
  }
}

/// @return true if there is more to read, and the link is still there
bool FaceLink::readSome() {
  if (std::exchange(m_isReading, true)) {
    return false;
  }
  const QPointer<FaceLink> self(this);
  const bool isMore = takeSome();
  if (self) {
    m_isReading = false;
  }
  return self && isMore;
}

bool FaceLink::takeSome() {
  const QPointer<FaceLink> self(this);
  int pieces = 0;
  int messages = 0;
  while (self && !m_isOver) {
    base::Result<std::optional<protocol::Frame>> frame = m_parser.next();
    if (!frame) {
      breakOff(frame.error());
      return false;
    }
    if (*frame) {
      base::Result<face::Message> message = face::decode(std::move(**frame));
      if (!message) {
        breakOff(message.error());
        return false;
      }
      Q_EMIT received(*message);
      if (++messages == kMessagesInARow) {
        return true;
      }
      continue;
    }
    if (pieces++ == kPiecesInARow) {
      return true;
    }
    const QByteArray bytes = m_socket->read(kReadBytes);
    if (bytes.isEmpty()) {
      return false;
    }
    m_parser.feed(std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size()))));
  }
  return false;
}

void FaceLink::breakOff(const base::Error& error) {
  close();
  Q_EMIT broken(error);
}

}  // namespace polyptych::backend
