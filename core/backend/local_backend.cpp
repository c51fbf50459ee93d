#include "core/backend/local_backend.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <algorithm>
#include <memory>
#include <utility>

namespace polyptych::backend {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using gallery::OutputFolder;
using pool::WorkerState;

/// Units that may wait for the disk, a slot. Above it no new unit is begun: pictures are big.
constexpr int kUnitsOnDiskPerSlot = 2;

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

bool isEnded(WorkerState state) { return state == WorkerState::Stopped || state == WorkerState::Failed; }

/// True if every worker and every unit would fail at this in the same way: the model, or settings that all units share.
bool isFaultOfRun(ErrorCode code) {
  return code == ErrorCode::ModelUnusable || code == ErrorCode::NotFound || code == ErrorCode::Unsupported ||
         code == ErrorCode::Corrupt || code == ErrorCode::InvalidArgument;
}

/// True if another start of the same worker may go better.
bool isWorthARestart(ErrorCode code) {
  return code == ErrorCode::WorkerDied || code == ErrorCode::DeviceLost || code == ErrorCode::Timeout || code == ErrorCode::Io ||
         code == ErrorCode::Protocol || code == ErrorCode::Internal;
}

}  // namespace

LocalBackend::LocalBackend(LocalBackendOptions options, LocalBackendTuning tuning, QObject* parent)
    : Backend(parent), m_options(std::move(options)), m_tuning(std::move(tuning)) {
  registerMetaTypes();
  for (QThreadPool* threads : {&m_disk, &m_lookUp}) {
    threads->setMaxThreadCount(1);
    threads->setExpiryTimeout(-1);
  }
}

LocalBackend::~LocalBackend() {
  disconnect();
  for (const auto& slot : m_slots) {
    if (slot->worker != nullptr) {
      slot->worker->disconnect(this);
      slot->worker->stop();
    }
  }
  m_retired.clear();
  m_slots.clear();
  m_disk.waitForDone();
  m_lookUp.waitForDone();
}

template <typename Job, typename Done>
void LocalBackend::onDisk(Job job, Done done) {
  // A function object of the thread pool must be copyable; results and folders are not.
  auto shared = std::make_shared<std::pair<Job, Done>>(std::move(job), std::move(done));
  m_disk.start([this, shared] {
    auto result = std::make_shared<decltype(shared->first())>(shared->first());
    QMetaObject::invokeMethod(
        this, [shared, result] { shared->second(std::move(*result)); }, Qt::QueuedConnection);
  });
}

quint64 LocalBackend::submit(RunSpec spec) {
  auto run = std::make_unique<Run>();
  run->id = ++m_lastRunId;
  run->summary.runId = run->id;
  run->summary.total = static_cast<std::int64_t>(spec.requests.size());
  run->spec = std::move(spec);
  m_queue.push_back(std::move(run));
  schedule();
  return m_lastRunId;
}

void LocalBackend::cancelRun(quint64 runId) {
  if (m_run != nullptr && m_run->id == runId) {
    if (!m_run->isCancelled) {
      m_run->isCancelled = true;
      stopWork();
    }
    return;
  }
  for (const auto& run : m_queue) {
    if (run->id == runId) {
      run->isCancelled = true;
      schedule();
    }
  }
}

void LocalBackend::listDevices() {
  m_lookUp.start([this] {
    auto found = devices::listDevices(m_tuning.sources);
    QMetaObject::invokeMethod(
        this, [this, found = std::move(found)] { Q_EMIT devicesListed(found); }, Qt::QueuedConnection);
  });
}

/// Looks at everything once the event that is being handled is over: nothing is started or ended inside a worker's signal.
void LocalBackend::schedule() {
  if (std::exchange(m_isScheduled, true)) {
    return;
  }
  QMetaObject::invokeMethod(
      this,
      [this] {
        m_isScheduled = false;
        pump();
      },
      Qt::QueuedConnection);
}

