#include "core/queue/changes.h"

#include <algorithm>
#include <map>

#include "core/queue/jobs.h"

namespace polyptych::queue {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;

/// Jobs in some states, in the order of the queue. @param states  "0, 4", ours alone
Result<std::vector<qint64>> jobsOf(Database& database, const Selection& selection, const QString& states) {
  std::vector<std::pair<qint64, qint64>> found;  // rank, id
  const auto take = [&](const QString& rest, const QVariantList& values) -> Result<void> {
    Result<QSqlQuery> rows =
        database.queryOnce(QStringLiteral("SELECT j.rank, j.id FROM jobs j %1 AND j.state IN (%2)").arg(rest, states), values);
    if (!rows) {
      return rows.error();
    }
    while (rows->next()) {
      found.emplace_back(rows->value(0).toLongLong(), rows->value(1).toLongLong());
    }
    return {};
  };
  Result<void> taken;
  if (!selection.jobIds.empty()) {
    for (const qint64 id : selection.jobIds) {
      if (taken) {
        taken = take(QStringLiteral("WHERE j.id = ?"), {id});
      }
    }
  } else if (selection.runId != 0) {
    taken =
        take(QStringLiteral("JOIN runs r ON r.id = j.run WHERE r.id = ? AND j.id >= r.first_job AND j.id < r.first_job + r.jobs"),
             {selection.runId});
  } else {
    taken = take(QStringLiteral("JOIN runs r ON r.id = j.run WHERE r.state = 0"), {});
  }
  if (!taken) {
    return taken.error();
  }
  std::sort(found.begin(), found.end());
  std::vector<qint64> ids;
  for (const auto& [rank, id] : found) {
    ids.push_back(id);
  }
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

/// Pictures of a job that are not there, and its run.
struct Missing {
  quint64 runId = 0;
  qint64 pictures = 0;
  JobState state = JobState::Waiting;
};
Result<Missing> missingOf(Database& database, qint64 job) {
  const Result<QSqlQuery*> rows = database.query(
      "SELECT j.run, j.count, r.already_there, j.state FROM jobs j JOIN runs r ON r.id = j.run WHERE j.id = ?", {job});
  if (!rows) {
    return rows.error();
  }
  if (!(*rows)->next()) {
    return Error{ErrorCode::NotFound, "There is no job " + std::to_string(job) + ".", {}};
  }
  Missing missing{(*rows)->value(0).toULongLong(), (*rows)->value(1).toLongLong(),
                  static_cast<JobState>((*rows)->value(3).toInt())};
  const bool isPerhapsInPart = (*rows)->value(2).toLongLong() > 0;
  (*rows)->finish();
  if (isPerhapsInPart) {
    const Result<QVariant> exact = database.value(
        "SELECT count(*) FROM jobs j JOIN requests q ON q.id >= j.first_request AND q.id < j.first_request + j.count "
        "WHERE j.id = ? AND NOT EXISTS (SELECT 1 FROM pictures p WHERE p.run = j.run AND p.idx = q.idx)",
        {job});
    if (!exact) {
      return exact.error();
    }
    missing.pictures = exact->toLongLong();
  }
  return missing;
}

struct Counts {
  qint64 failed = 0;
  qint64 cancelled = 0;
};

/// Adds to the runs' counters; a run with work left is open again.
Result<Changed> apply(Database& database, const std::map<quint64, Counts>& counts, Changed changed) {
  for (const auto& [run, count] : counts) {
    const Result<qint64> done = database.change("UPDATE runs SET failed = failed + ?, cancelled = cancelled + ? WHERE id = ?",
                                                {count.failed, count.cancelled, run});
    if (!done) {
      return done.error();
    }
    const Result<qint64> opened = database.change(
        "UPDATE runs SET state = 0, error_code = NULL, error_message = NULL WHERE id = ? AND state <> 0 "
        "AND made + failed + cancelled < total",
        {run});
    if (!opened) {
      return opened.error();
    }
    changed.runs.push_back(run);
  }
  return changed;
}

Result<Changed> waitAgain(Database& database, const std::vector<qint64>& jobs, const char* update) {
  Changed changed;
  std::map<quint64, Counts> counts;
  for (const qint64 job : jobs) {
    const Result<Missing> missing = missingOf(database, job);
    if (!missing) {
      return missing.error();
    }
    if (missing->pictures == 0) {
      continue;
    }
    if (const Result<qint64> done = database.change(update, {job}); !done) {
      return done.error();
    }
    Counts& count = counts[missing->runId];
    (missing->state == JobState::Cancelled ? count.cancelled : count.failed) -= missing->pictures;
    changed.pictures += missing->pictures;
  }
  return apply(database, counts, std::move(changed));
}

Result<Changed> setRanks(Database& database, const std::vector<qint64>& jobs, qint64 first, qint64 gap) {
  Changed changed;
  for (const qint64 job : jobs) {
    const Result<qint64> done = database.change("UPDATE jobs SET rank = ? WHERE id = ? AND state = 0", {first, job});
    if (!done) {
      return done.error();
    }
    const Result<Missing> missing = missingOf(database, job);
    if (!missing) {
      return missing.error();
    }
    changed.pictures += missing->pictures;
    first += gap;
  }
  return changed;
}

}  // namespace

Result<qint64> newUndo(Database& database, const QString& words, qint64 nowMs) {
  return database.insert("INSERT INTO undos(made, words) VALUES (?, ?)", {nowMs, words});
}

Result<Changed> cancelWaiting(Database& database, const Selection& selection, qint64 nowMs) {
  const Result<std::vector<qint64>> jobs = jobsOf(database, selection, QStringLiteral("0"));
  if (!jobs) {
    return jobs.error();
  }
  Changed changed;
  const Result<qint64> undoId = newUndo(database, QStringLiteral("cancel"), nowMs);
  if (!undoId) {
    return undoId.error();
  }
  changed.undoId = *undoId;
  std::map<quint64, Counts> counts;
  for (const qint64 job : *jobs) {
    const Result<Missing> missing = missingOf(database, job);
    if (!missing) {
      return missing.error();
    }
    if (const auto done = database.change("UPDATE jobs SET state = 5, undo = ? WHERE id = ?", {*undoId, job}); !done) {
      return done.error();
    }
    counts[missing->runId].cancelled += missing->pictures;
    changed.pictures += missing->pictures;
  }
  return apply(database, counts, std::move(changed));
}

Result<Changed> undo(Database& database, qint64 undoId) {
  Result<QSqlQuery> rows =
      database.queryOnce(QStringLiteral("SELECT id FROM jobs WHERE undo = ? AND state = 5 ORDER BY rank"), {undoId});
  if (!rows) {
    return rows.error();
  }
  std::vector<qint64> jobs;
  while (rows->next()) {
    jobs.push_back(rows->value(0).toLongLong());
  }
  if (jobs.empty()) {
    return Error{ErrorCode::NotFound, "There is nothing left to take back.", {}};
  }
  return waitAgain(database, jobs, "UPDATE jobs SET state = 0, undo = NULL WHERE id = ?");
}

Result<Changed> retry(Database& database, const Selection& selection) {
  Selection wide = selection;
  std::vector<qint64> jobs;
  if (selection.jobIds.empty() && selection.runId == 0) {
    // Runs that are over too: their failed pictures are what is meant.
    Result<QSqlQuery> rows = database.queryOnce(QStringLiteral("SELECT id FROM jobs WHERE state IN (3, 4) ORDER BY rank"));
    if (!rows) {
      return rows.error();
    }
    while (rows->next()) {
      jobs.push_back(rows->value(0).toLongLong());
    }
  } else {
    Result<std::vector<qint64>> found = jobsOf(database, wide, QStringLiteral("3, 4, 5"));
    if (!found) {
      return found.error();
    }
    jobs = std::move(*found);
  }
  return waitAgain(database, jobs,
                   "UPDATE jobs SET state = 0, deaths = 0, undo = NULL, error_code = NULL, error_message = NULL WHERE id = ?");
}

Result<Changed> moveToFront(Database& database, const Selection& selection) {
  const Result<std::vector<qint64>> jobs = jobsOf(database, selection, QStringLiteral("0"));
  if (!jobs) {
    return jobs.error();
  }
  const Result<QVariant> first = database.value("SELECT min(rank) FROM jobs WHERE state = 0");
  if (!first) {
    return first.error();
  }
  return setRanks(database, *jobs, first->toLongLong() - static_cast<qint64>(jobs->size()) * kRankGap, kRankGap);
}

Result<Changed> moveBefore(Database& database, const Selection& selection, qint64 before) {
  Result<std::vector<qint64>> jobs = jobsOf(database, selection, QStringLiteral("0"));
  if (!jobs) {
    return jobs.error();
  }
  std::erase(*jobs, before);
  const Result<QVariant> place = database.value("SELECT rank FROM jobs WHERE id = ? AND state = 0", {before});
  if (!place) {
    return place.error();
  }
  if (place->isNull()) {
    return Error{ErrorCode::NotFound, "The job to move before does not wait any more.", {}};
  }
  const qint64 rank = place->toLongLong();
  const auto count = static_cast<qint64>(jobs->size());
  const Result<QVariant> previous = database.value("SELECT max(rank) FROM jobs WHERE state = 0 AND rank < ?", {rank});
  if (!previous) {
    return previous.error();
  }
  const qint64 low = previous->isNull() ? rank - (count + 1) * kRankGap : previous->toLongLong();
  const qint64 gap = (rank - low) / (count + 1);
  if (gap >= 1) {
    return setRanks(database, *jobs, low + gap, gap);
  }
  // No room: everything from there on moves up.
  const qint64 room = (count + 1) * kRankGap;
  if (const auto moved = database.change("UPDATE jobs SET rank = rank + ? WHERE state = 0 AND rank >= ?", {room, rank}); !moved) {
    return moved.error();
  }
  return setRanks(database, *jobs, rank, kRankGap);
}

}  // namespace polyptych::queue
