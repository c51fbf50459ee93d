#include "core/backend/local_backend_parts.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/pool/poison_rule.h"

namespace polyptych::backend {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;
using library::Location;
using pool::WorkerState;
using queue::AttemptOutcome;
using queue::JobState;

}  // namespace

std::uint64_t loadKeyOf(const domain::RunPlan& plan) {
  const std::string text =
      plan.model.folder + '\n' + plan.model.hash + '\n' + plan.model.variant + '\n' + domain::toString(plan.computeType);
  return qHash(QByteArrayView(text.data(), static_cast<qsizetype>(text.size())));
}

/// What steps of the ladder make of a job.
queue::Change changeBy(const std::vector<pool::LadderStep>& steps, const pool::Rung& from,
                       const std::optional<queue::Change>& before) {
  queue::Change change = before.value_or(queue::Change{});
  for (const pool::LadderStep& step : steps) {
    change.words += (change.words.isEmpty() ? QString() : QStringLiteral(" ")) + QString::fromStdString(step.sentence);
  }
  const pool::Rung& to = steps.back().to;
  change.batch = to.pictures;
  change.vaeSlicing = to.vaeSlicing;
  change.vaeTiling = to.vaeTiling;
  if (to.width != from.width || to.height != from.height) {
    change.width = to.width;
    change.height = to.height;
  }
  return change;
}

/// On the writer's thread.
Result<void> LocalBackend::takeLease(Database& database, qint64 job, const QString& device, bool isBegun, Taken& taken) {
  Result<std::optional<queue::Lease>> lease = queue::lease(database, job, device, isBegun, nowMs());
  if (!lease) {
    return lease.error();
  }
  taken = {std::move(*lease), {}};
  for (std::size_t i = 0; taken.lease && i < taken.lease->requests.size(); ++i) {
    const Result<QVariant> row = database.value("SELECT 1 FROM pictures WHERE run = ? AND idx = ?",
                                                {taken.lease->runId, qint64(taken.lease->requests[i].index)});
    if (!row) {
      return row.error();
    }
    taken.isPresent.push_back(!row->isNull());
  }
  return {};
}

LocalBackend::Unit LocalBackend::unitOf(const RunPointer& run, Taken taken) {
  Unit unit;
  unit.run = run;
  unit.lease = std::move(*taken.lease);
  unit.isPresent = std::move(taken.isPresent);
  unit.plan = run->row.plan;
  domain::UnitOfWork whole;
  whole.id = static_cast<std::uint64_t>(unit.lease.jobId);
  whole.plan = run->row.plan;
  whole.requests = unit.lease.requests;
  whole.wantsTrace = run->row.wantsTrace;
  whole.wantsPreviews = run->row.wantsPreviews;
  whole.initialLatents = run->latents;
  if (const auto& change = unit.lease.change) {
    pool::Rung rung = pool::rungOf(whole);
    rung.pictures = std::min(rung.pictures, change->batch);
    rung.vaeSlicing = change->vaeSlicing;
    rung.vaeTiling = change->vaeTiling;
    rung.width = change->width > 0 ? change->width : rung.width;
    rung.height = change->height > 0 ? change->height : rung.height;
    unit.parts = pool::splitToRung(whole, rung);
  }
  if (unit.parts.empty()) {
    unit.parts = {std::move(whole)};
  }
  unit.plan = unit.parts.front().plan;
  return unit;
}

