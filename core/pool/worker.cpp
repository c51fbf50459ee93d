#include "core/pool/worker.h"

#include <fcntl.h>

#include <QFileInfo>
#include <algorithm>
#include <array>
#include <csignal>
#include <limits>
#include <utility>

#include "core/pool/worker_socket.h"

namespace polyptych::pool {

using base::Error;
using base::ErrorCode;
using base::Result;
using domain::Stage;

/// Keeps the wire's types out of the header.
struct WorkerWire {
  protocol::Message& message;
};

struct Worker::Unit {
  domain::UnitOfWork work;
  protocol::UnitKey key;
  UnitResult result;
  domain::StepProgress last{Stage::Encoding, 0, 0};
  QElapsedTimer sinceBeat;
  bool isCancelled = false;

  /// Of all pictures.
  std::int64_t pixels() const {
    const domain::GenerationRequest& first = work.requests.front();
    return static_cast<std::int64_t>(work.requests.size()) * first.width * first.height;
  }
  /// Equal for units whose beats take equally long.
  std::uint64_t shapeKey() const {
    const domain::GenerationRequest& first = work.requests.front();
    const domain::RunPlan& plan = work.plan;
    return qHashMulti(0, work.requests.size(), first.width, first.height, first.guidanceScale > 1,
                      qHash(QByteArrayView(first.scheduler)), qHash(QByteArrayView(plan.model.folder)),
                      static_cast<int>(plan.computeType), plan.vaeSlicing, plan.vaeTiling);
  }
};

const char* nameOf(WorkerState state) {
  switch (state) {
    case WorkerState::Stopped:
      return "stopped";
    case WorkerState::Starting:
      return "starting";
    case WorkerState::Handshaking:
      return "handshaking";
    case WorkerState::LoadingModel:
      return "loading model";
    case WorkerState::Idle:
      return "idle";
    case WorkerState::Busy:
      return "busy";
    case WorkerState::Stopping:
      return "stopping";
    case WorkerState::Failed:
      return "failed";
  }
  return "unknown";
}

namespace {

bool isEdge(WorkerState from, WorkerState to) {
  using S = WorkerState;
  if (to == S::Failed) {
    return from != S::Stopped && from != S::Failed;
  }
  switch (from) {
    case S::Stopped:
    case S::Failed:
      return to == S::Starting;
    case S::Starting:
      return to == S::Handshaking || to == S::Stopping;
    case S::Handshaking:
      return to == S::LoadingModel || to == S::Stopping;
    case S::LoadingModel:
      return to == S::Idle || to == S::Stopping;
    case S::Idle:
      return to == S::Busy || to == S::LoadingModel || to == S::Stopping;
    case S::Busy:
      return to == S::Idle || to == S::Stopping;
    case S::Stopping:
      return to == S::Stopped;
  }
  return false;
}

bool isSameLoad(const domain::RunPlan& a, const domain::RunPlan& b) {
  return a.model == b.model && a.computeType == b.computeType;
}

int milliseconds(std::chrono::milliseconds time) {
  return static_cast<int>(std::clamp<std::int64_t>(time.count(), 0, std::numeric_limits<int>::max()));
}

}  // namespace

Worker::Worker(WorkerSpec spec, Deadlines deadlines, QObject* parent)
    : QObject(parent),
      m_spec(std::move(spec)),
      m_deadlines(deadlines),
      m_watchdog(deadlines),
      m_deviceName(QString::fromStdString(m_spec.slot.name)) {
  for (QTimer* timer : {&m_deadline, &m_heartbeat, &m_cancelDeadline}) {
    timer->setSingleShot(true);
  }
  connect(&m_deadline, &QTimer::timeout, this, &Worker::onDeadline);
  connect(&m_heartbeat, &QTimer::timeout, this, [this] {
    fail({ErrorCode::Timeout, "The worker gave no sign of life and was ended.", "heartbeat"});
  });
  connect(&m_cancelDeadline, &QTimer::timeout, this, &Worker::stop);
}

Worker::~Worker() {
  disconnect();
  if (m_process == nullptr || m_process->state() == QProcess::NotRunning) {
    return;
  }
  m_process->disconnect(this);
  qint64 waited = 0;
  if (m_state == WorkerState::Stopping) {
    waited = m_sinceStop.elapsed();
  } else {
    (void)m_socket->send(protocol::Shutdown{});
  }
  const bool isLeaving = m_state != WorkerState::Failed && m_socket->isConnected();
  const qint64 left = m_deadlines.shutdown.count() - waited;
  if (!isLeaving || left <= 0 || !m_process->waitForFinished(static_cast<int>(left))) {
    m_process->terminate();
    if (!m_process->waitForFinished(milliseconds(m_deadlines.terminate))) {
      m_process->kill();
      m_process->waitForFinished(milliseconds(m_deadlines.terminate));
    }
  }
}

bool Worker::isReady() const { return m_state == WorkerState::Idle && !m_isUnloading && m_socket->isConnected(); }

bool Worker::hasLoaded(const domain::RunPlan& plan) const {
  return isReady() && m_isLoaded && m_wanted && isSameLoad(*m_wanted, plan);
}

bool Worker::hasModelFor(const domain::RunPlan& plan) const {
  return (m_state == WorkerState::Idle || m_state == WorkerState::Busy) && m_isLoaded && m_wanted &&
         isSameLoad(*m_wanted, plan) && (m_spec.slot.kind != domain::DeviceKind::Cpu || m_spec.threads == plan.threads);
}

/// The only place where the state changes, with the deadline of the edge that leaves the new state.
void Worker::transition(WorkerState next, const QString& reason) {
  Q_ASSERT_X(isEdge(m_state, next), nameOf(m_state), nameOf(next));
  m_state = next;
  m_isUnloading = false;
  m_deadline.stop();
  switch (next) {
    case WorkerState::Starting:
      m_deadline.start(milliseconds(m_deadlines.start));
      break;
    case WorkerState::Handshaking:
      m_deadline.start(milliseconds(m_deadlines.handshake));
      break;
    case WorkerState::LoadingModel:
      m_deadline.start(milliseconds(m_deadlines.loadBeat));
      break;
    case WorkerState::Busy:
      m_deadline.start(milliseconds(m_watchdog.begin(m_unit->shapeKey(), m_unit->pixels())));
      break;
    case WorkerState::Stopping:
      m_sinceStop.start();
      m_deadline.start(milliseconds(m_deadlines.shutdown));
      break;
    case WorkerState::Idle:
    case WorkerState::Stopped:
    case WorkerState::Failed:
      break;
  }
  if (next == WorkerState::Stopping || next == WorkerState::Stopped || next == WorkerState::Failed) {
    m_heartbeat.stop();
    m_cancelDeadline.stop();
  }
  Q_EMIT stateChanged(next, reason);
}

void Worker::start(const domain::RunPlan& plan) {
  Q_ASSERT(m_state == WorkerState::Stopped || m_state == WorkerState::Failed);
  m_wanted = plan;
  m_isLoaded = false;
  m_deviceName = QString::fromStdString(m_spec.slot.name);
  m_logFile = workerLogFile(QString::fromStdString(m_spec.slot.id));
  if (m_socket != nullptr) {
    m_socket->disconnect(this);
    m_socket.release()->deleteLater();
  }
  m_socket = std::make_unique<WorkerSocket>();
  connect(m_socket.get(), &WorkerSocket::greeted, this, &Worker::onHello);
  connect(m_socket.get(), &WorkerSocket::received, this, [this](protocol::Message& message) {
    WorkerWire wire{message};
    onMessage(wire);
  });
  connect(m_socket.get(), &WorkerSocket::broken, this, &Worker::fail);
  connect(m_socket.get(), &WorkerSocket::closed, this, [this] {
    // The process's end tells more; it has its own deadline now.
    if (m_state != WorkerState::Stopping && m_state != WorkerState::Failed) {
      m_deadline.start(milliseconds(m_deadlines.shutdown));
      m_heartbeat.stop();
    }
  });
  if (m_process != nullptr) {
    m_process->disconnect(this);
    m_process->kill();
    m_process.release()->deleteLater();
  }
  m_process = std::make_unique<QProcess>();
  connect(m_process.get(), &QProcess::finished, this, &Worker::onProcessFinished);
  connect(m_process.get(), &QProcess::started, this, [this] {
    if (m_state == WorkerState::Starting) {
      m_socket->setWorkerPid(m_process->processId());
      transition(WorkerState::Handshaking);
    }
  });
  connect(m_process.get(), &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
    if (error == QProcess::FailedToStart) {
      fail({ErrorCode::NotFound,
            "The worker program '" + m_spec.program.toStdString() + "' cannot be started; install Polyptych again or build it.",
            m_process->errorString().toStdString()});
    }
  });
  transition(WorkerState::Starting);
  const QByteArray token = newToken();
  if (const Result<void> listening = m_socket->listen(newSocketPath(), token); !listening) {
    fail(listening.error());
    return;
  }
  m_process->setProcessChannelMode(QProcess::MergedChannels);
  m_process->setStandardOutputFile(m_logFile.isEmpty() ? QProcess::nullDevice() : m_logFile, QIODevice::Append);
  m_process->setProcessEnvironment(workerEnvironment(m_spec));
  // A Ctrl-C in the terminal is this program's to answer, from the child's first moment on.
  m_process->setChildProcessModifier([memory = m_spec.sharedMemoryFd] {
    std::signal(SIGINT, SIG_IGN);
    if (memory >= 0) {
      ::fcntl(memory, F_SETFD, 0);
    }
  });
  m_process->start(m_spec.program, workerArguments(m_spec, m_socket->path()));
  if (m_state == WorkerState::Starting || m_state == WorkerState::Handshaking) {
    m_process->write(token + '\n');
    m_process->closeWriteChannel();
  }
}

