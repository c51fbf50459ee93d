#include "core/gallery/upkeep/salvage.h"

#include <QFileInfo>
#include <QHash>
#include <QSet>
#include <QSqlError>
#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "core/gallery/picture_rows.h"
#include "core/gallery/upkeep/run_state.h"
#include "core/library/database.h"
#include "core/library/row_values.h"

namespace polyptych::gallery {
namespace {

using base::Result;
using library::AttemptOutcome;
using library::Database;
using library::inRow;
using library::JobState;
using library::RunState;

struct OldRun {
  quint64 id = 0;
  qint64 firstJob = 0;
  qint64 jobs = 0;
  int state = 0;
  bool isPaused = false;
  QVariant errorCode;
  QVariant errorMessage;
};

struct OldAttempt {
  qint64 lease = 0;
  QVariant device;
  QVariant started;
  QVariant ended;
  QVariant outcome;
  QVariant errorCode;
  QVariant errorMessage;
};

struct OldJob {
  int count = 0;
  JobState state = JobState::Waiting;
  qint64 rank = 0;
  qint64 lease = 0;
  int deaths = 0;
  QVariant change;
  QVariant errorCode;
  QVariant errorMessage;
  std::vector<OldAttempt> attempts;
};

struct NewJob {
  qint64 id = 0;
  int count = 0;
  JobState state = JobState::Waiting;
  qint64 rank = 0;
};

class Salvage {
 public:
  Salvage(Database& fresh, Database& old) : m_fresh(fresh), m_old(old) { m_salvaged.isWhole = true; }

  Result<Salvaged> run() {
    if (auto taken = takeSettings(); !taken) {
      return taken.error();
    }
    for (const OldRun& run : oldRuns()) {
      if (auto taken = takeRun(run); !taken) {
        return taken.error();
      }
    }
    if (auto placed = placeTheOthers(); !placed) {
      return placed.error();
    }
    if (auto counted = checkRunStates(m_fresh, true); !counted) {
      return counted.error();
    }
    if (auto taken = takeRunEnds(); !taken) {
      return taken.error();
    }
    if (auto taken = takeMarks(); !taken) {
      return taken.error();
    }
    return m_salvaged;
  }

 private:
  Result<void> change(const char* sql, const QVariantList& values) {
    const Result<qint64> done = m_fresh.change(sql, values);
    return done ? Result<void>() : done.error();
  }

  /// Calls `row` with each row that the old index gives.
  template <typename Row>
  void readOld(const char* sql, const QVariantList& values, Row row) {
    Result<QSqlQuery> rows = m_old.queryOnce(QString::fromLatin1(sql), values);
    while (rows && rows->next()) {
      row(*rows);
    }
    if (!rows || rows->lastError().isValid()) {
      m_salvaged.isWhole = false;
    }
  }

  /// Which devices, which limits, whether the queue is paused; not what belongs to the old file itself.
  Result<void> takeSettings() {
    static const QSet<QString> kOwn{QStringLiteral("clean"), QStringLiteral("opened"), QStringLiteral("transaction")};
    std::vector<std::pair<QString, QVariant>> settings;
    readOld("SELECT key, value FROM meta", {}, [&](const QSqlQuery& row) {
      if (const QString key = row.value(0).toString(); !key.isEmpty() && !kOwn.contains(key)) {
        settings.emplace_back(key, row.value(1));
      }
    });
    for (const auto& [key, value] : settings) {
      if (auto set = m_fresh.setMeta(key, value); !set) {
        return set;
      }
    }
    return {};
  }

  std::vector<OldRun> oldRuns() {
    std::vector<OldRun> runs;
    readOld("SELECT id, first_job, jobs, state, is_paused, error_code, error_message FROM runs ORDER BY number", {},
            [&](const QSqlQuery& row) {
              runs.push_back({row.value(0).toULongLong(), row.value(1).toLongLong(), row.value(2).toLongLong(),
                              row.value(3).toInt(), row.value(4).toBool(), row.value(5), row.value(6)});
            });
    return runs;
  }

  /// By their place in the run.
  QHash<qint64, OldJob> oldJobs(const OldRun& run) {
    QHash<qint64, OldJob> jobs;
    const QVariantList range{run.firstJob, run.firstJob + run.jobs};
    readOld(
        "SELECT id, count, state, rank, lease, deaths, change, error_code, error_message FROM jobs WHERE id >= ? AND id < ? "
        "ORDER BY id",
        range, [&](const QSqlQuery& row) {
          const int state = row.value(2).toInt();
          if (state >= 0 && state < library::kJobStates) {
            jobs[row.value(0).toLongLong() - run.firstJob] = {row.value(1).toInt(),
                                                              static_cast<JobState>(state),
                                                              row.value(3).toLongLong(),
                                                              row.value(4).toLongLong(),
                                                              row.value(5).toInt(),
                                                              row.value(6),
                                                              row.value(7),
                                                              row.value(8),
                                                              {}};
          }
        });
    readOld(
        "SELECT a.job, a.lease, a.device, a.started, a.ended, a.outcome, a.error_code, a.error_message FROM attempts a "
        "WHERE a.job >= ? AND a.job < ? ORDER BY a.job, a.lease",
        range, [&](const QSqlQuery& row) {
          if (const auto job = jobs.find(row.value(0).toLongLong() - run.firstJob); job != jobs.end()) {
            job->attempts.push_back(
                {row.value(1).toLongLong(), row.value(2), row.value(3), row.value(4), row.value(5), row.value(6), row.value(7)});
          }
        });
    return jobs;
  }

