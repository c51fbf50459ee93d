#pragma once

#include <QLocalServer>
#include <QLocalSocket>
#include <QObject>
#include <QTimer>
#include <map>
#include <memory>

#include "core/base/result.h"
#include "core/protocol/messages.h"

namespace polyptych::pool {

/// The backend's side of one worker's connection: listens for this user alone, lets in the first peer that knows the token, and
/// takes messages from it. Lives on one thread.
class WorkerSocket : public QObject {
  Q_OBJECT
 public:
  explicit WorkerSocket(QObject* parent = nullptr);
  ~WorkerSocket() override;

  /// @param workerPid  a peer of this process that does not say a right Hello is an error at once; others are only turned away
  base::Result<void> listen(const QString& path, const QByteArray& token);
  void setWorkerPid(qint64 pid) { m_workerPid = pid; }
  QString path() const { return m_server.fullServerName(); }

  /// A message that cannot be encoded is an error of ours. Does nothing without a peer.
  base::Result<void> send(const protocol::Message& message);
  /// Gives what the worker had sent before its process ended, even if it was not yet let in.
  void drain();
  /// Takes no more messages and gives none.
  void close();
  bool isConnected() const { return m_peer != nullptr; }

 Q_SIGNALS:
  void greeted(const polyptych::protocol::Hello& hello);
  /// `message` may be moved from.
  void received(polyptych::protocol::Message& message);
  void broken(const polyptych::base::Error& error);
  void closed();

 private:
  void onNewConnection();
  void onReadyRead(QLocalSocket* socket);
  void refuse(QLocalSocket* socket, const base::Error& error);
  void breakOff(const base::Error& error);
  /// @return false once the connection is of no more use
  bool takeFrame(QLocalSocket* socket, protocol::Frame frame);
  bool isFromWorker(QLocalSocket* socket) const;

  QLocalServer m_server;
  QByteArray m_token;
  qint64 m_workerPid = 0;
  QLocalSocket* m_peer = nullptr;
  std::map<QLocalSocket*, protocol::FrameParser> m_parsers;
};

}  // namespace polyptych::pool
