#include "app/polyptych-cli/queue_commands.h"

#include <QDateTime>
#include <map>
#include <vector>

#include "app/polyptych-cli/event_printer.h"
#include "app/polyptych-cli/inputs.h"
#include "app/polyptych-cli/json_text.h"
#include "app/polyptych-cli/query_commands.h"
#include "core/library/database.h"
#include "core/queue/jobs.h"
#include "core/queue/runs.h"

namespace polyptych::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;

constexpr qsizetype kPromptShown = 60;

Result<std::unique_ptr<Database>> openIndex(const Arguments& arguments) {
  const library::Location location = libraryOf(arguments);
  auto opened = Database::open(location.databaseFile(), Database::Mode::ReadOnly);
  if (!opened && opened.error().code == ErrorCode::NotFound) {
    return Error{ErrorCode::NotFound,
                 "There is no library in '" + location.root.toStdString() + "' yet; polyptych-cli generate makes one.",
                 {}};
  }
  return opened;
}

ExitCode fail(const Error& error) {
  complain(error);
  return error.code == ErrorCode::NotFound || error.code == ErrorCode::InvalidArgument ? ExitCode::WrongUsage
                                                                                       : ExitCode::SomeFailed;
}

const char* nameOf(const queue::RunRow& run) {
  switch (run.state) {
    case queue::RunState::Open:
      return run.isPaused ? "paused" : "open";
    case queue::RunState::Finished:
      return "finished";
    case queue::RunState::Cancelled:
      return "cancelled";
    case queue::RunState::Failed:
      return "failed";
  }
  return "unknown";
}

std::string utc(qint64 ms) { return QDateTime::fromMSecsSinceEpoch(ms, Qt::UTC).toString(Qt::ISODate).toStdString(); }

std::string jsonOf(const queue::RunRow& run, const library::Location& location) {
  JsonObject object;
  object.number("number", run.number)
      .number("id", run.id)
      .text("state", nameOf(run))
      .text("created", utc(run.createdMs))
      .text("title", run.title.toStdString())
      .text("folder", (location.picturesFolder() + u'/' + run.folder).toStdString())
      .text("model", run.plan.model.name)
      .number("total", run.total)
      .number("made", run.made)
      .number("failed", run.failed)
      .number("cancelled", run.cancelled);
  if (run.error) {
    object.text("error", run.error->message);
  }
  return object.done();
}

std::string jsonOf(const queue::JobRow& job) {
  JsonObject object;
  object.number("job", job.id)
      .number("run", job.runNumber)
      .number("index", job.firstIndex)
      .number("pictures", job.count)
      .text("state", queue::nameOf(job.state))
      .number("attempts", job.attempts)
      .number("deaths", job.deaths)
      .text("prompt", job.prompt.toStdString());
  if (!job.change.isEmpty()) {
    object.text("change", job.change.toStdString());
  }
  if (job.error) {
    object.text("code", base::toString(job.error->code)).text("message", job.error->message);
  }
  return object.done();
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text + "  ";
}

/// Id of the run with that number.
Result<quint64> runIdOf(Database& database, int number) {
  const Result<QVariant> id = database.value("SELECT id FROM runs WHERE number = ?", {number});
  if (!id) {
    return id.error();
  }
  if (id->isNull()) {
    return Error{ErrorCode::NotFound, "There is no run " + std::to_string(number) + "; polyptych-cli runs lists them.", {}};
  }
  return id->toULongLong();
}

}  // namespace

ExitCode showRuns(const Arguments& arguments) {
  const auto database = openIndex(arguments);
  if (!database) {
    return fail(database.error());
  }
  const auto runs = queue::listRuns(**database, 0, arguments.queue.limit);
  if (!runs) {
    return fail(runs.error());
  }
  const library::Location location = libraryOf(arguments);
  std::string out;
  if (arguments.json) {
    std::vector<std::string> list;
    for (const queue::RunRow& run : *runs) {
      list.push_back(jsonOf(run, location));
    }
    return answer(jsonArray(list, true) + "\n");
  }
  for (const queue::RunRow& run : *runs) {
    out += padded(std::to_string(run.number), 4) + padded(nameOf(run), 9) + padded(utc(run.createdMs), 20) +
           padded(std::to_string(run.made) + " of " + std::to_string(run.total), 14) + printable(run.title.toStdString());
    if (run.failed > 0) {
      out += "  (" + std::to_string(run.failed) + " failed)";
    }
    out += "\n";
  }
  return answer(out.empty() ? "No run yet.\n" : out);
}