void LocalBackend::pump() {
  if (m_run == nullptr) {
    startNextRun();
    return;
  }
  if (m_run->isPreparing) {
    return;
  }
  if (m_run->isStarted) {
    for (const auto& slot : m_slots) {
      giveWork(*slot);
    }
    startWorkers();
  }
  const bool isWorking = std::any_of(m_slots.begin(), m_slots.end(), [](const auto& slot) { return slot->unit.has_value(); });
  if (m_run->waiting.empty() && !isWorking && m_run->jobsOnDisk == 0) {
    finishRun();
  }
}

void LocalBackend::startNextRun() {
  if (m_queue.empty()) {
    return;
  }
  m_run = std::move(m_queue.front());
  m_queue.pop_front();
  Result<void> checked = checkSpec(m_run->spec);
  for (const domain::DeviceSlot& slot : m_run->spec.slots) {
    if (const Result<QString> program = programFor(slot.kind); checked && !program) {
      checked = program.error();
    }
  }
  if (!checked || m_run->isCancelled) {
    if (!checked) {
      m_run->summary.error = checked.error();
    }
    schedule();
    return;
  }
  m_run->isPreparing = true;
  onDisk([spec = m_run->spec] { return prepare(spec); },
         [this, id = m_run->id](Result<PreparedRun> prepared) { takePrepared(id, std::move(prepared)); });
}

void LocalBackend::takePrepared(quint64 runId, Result<PreparedRun> prepared) {
  Q_ASSERT(m_run != nullptr && m_run->id == runId);
  m_run->isPreparing = false;
  schedule();
  if (!prepared) {
    m_run->summary.error = prepared.error();
    return;
  }
  if (m_run->isCancelled) {
    return;
  }
  Run& run = *m_run;
  run.plan = std::move(prepared->plan);
  run.folder = std::move(prepared->folder);
  run.isStarted = true;
  run.summary.alreadyThere = static_cast<std::int64_t>(run.folder->finishedCount());
  for (std::size_t i = 0; i < run.folder->size(); ++i) {
    run.isFinished.push_back(run.folder->isFinished(i));
  }
  for (const PlannedUnit& unit : planUnits(run.spec.requests.size(), run.plan.batch)) {
    const auto begin = run.isFinished.begin() + static_cast<std::ptrdiff_t>(unit.first);
    if (!std::all_of(begin, begin + static_cast<std::ptrdiff_t>(unit.count), [](bool isFinished) { return isFinished; })) {
      run.waiting.push_back(unit);
    }
  }
  if (!run.waiting.empty()) {
    if (const Result<void> made = makeSlots(); !made) {
      run.waiting.clear();
      run.summary.error = made.error();
      return;
    }
  }
  Q_EMIT runStarted(runId, run.summary.total, run.summary.alreadyThere);
  for (std::size_t i = 0; i < run.isFinished.size() && m_run != nullptr; ++i) {
    if (run.isFinished[i]) {
      Q_EMIT pictureFinished({runId, static_cast<std::int64_t>(i), run.folder->pathOf(i), QString(), 0, true});
    }
  }
}

void LocalBackend::finishRun() {
  RunSummary summary = m_run->summary;
  summary.wasCancelled =
      m_run->isCancelled && !summary.error && summary.made + summary.alreadyThere + summary.failed < summary.total;
  m_run.reset();  // unlocks the folder
  schedule();
  Q_EMIT runFinished(summary);
}

void LocalBackend::endRun(Error error) {
  if (!m_run->summary.error) {
    m_run->summary.error = std::move(error);
  }
  stopWork();
}

/// Lets no unit begin and cancels those in work.
void LocalBackend::stopWork() {
  m_run->waiting.clear();
  for (const auto& slot : m_slots) {
    if (slot->unit) {
      slot->worker->cancelUnit();
    }
  }
  schedule();
}

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