void LocalBackend::onUnitFinished(const SlotPointer& slot, const pool::UnitResult& result) {
  if (slot->unit->part + 1 < slot->unit->parts.size()) {
    Unit& whole = *slot->unit;
    pool::UnitResult& sum = whole.result;
    std::copy(result.pictures.begin(), result.pictures.end(), std::back_inserter(sum.pictures));
    sum.seconds += result.seconds;
    sum.warnings.insert(sum.warnings.end(), result.warnings.begin(), result.warnings.end());
    ++whole.part;
    whole.waitsForPart = true;
    schedule();
    return;
  }
  auto unit = std::make_shared<Unit>(std::move(*slot->unit));
  slot->unit.reset();
  slot->restarts.noteSuccess();
  m_breaker.noteSuccess(slot->device.id);
  m_ladder.noteMade(slot->device.id, unit->memoryKey(), pool::rungOf(unit->parts.front()));
  m_refusals.erase(unit->lease.jobId);
  m_avoidedByJob.erase(unit->lease.jobId);
  m_speeds.noteFinished(slot->number, unit->shapeKey(), unit->work(), static_cast<double>(slot->sinceUnit.elapsed()) / 1000);
  schedule();
  UnitRecord record;
  record.files = unit->run->files;
  record.jobId = unit->lease.jobId;
  record.lease = unit->lease.number;
  record.pictures = unit->metadata();
  record.isPresent = unit->isPresent;
  record.promptRows = unit->lease.promptRows;
  record.settingsRows = unit->lease.settingsRows;
  record.pngs = std::move(unit->result.pictures);
  std::copy(result.pictures.begin(), result.pictures.end(), std::back_inserter(record.pngs));
  const double seconds = unit->result.seconds + result.seconds;
  if (unit->isChangedNow) {
    record.change = unit->lease.change;
  }
  if (unit->lease.change && unit->lease.change->width > 0) {
    record.settingsRows.assign(record.settingsRows.size(), 0);
  }
  record.origin = {slot->status.slotId, slot->worker->deviceName(), seconds};
  auto rest = std::make_shared<pool::UnitResult>();
  rest->seconds = seconds;
  rest->warnings = std::move(unit->result.warnings);
  rest->warnings.insert(rest->warnings.end(), result.warnings.begin(), result.warnings.end());
  rest->trace = result.trace;
  const gallery::PictureOrigin origin = record.origin;
  m_recorder->saveUnit(std::move(record), [this, unit, rest, origin](const Result<Recorded>& recorded) {
    takeSaved(unit->run, *unit, *rest, origin, recorded);
  });
}

void LocalBackend::takeSaved(const RunPointer& run, const Unit& unit, const pool::UnitResult& result,
                             const gallery::PictureOrigin& origin, const Result<Recorded>& recorded) {
  schedule();
  if (!recorded) {
    if (recorded.error().code == ErrorCode::Corrupt) {
      if (m_limits.maxDeathsPerUnit > 0 && unit.lease.deaths + 1 >= m_limits.maxDeathsPerUnit) {
        park(unit, AttemptOutcome::WorkerLost, recorded.error(), origin);
      } else {
        endUnit(unit, AttemptOutcome::WorkerLost, JobState::Waiting, recorded.error(), origin);
      }
      return;
    }
    endUnit(unit, AttemptOutcome::Failed, JobState::Failed, recorded.error(), origin);
    return;
  }
  --run->unitsInWork;
  const bool wasOpen = run->row.state == queue::RunState::Open;
  const quint64 id = run->row.id;
  if (!recorded->isRefused && wasOpen) {
    run->row = recorded->run;
    run->row.id = id;
  }
  for (std::size_t i = 0; !recorded->isRefused && i < unit.lease.requests.size(); ++i) {
    const domain::GenerationRequest& request = unit.lease.requests[i];
    const QString path = run->files->path + QLatin1Char('/') + gallery::RunFolder::nameOf(unit.metadata()[i]);
    if (recorded->saved[i] == gallery::RunFolder::Saved::Different) {
      Q_EMIT warned(id, {domain::WarningCode::FileDiffers,
                         "The file '" + path.toStdString() + "' differs from what was made now; it was left as it is."});
    } else if (!unit.isPresent[i]) {
      for (const SlotPointer& slot : m_slots) {
        if (slot->status.slotId == origin.device) {
          ++slot->status.picturesDone;
          publish(*slot);
        }
      }
      Q_EMIT pictureFinished({id, request.index, path, origin.device, origin.seconds, false});
    }
  }
  for (const domain::Warning& warning : result.warnings) {
    Q_EMIT warned(id, warning);
  }
  if (!result.trace.empty()) {
    Q_EMIT traceMade(id,
                     QByteArray(reinterpret_cast<const char*>(result.trace.data()), static_cast<qsizetype>(result.trace.size())));
  }
  tellRun(*run);
  tellQueue();
  finishIfOver(run);
}

