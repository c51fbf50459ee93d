#include "core/gallery/upkeep/run_state.h"

#include <QHash>
#include <QSet>
#include <array>

#include "core/library/database.h"
#include "core/library/row_values.h"

namespace polyptych::gallery {
namespace {

using base::Result;
using library::Database;
using library::inRow;
using library::JobState;
using library::kJobStates;
using library::RunState;

/// Pictures of a run by the state of their job.
struct Counts {
  qint64 made = 0;
  qint64 early = 0;                       ///< of made: their job is not done
  std::array<qint64, kJobStates> left{};  ///< without a row

  qint64 leftIn(JobState state) const { return left[static_cast<std::size_t>(state)]; }
};

struct Counters {
  qint64 made = 0;
  qint64 failed = 0;
  qint64 cancelled = 0;
  int state = inRow(RunState::Open);
  bool hasEarly = false;  ///< jobs with some of their pictures: already_there tells the queue

  friend bool operator==(const Counters&, const Counters&) = default;
};

/// A picture that was deleted for good counts as made: its job is done.
Counters countersOf(const Counts& counts, int state) {
  Counters counters;
  counters.made = counts.made + counts.leftIn(JobState::Done);
  counters.failed = counts.leftIn(JobState::Failed) + counts.leftIn(JobState::Parked);
  counters.cancelled = counts.leftIn(JobState::Cancelled);
  counters.hasEarly = counts.early > 0;
  const bool isOpen = counts.leftIn(JobState::Waiting) + counts.leftIn(JobState::Leased) > 0;
  const RunState ended = counters.cancelled > 0 ? RunState::Cancelled : RunState::Finished;
  counters.state = isOpen ? inRow(RunState::Open) : state != inRow(RunState::Open) ? state : inRow(ended);
  return counters;
}

Result<QHash<quint64, Counts>> count(Database& database) {
  const Result<QSqlQuery*> rows = database.query(
      "SELECT j.run, j.state, p.id IS NULL, count(*) FROM jobs j "
      "JOIN requests q ON q.id >= j.first_request AND q.id < j.first_request + j.count "
      "LEFT JOIN pictures p ON p.run = j.run AND p.idx = q.idx GROUP BY 1, 2, 3");
  if (!rows) {
    return rows.error();
  }
  QHash<quint64, Counts> counts;
  while ((*rows)->next()) {
    Counts& run = counts[(*rows)->value(0).toULongLong()];
    const qint64 pictures = (*rows)->value(3).toLongLong();
    if ((*rows)->value(2).toInt() == 0) {
      run.made += pictures;
      run.early += (*rows)->value(1).toInt() == inRow(JobState::Done) ? 0 : pictures;
    } else {
      run.left[static_cast<std::size_t>(qBound(0, (*rows)->value(1).toInt(), kJobStates - 1))] += pictures;
    }
  }
  (*rows)->finish();
  return counts;
}

/// Who repairs has the library's lock: nobody is making what is leased.
Result<void> checkJobs(Database& database, bool repair, std::vector<Finding>& findings) {
  const Result<QSqlQuery*> rows = database.query(
      "SELECT j.id, r.number FROM jobs j JOIN runs r ON r.id = j.run WHERE j.state NOT IN (?, 2) AND NOT EXISTS "
      "(SELECT 1 FROM requests q LEFT JOIN pictures p ON p.run = j.run AND p.idx = q.idx "
      "WHERE q.id >= j.first_request AND q.id < j.first_request + j.count AND p.id IS NULL)",
      {repair ? inRow(JobState::Done) : inRow(JobState::Leased)});
  if (!rows) {
    return rows.error();
  }
  std::vector<qint64> jobs;
  while ((*rows)->next()) {
    jobs.push_back((*rows)->value(0).toLongLong());
    findings.push_back({FindingKind::JobState, QStringLiteral("jobs"), repair,
                        QStringLiteral("A job of run %1 is not done though its pictures are there%2.")
                            .arg((*rows)->value(1).toLongLong())
                            .arg(repair ? QStringLiteral("; it is done now") : QString())});
  }
  (*rows)->finish();
  for (std::size_t i = 0; repair && i < jobs.size(); ++i) {
    if (auto done = database.change("UPDATE jobs SET state = 2, error_code = NULL, error_message = NULL WHERE id = ?", {jobs[i]});
        !done) {
      return done.error();
    }
  }
  return {};
}

}  // namespace

Result<void> makeAgain(Database& database, quint64 run, const std::vector<std::size_t>& lost) {
  if (lost.empty()) {
    return {};
  }
  const QSet<std::size_t> indices(lost.begin(), lost.end());
  const Result<QSqlQuery*> rows = database.query(
      "SELECT j.id, q.idx FROM runs r JOIN jobs j ON j.id >= r.first_job AND j.id < r.first_job + r.jobs "
      "JOIN requests q ON q.id >= j.first_request AND q.id < j.first_request + j.count WHERE r.id = ? AND j.state = 2",
      {run});
  if (!rows) {
    return rows.error();
  }
  QSet<qint64> jobs;
  while ((*rows)->next()) {
    if (indices.contains((*rows)->value(1).toULongLong())) {
      jobs << (*rows)->value(0).toLongLong();
    }
  }
  (*rows)->finish();
  for (const qint64 job : jobs) {
    if (auto done = database.change("UPDATE jobs SET state = 0, deaths = 0 WHERE id = ?", {job}); !done) {
      return done.error();
    }
  }
  return {};
}

Result<std::vector<Finding>> checkRunStates(Database& database, bool repair) {
  std::vector<Finding> findings;
  if (auto checked = checkJobs(database, repair, findings); !checked) {
    return checked.error();
  }
  const Result<QHash<quint64, Counts>> counts = count(database);
  if (!counts) {
    return counts.error();
  }
  const Result<QSqlQuery*> rows = database.query("SELECT id, number, made, failed, cancelled, state, already_there FROM runs");
  if (!rows) {
    return rows.error();
  }
  std::vector<std::pair<quint64, Counters>> wrong;
  while ((*rows)->next()) {
    const QSqlQuery& row = **rows;
    Counters there{row.value(2).toLongLong(), row.value(3).toLongLong(), row.value(4).toLongLong(), row.value(5).toInt()};
    const quint64 id = row.value(0).toULongLong();
    const Counters right = countersOf(counts->value(id), there.state);
    there.hasEarly = row.value(6).toLongLong() > 0 && right.hasEarly;
    if (there != right) {
      wrong.emplace_back(id, right);
      findings.push_back({FindingKind::RunCounters, QStringLiteral("runs"), repair,
                          QStringLiteral("The numbers of run %1 do not fit its jobs and pictures%2.")
                              .arg(row.value(1).toLongLong())
                              .arg(repair ? QStringLiteral("; they were counted again") : QString())});
    }
  }
  (*rows)->finish();
  for (std::size_t i = 0; repair && i < wrong.size(); ++i) {
    const Counters& right = wrong[i].second;
    if (auto done = database.change("UPDATE runs SET made = ?, failed = ?, cancelled = ?, state = ?, already_there = max(?, "
                                    "min(already_there, ?)) WHERE id = ?",
                                    {right.made, right.failed, right.cancelled, right.state, right.hasEarly ? right.made : 0,
                                     right.made, wrong[i].first});
        !done) {
      return done.error();
    }
  }
  return findings;
}

}  // namespace polyptych::gallery