void Worker::load(const domain::RunPlan& plan) {
  Q_ASSERT(isReady());
  m_wanted = plan;
  sendLoad();
}

void Worker::sendLoad() {
  m_isLoaded = false;
  m_loadedBytes = 0;
  transition(WorkerState::LoadingModel);
  if (const Result<void> sent = m_socket->send(protocol::LoadModel{++m_loadId, m_wanted->model, m_wanted->computeType}); !sent) {
    fail(sent.error());
  }
}

void Worker::unload() {
  Q_ASSERT(isReady());
  m_isLoaded = false;
  m_isUnloading = true;
  m_deadline.start(milliseconds(m_deadlines.cancel));
  (void)m_socket->send(protocol::UnloadModel{++m_loadId});
}

void Worker::generate(const domain::UnitOfWork& unit) {
  Q_ASSERT(hasLoaded(unit.plan));
  m_unit = std::make_unique<Unit>();
  m_unit->work = unit;
  m_unit->key = {unit.id, ++m_lease};
  m_unit->sinceBeat.start();
  transition(WorkerState::Busy);
  if (const Result<void> sent = m_socket->send(protocol::Generate{m_lease, unit}); !sent) {
    // Too long for a message: this unit's own fault, which InvalidArgument would make the whole run's.
    const Error error{ErrorCode::Internal, sent.error().message, sent.error().detail};
    finishUnit();
    Q_EMIT unitFailed(error);
  }
}