void LocalBackend::onUnitCancelled(const SlotPointer& slot) {
  const Unit unit = std::move(*slot->unit);
  slot->unit.reset();
  schedule();
  if (unit.run->error) {
    endUnit(unit, AttemptOutcome::Cancelled, JobState::Failed, unit.run->error, {});
  } else if (unit.cancelUndo != 0 || unit.run->cancelUndo != 0) {
    endUnit(unit, AttemptOutcome::Cancelled, JobState::Cancelled, std::nullopt, {});
  } else {
    endUnit(unit, AttemptOutcome::GivenBack, JobState::Waiting, std::nullopt, {});
  }
}

void LocalBackend::onUnitFailed(const SlotPointer& slot, const Error& error) {
  follow(slot, std::exchange(slot->unit, std::nullopt), error, pool::FailureContext::Where::InWork, true, nullptr);
}

void LocalBackend::onWorkerFailed(const SlotPointer& slot, const Error& error) {
  using Where = pool::FailureContext::Where;
  std::optional<Unit> unit = std::exchange(slot->unit, std::nullopt);
  if (slot->reserved) {
    release(*std::exchange(slot->reserved, std::nullopt));
  }
  slot->status.failure = error.code;
  const RunPointer planned = runOf(slot->plannedRun);
  if (!slot->isLeasing) {
    slot->plannedJob = 0;
  }
  m_lastDeath = error;
  const Where where = unit                                             ? Where::InWork
                      : slot->stateBefore == WorkerState::LoadingModel ? Where::LoadingModel
                      : slot->stateBefore == WorkerState::Idle         ? Where::Idle
                                                                       : Where::StartingWorker;
  follow(slot, std::move(unit), error, where, false, planned);
  if (!slot->isWaitingToRestart && !slot->isGivenUp) {
    publish(*slot);
  }
}

void LocalBackend::follow(const SlotPointer& slot, std::optional<Unit> unit, const Error& error,
                          pool::FailureContext::Where where, bool isWorkerAlive, const RunPointer& planned) {
  using pool::Consequence;
  schedule();
  const gallery::PictureOrigin origin{slot->status.slotId, slot->worker->deviceName(), 0};
  const bool isWanted = unit && !unit->run->error && unit->cancelUndo == 0 && unit->run->cancelUndo == 0;
  if (unit && !isWanted) {
    const bool isFailing = unit->run->error.has_value();
    endUnit(*unit, isWorkerAlive ? AttemptOutcome::Failed : AttemptOutcome::WorkerLost,
            isFailing ? JobState::Failed : JobState::Cancelled, isFailing ? unit->run->error : std::nullopt, {});
  }
  pool::FailureContext context;
  context.where = where;
  context.isWorkerAlive = isWorkerAlive;
  context.deaths = unit ? unit->lease.deaths : 0;
  context.hasOtherDevice = hasOther(*slot);
  context.isPlanChanged = unit && unit->lease.change;
  const std::vector<Consequence> consequences = pool::consequencesOf(error.code, context, m_limits);
  const auto has = [&consequences](Consequence one) {
    return std::find(consequences.begin(), consequences.end(), one) != consequences.end();
  };
  const AttemptOutcome lost = isWorkerAlive ? AttemptOutcome::Failed : AttemptOutcome::WorkerLost;
  const AttemptOutcome outcome = has(Consequence::CountDeath) ? AttemptOutcome::WorkerLost : lost;
  for (const Consequence consequence : consequences) {
    switch (consequence) {
      case Consequence::RetryElsewhere:
        if (isWanted) {
          m_avoidedByJob[unit->lease.jobId].insert(slot->number);
        }
        [[fallthrough]];
      case Consequence::RetryAnywhere:
        if (isWanted) {
          endUnit(*unit, has(Consequence::CountDeath) ? AttemptOutcome::WorkerLost : AttemptOutcome::Failed, JobState::Waiting,
                  error, origin);
        }
        break;
      case Consequence::AskLadder:
        if (isWanted) {
          askLadder(slot, *unit, error);
        }
        break;
      case Consequence::ParkUnit:
        if (isWanted) {
          park(*unit, outcome, error, origin);
        }
        break;
      case Consequence::FailUnit:
        if (isWanted) {
          endUnit(*unit, outcome, JobState::Failed, error, origin);
        }
        break;
      case Consequence::EndRun:
        if (isWanted) {
          failRun(unit->run, error);
          endUnit(*unit, outcome, JobState::Failed, error, origin);
        } else if (planned != nullptr) {
          failRun(planned, error);
        }
        break;
      case Consequence::KeepPictures:
      case Consequence::CountDeath:
        break;
      case Consequence::AvoidForModel:
        if (slot->loadKey) {
          m_avoidedByModel[*slot->loadKey].insert(slot->number);
        }
        break;
      case Consequence::CountAgainstDevice: {
        const pool::Breaker::Verdict verdict =
            m_breaker.noteFailure(slot->device.id, slot->worker->deviceName().toStdString(), error);
        if (verdict.opensDevice) {
          setAside(*slot, verdict.deviceSentence);
        }
        if (verdict.opensQueue && m_location.layout == Location::Layout::Dated) {
          setPause(PauseReason::Breaker, QString::fromStdString(verdict.queueSentence));
        }
        break;
      }
      case Consequence::RestartWorker:
        restartSoon(slot, error, unit ? std::optional<std::uint64_t>(unit->lease.jobId) : std::nullopt);
        break;
      case Consequence::RecycleWorker:
        slot->worker->stop();
        break;
      case Consequence::SetDeviceAside:
        setAside(*slot, error.message);
        break;
      case Consequence::PauseQueue:
        setPause(PauseReason::Breaker, QString::fromStdString(error.message));
        break;
    }
  }
}

