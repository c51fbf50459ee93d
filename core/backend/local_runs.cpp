#include "core/backend/local_backend_parts.h"

#include <QDir>
#include <QDirIterator>
#include <utility>

#include "core/backend/device_slots.h"
#include "core/base/fail_point.h"
#include "core/queue/batch_choice.h"

namespace polyptych::backend {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;
using library::Location;

/// Between two looks at a run that is about to be told.
constexpr std::chrono::milliseconds kUntilRunIsOver{20};

/// Of a model's weight files. 0: none are there.
std::uint64_t weightBytesOf(const QString& folder) {
  std::uint64_t bytes = 0;
  for (QDirIterator files(folder, {QStringLiteral("*.safetensors")}, QDir::Files, QDirIterator::Subdirectories);
       files.hasNext();) {
    files.next();
    bytes += static_cast<std::uint64_t>(files.fileInfo().size());
  }
  return bytes;
}

RunSummary summaryOf(const queue::RunRow& row) {
  RunSummary summary;
  summary.runId = row.id;
  summary.total = row.total;
  summary.made = row.made - row.alreadyThere;
  summary.alreadyThere = row.alreadyThere;
  summary.failed = row.failed;
  summary.error = row.error;
  summary.wasCancelled = !row.error && row.cancelled > 0;
  return summary;
}

}  // namespace

quint64 LocalBackend::submit(RunSpec spec) {
  if (spec.id == 0) {
    spec.id = newRunId();
  }
  const quint64 id = spec.id;
  if (m_unborn.contains(id)) {
    return id;  // sent twice; the answer to the first is on its way
  }
  if (const RunPointer known = runOf(id)) {
    if (m_slots.empty()) {
      (void)setSlots(spec.slots);  // those of the first time went with a backend that ended suddenly
    }
    QMetaObject::invokeMethod(
        this, [this, known] { tellStarted(known); }, Qt::QueuedConnection);
    return id;
  }
  m_unborn[id] = false;
  Result<void> checked = checkSpec(spec);
  for (const domain::DeviceSlot& slot : spec.slots) {
    if (const Result<QString> program = programFor(slot.kind); checked && !program) {
      checked = program.error();
    }
  }
  if (checked && spec.plan.batch == 0 && m_location.layout == Location::Layout::Flat) {
    checked = Error{ErrorCode::InvalidArgument, "A folder of its own keeps the batch size that it began with: give one.", {}};
  }
  if (checked && m_location.layout == Location::Layout::Flat &&
      spec.requests.back().index + 1 != static_cast<std::int64_t>(spec.requests.size())) {
    checked =
        Error{ErrorCode::InvalidArgument, "A folder of its own takes a whole run: the pictures must be numbered from 0.", {}};
  }
  if (checked && spec.slots.empty() && m_slots.empty()) {
    checked = Error{ErrorCode::InvalidArgument, "No device is chosen; choose at least one.", {}};
  }
  if (!checked) {
    QMetaObject::invokeMethod(
        this, [this, spec = std::move(spec), error = checked.error()] { refuseRun(spec, error); }, Qt::QueuedConnection);
    return id;
  }
  if (spec.slots.empty()) {
    for (const SlotPointer& slot : m_slots) {
      spec.slots.push_back(slot->device);
    }
  }
  place(std::make_shared<RunSpec>(std::move(spec)));
  updateIdle();
  return id;
}

/// A checked run on its way to the rows.
void LocalBackend::place(const std::shared_ptr<RunSpec>& shared) {
  if (m_location.layout == Location::Layout::Flat && !m_runs.empty()) {
    attach(shared, m_runs.begin()->second);
    return;
  }
  tellIfOver({shared->id}, true, [this, shared](bool isOver) {
    if (isOver) {
      m_unborn.erase(shared->id);
      updateIdle();
    } else {
      beginRun(shared);
    }
  });
}

void LocalBackend::beginRun(const std::shared_ptr<RunSpec>& shared) {
  if (shared->plan.batch == 0) {
    chooseBatch(shared);
    return;
  }
  const qint64 number = m_nextRunNumber++;
  onDisk([shared, location = m_location, number] { return prepare(*shared, location, number); },
         [this, shared](Result<PreparedRun> prepared) { takePrepared(std::move(*shared), std::move(prepared)); });
}