void Worker::cancelUnit() {
  if (m_state != WorkerState::Busy || m_unit->isCancelled) {
    return;
  }
  m_unit->isCancelled = true;
  m_cancelDeadline.start(milliseconds(m_deadlines.cancel));
  (void)m_socket->send(protocol::Cancel{m_unit->key});
}

void Worker::finishUnit() {
  m_unit.reset();
  m_cancelDeadline.stop();
  transition(WorkerState::Idle);
}

void Worker::stop() {
  if (m_state == WorkerState::Stopped || m_state == WorkerState::Stopping || m_state == WorkerState::Failed) {
    return;
  }
  const bool hadUnit = m_unit != nullptr;
  m_unit.reset();
  (void)m_socket->send(protocol::Shutdown{});
  transition(WorkerState::Stopping);
  if (!m_socket->isConnected()) {
    endProcess();
  }
  if (hadUnit) {
    Q_EMIT unitCancelled();
  }
}

void Worker::fail(Error error) {
  if (m_state == WorkerState::Stopped || m_state == WorkerState::Failed || m_state == WorkerState::Stopping) {
    return;
  }
  if (!m_logFile.isEmpty()) {
    error.detail += (error.detail.empty() ? "" : "; ") + std::string("log: ") + m_logFile.toStdString();
  }
  m_unit.reset();
  const QPointer<Worker> self(this);
  transition(WorkerState::Failed, QString::fromStdString(error.message));
  if (self) {
    endProcess();
    Q_EMIT failed(error);
  }
}

/// Closes the wire; a worker that does not leave by itself is terminated, then killed.
void Worker::endProcess() {
  m_socket->close();
  if (m_process->state() != QProcess::NotRunning) {
    m_process->terminate();
    killSoon(m_deadlines.terminate, true);
  }
}

void Worker::killSoon(std::chrono::milliseconds after, bool byForce) {
  QTimer::singleShot(after, m_process.get(), [process = m_process.get(), byForce] {
    if (process->state() == QProcess::NotRunning) {
      return;
    }
    byForce ? process->kill() : process->terminate();
  });
}

