#pragma once

#include <QByteArray>
#include <QElapsedTimer>
#include <QLocalSocket>
#include <QString>
#include <QStringList>
#include <QTimer>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <set>

#include "core/backend/backend.h"
#include "core/backend/core_process.h"
#include "core/backend/face_link.h"
#include "core/backend/face_messages.h"
#include "core/library/location.h"
#include "core/library/lock.h"

namespace polyptych::backend {

struct RemoteBackendOptions {
  QString coreProgram;                               ///< path; empty: polyptych-core beside the running program
  QStringList coreArguments;                         ///< behind --library or --out; only a backend that is started now gets them
  QString faceKind = QStringLiteral("face");         ///< for the backend's log
  std::chrono::milliseconds startTimeout{20000};     ///< until a backend has answered
  std::chrono::milliseconds openingTimeout{600000};  ///< the same for one that says that it is at something long, and with what
  std::chrono::milliseconds untilTold{2000};         ///< what takes no longer is not worth a word
  std::chrono::milliseconds backOff{250};            ///< before a second try; doubled each time
  std::chrono::milliseconds steadyAfter{10000};      ///< a connection that held so long makes earlier tries forgotten
  int maxTries = 3;                                  ///< without anything done between
  QString version = QStringLiteral(POLYPTYCH_VERSION);
  bool waitsForWork = false;  ///< looks for a backend, or starts one, only when something is submitted or controlled
};

/// The backend process of a library, as a face has it: finds the one that runs, or starts one. Calls made before the connection
/// stands are kept, and a connection that breaks is made anew with everything that had no answer: a run keeps its id, so that it
/// is one run however often it is sent. `lost` comes once there is no hope.
class RemoteBackend : public Backend {
  Q_OBJECT
 public:
  RemoteBackend(library::Location location, RemoteBackendOptions options, QObject* parent = nullptr);
  /// Says Goodbye; waits for a second at most until that is sent. The backend goes on with its work.
  ~RemoteBackend() override;

  quint64 submit(RunSpec spec) override;
  void cancelRun(quint64 runId) override;
  quint64 control(Command command) override;
  void listDevices() override;
  void refresh() override;
  void watchDevices(bool isWanted) override;

  /// Says Goodbye and waits until the backend has ended, for so long at most; it does not end before its work is done or while
  /// other faces are there. Nothing comes any more and every further call is refused. @return false if it has not ended
  bool leave(std::chrono::milliseconds limit);

  /// Process id of the backend, while there is a connection.
  std::optional<qint64> corePid() const { return m_corePid; }

 Q_SIGNALS:
  /// The connection stands; again after each time it broke.
  void joined();

 private:
  enum class State { Looking, Connecting, Greeting, Retiring, Joined, Waiting, Over };
  struct Pending {
    enum class Kind { Submit, Control, Cancel };
    Kind kind;
    quint64 id;
    QByteArray frame;
  };

  void beginTry();
  void look();
  void noteOpening(const library::Holder& holder);
  void startCore();
  void onCoreEnded(int exitCode, bool hasCrashed);
  void connectTo(const library::Holder& holder);
  void onConnected();
  void onReceived(face::Message& message);
  void onAnswer(face::Message& message);
  void onEvent(face::Message& message);
  void onWelcome(const face::Welcome& welcome);
  void onClosed(const base::Error& error);
  void onTimeout();
  void failTry(const base::Error& error);
  void giveUp(const base::Error& error);
  void stopTimers();
  void dropConnection();

  void send(const face::Message& message);
  void enqueue(Pending::Kind kind, quint64 id, QByteArray frame);
  bool settle(Pending::Kind kind, quint64 id);
  void refuseRun(quint64 runId, const base::Error& error);
  void refuseCommand(quint64 commandId, const base::Error& error);
  base::Error versionError() const;
  std::string lastWords() const;

  const library::Location m_location;
  const RemoteBackendOptions m_options;
  State m_state = State::Waiting;
  std::optional<base::Error> m_end;  ///< why the state is Over
  QTimer m_next;                     ///< the next look, or the next try
  QTimer m_deadline;
  QTimer m_steady;
  int m_tries = 0;
  std::unique_ptr<CoreProcess> m_process;
  bool m_hasStartedCore = false;  ///< in this try
  library::Holder m_holder;
  QString m_doing;  ///< what a backend that is not ready says of itself
  qint64 m_done = -1;
  QElapsedTimer m_sinceDoing;
  bool m_isDoingTold = false;
  bool m_wantsRetire = false;
  bool m_hasRetired = false;         ///< another version's backend, since the last connection
  QLocalSocket* m_socket = nullptr;  ///< while it connects
  FaceLink* m_link = nullptr;
  std::optional<qint64> m_corePid;
  bool m_wasJoined = false;
  bool m_wantsRefresh = false;
  bool m_wantsDevices = false;
  bool m_isWatching = false;
  quint64 m_lastCommand = 0;
  std::deque<Pending> m_unanswered;  ///< in the order of the calls
  std::set<quint64> m_running;       ///< our runs that started and have not ended
};

/// The backend process of a library. Returns at once.
std::unique_ptr<RemoteBackend> connectToBackend(const library::Location& location, RemoteBackendOptions options = {});

}  // namespace polyptych::backend