/// Fixes a batch size that nobody asked for, then goes on. A unit's latents are the whole unit's: those stay together.
void LocalBackend::chooseBatch(const std::shared_ptr<RunSpec>& shared) {
  auto facts = std::make_shared<queue::BatchFacts>();
  const domain::GenerationRequest& first = shared->requests.front();
  facts->pixels = std::int64_t{1} * first.width * first.height;
  facts->hasCpu = std::any_of(shared->slots.begin(), shared->slots.end(),
                              [](const domain::DeviceSlot& slot) { return slot.kind == domain::DeviceKind::Cpu; });
  const auto goOn = [this, shared, facts] {
    shared->plan.batch = shared->initialLatents.empty() && !shared->wantsTrace
                             ? queue::chooseBatch(*facts)
                             : std::min<int>(static_cast<int>(shared->requests.size()), domain::kMaxBatch);
    beginRun(shared);
  };
  if (facts->hasCpu) {
    goOn();
    return;
  }
  m_lookUp.start([this, shared, facts, goOn] {
    for (const domain::DeviceInfo& device : devices::listDevices(m_tuning.sources)) {
      for (const domain::DeviceSlot& slot : shared->slots) {
        const bool isPartner = slot.partner && slot.partner->uuid == device.uuid;
        if (!device.uuid.empty() && (slot.uuid == device.uuid || isPartner)) {
          facts->freeBytes = facts->freeBytes == 0 ? device.freeBytes : std::min(facts->freeBytes, device.freeBytes);
        }
      }
    }
    facts->modelBytes = weightBytesOf(QString::fromStdString(shared->plan.model.folder));
    QMetaObject::invokeMethod(
        this,
        [this, shared, facts, goOn] {
          const domain::GenerationRequest& request = shared->requests.front();
          m_writer->post(
              [facts, model = QString::fromStdString(shared->plan.model.name), width = request.width,
               height = request.height](Database& database) -> Result<void> {
                Result<std::map<int, double>> measured = queue::secondsByBatch(database, model, width, height);
                if (!measured) {
                  return measured.error();
                }
                facts->secondsPerPicture = *std::move(measured);
                return {};
              },
              [goOn](const Result<void>&) { goOn(); });
        },
        Qt::QueuedConnection);
  });
}

void LocalBackend::await(const std::vector<quint64>& runIds) { tellIfOver(runIds, false, {}); }

/// Looks for runs that ended before, perhaps under an earlier backend, and tells their ends. @param isSubmit  their beginnings
/// too @param then  gets whether there was one
void LocalBackend::tellIfOver(std::vector<quint64> runIds, bool isSubmit, std::function<void(bool)> then) {
  std::erase_if(runIds, [this](quint64 id) { return m_runs.contains(id); });
  auto over = std::make_shared<std::vector<queue::RunRow>>();
  const auto work = [over, runIds](Database& database) -> Result<void> {
    over->clear();
    for (const quint64 id : runIds) {
      Result<std::optional<queue::RunRow>> row = queue::readRun(database, id);
      if (!row) {
        return row.error();
      }
      if (*row && (*row)->state != queue::RunState::Open) {
        over->push_back(std::move(**row));
      }
    }
    return {};
  };
  m_writer->post(work, [this, over, isSubmit, then = std::move(then)](const Result<void>&) {
    for (const queue::RunRow& row : *over) {
      if (isSubmit) {
        Q_EMIT runStarted(row.id, row.total, row.alreadyThere);
      }
      Q_EMIT runFinished(summaryOf(row));
    }
    if (then) {
      then(!over->empty());
    }
  });
}

