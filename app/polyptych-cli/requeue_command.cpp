#include "app/polyptych-cli/requeue_command.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "app/polyptych-cli/inputs.h"
#include "app/polyptych-cli/json_text.h"
#include "app/polyptych-cli/query_commands.h"
#include "app/polyptych-cli/queue_commands.h"
#include "core/queue/queue_reader.h"

namespace polyptych::cli {

using base::Error;
using base::ErrorCode;
using base::Result;
using queue::JobState;

namespace {

void change(domain::GenerationRequest& request, const RequeueEdits& edits) {
  const auto set = [](auto& field, const auto& value) {
    if (value) {
      field = *value;
    }
  };
  set(request.width, edits.width);
  set(request.height, edits.height);
  set(request.steps, edits.steps);
  set(request.guidanceScale, edits.guidance);
  set(request.scheduler, edits.scheduler);
  if (edits.negative) {
    request.negativePrompt = *edits.negative;
  }
}

}  // namespace

Result<std::vector<backend::RunSpec>> requeuedRuns(const Arguments& arguments, backend::JobSelection& selection) {
  const QueueArguments& asked = arguments.queue;
  auto reader = queue::QueueReader::open(libraryOf(arguments));
  if (!reader) {
    return reader.error();
  }
  Result<std::vector<queue::RunRow>> runs = (*reader)->runs(0, std::numeric_limits<int>::max());
  if (!runs) {
    return runs.error();
  }
  selection.jobIds.assign(asked.numbers.begin(), asked.numbers.end());
  if (asked.run) {
    const auto found =
        std::find_if(runs->begin(), runs->end(), [&](const queue::RunRow& run) { return run.number == *asked.run; });
    if (found == runs->end()) {
      return Error{ErrorCode::NotFound, "There is no run " + std::to_string(*asked.run) + "; polyptych-cli runs lists them.", {}};
    }
    selection.runId = found->id;
  }
  std::vector<JobState> states{JobState::Failed, JobState::Parked};
  if (!selection.jobIds.empty()) {
    states.push_back(JobState::Cancelled);
  }
  std::vector<backend::RunSpec> specs;
  for (const queue::RunRow& run : *runs) {
    if (selection.runId != 0 && selection.runId != run.id) {
      continue;
    }
    Result<std::vector<domain::GenerationRequest>> requests = (*reader)->requestsOf({selection.jobIds, run.id}, states);
    if (!requests) {
      return requests.error();
    }
    if (requests->empty()) {
      continue;
    }
    backend::RunSpec spec;
    spec.plan = run.plan;
    spec.plan.batch = asked.edits.batch.value_or(0);
    spec.wantsPreviews = run.wantsPreviews;
    std::uint64_t seed = asked.edits.seed.value_or(0);
    for (domain::GenerationRequest& request : *requests) {
      request.index = request.promptIndex = static_cast<std::int64_t>(spec.requests.size());
      change(request, asked.edits);
      if (asked.edits.seed) {
        request.seed = seed++;
      }
      spec.requests.push_back(std::move(request));
    }
    specs.push_back(std::move(spec));
  }
  if (specs.empty()) {
    return Error{ErrorCode::NotFound, "Nothing of that has failed; polyptych-cli queue list shows what has.", {}};
  }
  std::reverse(specs.begin(), specs.end());  // oldest first
  return specs;
}

RequeueCommand::RequeueCommand(const Arguments& arguments, backend::Backend& backend, QObject* parent)
    : QObject(parent), m_arguments(arguments), m_backend(backend) {
  using backend::Backend;
  connect(&m_backend, &Backend::runStarted, this, &RequeueCommand::onStarted);
  connect(&m_backend, &Backend::runFinished, this, [this](const backend::RunSummary& summary) {
    if (m_awaited.contains(summary.runId) && summary.error) {
      fail(*summary.error);
    }
  });
  connect(&m_backend, &Backend::commandDone, this, &RequeueCommand::onDone);
  connect(&m_backend, &Backend::lost, this, &RequeueCommand::fail);
}

void RequeueCommand::start() {
  Result<std::vector<backend::RunSpec>> specs = requeuedRuns(m_arguments, m_selection);
  if (!specs) {
    fail(specs.error());
    return;
  }
  for (backend::RunSpec& spec : *specs) {
    m_pictures += static_cast<qint64>(spec.requests.size());
    ++m_runs;
    spec.id = backend::newRunId();
    m_awaited.insert(spec.id);
  }
  for (backend::RunSpec& spec : *specs) {
    m_backend.submit(std::move(spec));
  }
}

void RequeueCommand::onStarted(quint64 runId) {
  if (!m_awaited.remove(runId) || !m_awaited.isEmpty()) {
    return;
  }
  backend::Command dismiss;
  dismiss.kind = backend::Command::Kind::Dismiss;
  dismiss.jobs = m_selection;
  m_commandId = m_backend.control(dismiss);
}

void RequeueCommand::onDone(const backend::CommandResult& result) {
  if (result.commandId != m_commandId || m_commandId == 0) {
    return;
  }
  if (result.error) {
    fail(*result.error);
    return;
  }
  if (m_arguments.json) {
    JsonObject object;
    object.text("did", "requeue")
        .number("changed", m_pictures)
        .number("runs", static_cast<qint64>(m_runs))
        .number("undo", result.undoId);
    Q_EMIT ended(static_cast<int>(answer(object.done() + "\n")));
    return;
  }
  Q_EMIT ended(static_cast<int>(answer(std::to_string(m_pictures) + " pictures wait in " + std::to_string(m_runs) +
                                       (m_runs == 1 ? " new run.\n" : " new runs.\n"))));
}

void RequeueCommand::fail(const Error& error) {
  complain(error);
  const bool isUsage = error.code == ErrorCode::NotFound || error.code == ErrorCode::InvalidArgument;
  Q_EMIT ended(static_cast<int>(isUsage ? ExitCode::WrongUsage : ExitCode::SomeFailed));
}

}  // namespace polyptych::cli
