#include "core/backend/local_backend.h"

#include <QFile>
#include <algorithm>
#include <utility>

#include "core/backend/local_backend_parts.h"

namespace polyptych::backend {
namespace {

using base::Error;
using base::Result;
using library::Database;
using library::Location;

constexpr std::chrono::milliseconds kBetweenMeasures{1000};

}  // namespace

std::uint64_t freeHostBytes() {
  QFile file(QStringLiteral("/proc/meminfo"));
  if (!file.open(QIODevice::ReadOnly)) {
    return 0;
  }
  for (const QByteArray& line : file.readAll().split('\n')) {
    if (line.startsWith("MemAvailable:")) {
      return line.mid(13).trimmed().split(' ').front().toULongLong() * 1024;
    }
  }
  return 0;
}

Result<std::unique_ptr<LocalBackend>> LocalBackend::open(const Location& location, LocalBackendOptions options,
                                                         LocalBackendTuning tuning) {
  std::unique_ptr<LocalBackend> backend(new LocalBackend(location, std::move(options), std::move(tuning)));
  if (const Result<void> started = backend->start(); !started) {
    return started.error();
  }
  return backend;
}

Result<std::unique_ptr<LocalBackend>> openLocalBackend(const Location& location, LocalBackendOptions options) {
  return LocalBackend::open(location, std::move(options));
}

LocalBackend::LocalBackend(Location location, LocalBackendOptions options, LocalBackendTuning tuning)
    : m_location(std::move(location)),
      m_options(std::move(options)),
      m_tuning(std::move(tuning)),
      m_limits(m_options.limits),
      m_breaker(m_limits),
      m_ladder(m_limits) {
  registerMetaTypes();
  m_clock.start();
  for (QThreadPool* threads : {&m_disk, &m_lookUp}) {
    threads->setMaxThreadCount(1);
    threads->setExpiryTimeout(-1);
  }
}

LocalBackend::~LocalBackend() {
  disconnect();
  m_isEnding = true;
  for (const SlotPointer& slot : m_slots) {
    slot->restart.stop();
    if (slot->worker != nullptr) {
      slot->worker->disconnect(this);
      slot->worker->stop();
    }
    for (std::optional<Unit>* unit : {&slot->unit, &slot->reserved}) {
      if (*unit) {
        giveBack((*unit)->lease);
        unit->reset();
      }
    }
  }
  m_retired.clear();
  m_slots.clear();
  m_disk.waitForDone();
  m_lookUp.waitForDone();
  if (m_writer != nullptr) {
    const bool isAllWritten = m_recorder->finish();
    m_recorder.reset();
    if (isAllWritten && !m_isDamaged) {
      m_writer->post([](Database& database) { return database.setMeta(QStringLiteral("clean"), 1); }, {});
    }
    m_writer.reset();
    if (m_isDamaged) {
      library::noteDamage(m_location.databaseFile());
    }
    if (m_isEmpty && isFlat()) {
      for (const char* end : {"", "-wal", "-shm"}) {
        QFile::remove(m_location.databaseFile() + QLatin1String(end));
      }
    }
  }
}

void LocalBackend::setPause(PauseReason reason, const QString& sentence) {
  const bool isSame = m_pause == reason;
  m_pause = reason;
  m_pauseSentence = sentence;
  if (!isSame) {
    tellQueue();
    schedule();
  }
}

void LocalBackend::setStorageTrouble(std::optional<Error>& trouble, std::optional<Error> error) {
  trouble = std::move(error);
  tellQueue();
  schedule();
}

void LocalBackend::tellQueue() {
  QueueStatus status;
  const std::optional<Error>& trouble = m_indexTrouble ? m_indexTrouble : m_filesTrouble;
  status.pause = trouble ? PauseReason::Storage : m_pause;
  status.sentence = trouble ? QString::fromStdString(trouble->message) : m_pauseSentence;
  for (const auto& [id, run] : m_runs) {
    status.waiting += run->row.left();
    status.failed += run->row.failed;
  }
  for (const SlotPointer& slot : m_slots) {
    status.inWork += slot->unit ? static_cast<qint64>(slot->unit->lease.requests.size()) : 0;
  }
  status.waiting = std::max<qint64>(0, status.waiting - status.inWork);
  Q_EMIT queueChanged(status);
}

void LocalBackend::updateIdle() {
  bool isWorking = !m_unborn.empty() || m_changesInWork > 0 || m_recorder->pendingUnits() > 0;
  for (const auto& [id, run] : m_runs) {
    const bool mayBegin = !isHeld() && !m_slots.empty() && !run->row.isPaused;
    isWorking = isWorking || run->unitsInWork > 0 || (mayBegin && run->row.left() > 0) || run->row.state != queue::RunState::Open;
  }
  if (std::exchange(m_isIdle, !isWorking) != m_isIdle) {
    Q_EMIT idleChanged(m_isIdle);
  }
}

void LocalBackend::refresh() {
  tellQueue();
  if (!m_opening.isEmpty()) {
    Q_EMIT warned(0, {domain::WarningCode::Other, m_opening.toStdString()});
  }
  for (const auto& [id, run] : m_runs) {
    tellRun(*run);
  }
  for (const SlotPointer& slot : m_slots) {
    publish(*slot);
  }
  Q_EMIT limitsChanged(m_limits);
}

void LocalBackend::watchDevices(bool isWanted) {
  if (!isWanted) {
    m_measuring.stop();
  } else if (!m_measuring.isActive()) {
    m_measuring.start(kBetweenMeasures);
    measureDevices();
  }
}

void LocalBackend::measureDevices() {
  if (std::exchange(m_isMeasuring, true)) {
    return;  // the driver takes its time
  }
  devices::OwnProcesses own;
  for (const SlotPointer& slot : m_slots) {
    if (const qint64 pid = slot->worker->processId(); pid != 0) {
      slot->device.kind == domain::DeviceKind::Cpu ? own.onCpu.push_back(pid) : own.onGpu[slot->device.uuid].push_back(pid);
    }
  }
  m_lookUp.start([this, own] {
    if (m_meter == nullptr) {
      m_meter = std::make_unique<devices::DeviceMeter>(m_tuning.sources);
    }
    auto readings = m_meter->measure(own);
    QMetaObject::invokeMethod(
        this,
        [this, readings = std::move(readings)] {
          m_isMeasuring = false;
          if (m_measuring.isActive()) {
            Q_EMIT devicesMeasured(readings);
          }
        },
        Qt::QueuedConnection);
  });
}

void LocalBackend::listDevices() {
  m_lookUp.start([this] {
    auto found = devices::listDevices(m_tuning.sources);
    QMetaObject::invokeMethod(
        this, [this, found = std::move(found)] { Q_EMIT devicesListed(found); }, Qt::QueuedConnection);
  });
}

}  // namespace polyptych::backend
