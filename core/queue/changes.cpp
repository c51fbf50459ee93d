#include "core/queue/changes.h"

#include "core/queue/jobs.h"

namespace polyptych::queue {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Database;

/// Moves that can be taken back: the newest ones.
constexpr qint64 kMovesKept = 50;

/// Fills temp.picked with jobs in some states, numbered from 1 in the order of the queue, each with its run and its pictures that
/// are not there. Sets at once: a queue may hold a million. @param where  after "FROM jobs j JOIN runs r", ours alone
Result<void> pickWhere(Database& database, const QString& where, const QVariantList& values) {
  const Result<QSqlQuery> picked = database.queryOnce(
      QStringLiteral(
          "INSERT OR IGNORE INTO temp.picked(job, run, state, missing) SELECT j.id, j.run, j.state, j.count FROM jobs j "
          "JOIN runs r ON r.id = j.run WHERE %1 ORDER BY j.rank, j.id")
          .arg(where),
      values);
  return picked ? Result<void>() : picked.error();
}

Result<void> finishPick(Database& database) {
  const auto exact = database.change(
      "UPDATE temp.picked SET missing = (SELECT count(*) FROM jobs j JOIN requests q ON q.id >= j.first_request AND q.id < "
      "j.first_request + j.count WHERE j.id = job AND NOT EXISTS (SELECT 1 FROM pictures p WHERE p.run = j.run AND p.idx = "
      "q.idx)) "
      "WHERE run IN (SELECT id FROM runs WHERE already_there > 0)");
  return exact ? Result<void>() : exact.error();
}

Result<void> beginPick(Database& database) {
  return database.run(QStringLiteral(
      "CREATE TEMP TABLE IF NOT EXISTS picked (n INTEGER PRIMARY KEY, job INTEGER NOT NULL UNIQUE, run INTEGER NOT NULL, "
      "state INTEGER NOT NULL, missing INTEGER NOT NULL); DELETE FROM temp.picked"));
}

/// @param states  "0, 4", ours alone
Result<void> pick(Database& database, const Selection& selection, const QString& states) {
  if (auto begun = beginPick(database); !begun) {
    return begun;
  }
  const QString inState = QStringLiteral(" AND j.state IN (%1)").arg(states);
  Result<void> taken;
  if (!selection.jobIds.empty()) {
    // In the queue's order too: one number after another into a table, then as everything else.
    taken =
        database.run(QStringLiteral("CREATE TEMP TABLE IF NOT EXISTS meant (job INTEGER PRIMARY KEY); DELETE FROM temp.meant"));
    for (const qint64 id : selection.jobIds) {
      if (taken) {
        const auto added = database.change("INSERT OR IGNORE INTO temp.meant(job) VALUES (?)", {id});
        taken = added ? Result<void>() : added.error();
      }
    }
    if (taken) {
      taken = pickWhere(database, QStringLiteral("j.id IN (SELECT job FROM temp.meant)") + inState, {});
    }
  } else if (selection.runId != 0) {
    taken = pickWhere(database, QStringLiteral("r.id = ? AND j.id >= r.first_job AND j.id < r.first_job + r.jobs") + inState,
                      {selection.runId});
  } else {
    taken = pickWhere(database, QStringLiteral("r.state = 0") + inState, {});
  }
  return taken ? finishPick(database) : taken;
}

/// Adds the picked jobs' pictures to their runs' counters; a run with work left is open again. @param isBack  jobs that were
/// failed or cancelled wait again; else jobs are cancelled that waited (0) or had failed (3, 4)
Result<Changed> count(Database& database, bool isBack, Changed changed) {
  Result<QSqlQuery> rows = database.queryOnce(QStringLiteral(
      "SELECT run, sum(missing), sum(CASE WHEN state IN (3, 4) THEN missing ELSE 0 END), sum(CASE WHEN state = 5 THEN "
      "missing ELSE 0 END) FROM temp.picked GROUP BY run ORDER BY run"));
  if (!rows) {
    return rows.error();
  }
  struct Sum {
    quint64 run;
    qint64 all, failed, cancelled;
  };
  std::vector<Sum> sums;
  while (rows->next()) {
    sums.push_back(
        {rows->value(0).toULongLong(), rows->value(1).toLongLong(), rows->value(2).toLongLong(), rows->value(3).toLongLong()});
  }
  for (const Sum& sum : sums) {
    const Result<qint64> done = database.change("UPDATE runs SET failed = failed - ?, cancelled = cancelled + ? WHERE id = ?",
                                                {sum.failed, isBack ? -sum.cancelled : sum.all, sum.run});
    if (!done) {
      return done.error();
    }
    const Result<qint64> opened = database.change(
        "UPDATE runs SET state = 0, error_code = NULL, error_message = NULL WHERE id = ? AND state <> 0 "
        "AND made + failed + cancelled < total",
        {sum.run});
    if (!opened) {
      return opened.error();
    }
    changed.pictures += sum.all;
    changed.runs.push_back(sum.run);
  }
  return changed;
}

/// What has failed, of runs that are over too where nothing is selected: it is what is meant.
Result<void> pickFailed(Database& database, const Selection& selection, const QString& states) {
  if (!selection.jobIds.empty() || selection.runId != 0) {
    return pick(database, selection, states);
  }
  Result<void> picked = beginPick(database);
  if (picked) {
    picked = pickWhere(database, QStringLiteral("j.state IN (3, 4)"), {});
  }
  return picked ? finishPick(database) : picked;
}

Result<qint64> pickedCount(Database& database) {
  const Result<QVariant> found = database.value("SELECT count(*) FROM temp.picked");
  return found ? Result<qint64>(found->toLongLong()) : found.error();
}

/// @return how many there are
Result<qint64> pickAlone(Database& database, const QString& where, const QVariantList& values) {
  Result<void> picked = beginPick(database);
  if (picked) {
    picked = pickWhere(database, where, values);
  }
  if (picked) {
    picked = finishPick(database);
  }
  return picked ? pickedCount(database) : picked.error();
}

/// Keeps where the picked jobs stand. @return the number to take it back with; 0 if there are none
Result<qint64> keepRanks(Database& database, qint64 nowMs) {
  const Result<qint64> jobs = pickedCount(database);
  if (!jobs || *jobs == 0) {
    return jobs;
  }
  const Result<qint64> undoId = newUndo(database, QStringLiteral("move"), nowMs);
  if (!undoId) {
    return undoId;
  }
  const auto kept = database.change(
      "INSERT INTO undo_ranks(undo, job, rank) SELECT ?, p.job, j.rank FROM temp.picked p JOIN jobs j ON j.id = p.job",
      {*undoId});
  const auto forgotten =
      kept ? database.change(
                 "DELETE FROM undo_ranks WHERE undo < (SELECT min(undo) FROM (SELECT DISTINCT undo FROM undo_ranks ORDER BY undo "
                 "DESC LIMIT ?))",
                 {kMovesKept})
           : kept;
  return forgotten ? undoId : forgotten.error();
}

/// The picked jobs get `first`, `first + gap` and so on as ranks.
Result<Changed> setRanks(Database& database, qint64 undoId, qint64 first, qint64 gap) {
  const Result<qint64> ranked = database.change(
      "UPDATE jobs SET rank = ? + ? * (picked.n - 1) FROM temp.picked WHERE jobs.id = picked.job AND jobs.state = 0",
      {first, gap});
  const Result<QVariant> pictures = database.value("SELECT coalesce(sum(missing), 0) FROM temp.picked");
  if (!ranked || !pictures) {
    return !ranked ? ranked.error() : pictures.error();
  }
  return Changed{pictures->toLongLong(), undoId, {}};
}

/// Picked jobs that are back where others were put since, step behind them: pages of the queue begin behind a rank.
Result<void> separate(Database& database) {
  constexpr int kMostSteps = 100;
  for (int i = 0; i < kMostSteps; ++i) {
    const Result<qint64> stepped = database.change(
        "UPDATE jobs SET rank = rank + 1 WHERE id IN (SELECT job FROM temp.picked) AND state = 0 AND EXISTS (SELECT 1 FROM jobs "
        "o WHERE o.state = 0 AND o.rank = jobs.rank AND o.id <> jobs.id AND (o.id < jobs.id OR o.id NOT IN (SELECT job FROM "
        "temp.picked)))");
    if (!stepped || *stepped == 0) {
      return stepped ? Result<void>() : stepped.error();
    }
  }
  return {};
}

/// The picked jobs stand where they stood before a move.
Result<Changed> undoMove(Database& database, qint64 undoId) {
  for (const char* sql : {"UPDATE jobs SET rank = u.rank FROM undo_ranks u WHERE u.undo = ? AND u.job = jobs.id AND jobs.state = "
                          "0",
                          "DELETE FROM undo_ranks WHERE undo = ?"}) {
    if (const auto done = database.change(sql, {undoId}); !done) {
      return done.error();
    }
  }
  if (auto separated = separate(database); !separated) {
    return separated.error();
  }
  const Result<QVariant> pictures = database.value("SELECT coalesce(sum(missing), 0) FROM temp.picked");
  return pictures ? Result<Changed>(Changed{pictures->toLongLong(), 0, {}}) : pictures.error();
}

/// The picked jobs become cancelled, to be taken back under a number.
Result<Changed> cancelPicked(Database& database, const Result<void>& picked, const QString& words, qint64 nowMs) {
  if (!picked) {
    return picked.error();
  }
  const Result<qint64> undoId = newUndo(database, words, nowMs);
  if (!undoId) {
    return undoId.error();
  }
  const auto done = database.change(
      "UPDATE jobs SET undo_state = state, state = 5, undo = ? WHERE id IN (SELECT job FROM temp.picked)", {*undoId});
  if (!done) {
    return done.error();
  }
  return count(database, false, {0, *undoId, {}});
}

/// Jobs of which nothing is missing stay as they are.
Result<void> dropComplete(Database& database) {
  const auto dropped = database.change("DELETE FROM temp.picked WHERE missing = 0");
  return dropped ? Result<void>() : dropped.error();
}

}  // namespace