ExitCode showQueue(const Arguments& arguments) {
  const auto database = openIndex(arguments);
  if (!database) {
    return fail(database.error());
  }
  queue::JobFilter filter;
  if (arguments.queue.run) {
    const auto id = runIdOf(**database, *arguments.queue.run);
    if (!id) {
      return fail(id.error());
    }
    filter.runId = *id;
  }
  if (arguments.queue.state) {
    for (int state = 0; state <= static_cast<int>(queue::JobState::Cancelled); ++state) {
      if (queue::nameOf(static_cast<queue::JobState>(state)) == *arguments.queue.state) {
        filter.state = static_cast<queue::JobState>(state);
      }
    }
  }
  const auto jobs = queue::listJobs(**database, filter, std::nullopt, arguments.queue.limit);
  if (!jobs) {
    return fail(jobs.error());
  }
  if (arguments.json) {
    std::vector<std::string> list;
    for (const queue::JobRow& job : *jobs) {
      list.push_back(jsonOf(job));
    }
    return answer(jsonArray(list, true) + "\n");
  }
  std::string out;
  for (const queue::JobRow& job : *jobs) {
    const QString prompt = job.prompt.simplified();
    out += padded(std::to_string(job.id), 6) + padded("run " + std::to_string(job.runNumber), 8) +
           padded(queue::nameOf(job.state), 9) +
           padded(std::to_string(job.count) + (job.count == 1 ? " picture" : " pictures"), 11) +
           printable((prompt.size() > kPromptShown ? prompt.left(kPromptShown) + u'…' : prompt).toStdString());
    if (job.error) {
      out += "\n        " + printable(job.error->message);
    }
    out += "\n";
  }
  return answer(out.empty() ? "Nothing is in the queue.\n" : out);
}

Result<backend::Command> queueCommand(const Arguments& arguments) {
  using Kind = backend::Command::Kind;
  const QueueArguments& asked = arguments.queue;
  backend::Command command;
  if (asked.run) {
    const auto database = openIndex(arguments);
    if (!database) {
      return database.error();
    }
    const auto id = runIdOf(**database, *asked.run);
    if (!id) {
      return id.error();
    }
    command.jobs.runId = *id;
  }
  command.jobs.jobIds.assign(asked.numbers.begin(), asked.numbers.end());
  const auto wrong = [](const char* sentence) { return Error{ErrorCode::InvalidArgument, sentence, {}}; };
  if (asked.verb == "pause" || asked.verb == "resume") {
    if (!asked.numbers.empty()) {
      return wrong("queue pause and resume take a run (--run N) or the whole queue, not jobs.");
    }
    const bool isPause = asked.verb == "pause";
    command.kind = asked.run ? (isPause ? Kind::PauseRun : Kind::ResumeRun) : (isPause ? Kind::PauseQueue : Kind::ResumeQueue);
  } else if (asked.verb == "cancel") {
    command.kind = asked.state == "waiting"   ? Kind::CancelWaiting
                   : asked.state == "in_work" ? Kind::CancelInWork
                                              : Kind::CancelAll;
  } else if (asked.verb == "retry") {
    command.kind = Kind::Retry;
  } else if (asked.verb == "dismiss") {
    command.kind = Kind::Dismiss;
  } else if (asked.verb == "front") {
    if (!asked.run && asked.numbers.empty()) {
      return wrong("queue front needs jobs, or a run (--run N).");
    }
    command.kind = Kind::MoveToFront;
  } else if (asked.verb == "move") {
    if (!asked.run && asked.numbers.empty()) {
      return wrong("queue move needs jobs, or a run (--run N).");
    }
    command.kind = Kind::MoveBefore;
    command.before = asked.before.value_or(0);
  } else if (asked.verb == "undo") {
    if (asked.numbers.size() != 1) {
      return wrong("queue undo needs the number that the other command gave.");
    }
    command.kind = Kind::Undo;
    command.undoId = asked.numbers.front();
    command.jobs.jobIds.clear();
  } else {
    return wrong("queue needs a word: list, pause, resume, cancel, retry, requeue, dismiss, front, move or undo.");
  }
  return command;
}

QueueCommand::QueueCommand(const Arguments& arguments, backend::Backend& backend, QObject* parent)
    : QObject(parent), m_arguments(arguments), m_backend(backend) {
  connect(&m_backend, &backend::Backend::commandDone, this, &QueueCommand::onDone);
  connect(&m_backend, &backend::Backend::lost, this, [this](const Error& error) { Q_EMIT ended(static_cast<int>(fail(error))); });
}

void QueueCommand::start() {
  const Result<backend::Command> command = queueCommand(m_arguments);
  if (!command) {
    Q_EMIT ended(static_cast<int>(fail(command.error())));
    return;
  }
  m_commandId = m_backend.control(*command);
}

void QueueCommand::onDone(const backend::CommandResult& result) {
  if (result.commandId != m_commandId) {
    return;
  }
  if (result.error) {
    Q_EMIT ended(static_cast<int>(fail(*result.error)));
    return;
  }
  ExitCode code = ExitCode::AllMade;
  if (m_arguments.json) {
    JsonObject object;
    object.text("did", m_arguments.queue.verb).number("changed", result.changed);
    if (result.undoId != 0) {
      object.number("undo", result.undoId);
    }
    code = answer(object.done() + "\n");
  } else {
    static const std::map<std::string, std::string> words = {
        {"cancel", " pictures cancelled."},         {"retry", " pictures wait again."},
        {"undo", " pictures are what they were."},  {"dismiss", " failed pictures are not counted any more."},
        {"front", " pictures moved to the front."}, {"move", " pictures moved."}};
    const auto word = words.find(m_arguments.queue.verb);
    std::string text = word != words.end()                 ? std::to_string(result.changed) + word->second
                       : m_arguments.queue.verb == "pause" ? "Paused; what is in work is finished."
                                                           : "It goes on.";
    if (result.undoId != 0) {
      text += " 'polyptych-cli queue undo " + std::to_string(result.undoId) + "' takes it back.";
    }
    code = answer(text + "\n");
  }
  Q_EMIT ended(static_cast<int>(code));
}

}  // namespace polyptych::cli