void LocalBackend::park(const Unit& unit, AttemptOutcome outcome, const Error& error, const gallery::PictureOrigin& origin) {
  const pool::PoisonRule rule(m_limits);
  Error told = error;
  told.message = rule.sentenceFor(unit.lease.deaths + 1, error, pool::rungOf(unit.parts.front()));
  for (const SlotPointer& slot : m_slots) {
    slot->restarts.excuse(static_cast<std::uint64_t>(unit.lease.jobId));
  }
  m_avoidedByJob.erase(unit.lease.jobId);
  endUnit(unit, outcome, JobState::Parked, std::move(told), origin);
}

/// A unit that did not fit into a device's memory.
void LocalBackend::askLadder(const SlotPointer& slot, const Unit& unit, const Error& error) {
  const pool::Rung rung = pool::rungOf(unit.parts.front());
  const std::uint64_t shape = unit.memoryKey();
  const domain::Stage stage = slot->lastStage;
  m_ladder.noteRefused(slot->device.id, shape, rung, stage);
  const int refusals = ++m_refusals[unit.lease.jobId];
  const auto decision = m_ladder.decide(shape, rung, refusals, devicesInUse(), 0);
  const gallery::PictureOrigin origin{slot->status.slotId, slot->worker->deviceName(), 0};
  using Kind = pool::OutOfMemoryLadder::Decision::Kind;
  if (decision.kind == Kind::Retry) {
    endUnit(unit, AttemptOutcome::Failed, JobState::Waiting, error, origin);
    return;
  }
  m_refusals.erase(unit.lease.jobId);
  if (decision.kind == Kind::StepDown) {
    Unit changed = unit;
    const queue::Change change = changeBy({*decision.step}, rung, unit.lease.change);
    domain::UnitOfWork whole = unit.parts.front();
    whole.requests = unit.lease.requests;
    if (!pool::splitToRung(whole, decision.step->to).empty()) {
      changed.lease.change = change;
      changed.isChangedNow = true;
      endUnit(changed, AttemptOutcome::Failed, JobState::Waiting, error, origin);
      return;
    }
  }
  Error told = error;
  told.message = decision.sentence.empty() ? error.message : decision.sentence;
  const auto verdict = m_breaker.noteFailure(slot->device.id, slot->worker->deviceName().toStdString(), error);
  if (verdict.opensDevice) {
    setAside(*slot, verdict.deviceSentence);
  }
  endUnit(unit, AttemptOutcome::Failed, JobState::Parked, std::move(told), origin);
}