Result<qint64> newUndo(Database& database, const QString& words, qint64 nowMs) {
  return database.insert("INSERT INTO undos(made, words) VALUES (?, ?)", {nowMs, words});
}

Result<Changed> cancelWaiting(Database& database, const Selection& selection, qint64 nowMs) {
  return cancelPicked(database, pick(database, selection, QStringLiteral("0")), QStringLiteral("cancel"), nowMs);
}

Result<Changed> dismiss(Database& database, const Selection& selection, qint64 nowMs) {
  return cancelPicked(database, pickFailed(database, selection, QStringLiteral("3, 4")), QStringLiteral("dismiss"), nowMs);
}

Result<Changed> undo(Database& database, qint64 undoId) {
  const Result<qint64> moved =
      pickAlone(database, QStringLiteral("j.id IN (SELECT job FROM undo_ranks WHERE undo = ?) AND j.state = 0"), {undoId});
  if (!moved) {
    return moved.error();
  }
  if (*moved > 0) {
    return undoMove(database, undoId);
  }
  const Result<qint64> found = pickAlone(database, QStringLiteral("j.undo = ? AND j.state = 5"), {undoId});
  if (!found) {
    return found.error();
  }
  if (*found == 0) {
    return Error{ErrorCode::NotFound, "There is nothing left to take back.", {}};
  }
  if (auto dropped = dropComplete(database); !dropped) {
    return dropped.error();
  }
  // What had failed before it was dismissed has failed again.
  for (const char* sql : {"UPDATE runs SET failed = failed + coalesce((SELECT sum(p.missing) FROM temp.picked p JOIN jobs j ON "
                          "j.id = p.job WHERE p.run = "
                          "runs.id AND j.undo_state IN (3, 4)), 0) WHERE id IN (SELECT run FROM temp.picked)",
                          "UPDATE jobs SET state = coalesce(undo_state, 0), undo = NULL, undo_state = NULL WHERE id IN (SELECT "
                          "job FROM temp.picked)"}) {
    if (const auto done = database.change(sql); !done) {
      return done.error();
    }
  }
  const Result<void> separated = separate(database);
  return separated ? count(database, true, {}) : separated.error();
}

