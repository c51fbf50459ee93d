#include "core/queue/queue_reader.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/library/database.h"
#include "core/library/shared_rows.h"

namespace polyptych::queue {

using base::Result;
using library::Database;

namespace {

/// Attempts that a device's speed is taken from.
constexpr int kAttemptsForSpeed = 4000;

constexpr char kAttemptColumns[] =
    "SELECT a.job, j.run, r.number, q.idx, j.count, a.device, a.started, a.ended, a.outcome, p.text FROM attempts a "
    "JOIN jobs j ON j.id = a.job JOIN runs r ON r.id = j.run JOIN requests q ON q.id = j.first_request "
    "JOIN prompts p ON p.id = q.prompt ";

Result<std::vector<AttemptRow>> readAttempts(Database& database, const QString& rest, const QVariantList& values) {
  Result<QSqlQuery> rows = database.queryOnce(QLatin1String(kAttemptColumns) + rest, values);
  if (!rows) {
    return rows.error();
  }
  std::vector<AttemptRow> attempts;
  while (rows->next()) {
    AttemptRow attempt;
    attempt.jobId = rows->value(0).toLongLong();
    attempt.runId = rows->value(1).toULongLong();
    attempt.runNumber = rows->value(2).toLongLong();
    attempt.firstIndex = rows->value(3).toLongLong();
    attempt.count = rows->value(4).toInt();
    attempt.device = rows->value(5).toString();
    attempt.startedMs = rows->value(6).toLongLong();
    if (!rows->isNull(7)) {
      attempt.endedMs = rows->value(7).toLongLong();
    }
    if (!rows->isNull(8)) {
      attempt.outcome =
          static_cast<AttemptOutcome>(std::clamp(rows->value(8).toInt(), 0, static_cast<int>(AttemptOutcome::GivenBack)));
    }
    attempt.prompt = rows->value(9).toString();
    attempts.push_back(std::move(attempt));
  }
  return attempts;
}

}  // namespace

QueueReader::QueueReader(std::unique_ptr<Database> database) : m_database(std::move(database)) {}

QueueReader::~QueueReader() = default;

Result<std::unique_ptr<QueueReader>> QueueReader::open(const library::Location& location) {
  Result<std::unique_ptr<Database>> database = Database::open(location.databaseFile(), Database::Mode::ReadOnly);
  if (!database) {
    return database.error();
  }
  return std::unique_ptr<QueueReader>(new QueueReader(*std::move(database)));
}

Result<std::vector<JobRow>> QueueReader::jobs(const JobFilter& filter, std::optional<qint64> afterRank, int limit) {
  return listJobs(*m_database, filter, afterRank, limit);
}

Result<std::vector<qint64>> QueueReader::jobIds(const JobFilter& filter) {
  const std::vector<JobState> states = filter.state ? std::vector{*filter.state} : openStates();
  std::vector<qint64> ids;
  for (const JobState state : states) {
    QString sql = QStringLiteral("SELECT j.id FROM jobs j WHERE j.state = %1").arg(static_cast<int>(state));
    if (filter.runId != 0) {
      sql = QStringLiteral(
                "SELECT j.id FROM runs r JOIN jobs j ON j.id >= r.first_job AND j.id < r.first_job + r.jobs "
                "WHERE j.state = %1 AND r.id = ?")
                .arg(static_cast<int>(state));
    }
    Result<QSqlQuery> rows = m_database->queryOnce(sql, filter.runId != 0 ? QVariantList{filter.runId} : QVariantList());
    if (!rows) {
      return rows.error();
    }
    while (rows->next()) {
      ids.push_back(rows->value(0).toLongLong());
    }
  }
  return ids;
}

Result<std::map<quint64, std::vector<qint64>>> QueueReader::byRun(const std::vector<qint64>& jobIds) {
  std::map<quint64, std::vector<qint64>> runs;
  for (const qint64 id : jobIds) {
    const Result<QVariant> run = m_database->value("SELECT run FROM jobs WHERE id = ?", {id});
    if (!run) {
      return run.error();
    }
    if (!run->isNull()) {
      runs[run->toULongLong()].push_back(id);
    }
  }
  return runs;
}

Result<JobCounts> QueueReader::counts(quint64 runId) {
  QString sql = QStringLiteral(
      "SELECT j.state, count(*) FROM runs r JOIN jobs j ON j.id >= r.first_job AND j.id < r.first_job + r.jobs WHERE r.id = ? "
      "GROUP BY j.state");
  if (runId == 0) {
    // Each state has its index.
    QStringList states;
    for (int state = 0; state <= static_cast<int>(JobState::Cancelled); ++state) {
      states << QStringLiteral("SELECT %1, count(*) FROM jobs WHERE state = %1").arg(state);
    }
    sql = states.join(QStringLiteral(" UNION ALL "));
  }
  Result<QSqlQuery> rows = m_database->queryOnce(sql, runId != 0 ? QVariantList{runId} : QVariantList());
  if (!rows) {
    return rows.error();
  }
  JobCounts counts;
  while (rows->next()) {
    const qint64 jobs = rows->value(1).toLongLong();
    switch (static_cast<JobState>(rows->value(0).toInt())) {
      case JobState::Waiting:
        counts.waiting = jobs;
        break;
      case JobState::Leased:
        counts.leased = jobs;
        break;
      case JobState::Done:
        counts.done = jobs;
        break;
      case JobState::Failed:
        counts.failed = jobs;
        break;
      case JobState::Parked:
        counts.parked = jobs;
        break;
      case JobState::Cancelled:
        counts.cancelled = jobs;
        break;
    }
  }
  return counts;
}

Result<std::vector<RunRow>> QueueReader::runs(qint64 before, int limit) { return listRuns(*m_database, before, limit); }

Result<std::vector<AttemptRow>> QueueReader::attempts(qint64 sinceMs, int limit) {
  return readAttempts(*m_database, QStringLiteral("WHERE a.started >= ? ORDER BY a.started LIMIT ?"), {sinceMs, limit});
}

Result<std::vector<AttemptRow>> QueueReader::attemptsOf(qint64 jobId) {
  return readAttempts(*m_database, QStringLiteral("WHERE a.job = ? AND a.started IS NOT NULL ORDER BY a.id"), {jobId});
}

Result<std::vector<DeviceSpeed>> QueueReader::speeds() {
  Result<QSqlQuery> rows = m_database->queryOnce(
      QStringLiteral(
          "SELECT a.device, p.model_name, (a.ended - a.started) / 1000.0, 1.0 * s.width * s.height * s.steps * j.count "
          "FROM (SELECT * FROM attempts WHERE started IS NOT NULL ORDER BY started DESC LIMIT ?) a "
          "JOIN jobs j ON j.id = a.job JOIN runs r ON r.id = j.run JOIN plans p ON p.id = r.plan "
          "JOIN requests q ON q.id = j.first_request JOIN settings s ON s.id = q.settings "
          "WHERE a.outcome = 0 AND a.ended > a.started"),
      {kAttemptsForSpeed});
  if (!rows) {
    return rows.error();
  }
  std::map<std::pair<QString, QString>, std::vector<double>> found;
  while (rows->next()) {
    if (const double work = rows->value(3).toDouble(); work > 0) {
      found[{rows->value(0).toString(), rows->value(1).toString()}].push_back(rows->value(2).toDouble() / work);
    }
  }
  std::vector<DeviceSpeed> speeds;
  for (auto& [key, seconds] : found) {
    const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
    std::nth_element(seconds.begin(), middle, seconds.end());
    speeds.push_back({key.first, key.second, *middle, static_cast<qint64>(seconds.size())});
  }
  return speeds;
}

Result<std::vector<domain::GenerationRequest>> QueueReader::requestsOf(const Selection& selection,
                                                                       const std::vector<JobState>& states) {
  QStringList numbers;
  for (const JobState state : states) {
    numbers << QString::number(static_cast<int>(state));
  }
  const QString columns =
      QStringLiteral(
          "SELECT j.rank, q.idx, q.prompt_index, t.text, q.seed, q.settings FROM jobs j JOIN runs r ON r.id = j.run "
          "JOIN requests q ON q.id >= j.first_request AND q.id < j.first_request + j.count JOIN prompts t ON t.id = q.prompt "
          "WHERE j.state IN (%1) AND NOT EXISTS (SELECT 1 FROM pictures p WHERE p.run = j.run AND p.idx = q.idx) AND ")
          .arg(numbers.join(u','));
  struct Found {
    qint64 rank = 0;
    qint64 settings = 0;
    domain::GenerationRequest request;
  };
  std::vector<Found> found;
  const auto take = [&](const QString& where, const QVariantList& values) -> Result<void> {
    Result<QSqlQuery> rows = m_database->queryOnce(columns + where, values);
    if (!rows) {
      return rows.error();
    }
    while (rows->next()) {
      Found one;
      one.rank = rows->value(0).toLongLong();
      one.request.index = rows->value(1).toLongLong();
      one.request.promptIndex = rows->value(2).toLongLong();
      one.request.prompt = rows->value(3).toString().toStdString();
      one.request.seed = static_cast<std::uint64_t>(rows->value(4).toLongLong());
      one.settings = rows->value(5).toLongLong();
      found.push_back(std::move(one));
    }
    return {};
  };
  Result<void> taken;
  if (!selection.jobIds.empty()) {
    for (std::size_t i = 0; taken && i < selection.jobIds.size(); ++i) {
      taken = selection.runId == 0 ? take(QStringLiteral("j.id = ?"), {selection.jobIds[i]})
                                   : take(QStringLiteral("j.id = ? AND j.run = ?"), {selection.jobIds[i], selection.runId});
    }
  } else if (selection.runId != 0) {
    taken = take(QStringLiteral("r.id = ? AND j.id >= r.first_job AND j.id < r.first_job + r.jobs"), {selection.runId});
  } else {
    taken = take(QStringLiteral("1"), {});
  }
  if (!taken) {
    return taken.error();
  }
  std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
    return std::pair(a.rank, a.request.index) < std::pair(b.rank, b.request.index);
  });
  std::map<qint64, domain::GenerationRequest> settings;
  std::vector<domain::GenerationRequest> requests;
  for (Found& one : found) {
    auto known = settings.find(one.settings);
    if (known == settings.end()) {
      known = settings.emplace(one.settings, domain::GenerationRequest{}).first;
      if (auto read = library::readSettings(*m_database, one.settings, known->second); !read) {
        return read.error();
      }
    }
    domain::GenerationRequest request = known->second;
    request.index = one.request.index;
    request.promptIndex = one.request.promptIndex;
    request.prompt = std::move(one.request.prompt);
    request.seed = one.request.seed;
    requests.push_back(std::move(request));
  }
  return requests;
}

}  // namespace polyptych::queue