  Result<std::vector<NewJob>> newJobs(qint64 firstJob, qint64 jobs) {
    std::vector<NewJob> found;
    const Result<QSqlQuery*> rows = m_fresh.query("SELECT id, count, state, rank FROM jobs WHERE id >= ? AND id < ? ORDER BY id",
                                                  {firstJob, firstJob + jobs});
    if (!rows) {
      return rows.error();
    }
    while ((*rows)->next()) {
      found.push_back({(*rows)->value(0).toLongLong(), (*rows)->value(1).toInt(),
                       static_cast<JobState>((*rows)->value(2).toInt()), (*rows)->value(3).toLongLong()});
    }
    (*rows)->finish();
    return found;
  }

  Result<void> takeRun(const OldRun& run) {
    qint64 firstJob = 0;
    qint64 jobs = 0;
    {
      const Result<QSqlQuery*> row = m_fresh.query("SELECT first_job, jobs FROM runs WHERE id = ?", {run.id});
      if (!row) {
        return row.error();
      }
      if ((*row)->next()) {
        firstJob = (*row)->value(0).toLongLong();
        jobs = (*row)->value(1).toLongLong();
      }
      (*row)->finish();
    }
    if (jobs == 0 || jobs != run.jobs) {
      return {};  // its folder is gone, or is another one
    }
    m_runs.push_back(run);
    QHash<qint64, OldJob> old = oldJobs(run);
    const Result<std::vector<NewJob>> fresh = newJobs(firstJob, jobs);
    if (!fresh) {
      return fresh.error();
    }
    for (const NewJob& job : *fresh) {
      const auto known = old.find(job.id - firstJob);
      if (known == old.end() || known->count != job.count) {
        m_salvaged.isWhole = false;
        continue;
      }
      if (auto taken = takeJob(job, *known); !taken) {
        return taken;
      }
    }
    return change("UPDATE runs SET is_paused = ? WHERE id = ?", {run.isPaused ? 1 : 0, run.id});
  }

  Result<void> takeJob(const NewJob& job, OldJob& old) {
    m_lastRank = std::max(m_lastRank, old.rank);
    m_known.insert(job.id);
    const bool isOver = old.state == JobState::Failed || old.state == JobState::Parked || old.state == JobState::Cancelled;
    const JobState state = job.state == JobState::Done ? JobState::Done : isOver ? old.state : JobState::Waiting;
    const bool hasAttempts = settleAttempts(old, state);
    const bool isChanged = state != job.state || !old.change.isNull() || old.deaths != 0 || hasAttempts;
    // Ranks of what is done tell nobody anything.
    if (!isChanged && (job.state == JobState::Done || old.rank == job.rank)) {
      return {};
    }
    m_salvaged.jobs += state != JobState::Done && (isOver || old.rank != job.rank) ? 1 : 0;
    const bool hasError = state == JobState::Failed || state == JobState::Parked;
    if (auto set = change(
            "UPDATE jobs SET state = ?, rank = ?, lease = ?, deaths = ?, change = ?, error_code = ?, error_message = ? WHERE "
            "id = ?",
            {inRow(state), old.rank, hasAttempts ? qint64(old.attempts.size()) : qint64(0), old.deaths, old.change,
             hasError ? old.errorCode : QVariant(QMetaType::fromType<QString>()),
             hasError ? old.errorMessage : QVariant(QMetaType::fromType<QString>()), job.id});
        !set) {
      return set;
    }
    for (std::size_t i = 0; hasAttempts && i < old.attempts.size(); ++i) {
      const OldAttempt& attempt = old.attempts[i];
      ++m_salvaged.attempts;
      if (auto added = change("INSERT INTO attempts(job, lease, device, started, ended, outcome, error_code, error_message) "
                              "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                              {job.id, attempt.lease, attempt.device, attempt.started, attempt.ended, attempt.outcome,
                               attempt.errorCode, attempt.errorMessage});
          !added) {
        return added;
      }
    }
    return {};
  }

