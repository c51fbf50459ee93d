#include "app/polyptych-cli/group_work.h"

#include <algorithm>
#include <utility>

#include "core/cluster/split.h"

namespace polyptych::cli {
namespace {

using base::Error;
using base::ErrorCode;

/// How long this rank's backend may take to close its files.
constexpr std::chrono::milliseconds kLeaveLimit{5000};

}  // namespace

GroupWork::GroupWork(backend::RunSpec run, std::vector<bool> isFinished, int rank, Split split, Rendezvous& rendezvous,
                     EventPrinter& printer, QObject* parent)
    : QObject(parent),
      m_run(std::move(run)),
      m_isFinished(std::move(isFinished)),
      m_isElsewhere(m_run.requests.size(), false),
      m_rank(rank),
      m_split(split),
      m_rendezvous(rendezvous),
      m_printer(printer),
      m_units(queue::groupUnits(m_run.requests, m_run.plan.batch)) {
  for (std::size_t unit = 0; unit < m_units.size(); ++unit) {
    if (!isUnitFinished(unit)) {
      m_pending.push_back(unit);
    }
  }
}

GroupWork::~GroupWork() = default;

bool GroupWork::isUnitFinished(std::size_t unit) const {
  return std::all_of(m_units[unit].begin(), m_units[unit].end(),
                     [this](std::size_t position) { return m_isFinished[position] || m_isElsewhere[position]; });
}

void GroupWork::skip(const std::vector<bool>& isElsewhere) {
  for (std::size_t i = 0; i < std::min(isElsewhere.size(), m_isElsewhere.size()); ++i) {
    m_isElsewhere[i] = m_isElsewhere[i] || isElsewhere[i];
  }
}

std::size_t GroupWork::skipped() const {
  return static_cast<std::size_t>(std::count(m_isElsewhere.begin(), m_isElsewhere.end(), true));
}

void GroupWork::begin(std::unique_ptr<backend::RemoteBackend> backend) {
  using backend::Backend;
  m_backend = std::move(backend);
  connect(m_backend.get(), &Backend::runFinished, this, &GroupWork::onRunFinished);
  connect(m_backend.get(), &Backend::lost, this, &GroupWork::lost);
  connect(m_backend.get(), &Backend::queueChanged, this, &GroupWork::onQueueChanged);
  connect(m_backend.get(), &Backend::pictureFinished, this, [this](const backend::PictureEvent& picture) {
    ++m_made;
    noteProgress(picture.runId);
  });
  connect(m_backend.get(), &Backend::pictureFailed, this, [this](const backend::FailureEvent& failure) {
    ++m_failed;
    m_printer.tellFailure(failure);
    noteProgress(failure.runId);
  });
  connect(m_backend.get(), &Backend::warned, this,
          [this](quint64, const domain::Warning& warning) { m_printer.tellUser(warning.sentence); });
  connect(m_backend.get(), &Backend::slotChanged, this, [this](const backend::SlotStatus& status) {
    m_deviceState = QString::fromStdString(stateName(status.state));
    if (isMain()) {
      m_printer.tellDevice(status);
    } else if (status.state == backend::SlotState::Failed) {
      m_printer.tellUser(status.slotId.toStdString() + ": " + status.reason.toStdString());
    }
  });
  connect(m_backend.get(), &Backend::stepFinished, this, [this](quint64, const backend::SlotStatus& status) {
    if (isMain()) {
      m_printer.tellStep(status);
      if (!m_printer.isHeard()) {
        interrupt();
      }
    }
  });
}

void GroupWork::beginLeases() {
  m_rendezvous.share(static_cast<qint64>(m_pending.size()));
  wantMore();
}

void GroupWork::beginShare(int size) {
  m_rendezvous.share(static_cast<qint64>(m_pending.size()));
  // A unit is where its first picture's prompt is.
  const auto prompts = static_cast<std::size_t>(m_run.requests.back().promptIndex) + 1;
  const auto share = cluster::shareOf(prompts, size, m_rank);
  std::vector<std::size_t> units;
  for (const std::size_t unit : m_pending) {
    const auto prompt = static_cast<std::size_t>(m_run.requests[m_units[unit].front()].promptIndex);
    if (prompt >= share->begin && prompt < share->end && !isUnitFinished(unit)) {
      units.push_back(unit);
    }
  }
  m_isOver = true;
  submit(units, std::nullopt);
  leaveSoon();
}

void GroupWork::noteProgress(quint64 runId) {
  if (const auto left = m_picturesLeft.find(runId); left != m_picturesLeft.end() && left->second > 0) {
    --left->second;
    wantMore();
  }
}

/// The next lease comes while the last unit of this one is made. Near the end, where a lease is a single unit, it comes after it:
/// a slow device must not sit on two while a fast one has none.
void GroupWork::wantMore() {
  std::size_t pictures = 0;
  for (const auto& [run, left] : m_picturesLeft) {
    pictures += left;
  }
  const std::size_t ahead = m_lastLease > 1 ? static_cast<std::size_t>(m_run.plan.batch) : 0;
  if (!m_isOver && !m_isInterrupted && !m_isLeaseWanted && pictures <= ahead) {
    m_isLeaseWanted = true;
    m_rendezvous.lease();
  }
}

void GroupWork::onLeased(qint64 first, qint64 count) {
  m_isLeaseWanted = false;
  m_lastLease = count;
  if (m_isInterrupted || first < 0 || count < 1 || first + count > static_cast<qint64>(m_pending.size())) {
    return;
  }
  std::vector<std::size_t> units;
  for (qint64 i = first; i < first + count; ++i) {
    const std::size_t unit = m_pending[static_cast<std::size_t>(i)];
    if (!isUnitFinished(unit)) {
      units.push_back(unit);
    }
  }
  if (units.empty()) {
    m_rendezvous.finish(first, count);
  } else {
    submit(units, Lease{first, count});
  }
  wantMore();
}

void GroupWork::onOver() {
  m_isLeaseWanted = false;
  m_isOver = true;
  leaveSoon();
}

void GroupWork::submit(const std::vector<std::size_t>& units, std::optional<Lease> lease) {
  if (units.empty()) {
    return;
  }
  std::vector<std::size_t> positions;
  for (const std::size_t unit : units) {
    positions.insert(positions.end(), m_units[unit].begin(), m_units[unit].end());
  }
  // In the order of the run's list they fall into the same units again: only the last of a shape can be short.
  std::sort(positions.begin(), positions.end());
  backend::RunSpec spec;
  spec.id = backend::newRunId();
  spec.plan = m_run.plan;
  spec.slots = m_run.slots;
  for (const std::size_t position : positions) {
    spec.requests.push_back(m_run.requests[position]);
  }
  m_hasSubmitted = true;
  m_inWork[spec.id] = lease;
  m_picturesLeft[spec.id] = positions.size();
  m_backend->submit(std::move(spec));
}

void GroupWork::onRunFinished(const backend::RunSummary& summary) {
  const auto found = m_inWork.find(summary.runId);
  if (found == m_inWork.end()) {
    return;
  }
  const std::optional<Lease> lease = found->second;
  m_inWork.erase(found);
  m_picturesLeft.erase(summary.runId);
  if (summary.error) {
    giveUp(*summary.error, exitCodeOfRun(summary, true));
    return;
  }
  if (summary.wasCancelled) {
    m_isInterrupted = m_isOver = true;
  } else {
    m_exitCode = summary.failed > 0 ? ExitCode::SomeFailed : m_exitCode;
    if (lease) {
      m_rendezvous.finish(lease->first, lease->count);
    }
  }
  wantMore();
  leaveSoon();
}

void GroupWork::onQueueChanged(const backend::QueueStatus& status) {
  using backend::PauseReason;
  if (m_isOver || status.pause == std::exchange(m_toldPause, status.pause)) {
    return;
  }
  if (status.pause == PauseReason::Breaker) {
    giveUp({ErrorCode::WorkerDied,
            std::string("This rank has no worker left to go on; why is said above.") +
                (m_split == Split::Pull ? " The others make what it had." : " The same command makes what it had."),
            status.sentence.toStdString()},
           ExitCode::SomeFailed);
  } else if (status.pause != PauseReason::None) {
    m_printer.tellUser(status.sentence.toStdString());
  }
}

/// This rank cannot make pictures. What it had leased is the others' again.
void GroupWork::giveUp(const Error& error, ExitCode code) {
  m_printer.tellError(error);
  m_exitCode = code;
  m_isOver = true;
  m_inWork.clear();
  m_picturesLeft.clear();
  m_rendezvous.release();
  leaveSoon();
}

void GroupWork::interrupt() {
  m_isInterrupted = m_isOver = true;
  if (m_backend == nullptr) {
    return;
  }
  for (const auto& [run, lease] : m_inWork) {
    m_backend->cancelRun(run);
  }
  if (m_exitCode == ExitCode::AllMade && !isMain()) {
    m_exitCode = ExitCode::Interrupted;
  }
  leaveSoon();
}

void GroupWork::leaveSoon() {
  // Later: this may be an answer of the backend, which goes.
  QMetaObject::invokeMethod(this, &GroupWork::leaveIfDone, Qt::QueuedConnection);
}

void GroupWork::leaveIfDone() {
  if (m_isOver && m_inWork.empty() && m_backend != nullptr) {
    close();
    Q_EMIT hasLeft();
  }
}

void GroupWork::close() {
  if (m_backend != nullptr) {
    m_backend->disconnect(this);
    m_backend->leave(kLeaveLimit);
    m_backend.reset();
  }
}

void GroupWork::stopTelling() {
  if (m_backend != nullptr) {
    m_backend->disconnect(this);
  }
  disconnect();
}

}  // namespace polyptych::cli
