#include "core/backend/local_backend_parts.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

namespace polyptych::backend {
namespace {

using base::Result;
using library::Database;
using pool::WorkerState;
using queue::AttemptOutcome;
using queue::JobState;

/// Units that may wait for the disk, a slot. Above it no new unit is begun: pictures are big.
constexpr int kUnitsOnDiskPerSlot = 2;
/// Jobs whose order is known here; the rest of the queue stays on the disk.
constexpr int kWindow = 512;
constexpr std::size_t kWindowLow = 256;
/// Of those, what the dispatcher is shown.
constexpr std::size_t kUnitsInSight = 256;

}  // namespace

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

bool LocalBackend::isHeld() const { return m_pause != PauseReason::None || m_indexTrouble || m_filesTrouble; }

void LocalBackend::pump() {
  refill();
  std::erase_if(m_slots, [this](const SlotPointer& slot) {
    if (slot->reserved && (slot->isLeaving || isHeld())) {
      release(*std::exchange(slot->reserved, std::nullopt));
    }
    if (!slot->isLeaving || slot->unit || slot->isLeasing) {
      return false;
    }
    slot->restart.stop();
    if (slot->worker != nullptr) {
      retire(std::move(slot->worker));
    }
    slot->status.state = SlotState::Stopped;
    slot->status.reason = QStringLiteral("not chosen any more");
    publish(*slot);
    return true;
  });
  const bool isDiskBehind = m_recorder->pendingUnits() >= kUnitsOnDiskPerSlot * static_cast<int>(m_slots.size()) + 1 ||
                            m_recorder->pendingBytes() > m_tuning.maxPendingBytes;
  if (!isHeld() && !isDiskBehind) {
    assignWork();
    checkForSurvivors();
  }
  for (const SlotPointer& slot : m_slots) {
    watchIdle(slot);
  }
  updateIdle();
}

void LocalBackend::refill() {
  if (m_isRefilling || m_isWindowWhole || m_window.size() > kWindowLow || m_isEnding || m_isDamaged) {
    return;
  }
  m_isRefilling = true;
  auto jobs = std::make_shared<std::vector<queue::WaitingJob>>();
  const qint64 after = m_windowEnd.value_or(std::numeric_limits<qint64>::min());
  m_writer->post(
      [jobs, after](Database& database) -> Result<void> {
        Result<std::vector<queue::WaitingJob>> read = queue::nextWaiting(database, after, kWindow);
        if (!read) {
          return read.error();
        }
        *jobs = std::move(*read);
        return {};
      },
      [this, jobs, age = m_windowAge](const Result<void>& done) {
        m_isRefilling = false;
        if (!done || age != m_windowAge) {
          schedule();
          return;
        }
        m_isWindowWhole = jobs->size() < static_cast<std::size_t>(kWindow);
        for (queue::WaitingJob& job : *jobs) {
          m_windowEnd = job.rank;
          m_window.push_back(job);
        }
        schedule();
      });
}

void LocalBackend::reloadWindow() {
  ++m_windowAge;
  m_window.clear();
  m_windowEnd.reset();
  m_isWindowWhole = false;
  schedule();
}

std::vector<queue::WaitingUnit> LocalBackend::unitsInSight() const {
  std::set<qint64> taken;
  for (const SlotPointer& slot : m_slots) {
    taken.insert(slot->plannedJob);
  }
  std::vector<queue::WaitingUnit> units;
  for (const queue::WaitingJob& job : m_window) {
    const RunPointer run = runOf(job.runId);
    if (run == nullptr || run->error || run->cancelUndo != 0 || run->row.isPaused || taken.contains(job.id)) {
      continue;
    }
    queue::WaitingUnit unit;
    unit.jobId = job.id;
    unit.loadKey = loadKeyOf(run->row.plan);
    unit.processKey = static_cast<std::uint64_t>(run->row.plan.threads);
    unit.shapeKey = qHashMulti(0, job.settings, job.count);
    unit.work = job.work;
    const auto avoid = [&unit](const std::set<int>& slots) {
      unit.avoidedSlots.insert(unit.avoidedSlots.end(), slots.begin(), slots.end());
    };
    if (const auto found = m_avoidedByJob.find(job.id); found != m_avoidedByJob.end()) {
      avoid(found->second);
    }
    if (const auto found = m_avoidedByModel.find(unit.loadKey); found != m_avoidedByModel.end()) {
      avoid(found->second);
    }
    const pool::Rung rung{job.count, job.width, job.height, run->row.plan.vaeSlicing, run->row.plan.vaeTiling};
    bool fitsSomewhere = false;
    std::set<int> tooSmall;
    for (const SlotPointer& slot : m_slots) {
      const bool isTooMuch = !job.isChanged && m_ladder.isTooMuch(slot->device.id, memoryKeyOf(unit.loadKey, job.isGuided), rung);
      fitsSomewhere = fitsSomewhere || (!isTooMuch && !slot->isGivenUp && !slot->isLeaving);
      if (isTooMuch) {
        tooSmall.insert(slot->number);
      }
    }
    if (fitsSomewhere) {
      avoid(tooSmall);
    }
    units.push_back(std::move(unit));
    if (units.size() == kUnitsInSight) {
      break;
    }
  }
  return units;
}

queue::SlotView LocalBackend::viewOf(const Slot& slot, std::uint64_t nextShape) const {
  const WorkerState state = slot.worker->state();
  const bool isFree = !slot.unit && !slot.isLeasing && slot.plannedJob == 0;
  queue::SlotView view;
  view.slot = slot.number;
  view.canBegin = isFree && !slot.reserved && (isEnded(state) || slot.worker->isReady());
  view.canPrefetch = slot.unit && state == WorkerState::Busy && !slot.reserved && !slot.isLeasing && slot.plannedJob == 0;
  view.isStarted = !isEnded(state);
  if (view.isStarted) {
    view.loadedKey = slot.loadKey;
    view.processKey = static_cast<std::uint64_t>(slot.worker->spec().threads);
  }
  view.lastShape = slot.lastShape;
  view.secondsPerWork = m_speeds.secondsPerWork(slot.number, nextShape);
  view.loadSeconds = slot.loadSeconds;
  if (!view.canBegin) {
    view.secondsUntilFree = queue::kUnknownSeconds;
    if (slot.unit && view.secondsPerWork > 0) {
      const double expected = slot.unit->work() * view.secondsPerWork;
      view.secondsUntilFree = std::max(0.0, expected - static_cast<double>(slot.sinceUnit.elapsed()) / 1000);
    }
  }
  return view;
}

void LocalBackend::assignWork() {
  std::vector<queue::WaitingUnit> units = unitsInSight();
  std::vector<queue::SlotView> views;
  std::map<int, SlotPointer> byNumber;
  for (const SlotPointer& slot : m_slots) {
    if (!slot->isLeaving && !slot->isGivenUp && !slot->isWaitingToRestart && slot->worker->state() != WorkerState::Stopping) {
      views.push_back(viewOf(*slot, units.empty() ? 0 : units.front().shapeKey));
      if (slot->device.kind == domain::DeviceKind::Cuda && !units.empty()) {
        views.back().processKey = units.front().processKey;  // threads are a CPU worker's affair
      }
      byNumber[slot->number] = slot;
    }
  }
  const std::chrono::milliseconds now(m_clock.elapsed());
  m_fairness.fill(units, now);
  // What is not in sight counts as more than enough.
  const auto waiting = static_cast<qint64>(units.size()) + (m_isWindowWhole ? 0 : kWindow);
  const queue::DispatchPlan plan = queue::plan(units, waiting, views, m_rules);
  m_fairness.note(units, plan.assignments);
  for (const queue::Assignment& assignment : plan.assignments) {
    const SlotPointer slot = byNumber.at(assignment.slot);
    const auto job = std::find_if(m_window.begin(), m_window.end(), [&](const auto& one) { return one.id == assignment.jobId; });
    const RunPointer run = job == m_window.end() ? nullptr : runOf(job->runId);
    if (run == nullptr) {
      continue;
    }
    if (assignment.isPrefetch && !(slot->unit && slot->worker->hasModelFor(run->row.plan))) {
      continue;  // is decided again when the slot is free
    }
    slot->plannedJob = job->id;
    slot->plannedRun = job->runId;
    if (assignment.isPrefetch) {
      leaseFor(slot, false);
    }
  }
  for (const qint64 job : plan.impossible) {
    m_avoidedByJob.erase(job);  // nobody is left who has not tried
    schedule();
  }
  for (const queue::Abstention& abstention : plan.abstentions) {
    tellWhyIdle(*byNumber.at(abstention.slot), abstention.why);
  }
  for (const SlotPointer& slot : std::vector<SlotPointer>(m_slots)) {
    goOn(slot);
  }
}

void LocalBackend::tellWhyIdle(Slot& slot, queue::WhyIdle why) {
  if (slot.worker->state() != WorkerState::Idle) {
    return;
  }
  QString reason;
  switch (why) {
    case queue::WhyIdle::NoUnitWaits:
      reason = QStringLiteral("no work is left for it");
      break;
    case queue::WhyIdle::NoUnitForThisSlot:
      reason = QStringLiteral("what waits has failed on this device");
      break;
    case queue::WhyIdle::NotWorthLoading:
      reason = QStringLiteral("other devices have the model and are through before it would be loaded here");
      break;
    case queue::WhyIdle::OthersFinishSooner:
      reason = QStringLiteral("faster devices finish the last pictures sooner");
      break;
  }
  if (slot.isReleased && why == queue::WhyIdle::NoUnitWaits) {
    reason = QString::fromLatin1(kReleased);
  }
  if (slot.status.reason != reason) {
    slot.status.reason = reason;
    publish(slot);
  }
}

/// Brings a slot nearer to the unit that is planned for it.
void LocalBackend::goOn(const SlotPointer& slot) {
  if (slot->unit && slot->unit->waitsForPart && slot->worker->isReady()) {
    slot->unit->waitsForPart = false;
    if (slot->unit->cancelUndo != 0 || slot->unit->run->cancelUndo != 0 || slot->unit->run->error) {
      release(*std::exchange(slot->unit, std::nullopt));
    } else {
      slot->worker->generate(slot->unit->parts[slot->unit->part]);
    }
    return;
  }
  if (slot->reserved && !slot->unit && !slot->isLeasing) {
    Unit unit = std::move(*slot->reserved);
    slot->reserved.reset();
    const RunPointer& run = unit.run;
    if (!slot->worker->hasLoaded(run->row.plan) || slot->isLeaving || run->error || run->cancelUndo != 0 ||
        unit.cancelUndo != 0 || run->row.isPaused) {
      release(std::move(unit));
      return;
    }
    noteBegun(unit.lease);
    begin(slot, std::move(unit));
    return;
  }
  if (slot->plannedJob == 0 || slot->unit || slot->isLeasing || slot->isGivenUp || slot->isWaitingToRestart) {
    return;
  }
  const RunPointer run = runOf(slot->plannedRun);
  if (run == nullptr || run->error || run->cancelUndo != 0 || run->row.isPaused) {
    slot->plannedJob = 0;
    schedule();
    return;
  }
  const WorkerState state = slot->worker->state();
  const bool fits = slot->device.kind != domain::DeviceKind::Cpu || slot->worker->spec().threads == run->row.plan.threads;
  if ((isEnded(state) || (slot->worker->isReady() && fits && !slot->worker->hasLoaded(run->row.plan))) && !mayLoad(*slot, *run)) {
    return;  // the end of the load that goes on schedules
  }
  if (isEnded(state)) {
    if (!fits) {
      equip(slot, run->row.plan.threads);
    }
    slot->status.loadedBytes = slot->status.totalBytes = 0;
    noteLoad(*slot, run->row.plan);
    slot->worker->start(run->row.plan);
  } else if (slot->worker->isReady() && !fits) {
    slot->worker->stop();
  } else if (slot->worker->hasLoaded(run->row.plan)) {
    leaseFor(slot, true);
  } else if (slot->worker->isReady()) {
    noteLoad(*slot, run->row.plan);
    slot->worker->load(run->row.plan);
  }
}

void LocalBackend::noteLoad(Slot& slot, const domain::RunPlan& plan) {
  slot.loadKey = loadKeyOf(plan);
  slot.isReleased = false;
  slot.sinceLoad.start();
  m_speeds.noteLoaded(slot.number);
}

/// @param isBegun  false: reserved for when the slot's unit in work is done
void LocalBackend::leaseFor(const SlotPointer& slot, bool isBegun) {
  const qint64 job = slot->plannedJob;
  std::erase_if(m_window, [job](const queue::WaitingJob& waiting) { return waiting.id == job; });
  slot->isLeasing = true;
  auto taken = std::make_shared<Taken>();
  m_writer->post([taken, job, isBegun,
                  device = slot->status.slotId](Database& database) { return takeLease(database, job, device, isBegun, *taken); },
                 [this, slot, taken, isBegun](const Result<void>& done) {
                   slot->isLeasing = false;
                   slot->plannedJob = 0;
                   schedule();
                   if (!done || !taken->lease) {
                     return;
                   }
                   const RunPointer run = runOf(taken->lease->runId);
                   if (run == nullptr) {
                     return;  // cancelled and told meanwhile: its rows say so
                   }
                   Unit unit = unitOf(run, std::move(*taken));
                   ++run->unitsInWork;
                   const bool canGo =
                       slot->worker != nullptr && !slot->isLeaving && !run->error && run->cancelUndo == 0 && !m_isEnding;
                   if (canGo && slot->worker->hasLoaded(run->row.plan)) {
                     if (!isBegun) {
                       noteBegun(unit.lease);  // the slot became free while it was reserved
                     }
                     begin(slot, std::move(unit));
                   } else if (canGo && !isBegun && slot->unit) {
                     slot->reserved = std::move(unit);
                   } else {
                     release(std::move(unit));
                   }
                 });
}

/// A reserved unit goes to its worker: from now on its end counts.
void LocalBackend::noteBegun(const queue::Lease& lease) {
  m_writer->post(
      [job = lease.jobId, number = lease.number](Database& database) { return queue::begin(database, job, number, nowMs()); },
      {});
}

/// A unit that was leased and is not begun after all.
void LocalBackend::release(Unit unit) {
  const RunPointer run = unit.run;
  if (run->error) {
    endUnit(unit, AttemptOutcome::Cancelled, JobState::Failed, run->error, {});
  } else if (run->cancelUndo != 0 || unit.cancelUndo != 0) {
    endUnit(unit, AttemptOutcome::Cancelled, JobState::Cancelled, std::nullopt, {});
  } else {
    endUnit(unit, AttemptOutcome::GivenBack, JobState::Waiting, std::nullopt, {});
  }
}

void LocalBackend::begin(const SlotPointer& slot, Unit unit) {
  slot->status.index = unit.firstIndex();
  slot->status.progress = {domain::Stage::Encoding, 0, 0};
  slot->lastStage = domain::Stage::Encoding;
  slot->lastShape = unit.shapeKey();
  slot->idle.stop();
  if (!unit.lease.change) {
    const pool::Rung rung = pool::rungOf(unit.parts.front());
    const auto steps = m_ladder.startingSteps(unit.memoryKey(), rung, devicesInUse(), 0);
    if (!steps.empty()) {
      unit.lease.change = changeBy(steps, rung, {});
      Taken taken{unit.lease, unit.isPresent};
      const qint64 cancelUndo = unit.cancelUndo;
      unit = unitOf(unit.run, std::move(taken));
      unit.cancelUndo = cancelUndo;
      unit.isChangedNow = true;
    }
  }
  slot->unit = std::move(unit);
  slot->sinceUnit.start();
  slot->worker->generate(slot->unit->parts.front());
}

/// At the end of this backend.
void LocalBackend::giveBack(const queue::Lease& lease) {
  queue::AttemptEnd end;
  end.jobId = lease.jobId;
  end.lease = lease.number;
  end.outcome = AttemptOutcome::GivenBack;
  end.next = JobState::Waiting;
  end.nowMs = nowMs();
  m_writer->post(
      [end](Database& database) -> Result<void> {
        const Result<bool> ended = queue::endAttempt(database, end);
        return ended ? Result<void>() : ended.error();
      },
      {});
}

}  // namespace polyptych::backend
