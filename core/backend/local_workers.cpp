#include "core/backend/local_backend_parts.h"

#include <QCoreApplication>
#include <QFile>
#include <QFileInfo>
#include <algorithm>
#include <utility>

#include "core/pool/idle_policy.h"
#include "core/pool/load_admission.h"
#include "core/pool/restart_policy.h"

namespace polyptych::backend {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using pool::WorkerState;

SlotState stateOf(WorkerState state) {
  switch (state) {
    case WorkerState::Stopped:
      return SlotState::Stopped;
    case WorkerState::Starting:
      return SlotState::Starting;
    case WorkerState::Handshaking:
      return SlotState::Handshaking;
    case WorkerState::LoadingModel:
      return SlotState::LoadingModel;
    case WorkerState::Idle:
      return SlotState::Idle;
    case WorkerState::Busy:
      return SlotState::Busy;
    case WorkerState::Stopping:
      return SlotState::Stopping;
    case WorkerState::Failed:
      return SlotState::Failed;
  }
  return SlotState::Failed;
}

}  // namespace

Result<QString> LocalBackend::programFor(domain::DeviceKind kind) const {
  const bool isGpu = kind == domain::DeviceKind::Cuda;
  const QString chosen = isGpu ? m_options.cudaWorker : m_options.cpuWorker;
  const QString name = isGpu ? QStringLiteral("polyptych-worker-cuda") : QStringLiteral("polyptych-worker");
  const QFileInfo file(chosen.isEmpty() ? QCoreApplication::applicationDirPath() + QLatin1Char('/') + name : chosen);
  if (!file.isFile() || !file.isExecutable()) {
    return Error{ErrorCode::NotFound,
                 "The worker program '" + file.absoluteFilePath().toStdString() +
                     "' is not there or cannot be run; it belongs to Polyptych and must be built or installed beside it.",
                 {}};
  }
  return file.absoluteFilePath();
}

Result<void> LocalBackend::setSlots(const std::vector<domain::DeviceSlot>& wanted) {
  for (const domain::DeviceSlot& device : wanted) {
    if (const Result<QString> program = programFor(device.kind); !program) {
      return program.error();
    }
  }
  shareMemoryOf(wanted);
  std::vector<SlotPointer> before = std::exchange(m_slots, {});
  for (const domain::DeviceSlot& device : wanted) {
    const auto kept = std::find_if(before.begin(), before.end(),
                                   [&device](const auto& slot) { return slot != nullptr && slot->device == device; });
    SlotPointer slot;
    if (kept != before.end()) {
      slot = std::exchange(*kept, nullptr);
      slot->isLeaving = false;
    } else {
      slot = std::make_shared<Slot>();
      slot->number = ++m_lastSlotNumber;
      slot->restarts = pool::RestartPolicy(m_limits);
      slot->idle.setSingleShot(true);
      connect(&slot->idle, &QTimer::timeout, this, [this, weak = std::weak_ptr<Slot>(slot)] {
        if (const SlotPointer alive = weak.lock()) {
          watchIdle(alive);
        }
      });
      slot->device = device;
      slot->status.slotId = QString::fromStdString(device.id);
      slot->restart.setSingleShot(true);
      connect(&slot->restart, &QTimer::timeout, this, [this, raw = slot.get()] {
        raw->isWaitingToRestart = false;
        schedule();
      });
      equip(slot, 1);
    }
    renew(*slot);
    slot->status.deviceName = slot->worker->deviceName();
    m_slots.push_back(std::move(slot));
  }
  for (SlotPointer& slot : before) {
    if (slot != nullptr) {
      slot->isLeaving = true;
      slot->plannedJob = 0;
      m_slots.push_back(std::move(slot));
    }
  }
  schedule();
  return {};
}

/// Several processes on the CPU have the same weights; one alone has nobody to share with.
void LocalBackend::shareMemoryOf(const std::vector<domain::DeviceSlot>& wanted) {
  int processes = 0;
  for (const domain::DeviceSlot& device : wanted) {
    processes += device.kind != domain::DeviceKind::Cpu ? 0 : device.partner ? 2 : 1;
  }
  if (processes < 2 || m_sharedPages != nullptr) {
    return;
  }
  Result<std::unique_ptr<base::SharedPages>> pages = base::SharedPages::create();
  if (!pages) {
    qWarning("%s (%s)", pages.error().message.c_str(), pages.error().detail.c_str());  // they do without
    return;
  }
  m_sharedPages = std::move(*pages);
}

/// A worker that no slot needs any more ends on its own time.
void LocalBackend::retire(std::unique_ptr<pool::Worker> worker) {
  worker->disconnect(this);
  pool::Worker* raw = worker.get();
  m_retired.push_back(std::move(worker));
  const auto drop = [this, raw] { std::erase_if(m_retired, [raw](const auto& retired) { return retired.get() == raw; }); };
  raw->stop();
  if (isEnded(raw->state())) {
    QMetaObject::invokeMethod(this, drop, Qt::QueuedConnection);
    return;
  }
  connect(raw, &pool::Worker::stateChanged, this, drop, Qt::QueuedConnection);
}