  /// Whether the job's history is all there and says how the job got into its state. An attempt that was going on ended with its
  /// backend, as a death of the job; or it had made the pictures that are there.
  static bool settleAttempts(OldJob& old, JobState state) {
    if (old.attempts.empty() || std::cmp_not_equal(old.attempts.size(), old.lease)) {
      return false;
    }
    qint64 done = 0;
    for (std::size_t i = 0; i < old.attempts.size(); ++i) {
      OldAttempt& attempt = old.attempts[i];
      const bool isLast = i + 1 == old.attempts.size();
      const int outcome = attempt.outcome.isNull() ? inRow(AttemptOutcome::BackendLost) : attempt.outcome.toInt();
      if (std::cmp_not_equal(attempt.lease, i + 1) || outcome < 0 || outcome >= library::kAttemptOutcomes) {
        return false;
      }
      if (state == JobState::Done && isLast && outcome != inRow(AttemptOutcome::Done) && done == 0) {
        attempt.outcome = inRow(AttemptOutcome::Done);
      } else if (attempt.outcome.isNull()) {
        attempt.outcome = inRow(AttemptOutcome::BackendLost);
        old.deaths += attempt.started.isNull() ? 0 : 1;
      }
      attempt.ended = attempt.ended.isNull() ? attempt.started : attempt.ended;
      done += attempt.outcome.toInt() == inRow(AttemptOutcome::Done) ? 1 : 0;
    }
    return done == (state == JobState::Done ? 1 : 0);
  }

  /// Jobs that the old index did not tell of wait behind all others, in their order.
  Result<void> placeTheOthers() {
    if (m_known.isEmpty()) {
      return {};
    }
    std::vector<std::pair<qint64, qint64>> others;
    {
      const Result<QSqlQuery*> rows = m_fresh.query("SELECT id, rank FROM jobs WHERE state = 0 ORDER BY rank");
      if (!rows) {
        return rows.error();
      }
      while ((*rows)->next()) {
        if (const qint64 id = (*rows)->value(0).toLongLong(); !m_known.contains(id)) {
          others.emplace_back(id, (*rows)->value(1).toLongLong());
        }
      }
      (*rows)->finish();
    }
    for (const auto& [id, rank] : others) {
      m_lastRank += library::kRankGap;
      if (auto placed = change("UPDATE jobs SET rank = ? WHERE id = ?", {m_lastRank, id}); !placed) {
        return placed;
      }
    }
    return {};
  }

  /// What ended runs of which nothing waits.
  Result<void> takeRunEnds() {
    for (const OldRun& run : m_runs) {
      if (run.state != inRow(RunState::Failed)) {
        continue;
      }
      if (auto set = change("UPDATE runs SET state = 3, error_code = ?, error_message = ? WHERE id = ? AND state <> 0 AND made < "
                            "total",
                            {run.errorCode, run.errorMessage, run.id});
          !set) {
        return set;
      }
    }
    return {};
  }

  Result<void> takeMarks() {
    struct Stale {
      quint64 run = 0;
      qint64 index = 0;
      qint64 picture = 0;
    };
    std::vector<Stale> stale;
    readOld("SELECT p.run, p.idx, p.id FROM stale_sidecars s JOIN pictures p ON p.id = s.picture", {}, [&](const QSqlQuery& row) {
      stale.push_back({row.value(0).toULongLong(), row.value(1).toLongLong(), row.value(2).toLongLong()});
    });
    for (const Stale& one : stale) {
      const Result<PictureMarks> marks = readMarks(m_old, one.picture);
      const Result<QVariant> picture = m_fresh.value("SELECT id FROM pictures WHERE run = ? AND idx = ?", {one.run, one.index});
      if (!picture) {
        return picture.error();
      }
      if (!marks || picture->isNull()) {
        m_salvaged.isWhole = m_salvaged.isWhole && marks.isOk();
        continue;
      }
      if (auto written = writeMarks(m_fresh, picture->toLongLong(), *marks); !written) {
        return written;
      }
      if (auto noted = change("INSERT OR IGNORE INTO stale_sidecars(picture, revision) VALUES (?, 1)", {*picture}); !noted) {
        return noted;
      }
      ++m_salvaged.marks;
    }
    return {};
  }

  Database& m_fresh;
  Database& m_old;
  std::vector<OldRun> m_runs;
  QSet<qint64> m_known;  ///< jobs of the new index
  qint64 m_lastRank = 0;
  Salvaged m_salvaged;
};

}  // namespace

Result<Salvaged> salvage(Database& database, const QString& oldFile) {
  if (!QFileInfo::exists(oldFile)) {
    return Salvaged();
  }
  auto old = Database::open(oldFile, Database::Mode::ReadOnly);
  if (!old) {
    return Salvaged();
  }
  if (auto begun = database.change("BEGIN IMMEDIATE"); !begun) {
    return begun.error();
  }
  Result<Salvaged> salvaged = Salvage(database, **old).run();
  const Result<qint64> ended = database.change(salvaged ? "COMMIT" : "ROLLBACK");
  return salvaged && !ended ? ended.error() : salvaged;
}

}  // namespace polyptych::gallery