void Worker::onDeadline() {
  switch (m_state) {
    case WorkerState::Starting:
    case WorkerState::Handshaking:
      fail({ErrorCode::Timeout, "The worker did not start in time.", nameOf(m_state)});
      return;
    case WorkerState::LoadingModel:
      fail({ErrorCode::Timeout, "The worker stopped in the middle of loading the model.", {}});
      return;
    case WorkerState::Busy:
      fail({ErrorCode::Timeout, "The worker stopped in the middle of a picture and was ended.",
            domain::toString(m_unit->last.stage) + " " + std::to_string(m_unit->last.step)});
      return;
    case WorkerState::Idle:
      if (m_isUnloading && m_socket->isConnected()) {
        fail({ErrorCode::Timeout, "The worker did not give its memory back in time and was ended.", {}});
        return;
      }
      fail({ErrorCode::WorkerDied, "The worker closed its connection.", {}});
      return;
    case WorkerState::Stopping:
      endProcess();
      return;
    case WorkerState::Stopped:
    case WorkerState::Failed:
      return;
  }
}

void Worker::onProcessFinished(int exitCode, QProcess::ExitStatus status) {
  if (m_state == WorkerState::Stopping) {
    m_socket->close();
    transition(WorkerState::Stopped);
    return;
  }
  m_socket->drain();
  if (m_state == WorkerState::Failed || m_state == WorkerState::Stopped) {
    return;
  }
  const std::string how =
      status == QProcess::CrashExit ? "signal " + std::to_string(exitCode) : "code " + std::to_string(exitCode);
  fail({ErrorCode::WorkerDied, "The worker process ended unexpectedly (" + how + ").", {}});
}

void Worker::refuse(const std::string& detail) {
  fail({ErrorCode::Protocol, "The worker said something that it should not and was ended.", detail});
}

void Worker::onHello(const protocol::Hello& hello) {
  if (m_state != WorkerState::Handshaking) {
    refuse("Hello while " + std::string(nameOf(m_state)));
    return;
  }
  if (hello.programVersion != POLYPTYCH_VERSION) {
    fail({ErrorCode::VersionMismatch,
          "The worker is of version " + hello.programVersion + " and this program of " POLYPTYCH_VERSION "; install both again.",
          {}});
    return;
  }
  if (hello.device.kind == m_spec.slot.kind && hello.device.uuid.empty() && !m_spec.slot.uuid.empty()) {
    return;  // it has no device; its next message, Fatal, says why
  }
  if (hello.device.kind != m_spec.slot.kind || hello.device.uuid != m_spec.slot.uuid) {
    fail({ErrorCode::DeviceLost, "The worker got another device than the one it was started for.",
          hello.device.name + " " + hello.device.uuid});
    return;
  }
  if (!hello.device.name.empty()) {
    m_deviceName = QString::fromStdString(hello.device.name);
  }
  m_heartbeat.start(milliseconds(m_deadlines.heartbeat));
  sendLoad();
}

bool Worker::isOfUnit(const protocol::UnitKey& key) const { return m_unit != nullptr && m_unit->key == key; }

void Worker::onProgress(const domain::StepProgress& progress) {
  const domain::GenerationRequest& first = m_unit->work.requests.front();
  const bool isDenoising = progress.stage == Stage::Denoising;
  const domain::StepProgress& last = m_unit->last;
  const bool goesOn = progress.stage > last.stage || (progress.stage == last.stage && progress.step >= last.step);
  if (progress.step < 0 || progress.step > progress.steps || !goesOn || (isDenoising && progress.steps != first.steps)) {
    refuse("progress " + domain::toString(progress.stage) + " " + std::to_string(progress.step) + " of " +
           std::to_string(progress.steps));
    return;
  }
  m_deadline.start(milliseconds(m_watchdog.beat(progress, std::chrono::milliseconds(m_unit->sinceBeat.restart()))));
  m_unit->last = progress;
  Q_EMIT stepped(progress);
}

