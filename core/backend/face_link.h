#pragma once

#include <QByteArray>
#include <QLocalSocket>
#include <QObject>
#include <chrono>

#include "core/backend/face_messages.h"
#include "core/protocol/frame.h"

namespace polyptych::backend {

/// One end of a connection between a face and polyptych-core: bytes to messages. Lives on one thread; any signal may be answered
/// by deleting the link.
class FaceLink : public QObject {
  Q_OBJECT
 public:
  /// Takes the connected socket.
  FaceLink(QLocalSocket* socket, const protocol::FrameLimits& limits, QObject* parent = nullptr);

  void setLimits(const protocol::FrameLimits& limits) { m_parser.setLimits(limits); }
  /// Reads what had arrived before the link was made; call it once the signals are connected.
  void start();
  /// Never blocks; what the peer does not take is kept in memory.
  void send(const QByteArray& frame);
  qint64 unsentBytes() const { return m_socket->bytesToWrite(); }
  /// Gives the system what is unsent, for so long at most. Nothing is received any more.
  void flush(std::chrono::milliseconds limit);
  /// Waits until the peer has closed the connection. Nothing is received any more. @return false if it has not
  bool waitForClose(std::chrono::milliseconds limit);
  /// Ends the connection; no signal comes any more. Unsent bytes go on their way if the peer takes them at once.
  void close();

 Q_SIGNALS:
  /// `message` may be moved from.
  void received(polyptych::backend::face::Message& message);
  /// The peer took bytes.
  void sent();
  /// The peer broke the rules; the link is closed.
  void broken(const polyptych::base::Error& error);
  /// The peer has closed, or died.
  void closed();

 private:
  void read();
  bool readSome();
  bool takeSome();
  void breakOff(const base::Error& error);

  QLocalSocket* m_socket;
  protocol::FrameParser m_parser;
  bool m_isOver = false;
  bool m_isReading = false;
};

}  // namespace polyptych::backend