Result<void> LocalBackend::makeSlots() {
  std::vector<std::unique_ptr<Slot>> before = std::exchange(m_slots, {});
  for (const domain::DeviceSlot& device : m_run->spec.slots) {
    const Result<QString> program = programFor(device.kind);
    if (!program) {
      m_slots.insert(m_slots.end(), std::make_move_iterator(before.begin()), std::make_move_iterator(before.end()));
      return program.error();
    }
    const pool::WorkerSpec spec{device, *program, m_options.extraWorkerArguments, m_run->plan.threads};
    const auto kept = std::find_if(before.begin(), before.end(),
                                   [&spec](const auto& slot) { return slot != nullptr && slot->worker->spec() == spec; });
    std::unique_ptr<Slot> slot;
    if (kept != before.end()) {
      slot = std::move(*kept);
    } else {
      slot = std::make_unique<Slot>();
      slot->worker = std::make_unique<pool::Worker>(spec, m_tuning.deadlines);
      slot->status.slotId = QString::fromStdString(device.id);
      wire(*slot);
    }
    slot->deathsInRow = 0;
    slot->isGivenUp = false;
    slot->status.picturesDone = 0;
    slot->status.deviceName = slot->worker->deviceName();
    m_slots.push_back(std::move(slot));
  }
  for (auto& slot : before) {
    if (slot != nullptr) {
      retire(std::move(slot->worker));
    }
  }
  return {};
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

void LocalBackend::wire(Slot& slot) {
  using pool::Worker;
  Worker* worker = slot.worker.get();
  Slot* raw = &slot;
  slot.restart.setSingleShot(true);
  connect(&slot.restart, &QTimer::timeout, this, [this, raw] {
    raw->isWaitingToRestart = false;
    schedule();
  });
  connect(worker, &Worker::stateChanged, this,
          [this, raw](WorkerState state, const QString& reason) { onStateChanged(*raw, state, reason); });
  connect(worker, &Worker::loadProgressed, this, [this, raw](quint64 done, quint64 total) {
    raw->status.loadedBytes = done;
    raw->status.totalBytes = total;
    publish(*raw);
  });
  connect(worker, &Worker::stepped, this, [this, raw](const domain::StepProgress& progress) { onStepped(*raw, progress); });
  connect(worker, &Worker::previewMade, this, [this, raw](std::size_t requestInUnit, const domain::Image& preview) {
    if (m_run != nullptr && raw->unit) {
      Q_EMIT previewMade(m_run->id, static_cast<qint64>(raw->unit->first + requestInUnit), raw->status.slotId, preview);
    }
  });
  connect(worker, &Worker::unitFinished, this, [this, raw](const pool::UnitResult& result) { onUnitFinished(*raw, result); });
  connect(worker, &Worker::unitCancelled, this, [this, raw] { onUnitCancelled(*raw); });
  connect(worker, &Worker::unitFailed, this, [this, raw](const Error& error) { onUnitFailed(*raw, error); });
  connect(worker, &Worker::failed, this, [this, raw](const Error& error) { onWorkerFailed(*raw, error); });
  connect(worker, &Worker::warned, this, [this](const domain::Warning& warning) {
    if (m_run != nullptr) {
      Q_EMIT warned(m_run->id, warning);
    }
  });
}

void LocalBackend::publish(Slot& slot) { Q_EMIT slotChanged(slot.status); }

void LocalBackend::giveWork(Slot& slot) {
  Run& run = *m_run;
  const bool isDiskBehind = run.jobsOnDisk >= kUnitsOnDiskPerSlot * static_cast<int>(m_slots.size());
  if (!slot.worker->isReady() || slot.unit || run.waiting.empty() || isDiskBehind) {
    return;
  }
  if (!slot.worker->hasLoaded(run.plan)) {
    slot.worker->load(run.plan);
    return;
  }
  slot.unit = run.waiting.front();
  run.waiting.pop_front();
  ++slot.unit->attempts;
  slot.status.index = static_cast<std::int64_t>(slot.unit->first);
  slot.status.progress = {domain::Stage::Encoding, 0, 0};
  slot.worker->generate(workOf(run.spec, run.plan, *slot.unit));
}

/// Starts as many workers as there are units that no started worker is going to take.
void LocalBackend::startWorkers() {
  Run& run = *m_run;
  const auto coming = std::count_if(m_slots.begin(), m_slots.end(), [](const auto& slot) {
    return !isEnded(slot->worker->state()) && slot->worker->state() != WorkerState::Stopping &&
           slot->worker->state() != WorkerState::Busy;
  });
  auto needed = static_cast<std::ptrdiff_t>(run.waiting.size()) - coming;
  bool isAnyLeft = false;
  for (const auto& slot : m_slots) {
    isAnyLeft = isAnyLeft || !slot->isGivenUp;
    if (needed > 0 && isEnded(slot->worker->state()) && !slot->isGivenUp && !slot->isWaitingToRestart) {
      --needed;
      slot->status.loadedBytes = slot->status.totalBytes = 0;
      slot->worker->start(run.plan);
    }
  }
  if (!isAnyLeft && !run.waiting.empty()) {
    const Error error = run.lastDeath.value_or(Error{ErrorCode::WorkerDied, "Every worker failed.", {}});
    for (const PlannedUnit& unit : std::exchange(run.waiting, {})) {
      failUnit(unit, error, {});
    }
    endRun({error.code, "No worker is left to go on: " + error.message, error.detail});
  }
}

void LocalBackend::onStateChanged(Slot& slot, WorkerState state, const QString& reason) {
  slot.status.state = stateOf(state);
  slot.status.reason = reason;
  slot.status.failure.reset();
  slot.status.willRestart = false;
  slot.status.deviceName = slot.worker->deviceName();
  if (state != WorkerState::Busy) {
    slot.status.index = -1;
    slot.status.progress = {};
  }
  if (state == WorkerState::Idle && m_run != nullptr && m_run->isStarted && m_run->waiting.empty()) {
    slot.status.reason = QStringLiteral("no work is left for it");
  }
  publish(slot);
  schedule();
}

void LocalBackend::onStepped(Slot& slot, const domain::StepProgress& progress) {
  if (m_run == nullptr || !slot.unit) {
    return;
  }
  slot.status.progress = progress;
  if (progress.stage == domain::Stage::Denoising) {
    Q_EMIT stepFinished(m_run->id, slot.status);
  } else {
    publish(slot);
  }
}

void LocalBackend::onUnitFinished(Slot& slot, const pool::UnitResult& result) {
  const PlannedUnit unit = *slot.unit;
  slot.unit.reset();
  slot.deathsInRow = 0;
  schedule();
  Run& run = *m_run;
  ++run.jobsOnDisk;
  const gallery::PictureOrigin origin{slot.status.slotId, slot.worker->deviceName(), result.seconds};
  OutputFolder* folder = run.folder.get();
  auto shared = std::make_shared<const pool::UnitResult>(result);
  onDisk(
      [folder, unit, shared, origin] {
        SavedUnit saved;
        for (std::size_t i = 0; i < unit.count; ++i) {
          saved.pictures.push_back(folder->save(unit.first + i, shared->pictures[i], origin));
        }
        return saved;
      },
      [this, id = run.id, unit, shared, origin](SavedUnit saved) { takeSaved(id, unit, saved, origin, *shared); });
}

void LocalBackend::takeSaved(quint64 runId, const PlannedUnit& unit, const SavedUnit& saved, const gallery::PictureOrigin& origin,
                             const pool::UnitResult& result) {
  Q_ASSERT(m_run != nullptr && m_run->id == runId);
  Run& run = *m_run;
  --run.jobsOnDisk;
  schedule();
  std::optional<Error> problem;
  for (std::size_t i = 0; i < unit.count; ++i) {
    const std::size_t index = unit.first + i;
    const auto& picture = saved.pictures[i];
    if (!picture) {
      problem = problem ? problem : picture.error();
    } else if (*picture == OutputFolder::Saved::Written) {
      run.isFinished[index] = true;
      ++run.summary.made;
      for (const auto& slot : m_slots) {
        slot->status.picturesDone += slot->status.slotId == origin.device ? 1 : 0;
      }
      Q_EMIT pictureFinished(
          {runId, static_cast<std::int64_t>(index), run.folder->pathOf(index), origin.device, origin.seconds, false});
    } else if (*picture == OutputFolder::Saved::Different) {
      Q_EMIT warned(runId, {domain::WarningCode::FileDiffers, "The file '" + run.folder->pathOf(index).toStdString() +
                                                                  "' differs from what was made now; it was left as it is."});
    }
  }
  if (problem && problem->code == ErrorCode::Corrupt) {
    retryOrFail(unit, *problem, origin);
    return;
  }
  if (problem) {
    endRun(*problem);
    return;
  }
  for (const domain::Warning& warning : result.warnings) {
    Q_EMIT warned(runId, warning);
  }
  if (!result.trace.empty()) {
    Q_EMIT traceMade(runId,
                     QByteArray(reinterpret_cast<const char*>(result.trace.data()), static_cast<qsizetype>(result.trace.size())));
  }
}

void LocalBackend::onUnitCancelled(Slot& slot) {
  slot.unit.reset();
  schedule();
}

void LocalBackend::onUnitFailed(Slot& slot, const Error& error) {
  const PlannedUnit unit = *slot.unit;
  slot.unit.reset();
  schedule();
  if (isFaultOfRun(error.code)) {
    endRun(error);
    return;
  }
  failUnit(unit, error, {slot.status.slotId, slot.worker->deviceName(), 0});
}

void LocalBackend::onWorkerFailed(Slot& slot, const Error& error) {
  const std::optional<PlannedUnit> unit = std::exchange(slot.unit, std::nullopt);
  schedule();
  slot.status.failure = error.code;
  publish(slot);
  if (m_run == nullptr || !m_run->isStarted) {
    return;
  }
  m_run->lastDeath = error;
  if (unit) {
    retryOrFail(*unit, error, {slot.status.slotId, slot.worker->deviceName(), 0});
  } else if (isFaultOfRun(error.code)) {
    endRun(error);
    return;
  }
  ++slot.deathsInRow;
  if (!isWorthARestart(error.code) || slot.deathsInRow >= m_tuning.maxDeathsInRow) {
    slot.isGivenUp = true;
    return;
  }
  slot.isWaitingToRestart = true;
  slot.status.willRestart = true;
  publish(slot);
  const auto delay = m_tuning.restartDelay * (1 << std::min(slot.deathsInRow - 1, 6));
  slot.restart.start(delay);
}

void LocalBackend::retryOrFail(const PlannedUnit& unit, const Error& error, const gallery::PictureOrigin& origin) {
  if (m_run->isCancelled || m_run->summary.error) {
    return;
  }
  if (unit.attempts >= m_options.maxAttemptsPerUnit) {
    failUnit(unit, error, origin);
    return;
  }
  m_run->waiting.push_front(unit);
}

void LocalBackend::failUnit(const PlannedUnit& unit, const Error& error, const gallery::PictureOrigin& origin) {
  Run& run = *m_run;
  std::vector<std::size_t> indices;
  for (std::size_t i = unit.first; i < unit.first + unit.count; ++i) {
    if (!run.isFinished[i]) {
      indices.push_back(i);
    }
  }
  ++run.jobsOnDisk;
  OutputFolder* folder = run.folder.get();
  onDisk(
      [folder, indices, error, origin] {
        Result<void> written;
        for (const std::size_t index : indices) {
          if (written) {
            written = folder->saveFailure(index, error, origin);
          }
        }
        return written;
      },
      [this, indices, error, origin](const Result<void>& written) {
        --m_run->jobsOnDisk;
        schedule();
        for (const std::size_t index : indices) {
          ++m_run->summary.failed;
          Q_EMIT pictureFailed({m_run->id, static_cast<std::int64_t>(index), origin.device, error});
        }
        if (!written) {
          endRun(written.error());
        }
      });
}

std::unique_ptr<Backend> makeLocalBackend(LocalBackendOptions options, QObject* parent) {
  return std::make_unique<LocalBackend>(std::move(options), LocalBackendTuning{}, parent);
}

}  // namespace polyptych::backend