/// A new worker object for the slot.
void LocalBackend::equip(const SlotPointer& slot, int threads) {
  using pool::Worker;
  if (slot->worker != nullptr) {
    retire(std::move(slot->worker));
  }
  const Result<QString> program = programFor(slot->device.kind);
  const bool isCpu = slot->device.kind == domain::DeviceKind::Cpu;
  slot->worker =
      std::make_unique<Worker>(pool::WorkerSpec{slot->device, program ? *program : QString(), m_options.extraWorkerArguments,
                                                threads, isCpu && m_sharedPages != nullptr ? m_sharedPages->fd() : -1},
                               m_tuning.deadlines);
  Worker* worker = slot->worker.get();
  const std::weak_ptr<Slot> weak = slot;
  const auto with = [weak](auto function) {
    return [weak, function](const auto&... arguments) {
      if (const SlotPointer alive = weak.lock()) {
        function(alive, arguments...);
      }
    };
  };
  connect(worker, &Worker::stateChanged, this, [this, with](WorkerState state, const QString& reason) {
    with([&](const SlotPointer& alive) { onStateChanged(alive, state, reason); })();
  });
  connect(worker, &Worker::loadProgressed, this, [this, with](quint64 done, quint64 total) {
    with([&](const SlotPointer& alive) {
      alive->status.loadedBytes = done;
      alive->status.totalBytes = total;
      publish(*alive);
    })();
  });
  connect(worker, &Worker::unloaded, this, [this, with] {
    with([&](const SlotPointer& alive) {
      alive->isReleased = true;
      alive->status.reason = QString::fromLatin1(kReleased);
      alive->status.loadedBytes = alive->status.totalBytes = 0;
      publish(*alive);
      schedule();
    })();
  });
  connect(worker, &Worker::stepped, this, [this, with](const domain::StepProgress& progress) {
    with([&](const SlotPointer& alive) { onStepped(alive, progress); })();
  });
  connect(worker, &Worker::previewMade, this, [this, with](std::size_t requestInUnit, const domain::Image& preview) {
    with([&](const SlotPointer& alive) {
      if (alive->unit) {
        Q_EMIT previewMade(alive->unit->run->row.id, alive->unit->lease.requests[requestInUnit].index, alive->status.slotId,
                           preview);
      }
    })();
  });
  connect(worker, &Worker::unitFinished, this, [this, with](const pool::UnitResult& result) {
    with([&](const SlotPointer& alive) { onUnitFinished(alive, result); })();
  });
  connect(worker, &Worker::unitCancelled, this,
          [this, with] { with([&](const SlotPointer& alive) { onUnitCancelled(alive); })(); });
  connect(worker, &Worker::unitFailed, this,
          [this, with](const Error& error) { with([&](const SlotPointer& alive) { onUnitFailed(alive, error); })(); });
  connect(worker, &Worker::failed, this,
          [this, with](const Error& error) { with([&](const SlotPointer& alive) { onWorkerFailed(alive, error); })(); });
  connect(worker, &Worker::warned, this, [this, with](const domain::Warning& warning) {
    with([&](const SlotPointer& alive) {
      const quint64 run = alive->unit ? alive->unit->run->row.id : alive->plannedRun;
      Q_EMIT warned(run != 0 || m_runs.empty() ? run : m_runs.begin()->first, warning);
    })();
  });
}

/// The device has all its chances again.
void LocalBackend::renew(Slot& slot) {
  slot.isGivenUp = false;
  slot.restarts.reset();
  m_breaker.closeDevice(slot.device.id);
  const auto forget = [&slot](auto& book) {
    for (auto& [key, slots] : book) {
      slots.erase(slot.number);
    }
    std::erase_if(book, [](const auto& entry) { return entry.second.empty(); });
  };
  forget(m_avoidedByJob);
  forget(m_avoidedByModel);
  m_ladder.forget(slot.device.id);
}

void LocalBackend::publish(Slot& slot) { Q_EMIT slotChanged(slot.status); }

