#include "core/backend/local_backend.h"

#include <algorithm>
#include <utility>

#include "core/backend/device_slots.h"
#include "core/backend/limits_text.h"
#include "core/backend/local_backend_parts.h"
#include "core/gallery/mark_changes.h"
#include "core/gallery/sidecar.h"

// What faces ask for: each command changes rows in one transaction, then what is here, and is answered.

namespace polyptych::backend {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;

void LocalBackend::useLimits(const pool::SupervisionLimits& limits) {
  m_limits = limits;
  m_breaker = pool::Breaker(limits);
  m_ladder = pool::OutOfMemoryLadder(limits);
  for (const SlotPointer& slot : m_slots) {
    slot->restarts = pool::RestartPolicy(limits);
    slot->idle.stop();
  }
}

void LocalBackend::setLimits(quint64 commandId, const pool::SupervisionLimits& limits) {
  if (const Result<void> valid = pool::validate(limits); !valid) {
    refuseCommand(commandId, valid.error());
    return;
  }
  ++m_changesInWork;
  m_writer->post([json = toJson(limits)](Database& database) { return database.setMeta(QStringLiteral("limits"), json); },
                 [this, commandId, limits](const Result<void>& done) {
                   --m_changesInWork;
                   if (done) {
                     useLimits(limits);
                     Q_EMIT limitsChanged(limits);
                     schedule();
                   }
                   updateIdle();
                   Q_EMIT commandDone({commandId, done ? std::optional<Error>() : done.error(), 1, 0});
                 });
}

void LocalBackend::refuseCommand(quint64 commandId, const Error& error) {
  QMetaObject::invokeMethod(
      this,
      [this, commandId, error] {
        Q_EMIT commandDone({commandId, error, 0, 0});
      },
      Qt::QueuedConnection);
}

void LocalBackend::mark(quint64 commandId, const MarkChange& change) {
  if ((change.stars && (*change.stars < 0 || *change.stars > gallery::kMaxStars)) ||
      (change.pick && (*change.pick < -1 || *change.pick > 1))) {
    refuseCommand(commandId,
                  {ErrorCode::InvalidArgument, "Stars are 0 to 5; a picture is picked (1), rejected (-1) or neither (0).", {}});
    return;
  }
  auto changed = std::make_shared<std::vector<qint64>>();
  auto undoId = std::make_shared<qint64>(0);
  ++m_changesInWork;
  m_writer->post(
      [change, changed, undoId](Database& database) -> Result<void> {
        const Result<qint64> made = gallery::changeMarks(database, change, nowMs(), *changed);
        *undoId = made ? *made : 0;
        return made ? Result<void>() : made.error();
      },
      [this, commandId, changed, undoId](const Result<void>& done) {
        --m_changesInWork;
        if (done) {
          tellMarked(*changed);
        }
        updateIdle();
        const bool isChanged = done && !changed->empty();
        Q_EMIT commandDone({commandId, done ? std::optional<Error>() : done.error(),
                            isChanged ? static_cast<qint64>(changed->size()) : 0, isChanged ? *undoId : 0});
      },
      library::Writer::Patience::None);
}

/// Of jobs or of marks: both have their numbers from one place.
void LocalBackend::undo(quint64 commandId, qint64 undoId) {
  auto marked = std::make_shared<std::vector<qint64>>();
  applyChanges(
      commandId,
      [undoId, marked](Database& database) -> Result<queue::Changed> {
        const Result<bool> isOfMarks = gallery::undoMarks(database, undoId, *marked);
        if (!isOfMarks) {
          return isOfMarks.error();
        }
        return *isOfMarks ? Result<queue::Changed>(queue::Changed{static_cast<qint64>(marked->size()), 0, {}})
                          : queue::undo(database, undoId);
      },
      [this, marked](const queue::Changed&) { tellMarked(*marked); });
}

void LocalBackend::tellMarked(const std::vector<qint64>& pictures) {
  if (!pictures.empty()) {
    Q_EMIT picturesMarked(pictures);
    writeSidecars();
  }
}

/// Some after some: a disk that is slow, or away, holds nothing else up, and what is left is written by the next backend.
void LocalBackend::writeSidecars() {
  if (std::exchange(m_isWritingSidecars, true) || m_isEnding) {
    return;
  }
  constexpr int kAtOnce = 64;
  auto stale = std::make_shared<std::vector<gallery::StaleSidecar>>();
  m_writer->post(
      [stale](Database& database) -> Result<void> {
        Result<std::vector<gallery::StaleSidecar>> read = gallery::staleSidecars(database, kAtOnce);
        if (!read) {
          return read.error();
        }
        *stale = *std::move(read);
        return {};
      },
      [this, stale](const Result<void>& done) {
        if (!done || stale->empty() || m_isEnding) {
          m_isWritingSidecars = false;
          return;
        }
        onDisk(
            [stale, folder = m_location.picturesFolder()] {
              std::vector<gallery::StaleSidecar> written;
              for (const gallery::StaleSidecar& sidecar : *stale) {
                if (const Result<void> saved = gallery::writeSidecar(folder + u'/' + sidecar.path, sidecar.marks); saved) {
                  written.push_back(sidecar);
                } else {
                  qWarning("The marks of '%s' are not beside it yet: %s", qUtf8Printable(sidecar.path),
                           saved.error().message.c_str());
                }
              }
              return written;
            },
            [this](const std::vector<gallery::StaleSidecar>& written) {
              m_isWritingSidecars = false;
              if (written.empty() || m_isEnding) {
                return;  // the next mark, or the next backend, tries again
              }
              m_writer->post(
                  [written](Database& database) -> Result<void> {
                    for (const gallery::StaleSidecar& sidecar : written) {
                      if (auto noted = gallery::noteWritten(database, sidecar); !noted) {
                        return noted;
                      }
                    }
                    return {};
                  },
                  [this](const Result<void>& noted) {
                    if (noted) {
                      writeSidecars();
                    }
                  });
            });
      });
}

void LocalBackend::cancelRun(quint64 runId) {
  if (const auto unborn = m_unborn.find(runId); unborn != m_unborn.end()) {
    unborn->second = true;
    return;
  }
  if (runOf(runId) != nullptr) {
    Command command;
    command.kind = Command::Kind::CancelAll;
    command.jobs.runId = runId;
    cancel(0, command);
  }
}

quint64 LocalBackend::control(Command command) {
  const quint64 id = ++m_lastCommandId;
  const auto answer = [this, id](qint64 changed) {
    QMetaObject::invokeMethod(
        this,
        [this, id, changed] {
          Q_EMIT commandDone({id, std::nullopt, changed, 0});
        },
        Qt::QueuedConnection);
  };
  const queue::Selection selection{command.jobs.jobIds, command.jobs.runId};
  using Kind = Command::Kind;
  switch (command.kind) {
    case Kind::PauseQueue:
    case Kind::ResumeQueue: {
      const bool isPause = command.kind == Kind::PauseQueue;
      ++m_changesInWork;
      m_writer->post([isPause](Database& database) { return database.setMeta(QStringLiteral("paused"), isPause ? 1 : 0); },
                     [this, id, isPause](const Result<void>& done) {
                       --m_changesInWork;
                       if (done) {
                         if (!isPause) {
                           m_breaker.closeQueue();
                           for (const SlotPointer& slot : m_slots) {
                             renew(*slot);
                           }
                         }
                         setPause(isPause ? PauseReason::User : PauseReason::None,
                                  isPause ? QStringLiteral("The queue is paused.") : QString());
                       }
                       updateIdle();
                       Q_EMIT commandDone({id, done ? std::optional<Error>() : done.error(), 1, 0});
                     });
      break;
    }
    case Kind::PauseRun:
    case Kind::ResumeRun: {
      const RunPointer run = runOf(command.jobs.runId);
      const bool isPause = command.kind == Kind::PauseRun;
      applyChanges(id, [isPause, runId = command.jobs.runId](Database& database) -> Result<queue::Changed> {
        const Result<std::optional<queue::RunRow>> row = queue::readRun(database, runId);
        if (!row) {
          return row.error();
        }
        if (!*row) {
          return Error{ErrorCode::NotFound, "There is no such run.", {}};
        }
        if (auto done = queue::setRunPaused(database, runId, isPause); !done) {
          return done.error();
        }
        return queue::Changed{1, 0, {runId}};
      });
      break;
    }
    case Kind::CancelInWork:
    case Kind::CancelWaiting:
    case Kind::CancelAll:
      cancel(id, command);
      break;
    case Kind::Retry:
      applyChanges(id, [selection](Database& database) { return queue::retry(database, selection); });
      break;
    case Kind::MoveToFront:
      applyChanges(id, [selection](Database& database) { return queue::moveToFront(database, selection, nowMs()); });
      break;
    case Kind::MoveBefore:
      applyChanges(id, [selection, before = command.before](Database& database) {
        return queue::moveBefore(database, selection, before, nowMs());
      });
      break;
    case Kind::Undo:
      undo(id, command.undoId);
      break;
    case Kind::SetDevices: {
      const Result<void> set = setSlots(command.slots);
      if (set) {
        m_writer->post([slots = command.slots](Database& database) { return storeSlots(database, slots); }, {});
      }
      QMetaObject::invokeMethod(
          this,
          [this, id, set, count = static_cast<qint64>(command.slots.size())] {
            Q_EMIT commandDone({id, set ? std::optional<Error>() : set.error(), count, 0});
          },
          Qt::QueuedConnection);
      break;
    }
    case Kind::Dismiss:
      applyChanges(id, [selection](Database& database) { return queue::dismiss(database, selection, nowMs()); });
      break;
    case Kind::Mark:
      mark(id, command.marks);
      break;
    case Kind::SetLimits:
      setLimits(id, command.limits.value_or(pool::SupervisionLimits{}));
      break;
    case Kind::RestartDevice: {
      qint64 changed = 0;
      for (const SlotPointer& slot : m_slots) {
        if (slot->status.slotId == command.slotId) {
          ++changed;
          renew(*slot);
          slot->worker->stop();
        }
      }
      schedule();
      answer(changed);
      break;
    }
  }
  return id;
}

/// Changes rows of the queue, reads again what they concern, and answers.
void LocalBackend::applyChanges(quint64 commandId, const std::function<Result<queue::Changed>(Database&)>& change,
                                const std::function<void(const queue::Changed&)>& then) {
  struct Outcome {
    queue::Changed changed;
    std::vector<queue::RunRow> runs;
  };
  auto outcome = std::make_shared<Outcome>();
  ++m_changesInWork;
  m_writer->post(
      [change, outcome](Database& database) -> Result<void> {
        Result<queue::Changed> changed = change(database);
        if (!changed) {
          return changed.error();
        }
        *outcome = {std::move(*changed), {}};
        for (const quint64 id : outcome->changed.runs) {
          const Result<bool> closed = queue::closeRunIfDone(database, id);
          if (!closed) {
            return closed.error();
          }
          Result<std::optional<queue::RunRow>> row = queue::readRun(database, id);
          if (!row) {
            return row.error();
          }
          if (*row) {
            outcome->runs.push_back(std::move(**row));
          }
        }
        return {};
      },
      [this, commandId, outcome, then](const Result<void>& done) {
        --m_changesInWork;
        if (done) {
          for (queue::RunRow& row : outcome->runs) {
            RunPointer run = runOf(row.id);
            if (run == nullptr) {
              addRun(row);
              run = runOf(row.id);
            } else {
              run->row = row;
            }
            tellRun(*run);
            finishIfOver(run);
          }
          if (then) {
            then(outcome->changed);
          }
          reloadWindow();
          tellQueue();
        }
        updateIdle();
        if (commandId != 0) {
          Q_EMIT commandDone(
              {commandId, done ? std::optional<Error>() : done.error(), outcome->changed.pictures, outcome->changed.undoId});
        }
      });
}

void LocalBackend::cancel(quint64 commandId, const Command& command) {
  const queue::Selection selection{command.jobs.jobIds, command.jobs.runId};
  const bool takesWaiting = command.kind != Command::Kind::CancelInWork;
  const bool takesInWork = command.kind != Command::Kind::CancelWaiting;
  const auto isMeant = [selection](const Unit& unit) {
    if (!selection.jobIds.empty()) {
      return std::find(selection.jobIds.begin(), selection.jobIds.end(), unit.lease.jobId) != selection.jobIds.end();
    }
    return selection.runId == 0 || unit.run->row.id == selection.runId;
  };
  // A unit may be on its way to a worker: it is stopped when it comes.
  if (takesInWork && takesWaiting && selection.jobIds.empty()) {
    for (const auto& [id, run] : m_runs) {
      if (selection.runId == 0 || selection.runId == id) {
        run->cancelUndo = -1;
      }
    }
  }
  applyChanges(
      commandId,
      [selection, takesWaiting](Database& database) -> Result<queue::Changed> {
        if (takesWaiting) {
          return queue::cancelWaiting(database, selection, nowMs());
        }
        const Result<qint64> undoId = queue::newUndo(database, QStringLiteral("cancel"), nowMs());
        if (!undoId) {
          return undoId.error();
        }
        return queue::Changed{0, *undoId, {}};
      },
      [this, isMeant, takesInWork, takesWaiting, selection](const queue::Changed& changed) {
        if (!takesInWork) {
          return;
        }
        for (const auto& [id, run] : m_runs) {
          if (takesWaiting && selection.jobIds.empty() && (selection.runId == 0 || selection.runId == id)) {
            run->cancelUndo = run->unitsInWork > 0 ? changed.undoId : 0;
          }
        }
        for (const SlotPointer& slot : m_slots) {
          if (slot->reserved && isMeant(*slot->reserved)) {
            slot->reserved->cancelUndo = changed.undoId;
            release(*std::exchange(slot->reserved, std::nullopt));
          }
          if (slot->unit && isMeant(*slot->unit)) {
            slot->unit->cancelUndo = changed.undoId;
            slot->worker->cancelUnit();
          }
        }
      });
}

}  // namespace polyptych::backend
