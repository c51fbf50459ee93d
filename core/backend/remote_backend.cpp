#include "core/backend/remote_backend.h"

#include <QCoreApplication>
#include <QDeadlineTimer>
#include <QPointer>
#include <QSysInfo>
#include <algorithm>
#include <string>
#include <utility>

namespace polyptych::backend {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::chrono::milliseconds kBetweenLooks{20};
constexpr std::chrono::milliseconds kGoodbyeLimit{1000};
/// Of the time between two tries.
constexpr int kMaxDoublings = 6;
/// What polyptych-core ends with if another has the library.
constexpr int kExitLibraryInUse = 4;

QString programBeside() { return QCoreApplication::applicationDirPath() + QStringLiteral("/polyptych-core"); }

}  // namespace

RemoteBackend::RemoteBackend(library::Location location, RemoteBackendOptions options, QObject* parent)
    : Backend(parent), m_location(std::move(location)), m_options(std::move(options)) {
  for (QTimer* timer : {&m_next, &m_deadline, &m_steady}) {
    timer->setSingleShot(true);
  }
  connect(&m_next, &QTimer::timeout, this, [this] { m_state == State::Looking ? look() : beginTry(); });
  connect(&m_deadline, &QTimer::timeout, this, &RemoteBackend::onTimeout);
  connect(&m_steady, &QTimer::timeout, this, [this] { m_tries = 0; });
  if (!m_options.waitsForWork) {
    m_next.start(0);
  }
}

RemoteBackend::~RemoteBackend() {
  if (m_state == State::Joined) {
    send(face::Goodbye{false});
    m_link->flush(kGoodbyeLimit);
  }
  dropConnection();
}

quint64 RemoteBackend::submit(RunSpec spec) {
  const quint64 id = spec.id != 0 ? spec.id : newRunId();
  spec.id = id;
  if (m_end) {
    refuseRun(id, *m_end);
    return id;
  }
  Result<QByteArray> frame = face::encode(face::Submit{std::move(spec)});
  if (!frame) {
    refuseRun(id, frame.error());
    return id;
  }
  enqueue(Pending::Kind::Submit, id, std::move(*frame));
  return id;
}

void RemoteBackend::cancelRun(quint64 runId) {
  if (Result<QByteArray> frame = face::encode(face::CancelRun{runId}); frame && !m_end) {
    enqueue(Pending::Kind::Cancel, runId, std::move(*frame));
  }
}

quint64 RemoteBackend::control(Command command) {
  const quint64 id = ++m_lastCommand;
  Result<QByteArray> frame = face::encode(face::Control{id, std::move(command)});
  if (m_end || !frame) {
    refuseCommand(id, m_end ? *m_end : frame.error());
    return id;
  }
  enqueue(Pending::Kind::Control, id, std::move(*frame));
  return id;
}

void RemoteBackend::listDevices() {
  m_wantsDevices = true;
  if (m_state == State::Joined) {
    send(face::ListDevices{});
  }
}

void RemoteBackend::refresh() {
  if (m_state == State::Joined) {
    send(face::Refresh{});
  } else {
    m_wantsRefresh = true;
  }
}

void RemoteBackend::watchDevices(bool isWanted) {
  m_isWatching = isWanted;
  if (m_state == State::Joined) {
    send(face::WatchDevices{isWanted});
  }
}

bool RemoteBackend::leave(std::chrono::milliseconds limit) {
  bool hasEnded = false;
  if (m_state == State::Joined) {
    const QDeadlineTimer deadline(limit);
    send(face::Goodbye{true});
    m_link->flush(limit);
    hasEnded = m_link->waitForClose(std::chrono::milliseconds(deadline.remainingTime()));
  }
  stopTimers();
  dropConnection();
  m_state = State::Over;
  m_end = Error{ErrorCode::Cancelled, "The program has left its backend.", {}};
  return hasEnded;
}

void RemoteBackend::beginTry() {
  m_doing.clear();
  m_hasStartedCore = false;
  m_wantsRetire = false;
  m_deadline.start(m_options.startTimeout);
  look();
}

void RemoteBackend::look() {
  m_state = State::Looking;
  const Result<std::optional<library::Holder>> holder = library::holderOf(m_location);
  if (!holder && holder.error().code != ErrorCode::Corrupt) {
    failTry(holder.error());
    return;
  }
  if (holder && !*holder && !m_hasStartedCore) {
    startCore();
  } else if (holder && *holder && (*holder)->host != QSysInfo::machineHostName()) {
    giveUp({ErrorCode::AlreadyExists,
            "The library '" + m_location.root.toStdString() + "' is in use by " + (*holder)->program.toStdString() +
                " (process " + std::to_string((*holder)->pid) + ") on the machine " + (*holder)->host.toStdString() +
                ". Work with it there, or wait until that has ended.",
            {}});
    return;
  } else if (holder && *holder && !(*holder)->socket.isEmpty()) {
    connectTo(**holder);
    return;
  }
  if (holder && *holder) {
    noteOpening(**holder);
  }
  m_next.start(kBetweenLooks);
}

