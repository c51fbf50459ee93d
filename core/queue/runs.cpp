#include "core/queue/runs.h"

#include <algorithm>
#include <limits>
#include <map>

#include "core/library/shared_rows.h"
#include "core/queue/jobs.h"
#include "core/queue/units.h"

namespace polyptych::queue {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;

constexpr int kTitleCharacters = 80;

constexpr char kColumns[] =
    "r.id, r.number, r.created, r.title, r.folder, r.fingerprint, r.plan, r.model_folder, r.model_variant, r.wants_trace, "
    "r.wants_previews, r.has_latents, r.state, r.is_paused, r.total, r.made, r.already_there, r.failed, r.cancelled, "
    "r.error_code, "
    "r.error_message";

struct HalfRow {
  RunRow run;
  qint64 plan = 0;
};

HalfRow halfRowOf(const QSqlQuery& row) {
  HalfRow half;
  RunRow& run = half.run;
  run.id = row.value(0).toULongLong();
  run.number = row.value(1).toLongLong();
  run.createdMs = row.value(2).toLongLong();
  run.title = row.value(3).toString();
  run.folder = row.value(4).toString();
  run.fingerprint = row.value(5).toString();
  half.plan = row.value(6).toLongLong();
  run.plan.model.folder = row.value(7).toString().toStdString();
  run.plan.model.variant = row.value(8).toString().toStdString();
  run.wantsTrace = row.value(9).toBool();
  run.wantsPreviews = row.value(10).toBool();
  run.hasLatents = row.value(11).toBool();
  run.state = static_cast<RunState>(std::clamp(row.value(12).toInt(), 0, 3));
  run.isPaused = row.value(13).toBool();
  run.total = row.value(14).toLongLong();
  run.made = row.value(15).toLongLong();
  run.alreadyThere = row.value(16).toLongLong();
  run.failed = row.value(17).toLongLong();
  run.cancelled = row.value(18).toLongLong();
  if (!row.isNull(19)) {
    run.error =
        Error{base::errorCodeFromString(row.value(19).toString().toStdString()), row.value(20).toString().toStdString(), {}};
  }
  return half;
}

Result<std::vector<RunRow>> complete(Database& database, std::vector<HalfRow> halves) {
  std::vector<RunRow> runs;
  for (HalfRow& half : halves) {
    domain::PictureMetadata shared;
    if (auto read = library::readPlan(database, half.plan, shared); !read) {
      return read.error();
    }
    domain::RunPlan& plan = half.run.plan;
    plan.model.name = shared.modelName;
    plan.model.hash = shared.modelHash;
    plan.computeType = shared.computeType;
    plan.noise = shared.noise;
    plan.threads = shared.threads;
    plan.batch = shared.batch;
    plan.vaeSlicing = shared.vaeSlicing;
    plan.vaeTiling = shared.vaeTiling;
    half.run.programVersion = shared.programVersion;
    runs.push_back(std::move(half.run));
  }
  return runs;
}

Result<std::vector<RunRow>> readRuns(Database& database, const QString& rest, const QVariantList& values) {
  Result<QSqlQuery> rows =
      database.queryOnce(QStringLiteral("SELECT %1 FROM runs r %2").arg(QLatin1String(kColumns), rest), values);
  if (!rows) {
    return rows.error();
  }
  std::vector<HalfRow> halves;
  while (rows->next()) {
    halves.push_back(halfRowOf(*rows));
  }
  return complete(database, std::move(halves));
}

Result<qint64> next(Database& database, const char* sql) {
  const Result<QVariant> last = database.value(sql);
  return last ? Result<qint64>(last->toLongLong() + 1) : last.error();
}

}  // namespace

QString titleOf(const std::string& prompt) {
  const QString text = QString::fromStdString(prompt.substr(0, 8 * kTitleCharacters)).simplified();
  return text.size() <= kTitleCharacters ? text : text.left(kTitleCharacters - 1) + QChar(0x2026);
}

