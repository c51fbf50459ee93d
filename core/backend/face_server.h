#pragma once

#include <QByteArray>
#include <QLocalServer>
#include <QObject>
#include <QPointer>
#include <QString>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "core/backend/backend.h"
#include "core/backend/face_link.h"
#include "core/backend/face_messages.h"
#include "core/base/result.h"

namespace polyptych::backend {

/// What one face may cost.
struct FaceLimits {
  std::chrono::milliseconds helloDeadline{5000};
  std::size_t maxStrangers = 16;  ///< connections that have not said Hello; more are turned away
  qint64 lowMark = 1 << 20;       ///< unsent bytes above which steps and previews wait, the newest of each device
  qint64 highMark = 64 << 20;     ///< unsent bytes above which the face is given up
};

struct FaceServerOptions {
  QByteArray token;
  QString version = QStringLiteral(POLYPTYCH_VERSION);
  QString libraryRoot;
  FaceLimits limits;
  std::function<bool()> isIdle;  ///< asked when a newer face wants the backend to end; none: never idle
};

/// polyptych-core's side of its faces: lets in those that know the token, gives them all what the backend tells, and does what
/// they ask for. A face that sends garbage, hangs or dies costs itself alone. Lives on the backend's thread.
class FaceServer : public QObject {
  Q_OBJECT
 public:
  FaceServer(Backend& backend, FaceServerOptions options, QObject* parent = nullptr);
  ~FaceServer() override;

  /// For this user alone. @return Io
  base::Result<void> listen(const QString& path);
  QString path() const { return m_server.fullServerName(); }
  /// Faces that have said Hello and not Goodbye.
  int faces() const;
  /// Lets nobody in any more and closes, within half a second, what is open; only faces that wait for the end of the process keep
  /// their connection until this object goes. The backend may go after this.
  void close();

 Q_SIGNALS:
  void facesChanged(int faces);
  /// The last face left and waits for the backend to end, once it is idle; or a newer one asked for it.
  void endWanted();

 private:
  struct Client {
    FaceLink* link = nullptr;  ///< a child of the server
    bool isGreeted = false;
    bool isWatching = false;  ///< devicesMeasured is for it
    bool isLeaving = false;
    std::map<QString, QByteArray> held;  ///< newest step and preview of each device, for when the face takes bytes again
    qint64 bigBytes = 0;                 ///< in single messages that are large by nature
  };
  struct Asker {
    QPointer<FaceLink> link;
    quint64 commandId = 0;
  };

  void connectBackend();
  void onNewConnection();
  void onReceived(FaceLink* link, face::Message& message);
  void greet(Client& client, const face::Hello& hello);
  void retire(Client& client, const face::Retire& retire);
  void obey(Client& client, face::Message& message);
  void control(Client& client, const face::Control& control);
  void leave(Client& client, const face::Goodbye& goodbye);
  void onCommandDone(const CommandResult& result);
  void updateWatch();
  void onDevicesListed(const std::vector<domain::DeviceInfo>& devices);
  void onSent(FaceLink* link);

  Client* clientOf(const FaceLink* link);
  void drop(FaceLink* link);
  void refuse(Client& client, const base::Error& error);
  void sendTo(FaceLink* link, const face::Message& message);
  /// To every face. @param key  names what a newer message of the same key replaces while a face is slow; empty: is never left
  /// out
  void broadcast(const face::Message& message, const QString& key = {});
  void forget(const QString& key);

  Backend& m_backend;
  const FaceServerOptions m_options;
  QLocalServer m_server;
  std::vector<std::unique_ptr<Client>> m_clients;
  std::map<quint64, Asker> m_askers;
  bool m_isClosed = false;
  bool m_isControlling = false;
  std::vector<CommandResult> m_early;
  std::vector<QPointer<FaceLink>> m_listers;
  std::deque<RunSummary> m_ended;
};

}  // namespace polyptych::backend