/// A library that was not closed, or whose index is damaged, is looked after before anybody is let in: that may take minutes, and
/// whoever waits is told.
void RemoteBackend::noteOpening(const library::Holder& holder) {
  if (holder.doing.isEmpty()) {
    return;
  }
  if (holder.doing != m_doing) {
    m_sinceDoing.start();
    m_isDoingTold = false;
  }
  if (holder.doing != m_doing || holder.done != m_done) {
    m_deadline.start(m_options.openingTimeout);
  }
  m_doing = holder.doing;
  m_done = holder.done;
  if (!m_isDoingTold && m_sinceDoing.elapsed() >= m_options.untilTold.count()) {
    m_isDoingTold = true;
    Q_EMIT warned(0, {domain::WarningCode::Other, m_doing.toStdString()});
  }
}

void RemoteBackend::startCore() {
  m_hasStartedCore = true;
  m_process = std::make_unique<CoreProcess>();
  const QString program = m_options.coreProgram.isEmpty() ? programBeside() : m_options.coreProgram;
  connect(m_process.get(), &CoreProcess::failedToStart, this, [this, program] {
    giveUp(
        {ErrorCode::NotFound,
         "The program '" + program.toStdString() + "' cannot be started, and nothing works without it. Install Polyptych again.",
         {}});
  });
  connect(m_process.get(), &CoreProcess::ended, this, &RemoteBackend::onCoreEnded);
  const QString option =
      m_location.layout == library::Location::Layout::Flat ? QStringLiteral("--out") : QStringLiteral("--library");
  m_process->start(program, QStringList{option, m_location.root} + m_options.coreArguments, coreLogFile(m_location));
}

void RemoteBackend::onCoreEnded(int exitCode, bool hasCrashed) {
  if (m_state != State::Looking || m_process == nullptr) {
    return;
  }
  // Another face's backend was quicker, or the one that had the library was just ending: the next look tells.
  if (!hasCrashed && (exitCode == kExitLibraryInUse || exitCode == 0)) {
    m_hasStartedCore = false;
    return;
  }
  const std::string words = lastWords();
  const std::string how = hasCrashed ? "crashed" : "ended with status " + std::to_string(exitCode);
  failTry({ErrorCode::Io,
           "The program polyptych-core " + how + " before it was ready" + (words.empty() ? "." : ": " + words) +
               " See its log '" + coreLogFile(m_location).toStdString() + "'.",
           {}});
}

void RemoteBackend::connectTo(const library::Holder& holder) {
  m_state = State::Connecting;
  m_holder = holder;
  m_wantsRetire = m_wantsRetire || holder.version != m_options.version;
  if (m_wantsRetire && m_hasRetired) {
    // What was started in its place is of another version too.
    giveUp(versionError());
    return;
  }
  m_socket = new QLocalSocket(this);
  connect(m_socket, &QLocalSocket::connected, this, &RemoteBackend::onConnected);
  connect(m_socket, &QLocalSocket::errorOccurred, this, [this] {
    failTry({ErrorCode::Io,
             "The program polyptych-core (process " + std::to_string(m_holder.pid) +
                 ") has the library but cannot be reached. End it and try again.",
             m_socket->errorString().toStdString()});
  });
  m_socket->connectToServer(holder.socket);
}

void RemoteBackend::onConnected() {
  m_state = State::Greeting;
  m_socket->disconnect(this);
  m_link = new FaceLink(std::exchange(m_socket, nullptr), {}, this);
  connect(m_link, &FaceLink::received, this, &RemoteBackend::onReceived);
  connect(m_link, &FaceLink::broken, this, &RemoteBackend::onClosed);
  connect(m_link, &FaceLink::closed, this, [this] {
    onClosed({ErrorCode::Io, "The connection to polyptych-core broke. Try again.", {}});
  });
  m_link->start();
  if (m_wantsRetire) {
    send(face::Retire{m_holder.token, m_options.version});
  } else {
    send(face::Hello{m_holder.token, m_options.version, m_options.faceKind});
  }
}

void RemoteBackend::onReceived(face::Message& message) {
  if (face::isFromFace(message)) {
    onClosed({ErrorCode::Protocol, "The program polyptych-core broke the rules of the connection.", face::nameOf(message)});
  } else if (m_state == State::Joined) {
    onEvent(message);
  } else {
    onAnswer(message);
  }
}

