#include "core/queue/jobs.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>
#include <iterator>

#include "core/library/shared_rows.h"
#include "core/queue/runs.h"

namespace polyptych::queue {
namespace {

using base::Error;
using base::Result;
using library::Database;

QVariant codeOf(const std::optional<Error>& error) {
  return error ? QVariant(QString::fromStdString(std::string(base::toString(error->code))))
               : QVariant(QMetaType::fromType<QString>());
}

QVariant messageOf(const std::optional<Error>& error) {
  return error ? QVariant(QString::fromStdString(error->message)) : QVariant(QMetaType::fromType<QString>());
}

std::optional<Error> errorOf(const QVariant& code, const QVariant& message) {
  if (code.isNull()) {
    return std::nullopt;
  }
  return Error{base::errorCodeFromString(code.toString().toStdString()), message.toString().toStdString(), {}};
}

/// The change of a job as its column has it.
QVariant changeText(const std::optional<Change>& change) {
  if (!change) {
    return QVariant(QMetaType::fromType<QString>());
  }
  const QJsonObject object{{"batch", change->batch}, {"vaeSlicing", change->vaeSlicing}, {"vaeTiling", change->vaeTiling},
                           {"width", change->width}, {"height", change->height},         {"words", change->words}};
  return QString::fromUtf8(QJsonDocument(object).toJson(QJsonDocument::Compact));
}

std::optional<Change> changeOf(const QVariant& text) {
  if (text.isNull()) {
    return std::nullopt;
  }
  const QJsonObject object = QJsonDocument::fromJson(text.toString().toUtf8()).object();
  Change change;
  change.batch = std::clamp(object["batch"].toInt(1), 1, domain::kMaxBatch);
  change.vaeSlicing = object["vaeSlicing"].toBool();
  change.vaeTiling = object["vaeTiling"].toBool();
  change.width = std::clamp(object["width"].toInt(), 0, domain::kMaxSide);
  change.height = std::clamp(object["height"].toInt(), 0, domain::kMaxSide);
  change.words = object["words"].toString();
  return change;
}

Result<void> readRequests(Database& database, qint64 first, int count, Lease& lease) {
  struct Half {
    domain::GenerationRequest request;
    qint64 settings = 0;
  };
  const Result<QSqlQuery*> rows = database.query(
      "SELECT q.idx, q.prompt_index, p.text, q.seed, q.settings, q.prompt FROM requests q JOIN prompts p ON p.id = q.prompt "
      "WHERE q.id >= ? AND q.id < ? ORDER BY q.id",
      {first, first + count});
  if (!rows) {
    return rows.error();
  }
  std::vector<Half> halves;
  for (QSqlQuery& row = **rows; row.next();) {
    Half half;
    half.request.index = row.value(0).toLongLong();
    half.request.promptIndex = row.value(1).toLongLong();
    half.request.prompt = row.value(2).toString().toStdString();
    half.request.seed = static_cast<std::uint64_t>(row.value(3).toLongLong());
    half.settings = row.value(4).toLongLong();
    lease.promptRows.push_back(row.value(5).toLongLong());
    lease.settingsRows.push_back(half.settings);
    halves.push_back(std::move(half));
  }
  (*rows)->finish();
  if (halves.size() != static_cast<std::size_t>(count)) {
    return Error{base::ErrorCode::Corrupt,
                 "The library's index is damaged; 'polyptych-cli library rebuild' makes it again from the pictures.", "requests"};
  }
  for (Half& half : halves) {
    if (auto read = library::readSettings(database, half.settings, half.request); !read) {
      return read;
    }
    lease.requests.push_back(std::move(half.request));
  }
  return {};
}

/// Pictures of one job that no row says to be there.
Result<qint64> picturesMissing(Database& database, qint64 jobId) {
  const Result<QVariant> missing = database.value(
      "SELECT count(*) FROM jobs j JOIN requests q ON q.id >= j.first_request AND q.id < j.first_request + j.count "
      "WHERE j.id = ? AND NOT EXISTS (SELECT 1 FROM pictures p WHERE p.run = j.run AND p.idx = q.idx)",
      {jobId});
  return missing ? Result<qint64>(missing->toLongLong()) : missing.error();
}

}  // namespace

const char* nameOf(JobState state) {
  switch (state) {
    case JobState::Waiting:
      return "waiting";
    case JobState::Leased:
      return "in_work";
    case JobState::Done:
      return "done";
    case JobState::Failed:
      return "failed";
    case JobState::Parked:
      return "parked";
    case JobState::Cancelled:
      return "cancelled";
  }
  return "unknown";
}

Result<std::vector<WaitingJob>> nextWaiting(Database& database, qint64 afterRank, int limit) {
  const Result<QSqlQuery*> rows = database.query(
      "SELECT j.id, j.run, j.rank, j.count, j.deaths, q.settings, 1.0 * s.width * s.height * s.steps * j.count, "
      "j.change IS NOT NULL, s.width, s.height, s.guidance > 1 FROM jobs j "
      "JOIN requests q ON q.id = j.first_request JOIN settings s ON s.id = q.settings "
      "WHERE j.state = 0 AND j.rank > ? AND j.run NOT IN (SELECT id FROM runs WHERE state = 0 AND is_paused = 1) "
      "ORDER BY j.rank LIMIT ?",
      {afterRank, limit});
  if (!rows) {
    return rows.error();
  }
  std::vector<WaitingJob> jobs;
  for (QSqlQuery& row = **rows; row.next();) {
    jobs.push_back({row.value(0).toLongLong(), row.value(1).toULongLong(), row.value(2).toLongLong(), row.value(3).toInt(),
                    row.value(4).toInt(), row.value(5).toLongLong(), row.value(6).toDouble(), row.value(7).toBool(),
                    row.value(8).toInt(), row.value(9).toInt(), row.value(10).toBool()});
  }
  (*rows)->finish();
  return jobs;
}

Result<std::optional<Lease>> lease(Database& database, qint64 jobId, const QString& device, bool isBegun, qint64 nowMs) {
  const Result<qint64> taken =
      database.change("UPDATE jobs SET state = 1, lease = lease + 1 WHERE id = ? AND state = 0", {jobId});
  if (!taken) {
    return taken.error();
  }
  if (*taken == 0) {
    return std::optional<Lease>();
  }
  const Result<QSqlQuery*> rows =
      database.query("SELECT run, first_request, count, lease, deaths, change FROM jobs WHERE id = ?", {jobId});
  if (!rows) {
    return rows.error();
  }
  QSqlQuery& row = **rows;
  row.next();
  Lease lease;
  lease.jobId = jobId;
  lease.runId = row.value(0).toULongLong();
  lease.number = row.value(3).toLongLong();
  lease.deaths = row.value(4).toInt();
  const qint64 first = row.value(1).toLongLong();
  const int count = row.value(2).toInt();
  lease.change = changeOf(row.value(5));
  row.finish();
  if (auto read = readRequests(database, first, count, lease); !read) {
    return read.error();
  }
  const Result<qint64> attempt =
      database.insert("INSERT INTO attempts(job, lease, device, started) VALUES (?, ?, ?, ?)",
                      {jobId, lease.number, device, isBegun ? QVariant(nowMs) : QVariant(QMetaType::fromType<qint64>())});
  if (!attempt) {
    return attempt.error();
  }
  return std::optional<Lease>(std::move(lease));
}

Result<void> begin(Database& database, qint64 jobId, qint64 leaseNumber, qint64 nowMs) {
  const Result<qint64> done =
      database.change("UPDATE attempts SET started = ? WHERE job = ? AND lease = ?", {nowMs, jobId, leaseNumber});
  return done ? Result<void>() : done.error();
}

Result<bool> endAttempt(Database& database, const AttemptEnd& end) {
  const bool isDeath = end.outcome == AttemptOutcome::WorkerLost || end.outcome == AttemptOutcome::BackendLost;
  const Result<qint64> ended = database.change(
      "UPDATE jobs SET state = ?, deaths = deaths + ?, error_code = ?, error_message = ?, change = coalesce(?, change), undo = ? "
      "WHERE id = ? AND state = 1 AND lease = ?",
      {static_cast<int>(end.next), isDeath ? 1 : 0, codeOf(end.error), messageOf(end.error), changeText(end.change),
       end.undo != 0 ? QVariant(end.undo) : QVariant(QMetaType::fromType<qint64>()), end.jobId, end.lease});
  if (!ended) {
    return ended.error();
  }
  const Result<qint64> attempt = database.change(
      "UPDATE attempts SET ended = ?, outcome = ?, error_code = ?, error_message = ? WHERE job = ? AND lease = ? AND outcome IS "
      "NULL",
      {end.nowMs, static_cast<int>(end.outcome), codeOf(end.error), messageOf(end.error), end.jobId, end.lease});
  if (!attempt) {
    return attempt.error();
  }
  if (*ended == 0) {
    return false;
  }
  const bool isFailed = end.next == JobState::Failed || end.next == JobState::Parked;
  if (isFailed || end.next == JobState::Cancelled) {
    const Result<qint64> missing = picturesMissing(database, end.jobId);
    if (!missing) {
      return missing.error();
    }
    const Result<qint64> counted =
        database.change(isFailed ? "UPDATE runs SET failed = failed + ? WHERE id = (SELECT run FROM jobs WHERE id = ?)"
                                 : "UPDATE runs SET cancelled = cancelled + ? WHERE id = (SELECT run FROM jobs WHERE id = ?)",
                        {*missing, end.jobId});
    if (!counted) {
      return counted.error();
    }
  }
  return true;
}

Result<void> countMade(Database& database, quint64 runId, qint64 pictures) {
  const Result<qint64> done = database.change("UPDATE runs SET made = made + ? WHERE id = ?", {pictures, runId});
  return done ? Result<void>() : done.error();
}

Result<Recovery> recover(Database& database, int maxDeaths, qint64 nowMs) {
  struct Open {
    qint64 job = 0;
    qint64 lease = 0;
    int deaths = 0;
    bool hasBegun = false;
  };
  std::vector<Open> open;
  {
    const Result<QSqlQuery*> rows = database.query(
        "SELECT j.id, j.lease, j.deaths, EXISTS (SELECT 1 FROM attempts a WHERE a.job = j.id AND a.lease = j.lease "
        "AND a.started IS NOT NULL) FROM jobs j WHERE j.state = 1");
    if (!rows) {
      return rows.error();
    }
    while ((*rows)->next()) {
      open.push_back({(*rows)->value(0).toLongLong(), (*rows)->value(1).toLongLong(), (*rows)->value(2).toInt(),
                      (*rows)->value(3).toBool()});
    }
    (*rows)->finish();
  }
  Recovery recovery;
  for (const Open& job : open) {
    AttemptEnd end;
    end.jobId = job.job;
    end.lease = job.lease;
    end.nowMs = nowMs;
    end.next = JobState::Waiting;
    end.outcome = job.hasBegun ? AttemptOutcome::BackendLost : AttemptOutcome::GivenBack;
    if (job.hasBegun) {
      ++recovery.interrupted;
      if (maxDeaths > 0 && job.deaths + 1 >= maxDeaths) {
        ++recovery.parked;
        end.next = JobState::Parked;
        end.error = Error{base::ErrorCode::WorkerDied,
                          "Polyptych or the machine ended " + std::to_string(job.deaths + 1) +
                              " times while this was being made; it is set aside. Try a smaller size or batch, then retry it.",
                          {}};
      }
    }
    if (const Result<bool> ended = endAttempt(database, end); !ended) {
      return ended.error();
    }
  }
  const Result<qint64> attempts = database.change("UPDATE attempts SET outcome = ?, ended = ? WHERE outcome IS NULL",
                                                  {static_cast<int>(AttemptOutcome::GivenBack), nowMs});
  return attempts ? Result<Recovery>(recovery) : attempts.error();
}

Result<qint64> picturesLeft(Database& database, quint64 runId, JobState state) {
  const Result<QVariant> there = database.value("SELECT already_there FROM runs WHERE id = ?", {runId});
  if (!there) {
    return there.error();
  }
  // Only a run that found pictures in its folder has jobs that are done in part.
  const Result<QVariant> left =
      there->toLongLong() == 0
          ? database.value(
                "SELECT coalesce(sum(j.count), 0) FROM runs r JOIN jobs j ON j.id >= r.first_job AND j.id < r.first_job + r.jobs "
                "WHERE r.id = ? AND j.state = ?",
                {runId, static_cast<int>(state)})
          : database.value(
                "SELECT count(*) FROM runs r JOIN jobs j ON j.id >= r.first_job AND j.id < r.first_job + r.jobs "
                "JOIN requests q ON q.id >= j.first_request AND q.id < j.first_request + j.count "
                "WHERE r.id = ? AND j.state = ? "
                "AND NOT EXISTS (SELECT 1 FROM pictures p WHERE p.run = r.id AND p.idx = q.idx)",
                {runId, static_cast<int>(state)});
  return left ? Result<qint64>(left->toLongLong()) : left.error();
}

Result<QueueCounts> countQueue(Database& database) {
  const Result<QSqlQuery*> rows = database.query(
      "SELECT coalesce(sum(total - made - failed - cancelled), 0), coalesce(sum(failed), 0) FROM runs WHERE state = 0");
  if (!rows) {
    return rows.error();
  }
  (*rows)->next();
  const QueueCounts counts{(*rows)->value(0).toLongLong(), (*rows)->value(1).toLongLong()};
  (*rows)->finish();
  return counts;
}

Result<std::map<int, double>> secondsByBatch(Database& database, const QString& modelName, int width, int height) {
  constexpr int kNewest = 2000;
  Result<QSqlQuery> rows = database.queryOnce(
      QStringLiteral(
          "SELECT device, count, sum(ended - started) / 1000.0 / sum(count) FROM (SELECT a.device, j.count, a.started, "
          "a.ended FROM attempts a JOIN jobs j ON j.id = a.job JOIN runs r ON r.id = j.run JOIN plans p ON p.id = r.plan "
          "JOIN requests q ON q.id = j.first_request JOIN settings s ON s.id = q.settings WHERE a.outcome = 0 AND "
          "a.started IS NOT NULL AND j.change IS NULL AND p.model_name = ? AND s.width = ? AND s.height = ? "
          "ORDER BY a.started DESC LIMIT %1) GROUP BY device, count")
          .arg(kNewest),
      {modelName, width, height});
  if (!rows) {
    return rows.error();
  }
  std::map<int, double> seconds;
  while (rows->next()) {
    double& slowest = seconds[rows->value(1).toInt()];
    slowest = std::max(slowest, rows->value(2).toDouble());
  }
  return seconds;
}

const std::vector<JobState>& openStates() {
  static const std::vector<JobState> states{JobState::Waiting, JobState::Leased, JobState::Failed, JobState::Parked};
  return states;
}

Result<std::vector<JobRow>> listJobs(Database& database, const JobFilter& filter, std::optional<qint64> afterRank, int limit) {
  if (!filter.state) {
    // Each state has its index in the queue's order; all of them together have none.
    std::vector<JobRow> all;
    for (const JobState state : openStates()) {
      JobFilter one = filter;
      one.state = state;
      Result<std::vector<JobRow>> some = listJobs(database, one, afterRank, limit);
      if (!some) {
        return some;
      }
      all.insert(all.end(), std::make_move_iterator(some->begin()), std::make_move_iterator(some->end()));
    }
    std::stable_sort(all.begin(), all.end(), [](const JobRow& a, const JobRow& b) { return a.rank < b.rank; });
    all.resize(std::min(all.size(), static_cast<std::size_t>(std::max(limit, 0))));
    return all;
  }
  QString where;
  QVariantList values;
  const auto add = [&](const QString& condition, const QVariant& value) {
    where += QStringLiteral(" AND ") + condition;
    values << value;
  };
  where += QStringLiteral(" AND j.state = %1").arg(static_cast<int>(*filter.state));
  if (filter.runId != 0) {
    add(QStringLiteral("j.run = ?"), filter.runId);
    where += QStringLiteral(" AND j.id >= r.first_job AND j.id < r.first_job + r.jobs");
  }
  if (afterRank) {
    add(QStringLiteral("j.rank > ?"), *afterRank);
  }
  values << limit;
  Result<QSqlQuery> rows = database.queryOnce(
      QStringLiteral("SELECT j.id, j.run, r.number, j.rank, q.idx, j.count, j.state, j.lease, j.deaths, p.text, j.change, "
                     "j.error_code, j.error_message FROM jobs j JOIN runs r ON r.id = j.run "
                     "JOIN requests q ON q.id = j.first_request JOIN prompts p ON p.id = q.prompt WHERE 1%1 "
                     "ORDER BY j.rank LIMIT ?")
          .arg(where),
      values);
  if (!rows) {
    return rows.error();
  }
  std::vector<JobRow> jobs;
  while (rows->next()) {
    JobRow job;
    job.id = rows->value(0).toLongLong();
    job.runId = rows->value(1).toULongLong();
    job.runNumber = rows->value(2).toLongLong();
    job.rank = rows->value(3).toLongLong();
    job.firstIndex = rows->value(4).toLongLong();
    job.count = rows->value(5).toInt();
    job.state = static_cast<JobState>(std::clamp(rows->value(6).toInt(), 0, 5));
    job.attempts = rows->value(7).toInt();
    job.deaths = rows->value(8).toInt();
    job.prompt = rows->value(9).toString();
    if (const auto change = changeOf(rows->value(10))) {
      job.change = change->words;
    }
    job.error = errorOf(rows->value(11), rows->value(12));
    jobs.push_back(std::move(job));
  }
  return jobs;
}

}  // namespace polyptych::queue