Result<qint64> nextRunNumber(Database& database) { return next(database, "SELECT max(number) FROM runs"); }

Result<void> insertRun(Database& database, const library::RunRecord& record, const std::vector<bool>& finished) {
  if (record.requests.empty()) {
    return Error{ErrorCode::InvalidArgument, "There are no prompts; give at least one.", {}};
  }
  const auto isFinished = [&finished](std::size_t index) { return index < finished.size() && finished[index]; };
  domain::UnitOfWork sample;
  sample.plan = record.plan;
  sample.requests = {record.requests.front()};
  const Result<qint64> plan = library::planRow(database, domain::metadataOf(sample, 0));
  const Result<qint64> firstRequest = next(database, "SELECT max(id) FROM requests");
  const Result<qint64> firstJob = next(database, "SELECT max(id) FROM jobs");
  const Result<QVariant> lastRank = database.value("SELECT max(rank) FROM jobs WHERE state = 0");
  for (const auto* part : {&plan, &firstRequest, &firstJob}) {
    if (!*part) {
      return part->error();
    }
  }
  if (!lastRank) {
    return lastRank.error();
  }
  const std::vector<Unit> units = groupUnits(record.requests, record.plan.batch);
  const auto made = static_cast<qint64>(std::count(finished.begin(), finished.end(), true));
  const auto total = static_cast<qint64>(record.requests.size());
  const Result<qint64> run = database.insert(
      "INSERT INTO runs(id, number, created, title, folder, fingerprint, plan, model_folder, model_variant, wants_trace, "
      "wants_previews, has_latents, state, first_job, jobs, first_request, total, made, already_there) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {record.id, record.number, record.createdMs, titleOf(record.requests.front().prompt), record.folder, record.fingerprint,
       *plan, QString::fromStdString(record.plan.model.folder), QString::fromStdString(record.plan.model.variant),
       record.wantsTrace ? 1 : 0, record.wantsPreviews ? 1 : 0, record.hasLatents ? 1 : 0, made == total ? 1 : 0, *firstJob,
       static_cast<qint64>(units.size()), *firstRequest, total, made, made});
  if (!run) {
    return run.error();
  }
  std::map<std::int64_t, qint64> promptOf;  // by position in the run's list
  std::map<std::int64_t, const std::string*> textOf;
  qint64 settings = 0;
  const domain::GenerationRequest* settingsOf = nullptr;
  qint64 request = *firstRequest;
  qint64 job = *firstJob;
  qint64 rank = lastRank->toLongLong() + kRankGap;
  for (const Unit& unit : units) {
    const qint64 first = request;
    bool isDone = true;
    for (const std::size_t position : unit) {
      const domain::GenerationRequest& asked = record.requests[position];
      const auto known = textOf.find(asked.promptIndex);
      if (known == textOf.end() || *known->second != asked.prompt) {
        const Result<qint64> prompt = library::newPromptRow(database, asked.prompt);
        if (!prompt) {
          return prompt.error();
        }
        promptOf[asked.promptIndex] = *prompt;
        textOf[asked.promptIndex] = &asked.prompt;
      }
      if (settingsOf == nullptr || !haveEqualShape(*settingsOf, asked) || settingsOf->negativePrompt != asked.negativePrompt) {
        const Result<qint64> row = library::settingsRow(database, asked);
        if (!row) {
          return row.error();
        }
        settings = *row;
        settingsOf = &asked;
      }
      const Result<qint64> added =
          database.insert("INSERT INTO requests(id, idx, prompt_index, prompt, settings, seed) VALUES (?, ?, ?, ?, ?, ?)",
                          {request, qint64(asked.index), qint64(asked.promptIndex), promptOf[asked.promptIndex], settings,
                           static_cast<qint64>(asked.seed)});
      if (!added) {
        return added.error();
      }
      ++request;
      isDone = isDone && isFinished(position);
    }
    const Result<qint64> added =
        database.insert("INSERT INTO jobs(id, run, first_request, count, state, rank) VALUES (?, ?, ?, ?, ?, ?)",
                        {job, record.id, first, static_cast<qint64>(unit.size()),
                         static_cast<int>(isDone ? JobState::Done : JobState::Waiting), rank});
    if (!added) {
      return added.error();
    }
    ++job;
    rank += kRankGap;
  }
  return {};
}