void RemoteBackend::onAnswer(face::Message& message) {
  if (const auto* welcome = std::get_if<face::Welcome>(&message); welcome != nullptr && !m_wantsRetire) {
    onWelcome(*welcome);
  } else if (const auto* refused = std::get_if<face::Refused>(&message)) {
    if (refused->error.code != ErrorCode::VersionMismatch || m_wantsRetire) {
      giveUp(refused->error);
      return;
    }
    m_wantsRetire = true;
    dropConnection();
    connectTo(m_holder);
  } else if (std::holds_alternative<face::Retiring>(message) && m_wantsRetire) {
    m_state = State::Retiring;
    m_hasRetired = true;
    m_deadline.start(m_options.startTimeout);
  } else {
    onClosed({ErrorCode::Protocol, "The program polyptych-core broke the rules of the connection.", face::nameOf(message)});
  }
}

void RemoteBackend::onWelcome(const face::Welcome& welcome) {
  m_state = State::Joined;
  m_hasRetired = false;
  m_deadline.stop();
  m_steady.start(m_options.steadyAfter);
  m_corePid = welcome.pid;
  for (const Pending& pending : m_unanswered) {
    m_link->send(pending.frame);
  }
  if (std::exchange(m_wantsRefresh, false) || m_wasJoined) {
    send(face::Refresh{});
  }
  for (auto next = m_running.begin(); m_wasJoined && next != m_running.end();) {
    face::Await await;
    for (; next != m_running.end() && await.runIds.size() < face::kMaxAwaitedRuns; ++next) {
      await.runIds.push_back(*next);
    }
    send(await);
  }
  if (m_isWatching) {
    send(face::WatchDevices{true});
  }
  // Last: a face that hears of the devices knows that the rest was told.
  if (m_wantsDevices) {
    send(face::ListDevices{});
  }
  m_wasJoined = true;
  Q_EMIT joined();
}

void RemoteBackend::onEvent(face::Message& message) {
  if (const auto* devices = std::get_if<face::Devices>(&message)) {
    m_wantsDevices = false;
    Q_EMIT devicesListed(devices->devices);
  } else if (const auto* queue = std::get_if<face::QueueChanged>(&message)) {
    Q_EMIT queueChanged(queue->status);
  } else if (const auto* run = std::get_if<face::RunChanged>(&message)) {
    Q_EMIT runChanged(run->status);
  } else if (const auto* done = std::get_if<face::CommandDone>(&message)) {
    if (settle(Pending::Kind::Control, done->result.commandId)) {
      Q_EMIT commandDone(done->result);
    }
  } else if (const auto* started = std::get_if<face::RunStarted>(&message)) {
    if (settle(Pending::Kind::Submit, started->runId)) {
      m_running.insert(started->runId);
    }
    Q_EMIT runStarted(started->runId, started->total, started->alreadyThere);
  } else if (const auto* slot = std::get_if<face::SlotChanged>(&message)) {
    Q_EMIT slotChanged(slot->status);
  } else if (const auto* step = std::get_if<face::StepFinished>(&message)) {
    Q_EMIT stepFinished(step->runId, step->status);
  } else if (const auto* preview = std::get_if<face::Preview>(&message)) {
    Q_EMIT previewMade(preview->runId, preview->index, preview->slotId, preview->image);
  } else if (const auto* finished = std::get_if<face::PictureFinished>(&message)) {
    Q_EMIT pictureFinished(finished->picture);
  } else if (const auto* failed = std::get_if<face::PictureFailed>(&message)) {
    Q_EMIT pictureFailed(failed->failure);
  } else if (const auto* trace = std::get_if<face::Trace>(&message)) {
    Q_EMIT traceMade(trace->runId, trace->safetensors);
  } else if (const auto* warning = std::get_if<face::Warned>(&message)) {
    Q_EMIT warned(warning->runId, warning->warning);
  } else if (const auto* ended = std::get_if<face::RunFinished>(&message)) {
    settle(Pending::Kind::Submit, ended->summary.runId);
    settle(Pending::Kind::Cancel, ended->summary.runId);
    m_running.erase(ended->summary.runId);
    Q_EMIT runFinished(ended->summary);
  } else if (const auto* marked = std::get_if<face::PicturesMarked>(&message)) {
    Q_EMIT picturesMarked(marked->pictures);
  } else if (const auto* limits = std::get_if<face::LimitsChanged>(&message)) {
    Q_EMIT limitsChanged(limits->limits);
  } else if (const auto* measured = std::get_if<face::DevicesMeasured>(&message)) {
    Q_EMIT devicesMeasured(measured->readings);
  } else if (const auto* end = std::get_if<face::Lost>(&message)) {
    giveUp(end->error);
  } else {
    onClosed({ErrorCode::Protocol, "The program polyptych-core broke the rules of the connection.", face::nameOf(message)});
  }
}