void LocalBackend::onStateChanged(const SlotPointer& slot, WorkerState state, const QString& reason) {
  if (slot->status.state == SlotState::LoadingModel && state == WorkerState::Idle && slot->sinceLoad.isValid()) {
    slot->loadSeconds = static_cast<double>(slot->sinceLoad.elapsed()) / 1000;
  }
  if (state == WorkerState::Idle) {
    slot->sinceIdle.start();
    watchIdle(slot);
  }
  if (state != WorkerState::Failed) {
    slot->stateBefore = state;
  }
  if (m_sharedPages != nullptr && (state == WorkerState::Starting || isEnded(state))) {
    m_sharedPages->sweep();  // what a worker that ended suddenly had
  }
  slot->status.state = stateOf(state);
  slot->status.reason = reason;
  slot->status.failure.reset();
  slot->status.willRestart = false;
  slot->status.deviceName = slot->worker->deviceName();
  if (state != WorkerState::Busy) {
    slot->status.index = -1;
    slot->status.progress = {};
  }
  if (state == WorkerState::Idle && slot->plannedJob == 0 && !slot->reserved && m_window.empty() && m_isWindowWhole) {
    slot->status.reason = QStringLiteral("no work is left for it");
  }
  // Of a worker that failed onWorkerFailed() tells, once it is known what becomes of it.
  if (state != WorkerState::Failed) {
    publish(*slot);
  }
  schedule();
}

void LocalBackend::onStepped(const SlotPointer& slot, const domain::StepProgress& progress) {
  if (!slot->unit) {
    return;
  }
  slot->status.progress = progress;
  slot->lastStage = progress.stage;
  if (progress.stage == domain::Stage::Denoising) {
    Q_EMIT stepFinished(slot->unit->run->row.id, slot->status);
  } else {
    publish(*slot);
  }
}

bool LocalBackend::hasOther(const Slot& slot) const {
  return std::any_of(m_slots.begin(), m_slots.end(), [&slot](const SlotPointer& other) {
    return other.get() != &slot && !other->isGivenUp && !other->isLeaving;
  });
}

std::vector<std::string> LocalBackend::devicesInUse() const {
  std::vector<std::string> devices;
  for (const SlotPointer& slot : m_slots) {
    if (!slot->isGivenUp && !slot->isLeaving) {
      devices.push_back(slot->device.id);
    }
  }
  return devices;
}

void LocalBackend::setAside(Slot& slot, const std::string& sentence) {
  slot.isGivenUp = true;
  slot.isWaitingToRestart = false;
  slot.restart.stop();
  slot.status.willRestart = false;
  slot.status.reason = QString::fromStdString(sentence);
  if (!isEnded(slot.worker->state())) {
    slot.worker->stop();
  }
  publish(slot);
}

void LocalBackend::restartSoon(const SlotPointer& slot, const Error& error, std::optional<std::uint64_t> unit) {
  const pool::RestartPolicy::Decision decision =
      slot->restarts.noteDeath(std::chrono::milliseconds(m_clock.elapsed()), error, unit);
  if (decision.isSetAside || slot->isGivenUp) {
    if (decision.isSetAside) {
      setAside(*slot, decision.sentence);
    }
    return;
  }
  slot->isWaitingToRestart = true;
  slot->status.willRestart = true;
  publish(*slot);
  slot->restart.start(decision.delay);
}

/// A worker for which nothing waits leaves the device after a while, if the user wants it so.
void LocalBackend::watchIdle(const SlotPointer& slot) {
  if (slot->idle.isActive() || slot->worker->state() != WorkerState::Idle || slot->unit || slot->plannedJob != 0 ||
      slot->reserved) {
    return;
  }
  const pool::IdlePolicy policy(m_limits);
  const std::chrono::milliseconds idle(slot->sinceIdle.elapsed());
  const pool::IdleAction action = policy.actionAfter(idle);
  if (action == pool::IdleAction::StopWorker) {
    slot->worker->stop();
    return;
  }
  if (action == pool::IdleAction::ReleaseMemory && slot->loadKey && slot->worker->isReady()) {
    slot->loadKey.reset();
    slot->worker->unload();
  }
  if (const auto next = policy.untilNext(idle)) {
    slot->idle.start(*next);
  }
}

/// Whether the host has room for one more load; if not, the slot's card says so.
bool LocalBackend::mayLoad(Slot& slot, const Run& run) {
  std::vector<pool::LoadInProgress> loads;
  for (const SlotPointer& other : m_slots) {
    const WorkerState state = other->worker->state();
    if (other.get() != &slot &&
        (state == WorkerState::Starting || state == WorkerState::Handshaking || state == WorkerState::LoadingModel)) {
      const RunPointer loading = runOf(other->plannedRun);
      loads.push_back(
          {loading != nullptr ? std::optional<std::uint64_t>(loading->weightBytes) : std::nullopt, other->status.loadedBytes});
    }
  }
  const std::uint64_t freeBytes = m_tuning.freeHostBytes();
  if (freeBytes == 0) {
    return true;
  }
  const auto decision = pool::LoadAdmission(m_limits).decide(freeBytes, run.weightBytes, loads);
  if (!decision.mayStart && slot.status.reason != QString::fromStdString(decision.reason)) {
    slot.status.reason = QString::fromStdString(decision.reason);
    publish(slot);
  }
  return decision.mayStart;
}

}  // namespace polyptych::backend