Result<Changed> retry(Database& database, const Selection& selection) {
  Result<void> picked = pickFailed(database, selection, QStringLiteral("3, 4, 5"));
  if (picked) {
    picked = dropComplete(database);
  }
  if (!picked) {
    return picked.error();
  }
  const auto done = database.change(
      "UPDATE jobs SET state = 0, deaths = 0, undo = NULL, undo_state = NULL, error_code = NULL, error_message = NULL "
      "WHERE id IN (SELECT job FROM temp.picked)");
  const Result<void> separated = done ? separate(database) : done.error();
  return separated ? count(database, true, {}) : separated.error();
}

Result<Changed> moveToFront(Database& database, const Selection& selection, qint64 nowMs) {
  if (auto picked = pick(database, selection, QStringLiteral("0")); !picked) {
    return picked.error();
  }
  const Result<qint64> jobs = pickedCount(database);
  const Result<QVariant> first = database.value("SELECT min(rank) FROM jobs WHERE state = 0");
  if (!jobs || !first) {
    return !jobs ? jobs.error() : first.error();
  }
  const Result<qint64> undoId = keepRanks(database, nowMs);
  return undoId ? setRanks(database, *undoId, first->toLongLong() - *jobs * kRankGap, kRankGap) : undoId.error();
}

Result<Changed> moveToEnd(Database& database, const Selection& selection, qint64 nowMs) {
  if (auto picked = pick(database, selection, QStringLiteral("0")); !picked) {
    return picked.error();
  }
  const Result<QVariant> last = database.value("SELECT max(rank) FROM jobs WHERE state = 0");
  if (!last) {
    return last.error();
  }
  const Result<qint64> undoId = keepRanks(database, nowMs);
  return undoId ? setRanks(database, *undoId, last->toLongLong() + kRankGap, kRankGap) : undoId.error();
}

