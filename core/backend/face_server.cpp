#include "core/backend/face_server.h"

#include <QCoreApplication>
#include <QDeadlineTimer>
#include <QTimer>
#include <algorithm>
#include <utility>

namespace polyptych::backend {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

/// How many ends of runs are kept for faces whose connection broke.
constexpr std::size_t kEndedRuns = 1000;
constexpr std::chrono::milliseconds kFlushLimit{500};

/// Takes as long for any two texts of one length.
bool isEqual(const QByteArray& a, const QByteArray& b) {
  if (a.size() != b.size() || a.isEmpty()) {
    return false;
  }
  unsigned difference = 0;
  for (qsizetype i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

QString stepKey(const QString& slotId) { return QStringLiteral("step ") + slotId; }
QString previewKey(const QString& slotId) { return QStringLiteral("preview ") + slotId; }

}  // namespace

FaceServer::FaceServer(Backend& backend, FaceServerOptions options, QObject* parent)
    : QObject(parent), m_backend(backend), m_options(std::move(options)), m_server(this) {
  m_server.setSocketOptions(QLocalServer::UserAccessOption);
  connect(&m_server, &QLocalServer::newConnection, this, &FaceServer::onNewConnection);
  connectBackend();
}

FaceServer::~FaceServer() {
  close();
  for (const auto& client : m_clients) {
    client->link->close();
  }
}

Result<void> FaceServer::listen(const QString& path) {
  if (!m_server.listen(path)) {
    return Error{ErrorCode::Io, "A socket for the program's windows cannot be made; check the folder that XDG_RUNTIME_DIR names.",
                 (path + QStringLiteral(": ") + m_server.errorString()).toStdString()};
  }
  return {};
}

int FaceServer::faces() const {
  return static_cast<int>(
      std::ranges::count_if(m_clients, [](const auto& client) { return client->isGreeted && !client->isLeaving; }));
}

void FaceServer::close() {
  if (std::exchange(m_isClosed, true)) {
    return;
  }
  m_server.close();
  m_backend.disconnect(this);
  const QDeadlineTimer deadline(kFlushLimit);
  for (const auto& client : m_clients) {
    client->link->disconnect(this);
    client->link->flush(std::chrono::milliseconds(deadline.remainingTime()));
    if (!client->isLeaving) {
      client->link->close();
    }
  }
}

void FaceServer::connectBackend() {
  connect(&m_backend, &Backend::devicesListed, this, &FaceServer::onDevicesListed);
  connect(&m_backend, &Backend::queueChanged, this, [this](const QueueStatus& status) { broadcast(face::QueueChanged{status}); });
  connect(&m_backend, &Backend::runChanged, this, [this](const RunStatus& status) { broadcast(face::RunChanged{status}); });
  connect(&m_backend, &Backend::commandDone, this, &FaceServer::onCommandDone);
  connect(&m_backend, &Backend::runStarted, this, [this](quint64 runId, qint64 total, qint64 alreadyThere) {
    std::erase_if(m_ended, [runId](const RunSummary& summary) { return summary.runId == runId; });
    broadcast(face::RunStarted{runId, total, alreadyThere});
  });
  connect(&m_backend, &Backend::slotChanged, this, [this](const SlotStatus& status) {
    forget(stepKey(status.slotId));
    broadcast(face::SlotChanged{status});
  });
  connect(&m_backend, &Backend::stepFinished, this, [this](quint64 runId, const SlotStatus& status) {
    broadcast(face::StepFinished{runId, status}, stepKey(status.slotId));
  });
  connect(&m_backend, &Backend::previewMade, this,
          [this](quint64 runId, qint64 index, const QString& slotId, const domain::Image& preview) {
            broadcast(face::Preview{runId, index, slotId, preview}, previewKey(slotId));
          });
  connect(&m_backend, &Backend::pictureFinished, this, [this](const PictureEvent& picture) {
    forget(previewKey(picture.slotId));
    broadcast(face::PictureFinished{picture});
  });
  connect(&m_backend, &Backend::pictureFailed, this, [this](const FailureEvent& failure) {
    forget(previewKey(failure.slotId));
    broadcast(face::PictureFailed{failure});
  });
  connect(&m_backend, &Backend::traceMade, this, [this](quint64 runId, const QByteArray& safetensors) {
    broadcast(face::Trace{runId, safetensors});
  });
  connect(&m_backend, &Backend::warned, this, [this](quint64 runId, const domain::Warning& warning) {
    broadcast(face::Warned{runId, warning});
  });
  connect(&m_backend, &Backend::runFinished, this, [this](const RunSummary& summary) {
    m_ended.push_back(summary);
    if (m_ended.size() > kEndedRuns) {
      m_ended.pop_front();
    }
    broadcast(face::RunFinished{summary});
  });
  connect(&m_backend, &Backend::picturesMarked, this,
          [this](const std::vector<qint64>& pictures) { broadcast(face::PicturesMarked{pictures}); });
  connect(&m_backend, &Backend::limitsChanged, this,
          [this](const pool::SupervisionLimits& limits) { broadcast(face::LimitsChanged{limits}); });
  connect(&m_backend, &Backend::devicesMeasured, this, [this](const std::vector<DeviceReading>& readings) {
    std::vector<FaceLink*> watchers;
    for (const auto& client : m_clients) {
      if (client->isWatching && client->link->unsentBytes() <= m_options.limits.lowMark) {
        watchers.push_back(client->link);
      }
    }
    for (FaceLink* link : watchers) {
      sendTo(link, face::DevicesMeasured{readings});
    }
  });
  connect(&m_backend, &Backend::lost, this, [this](const Error& error) { broadcast(face::Lost{error}); });
}

void FaceServer::onNewConnection() {
  while (QLocalSocket* socket = m_server.nextPendingConnection()) {
    const auto strangers =
        std::ranges::count_if(m_clients, [](const auto& client) { return !client->isGreeted && !client->isLeaving; });
    if (std::cmp_greater_equal(strangers, m_options.limits.maxStrangers)) {
      delete socket;
      continue;
    }
    auto* link = new FaceLink(socket, protocol::kHandshakeLimits, this);
    Client& client = *m_clients.emplace_back(std::make_unique<Client>());
    client.link = link;
    QTimer::singleShot(m_options.limits.helloDeadline, link, [this, link] {
      if (const Client* late = clientOf(link); late != nullptr && !late->isGreeted && !late->isLeaving) {
        drop(link);
      }
    });
    connect(link, &FaceLink::received, this, [this, link](face::Message& message) { onReceived(link, message); });
    connect(link, &FaceLink::sent, this, [this, link] { onSent(link); });
    connect(link, &FaceLink::broken, this, [this, link](const Error& error) {
      qWarning("A program at the socket broke the rules: %s", error.message.c_str());
      drop(link);
    });
    connect(link, &FaceLink::closed, this, [this, link] { drop(link); });
    link->start();
  }
}

void FaceServer::onReceived(FaceLink* link, face::Message& message) {
  Client* client = clientOf(link);
  if (client == nullptr || client->isLeaving) {
    return;
  }
  if (const auto* retiring = std::get_if<face::Retire>(&message)) {
    retire(*client, *retiring);
  } else if (const auto* hello = std::get_if<face::Hello>(&message); hello != nullptr && !client->isGreeted) {
    greet(*client, *hello);
  } else if (hello != nullptr || !client->isGreeted || !face::isFromFace(message)) {
    drop(link);
  } else {
    obey(*client, message);
  }
}

void FaceServer::greet(Client& client, const face::Hello& hello) {
  if (!isEqual(hello.token, m_options.token)) {
    drop(client.link);
    return;
  }
  if (hello.version != m_options.version) {
    refuse(client,
           {ErrorCode::VersionMismatch,
            "The library is served by polyptych-core " + m_options.version.toStdString() + ", and this program is version " +
                hello.version.toStdString() +
                ". Close the other windows and commands that use the library, wait until its work is done, and try again.",
            {}});
    return;
  }
  std::vector<FaceLink*> leaving;
  for (const auto& other : m_clients) {
    if (other->isLeaving) {
      leaving.push_back(other->link);
    }
  }
  client.isGreeted = true;
  qInfo("A face has come: %s", qUtf8Printable(hello.face));
  client.link->setLimits({});
  sendTo(client.link, face::Welcome{m_options.version, QCoreApplication::applicationPid(), m_options.libraryRoot});
  std::ranges::for_each(leaving, [this](FaceLink* link) { drop(link); });
  Q_EMIT facesChanged(faces());
}

void FaceServer::retire(Client& client, const face::Retire& retire) {
  if (client.isGreeted || !isEqual(retire.token, m_options.token)) {
    drop(client.link);
    return;
  }
  if (faces() > 0 || !m_options.isIdle || !m_options.isIdle()) {
    refuse(client,
           {ErrorCode::VersionMismatch,
            "The library is in use by polyptych-core " + m_options.version.toStdString() + ", which " +
                (faces() > 0 ? "another window or command is connected to" : "has work to do") +
                ", and this program is version " + retire.version.toStdString() +
                ". Close the other windows and commands that use the library, wait until its work is done, and try again.",
            {}});
    return;
  }
  client.isLeaving = true;
  sendTo(client.link, face::Retiring{});
  Q_EMIT endWanted();
}

void FaceServer::obey(Client& client, face::Message& message) {
  FaceLink* link = client.link;
  if (auto* submit = std::get_if<face::Submit>(&message)) {
    m_backend.submit(std::move(submit->spec));
  } else if (const auto* cancel = std::get_if<face::CancelRun>(&message)) {
    m_backend.cancelRun(cancel->runId);
  } else if (const auto* command = std::get_if<face::Control>(&message)) {
    control(client, *command);
  } else if (std::holds_alternative<face::ListDevices>(message)) {
    m_listers.emplace_back(link);
    m_backend.listDevices();
  } else if (std::holds_alternative<face::Refresh>(message)) {
    m_backend.refresh();
  } else if (const auto* await = std::get_if<face::Await>(&message)) {
    std::vector<quint64> others = await->runIds;
    for (const RunSummary& summary : m_ended) {
      if (std::erase(others, summary.runId) > 0) {
        sendTo(link, face::RunFinished{summary});
      }
    }
    if (!others.empty()) {
      m_backend.await(others);
    }
  } else if (const auto* watch = std::get_if<face::WatchDevices>(&message)) {
    client.isWatching = watch->isWanted;
    updateWatch();
  } else if (const auto* goodbye = std::get_if<face::Goodbye>(&message)) {
    leave(client, *goodbye);
  }
}

void FaceServer::updateWatch() {
  m_backend.watchDevices(std::ranges::any_of(m_clients, [](const auto& client) { return client->isWatching; }));
}

void FaceServer::control(Client& client, const face::Control& control) {
  const QPointer<FaceLink> link(client.link);
  m_isControlling = true;
  const quint64 id = m_backend.control(control.command);
  m_isControlling = false;
  m_askers[id] = {link, control.commandId};
  for (const CommandResult& result : std::exchange(m_early, {})) {
    onCommandDone(result);
  }
}

void FaceServer::leave(Client& client, const face::Goodbye& goodbye) {
  if (!goodbye.waits || faces() > 1) {
    drop(client.link);
    return;
  }
  client.isLeaving = true;
  client.held.clear();
  Q_EMIT facesChanged(faces());
  Q_EMIT endWanted();
}

void FaceServer::onCommandDone(const CommandResult& result) {
  if (m_isControlling) {
    m_early.push_back(result);
    return;
  }
  const auto found = m_askers.find(result.commandId);
  if (found == m_askers.end()) {
    return;
  }
  const Asker asker = found->second;
  m_askers.erase(found);
  CommandResult answer = result;
  answer.commandId = asker.commandId;
  sendTo(asker.link, face::CommandDone{answer});
}

void FaceServer::onDevicesListed(const std::vector<domain::DeviceInfo>& devices) {
  for (const QPointer<FaceLink>& link : std::exchange(m_listers, {})) {
    sendTo(link, face::Devices{devices});
  }
}

void FaceServer::onSent(FaceLink* link) {
  Client* client = clientOf(link);
  if (client == nullptr || link->unsentBytes() > m_options.limits.lowMark) {
    return;
  }
  client->bigBytes = 0;
  for (const auto& [key, frame] : std::exchange(client->held, {})) {
    link->send(frame);
  }
}

FaceServer::Client* FaceServer::clientOf(const FaceLink* link) {
  const auto found = std::ranges::find_if(m_clients, [link](const auto& client) { return client->link == link; });
  return found == m_clients.end() ? nullptr : found->get();
}

void FaceServer::drop(FaceLink* link) {
  const auto found = std::ranges::find_if(m_clients, [link](const auto& client) { return client->link == link; });
  if (found == m_clients.end()) {
    return;
  }
  const bool wasFace = (*found)->isGreeted && !(*found)->isLeaving;
  link->disconnect(this);
  link->close();
  link->deleteLater();
  m_clients.erase(found);
  updateWatch();
  if (wasFace) {
    Q_EMIT facesChanged(faces());
  }
}

void FaceServer::refuse(Client& client, const Error& error) {
  sendTo(client.link, face::Refused{error});
  drop(client.link);
}

void FaceServer::sendTo(FaceLink* link, const face::Message& message) {
  if (clientOf(link) == nullptr) {
    return;
  }
  if (const Result<QByteArray> frame = face::encode(message)) {
    link->send(*frame);
  } else {
    qWarning("%s: %s", face::nameOf(message), frame.error().message.c_str());
  }
}

void FaceServer::broadcast(const face::Message& message, const QString& key) {
  if (faces() == 0) {
    return;
  }
  const Result<QByteArray> frame = face::encode(message);
  if (!frame) {
    qWarning("%s: %s", face::nameOf(message), frame.error().message.c_str());
    return;
  }
  std::vector<FaceLink*> stuck;
  for (const auto& client : m_clients) {
    if (!client->isGreeted || client->isLeaving) {
      continue;
    }
    const qint64 unsent = client->link->unsentBytes();
    if (!key.isEmpty() && unsent > m_options.limits.lowMark) {
      client->held[key] = *frame;
      continue;
    }
    if (unsent > m_options.limits.highMark + client->bigBytes) {
      stuck.push_back(client->link);
      continue;
    }
    if (frame->size() > m_options.limits.lowMark) {
      client->bigBytes += frame->size();
    }
    client->link->send(*frame);
  }
  for (FaceLink* link : stuck) {
    qWarning("A face takes nothing that it is told, and is given up.");
    drop(link);
  }
}

void FaceServer::forget(const QString& key) {
  for (const auto& client : m_clients) {
    client->held.erase(key);
  }
}

}  // namespace polyptych::backend