void RemoteBackend::onClosed(const Error& error) {
  const State state = m_state;
  dropConnection();
  if (state == State::Retiring) {
    m_hasStartedCore = false;
    m_wantsRetire = false;
    look();
  } else if (state == State::Greeting && m_holder.version != m_options.version) {
    // It does not even speak this version's frames, or was just ending.
    failTry(versionError());
  } else {
    failTry(error);
  }
}

void RemoteBackend::onTimeout() {
  const std::string words = m_process != nullptr ? lastWords() : std::string();
  if (m_state == State::Looking) {
    giveUp({ErrorCode::Timeout,
            "The program polyptych-core did not become ready in time" + (words.empty() ? "." : ". It said last: " + words) +
                " See its log '" + coreLogFile(m_location).toStdString() + "', and try again.",
            {}});
    return;
  }
  giveUp({ErrorCode::Timeout,
          "The program polyptych-core (process " + std::to_string(m_holder.pid) + ") does not answer. End it and try again.",
          {}});
}

void RemoteBackend::failTry(const Error& error) {
  if (m_state == State::Over) {
    return;
  }
  stopTimers();
  dropConnection();
  if (++m_tries >= m_options.maxTries) {
    giveUp(error);
    return;
  }
  m_state = State::Waiting;
  m_next.start(m_options.backOff * (1 << std::min(m_tries - 1, kMaxDoublings)));
}

void RemoteBackend::giveUp(const Error& error) {
  if (m_state == State::Over) {
    return;
  }
  stopTimers();
  dropConnection();
  m_state = State::Over;
  m_end = error;
  m_unanswered.clear();
  Q_EMIT lost(error);
}

void RemoteBackend::stopTimers() {
  for (QTimer* timer : {&m_next, &m_deadline, &m_steady}) {
    timer->stop();
  }
}

void RemoteBackend::dropConnection() {
  m_corePid.reset();
  if (QLocalSocket* socket = std::exchange(m_socket, nullptr)) {
    socket->disconnect(this);
    socket->abort();
    socket->deleteLater();
  }
  if (FaceLink* link = std::exchange(m_link, nullptr)) {
    link->disconnect(this);
    link->close();
    link->deleteLater();
  }
}

void RemoteBackend::send(const face::Message& message) {
  if (const Result<QByteArray> frame = face::encode(message)) {
    m_link->send(*frame);
  } else {
    qWarning("%s: %s", face::nameOf(message), frame.error().message.c_str());
  }
}

void RemoteBackend::enqueue(Pending::Kind kind, quint64 id, QByteArray frame) {
  if (m_options.waitsForWork && m_state == State::Waiting && m_tries == 0 && !m_next.isActive()) {
    m_next.start(0);
  }
  if (m_state == State::Joined) {
    m_link->send(frame);
  }
  m_unanswered.push_back({kind, id, std::move(frame)});
}

/// @return true if that was waited for
bool RemoteBackend::settle(Pending::Kind kind, quint64 id) {
  const auto count =
      std::erase_if(m_unanswered, [kind, id](const Pending& pending) { return pending.kind == kind && pending.id == id; });
  if (count > 0) {
    m_tries = 0;
  }
  return count > 0;
}

void RemoteBackend::refuseRun(quint64 runId, const Error& error) {
  QMetaObject::invokeMethod(
      this,
      [this, runId, error] {
        RunSummary summary;
        summary.runId = runId;
        summary.error = error;
        Q_EMIT runFinished(summary);
      },
      Qt::QueuedConnection);
}

void RemoteBackend::refuseCommand(quint64 commandId, const Error& error) {
  QMetaObject::invokeMethod(
      this,
      [this, commandId, error] {
        Q_EMIT commandDone({commandId, error, 0, 0});
      },
      Qt::QueuedConnection);
}

Error RemoteBackend::versionError() const {
  return {ErrorCode::VersionMismatch,
          "The library is served by polyptych-core " + m_holder.version.toStdString() + ", and this program is version " +
              m_options.version.toStdString() +
              ". Close the other windows and commands that use the library, wait until its work is done, and try again.",
          {}};
}

std::string RemoteBackend::lastWords() const {
  return m_process != nullptr ? m_process->lastWords().toStdString() : std::string();
}

std::unique_ptr<RemoteBackend> connectToBackend(const library::Location& location, RemoteBackendOptions options) {
  return std::make_unique<RemoteBackend>(location, std::move(options));
}

}  // namespace polyptych::backend