Result<Changed> moveBefore(Database& database, const Selection& selection, qint64 before, qint64 nowMs) {
  if (before == 0) {
    return moveToEnd(database, selection, nowMs);
  }
  if (auto picked = pick(database, selection, QStringLiteral("0")); !picked) {
    return picked.error();
  }
  // Numbers stay without a gap: they are places.
  for (const char* sql : {"UPDATE temp.picked SET n = -n WHERE n > (SELECT n FROM temp.picked WHERE job = ?)",
                          "DELETE FROM temp.picked WHERE job = ?"}) {
    if (const auto done = database.change(sql, {before}); !done) {
      return done.error();
    }
  }
  if (const auto closed = database.change("UPDATE temp.picked SET n = -n - 1 WHERE n < 0"); !closed) {
    return closed.error();
  }
  const Result<qint64> jobs = pickedCount(database);
  const Result<QVariant> place = database.value("SELECT rank FROM jobs WHERE id = ? AND state = 0", {before});
  if (!jobs || !place) {
    return !jobs ? jobs.error() : place.error();
  }
  if (place->isNull()) {
    return Error{ErrorCode::NotFound, "The job to move before does not wait any more.", {}};
  }
  const qint64 rank = place->toLongLong();
  const Result<QVariant> previous = database.value("SELECT max(rank) FROM jobs WHERE state = 0 AND rank < ?", {rank});
  if (!previous) {
    return previous.error();
  }
  const Result<qint64> undoId = keepRanks(database, nowMs);
  if (!undoId) {
    return undoId.error();
  }
  const qint64 low = previous->isNull() ? rank - (*jobs + 1) * kRankGap : previous->toLongLong();
  const qint64 gap = (rank - low) / (*jobs + 1);
  if (gap >= 1) {
    return setRanks(database, *undoId, low + gap, gap);
  }
  // No room: everything from there on moves up, also what may come back.
  const qint64 room = (*jobs + 1) * kRankGap;
  for (const char* sql : {"UPDATE jobs SET rank = rank + ? WHERE state <> 2 AND rank >= ?",
                          "UPDATE undo_ranks SET rank = rank + ? WHERE rank >= ?"}) {
    if (const auto moved = database.change(sql, {room, rank}); !moved) {
      return moved.error();
    }
  }
  return setRanks(database, *undoId, rank, kRankGap);
}

}  // namespace polyptych::queue