void LocalBackend::endUnit(const Unit& unit, AttemptOutcome outcome, JobState next, std::optional<Error> error,
                           const gallery::PictureOrigin& origin) {
  EndRecord record;
  record.files = unit.run->files;
  record.end.jobId = unit.lease.jobId;
  record.end.lease = unit.lease.number;
  record.end.outcome = outcome;
  record.end.next = next;
  record.end.error = error;
  record.end.change = unit.isChangedNow ? unit.lease.change : std::nullopt;
  record.end.undo = next == JobState::Cancelled ? std::max(unit.cancelUndo, unit.run->cancelUndo) : 0;
  record.end.nowMs = nowMs();
  const bool isTold = next == JobState::Failed || next == JobState::Parked;
  if (isTold && !unit.run->error) {
    const auto pictures = unit.metadata();
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      if (!unit.isPresent[i]) {
        record.pictures.push_back(pictures[i]);
      }
    }
  }
  m_recorder->endUnit(std::move(record), [this, unit, next, error, slotId = origin.device](const Result<Recorded>& recorded) {
    takeEnded(unit.run, unit, next, error, slotId, recorded);
  });
}

void LocalBackend::takeEnded(const RunPointer& run, const Unit& unit, JobState next, const std::optional<Error>& error,
                             const QString& slotId, const Result<Recorded>& recorded) {
  schedule();
  --run->unitsInWork;
  if (recorded && !recorded->isRefused && run->row.state == queue::RunState::Open) {
    const quint64 id = run->row.id;
    run->row = recorded->run;
    run->row.id = id;
  }
  if (run->unitsInWork == 0 && run->cancelUndo > 0) {
    run->cancelUndo = 0;
  }
  const bool isTold = (next == JobState::Failed || next == JobState::Parked) && error && !run->error;
  for (std::size_t i = 0; isTold && i < unit.lease.requests.size(); ++i) {
    if (!unit.isPresent[i]) {
      Q_EMIT pictureFailed({run->row.id, unit.lease.requests[i].index, slotId, *error});
    }
  }
  if (next == JobState::Waiting) {
    reloadWindow();
  }
  tellRun(*run);
  tellQueue();
  finishIfOver(run);
}

void LocalBackend::leaseToFail(qint64 job, const Error& error) {
  auto taken = std::make_shared<Taken>();
  m_writer->post([taken, job](Database& database) { return takeLease(database, job, {}, true, *taken); },
                 [this, taken, error](const Result<void>& done) {
                   const RunPointer run = done && taken->lease ? runOf(taken->lease->runId) : nullptr;
                   if (run != nullptr) {
                     ++run->unitsInWork;
                     endUnit(unitOf(run, std::move(*taken)), AttemptOutcome::Failed, JobState::Failed, error, {});
                   }
                   schedule();
                 });
}

/// Work is left and nobody to do it.
void LocalBackend::checkForSurvivors() {
  const bool isAnyLeft = std::any_of(m_slots.begin(), m_slots.end(), [](const SlotPointer& slot) { return !slot->isGivenUp; });
  const bool isWorkLeft =
      std::any_of(m_runs.begin(), m_runs.end(), [](const auto& run) { return run.second->row.left() > 0 && !run.second->error; });
  if (isAnyLeft || !isWorkLeft || m_slots.empty()) {
    return;
  }
  const Error error = m_lastDeath.value_or(Error{ErrorCode::WorkerDied, "Every worker failed.", {}});
  const Error told{error.code, "No worker is left to go on: " + error.message, error.detail};
  if (m_location.layout == Location::Layout::Flat) {
    // Somebody waits for the end of this one run: it fails picture by picture.
    for (const auto& [id, run] : m_runs) {
      run->endError = told;
    }
    for (const queue::WaitingJob& job : std::exchange(m_window, {})) {
      leaseToFail(job.id, error);
    }
    refill();
    return;
  }
  setPause(PauseReason::Breaker,
           QString::fromStdString(told.message) + QStringLiteral(" The queue is paused; mend that, then let it go on."));
}

}  // namespace polyptych::backend