/// A flat library's run is asked for again while it goes on: the newer face gets it under the number that it knows.
void LocalBackend::attach(const std::shared_ptr<RunSpec>& shared, const RunPointer& active) {
  const auto refuse = [this, shared](Error error) { refuseRun(*shared, std::move(error)); };
  onDisk(
      [shared]() -> Result<QString> {
        const Result<domain::RunPlan> plan = fixPlan(*shared);
        if (!plan) {
          return plan.error();
        }
        return fingerprintOf(*shared, *plan);
      },
      [this, shared, active, refuse](const Result<QString>& fingerprint) {
        if (!fingerprint) {
          refuse(fingerprint.error());
          return;
        }
        const bool isGone = runOf(active->row.id) != active;
        if (isGone || active->row.state != queue::RunState::Open) {
          // It ended meanwhile: what it left in the folder counts, once it has let go of that.
          QTimer::singleShot(isGone ? std::chrono::milliseconds(0) : kUntilRunIsOver, this, [this, shared] { place(shared); });
          return;
        }
        if (*fingerprint != active->row.fingerprint) {
          refuse({ErrorCode::AlreadyExists,
                  "Another run is writing into the folder '" + m_location.root.toStdString() +
                      "'. Wait until it is finished, or choose another folder.",
                  {}});
          return;
        }
        const quint64 before = active->row.id;
        const quint64 after = shared->id;
        m_runs.erase(before);
        active->row.id = after;
        active->files->runId = after;
        for (auto& [old, current] : m_renamed) {
          current = current == before ? after : current;
        }
        m_renamed[before] = after;
        m_runs[after] = active;
        m_unborn.erase(after);
        for (queue::WaitingJob& job : m_window) {
          job.runId = after;
        }
        for (const SlotPointer& slot : m_slots) {
          slot->plannedRun = slot->plannedRun == before ? after : slot->plannedRun;
        }
        auto there = std::make_shared<std::vector<std::pair<qint64, QString>>>();
        applyChanges(
            0,
            [before, after, there](Database& database) -> Result<queue::Changed> {
              for (const char* sql : {"UPDATE jobs SET run = ? WHERE run = ?", "UPDATE pictures SET run = ? WHERE run = ?",
                                      "UPDATE runs SET id = ? WHERE id = ?"}) {
                if (const Result<qint64> done = database.change(sql, {after, before}); !done) {
                  return done.error();
                }
              }
              there->clear();
              const Result<QSqlQuery*> rows =
                  database.query("SELECT idx, file FROM pictures WHERE run = ? ORDER BY idx", {after});
              if (!rows) {
                return rows.error();
              }
              while ((*rows)->next()) {
                there->emplace_back((*rows)->value(0).toLongLong(), (*rows)->value(1).toString());
              }
              (*rows)->finish();
              if (const auto set = database.change("UPDATE runs SET already_there = made WHERE id = ?", {after}); !set) {
                return set.error();
              }
              Result<queue::Changed> changed = queue::retry(database, {{}, after});
              if (changed && changed->runs.empty()) {
                changed->runs = {after};
              }
              return changed;
            },
            [this, active, there](const queue::Changed&) {
              tellStarted(active);
              for (const auto& [index, file] : *there) {
                Q_EMIT pictureFinished(
                    {active->row.id, index, active->files->path + QLatin1Char('/') + file, QString(), 0, true});
              }
            });
        (void)setSlots(shared->slots);
        setPause(PauseReason::None, {});
      });
}

void LocalBackend::takePrepared(RunSpec spec, Result<PreparedRun> prepared) {
  if (!prepared) {
    refuseRun(spec, prepared.error());
    return;
  }
  const bool isCancelled = m_unborn[spec.id];
  if (isCancelled && m_location.layout == Location::Layout::Flat) {
    refuseRun(spec, {ErrorCode::Cancelled, {}, {}});
    return;
  }
  auto shared = std::make_shared<PreparedRun>(std::move(*prepared));
  auto row = std::make_shared<queue::RunRow>();
  const auto work = [shared, row, location = m_location, slots = spec.slots](Database& database) -> Result<void> {
    if (auto inserted = insertPrepared(database, *shared, location); !inserted) {
      return inserted;
    }
    if (auto stored = storeSlots(database, slots); !stored) {
      return stored;
    }
    Result<std::optional<queue::RunRow>> read = queue::readRun(database, shared->record.id);
    if (!read) {
      return read.error();
    }
    *row = std::move(**read);
    return {};
  };
  m_writer->post(
      work,
      [this, shared, row, spec = std::make_shared<RunSpec>(std::move(spec))](const Result<void>& written) {
        if (!written) {
          onDisk([shared, location = m_location] { return discard(*shared, location); },
                 [this, spec, error = written.error()](bool) { refuseRun(*spec, error); });
          return;
        }
        const bool wasCancelled = m_unborn[spec->id];
        m_unborn.erase(spec->id);
        m_isEmpty = false;
        addRun(std::move(*row), shared->files);
        const RunPointer run = m_runs.at(spec->id);
        reloadWindow();
        if (run->row.left() > 0) {
          if (const Result<void> made = setSlots(spec->slots); !made) {
            failRun(run, made.error());
          }
        }
        if (m_location.layout == Location::Layout::Flat && m_pause == PauseReason::UncleanEnd) {
          setPause(PauseReason::None, {});
        }
        base::failPoint("tell-run");
        tellStarted(run);
        for (const auto& [index, origin] : shared->origins) {
          const QString file = gallery::RunFolder::nameOf(
              domain::metadataOf({0, shared->record.plan, {shared->record.requests[index]}, false, false, {}}, 0));
          Q_EMIT pictureFinished(
              {run->row.id, static_cast<std::int64_t>(index), run->files->path + QLatin1Char('/') + file, QString(), 0, true});
        }
        if (wasCancelled) {
          cancelRun(run->row.id);
        }
        finishIfOver(run);
        tellQueue();
        schedule();
      },
      library::Writer::Patience::None);
}