Result<void> removeRun(Database& database, quint64 id) {
  for (const char* sql :
       {"WITH r AS (SELECT * FROM runs WHERE id = ?) DELETE FROM attempts WHERE job IN "
        "(SELECT j.id FROM jobs j, r WHERE j.id >= r.first_job AND j.id < r.first_job + r.jobs)",
        "WITH r AS (SELECT * FROM runs WHERE id = ?) DELETE FROM requests WHERE id >= (SELECT first_request FROM r) "
        "AND id < (SELECT first_request + total FROM r)",
        "WITH r AS (SELECT * FROM runs WHERE id = ?) DELETE FROM jobs WHERE id >= (SELECT first_job FROM r) "
        "AND id < (SELECT first_job + jobs FROM r)",
        "DELETE FROM runs WHERE id = ?"}) {
    if (const Result<qint64> done = database.change(sql, {id}); !done) {
      return done.error();
    }
  }
  return {};
}

Result<std::optional<RunRow>> readRun(Database& database, quint64 id) {
  Result<std::vector<RunRow>> runs = readRuns(database, QStringLiteral("WHERE r.id = ?"), {id});
  if (!runs) {
    return runs.error();
  }
  return runs->empty() ? std::optional<RunRow>() : std::optional<RunRow>(std::move(runs->front()));
}

Result<std::vector<RunRow>> openRuns(Database& database) {
  return readRuns(database, QStringLiteral("WHERE r.state = 0 ORDER BY r.number"), {});
}

Result<std::vector<RunRow>> listRuns(Database& database, qint64 before, int limit) {
  return readRuns(database, QStringLiteral("WHERE r.number < ? ORDER BY r.number DESC LIMIT ?"),
                  {before > 0 ? before : std::numeric_limits<qint64>::max(), limit});
}

Result<void> setRunPaused(Database& database, quint64 id, bool isPaused) {
  const Result<qint64> done = database.change("UPDATE runs SET is_paused = ? WHERE id = ?", {isPaused ? 1 : 0, id});
  return done ? Result<void>() : done.error();
}

Result<void> failRun(Database& database, quint64 id, const Error& error) {
  const QString code = QString::fromStdString(std::string(base::toString(error.code)));
  const QString message = QString::fromStdString(error.message);
  const Result<qint64> waiting = picturesLeft(database, id, JobState::Waiting);
  if (!waiting) {
    return waiting.error();
  }
  const Result<qint64> jobs = database.change(
      "WITH r AS (SELECT * FROM runs WHERE id = ?) UPDATE jobs SET state = 3, error_code = ?, error_message = ? WHERE state = 0 "
      "AND id >= (SELECT first_job FROM r) AND id < (SELECT first_job + jobs FROM r)",
      {id, code, message});
  if (!jobs) {
    return jobs.error();
  }
  const Result<qint64> run =
      database.change("UPDATE runs SET state = 3, failed = failed + ?, error_code = ?, error_message = ? WHERE id = ?",
                      {*waiting, code, message, id});
  return run ? Result<void>() : run.error();
}

Result<bool> closeRunIfDone(Database& database, quint64 id) {
  const Result<qint64> changed = database.change(
      "UPDATE runs SET state = CASE WHEN cancelled > 0 THEN 2 ELSE 1 END WHERE id = ? AND state = 0 "
      "AND made + failed + cancelled >= total",
      {id});
  return changed ? Result<bool>(*changed > 0) : changed.error();
}

}  // namespace polyptych::queue