void Worker::onMessage(WorkerWire& wire) {
  using namespace protocol;
  m_heartbeat.start(milliseconds(m_deadlines.heartbeat));
  const auto ofLoad = [this](std::uint64_t id) {
    if (m_state != WorkerState::LoadingModel || id != m_loadId) {
      refuse("an answer to a load that is not going on");
      return false;
    }
    return true;
  };
  // An answer to an attempt that was given up is dropped; nothing else is let through in the wrong state.
  const auto ofUnit = [this](const UnitKey& key) {
    if (isOfUnit(key)) {
      return true;
    }
    if (key.lease == 0 || key.lease > m_lease || (m_unit != nullptr && key.lease == m_unit->key.lease)) {
      refuse("an answer to a unit that was never given");
    }
    return false;
  };
  Message& message = wire.message;
  if (m_state == WorkerState::Stopping || std::holds_alternative<Heartbeat>(message)) {
    if (m_state == WorkerState::Stopping) {
      m_heartbeat.stop();
    }
    return;
  }
  if (auto* load = std::get_if<LoadProgress>(&message)) {
    if (!ofLoad(load->loadId)) {
      return;
    }
    if (load->doneBytes > load->totalBytes || load->doneBytes < m_loadedBytes) {
      refuse("byte counts of a load");
      return;
    }
    m_loadedBytes = load->doneBytes;
    m_deadline.start(milliseconds(m_deadlines.loadBeat));
    Q_EMIT loadProgressed(load->doneBytes, load->totalBytes);
  } else if (auto* ready = std::get_if<Ready>(&message)) {
    if (ofLoad(ready->loadId)) {
      m_isLoaded = true;
      transition(WorkerState::Idle);
    }
  } else if (auto* loadFailed = std::get_if<LoadFailed>(&message)) {
    if (ofLoad(loadFailed->loadId)) {
      fail(loadFailed->error);
    }
  } else if (auto* left = std::get_if<Unloaded>(&message)) {
    if (!m_isUnloading || left->loadId != m_loadId) {
      refuse("an answer to an unload that is not going on");
      return;
    }
    m_isUnloading = false;
    m_deadline.stop();
    Q_EMIT unloaded();
  } else if (auto* progress = std::get_if<Progress>(&message)) {
    if (ofUnit(progress->key)) {
      onProgress(progress->progress);
    }
  } else if (auto* preview = std::get_if<Preview>(&message)) {
    if (!ofUnit(preview->key)) {
      return;
    }
    if (!m_unit->work.wantsPreviews || preview->requestInUnit >= m_unit->work.requests.size()) {
      refuse("a preview that was not wanted");
      return;
    }
    Q_EMIT previewMade(preview->requestInUnit, preview->image);
  } else if (auto* made = std::get_if<PictureMade>(&message)) {
    if (!ofUnit(made->key)) {
      return;
    }
    const std::size_t next = m_unit->result.pictures.size();
    const auto& requests = m_unit->work.requests;
    if (next >= requests.size() || made->requestInUnit != next || made->width != requests[next].width ||
        made->height != requests[next].height) {
      refuse("a picture out of order or of another size");
      return;
    }
    m_unit->result.pictures.push_back(std::move(made->png));
    m_deadline.start(milliseconds(m_watchdog.pictureMade(std::chrono::milliseconds(m_unit->sinceBeat.restart()))));
  } else if (auto* done = std::get_if<UnitDone>(&message)) {
    if (!ofUnit(done->key)) {
      return;
    }
    if (m_unit->result.pictures.size() != m_unit->work.requests.size() || (!done->trace.empty() && !m_unit->work.wantsTrace)) {
      refuse("a unit that ended without all of its pictures");
      return;
    }
    UnitResult result = std::move(m_unit->result);
    result.seconds = done->seconds;
    result.warnings = std::move(done->warnings);
    result.trace = std::move(done->trace);
    m_watchdog.finish();
    finishUnit();
    Q_EMIT unitFinished(result);
  } else if (auto* cancelled = std::get_if<UnitCancelled>(&message)) {
    if (!ofUnit(cancelled->key)) {
      return;
    }
    if (!m_unit->isCancelled) {
      refuse("a unit was cancelled that nobody cancelled");
      return;
    }
    finishUnit();
    Q_EMIT unitCancelled();
  } else if (auto* unit = std::get_if<UnitFailed>(&message)) {
    if (ofUnit(unit->key)) {
      const Error error = unit->error;
      finishUnit();
      Q_EMIT unitFailed(error);
    }
  } else if (auto* fatal = std::get_if<Fatal>(&message)) {
    fail(fatal->error);
  } else if (auto* warning = std::get_if<Warning>(&message)) {
    Q_EMIT warned(warning->warning);
  } else {
    refuse(std::string("a message of type ") + protocol::nameOf(typeOf(message)));
  }
}

}  // namespace polyptych::pool