void LocalBackend::refuseRun(const RunSpec& spec, Error error) {
  m_unborn.erase(spec.id);
  RunSummary summary;
  summary.runId = spec.id;
  summary.total = static_cast<std::int64_t>(spec.requests.size());
  summary.wasCancelled = error.code == ErrorCode::Cancelled;
  if (!summary.wasCancelled) {
    summary.error = std::move(error);
  }
  updateIdle();
  Q_EMIT runFinished(summary);
}

void LocalBackend::addRun(queue::RunRow row, std::shared_ptr<RunFiles> files) {
  auto run = std::make_shared<Run>();
  run->row = std::move(row);
  run->files = std::move(files);
  run->files->runId = run->row.id;
  run->weightBytes = weightBytesOf(QString::fromStdString(run->row.plan.model.folder));
  if (run->row.hasLatents) {
    run->latents = readLatents(m_location, run->row.folder);
  }
  m_runs[run->row.id] = run;
}

void LocalBackend::addRun(queue::RunRow row) {
  auto files = std::make_shared<RunFiles>();
  files->path = QDir::cleanPath(m_location.picturesFolder() + QLatin1Char('/') + row.folder);
  files->fingerprint = row.fingerprint;
  addRun(std::move(row), std::move(files));
}

LocalBackend::RunPointer LocalBackend::runOf(quint64 id) const {
  const auto renamed = m_renamed.find(id);
  const auto found = m_runs.find(renamed == m_renamed.end() ? id : renamed->second);
  return found == m_runs.end() ? nullptr : found->second;
}

void LocalBackend::tellStarted(const RunPointer& run) {
  tellRun(*run);  // first: with it comes the folder
  Q_EMIT runStarted(run->row.id, run->row.total, run->row.alreadyThere);
}

RunStatus LocalBackend::statusOf(const Run& run) const {
  const queue::RunRow& row = run.row;
  RunStatus status;
  status.runId = row.id;
  status.number = row.number;
  status.createdMs = row.createdMs;
  status.title = row.title;
  status.folder = run.files->path;
  status.state = static_cast<RunState>(row.state);
  status.isPaused = row.isPaused;
  status.batch = row.plan.batch;
  status.total = row.total;
  status.made = row.made;
  status.alreadyThere = row.alreadyThere;
  status.failed = row.failed;
  status.cancelled = row.cancelled;
  return status;
}

void LocalBackend::tellRun(const Run& run) { Q_EMIT runChanged(statusOf(run)); }

void LocalBackend::failRun(const RunPointer& run, const Error& error) {
  if (run->error) {
    return;
  }
  run->error = error;
  run->failedBeforeEnd = run->row.failed;
  run->isFailing = true;
  for (const SlotPointer& slot : m_slots) {
    if (slot->plannedRun == run->row.id) {
      slot->plannedJob = 0;
      slot->plannedRun = 0;
    }
    if (slot->reserved && slot->reserved->run == run) {
      release(*std::exchange(slot->reserved, std::nullopt));
    }
    if (slot->unit && slot->unit->run == run) {
      slot->worker->cancelUnit();
    }
  }
  const quint64 id = run->row.id;
  m_writer->post([id, error](Database& database) { return queue::failRun(database, id, error); },
                 [this, run](const Result<void>&) {
                   run->isFailing = false;
                   run->row.state = queue::RunState::Failed;
                   reloadWindow();
                   finishIfOver(run);
                 });
  schedule();
}

/// A run of which nothing is left, in the rows and in work, is told and forgotten here.
void LocalBackend::finishIfOver(const RunPointer& run) {
  if (run->row.state == queue::RunState::Open || run->unitsInWork > 0 || run->isFailing || run->isTold) {
    return;
  }
  run->isTold = true;
  m_recorder->closeFiles(run->files, [this, run] {
    RunSummary summary = summaryOf(run->row);
    summary.failed = run->error ? run->failedBeforeEnd : run->row.failed;
    summary.error = run->error ? run->error : run->endError;
    summary.wasCancelled = !summary.error && run->row.cancelled > 0;
    m_runs.erase(run->row.id);
    tellRun(*run);
    tellQueue();
    updateIdle();
    Q_EMIT runFinished(summary);
    schedule();
  });
}

}  // namespace polyptych::backend
