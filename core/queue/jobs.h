#pragma once

#include <QString>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/domain/request.h"
#include "core/library/database.h"
#include "core/library/row_values.h"

namespace polyptych::queue {

// Every function below works inside the caller's transaction; errors are those of library::Database.

using library::AttemptOutcome;
using library::JobState;
using library::kRankGap;

/// "waiting" and so on.
const char* nameOf(JobState state);

/// What the dispatcher wants to know of a waiting job.
struct WaitingJob {
  qint64 id = 0;
  quint64 runId = 0;
  qint64 rank = 0;
  int count = 0;   ///< pictures
  int deaths = 0;  ///< attempts that ended with their worker
  qint64 settings = 0;
  double work = 0;         ///< pixels x steps x pictures
  bool isChanged = false;  ///< by the out-of-memory ladder
  int width = 0;
  int height = 0;
  bool isGuided = false;
};

/// The head of the queue behind `afterRank`, without paused runs.
base::Result<std::vector<WaitingJob>> nextWaiting(library::Database& database, qint64 afterRank, int limit);

/// What the out-of-memory ladder changed of a job.
struct Change {
  int batch = 1;
  bool vaeSlicing = false;
  bool vaeTiling = false;
  int width = 0;  ///< 0: as asked, like the height
  int height = 0;
  QString words;  ///< every step, for people

  friend bool operator==(const Change&, const Change&) = default;
};

/// A job that was given to one attempt.
struct Lease {
  qint64 jobId = 0;
  quint64 runId = 0;
  qint64 number = 0;  ///< fencing number: the result of an older one is refused
  int deaths = 0;
  std::vector<domain::GenerationRequest> requests;
  std::vector<qint64> promptRows;    ///< of the requests
  std::vector<qint64> settingsRows;  ///< of the requests
  std::optional<Change> change;
};

/// Gives a waiting job to one attempt. @param isBegun  false: reserved, see begin(). @return nothing if the job is not waiting
/// any more
base::Result<std::optional<Lease>> lease(library::Database& database, qint64 jobId, const QString& device, bool isBegun,
                                         qint64 nowMs);
/// A reserved attempt begins.
base::Result<void> begin(library::Database& database, qint64 jobId, qint64 leaseNumber, qint64 nowMs);

/// How an attempt ended and what becomes of its job.
struct AttemptEnd {
  qint64 jobId = 0;
  qint64 lease = 0;
  AttemptOutcome outcome = AttemptOutcome::Done;
  JobState next = JobState::Done;
  std::optional<base::Error> error;
  std::optional<Change> change;  ///< from now on
  qint64 undo = 0;               ///< of a cancelled one
  qint64 nowMs = 0;
};

/// Ends an attempt; counts a death if the worker or the backend was lost, and the run's failed or cancelled pictures. Made ones
/// are counted by countMade(). @return false if the job is not this attempt's any more: whatever it made is refused
base::Result<bool> endAttempt(library::Database& database, const AttemptEnd& end);
/// Adds pictures to those that a run has made.
base::Result<void> countMade(library::Database& database, quint64 runId, qint64 pictures);

/// Attempts that were going on when a backend ended without saying so.
struct Recovery {
  qint64 interrupted = 0;  ///< jobs whose attempt had begun: they count a death
  qint64 parked = 0;       ///< of those: too many
};
/// Gives every leased job back. @param maxDeaths  parks jobs with so many; 0: never
base::Result<Recovery> recover(library::Database& database, int maxDeaths, qint64 nowMs);

/// Pictures of a run's jobs in a state that are not there yet.
base::Result<qint64> picturesLeft(library::Database& database, quint64 runId, JobState state);

/// Counts of the whole queue, in pictures.
struct QueueCounts {
  qint64 waiting = 0;
  qint64 failed = 0;
};
base::Result<QueueCounts> countQueue(library::Database& database);

/// Seconds a picture took by batch size, of a model's newest units of a size; the slowest device's.
base::Result<std::map<int, double>> secondsByBatch(library::Database& database, const QString& modelName, int width, int height);

/// One line of the queue table.
struct JobRow {
  qint64 id = 0;
  quint64 runId = 0;
  qint64 runNumber = 0;
  qint64 rank = 0;
  qint64 firstIndex = 0;
  int count = 0;
  JobState state = JobState::Waiting;
  int attempts = 0;
  int deaths = 0;
  QString prompt;
  QString change;
  std::optional<base::Error> error;
};
struct JobFilter {
  quint64 runId = 0;              ///< 0: all
  std::optional<JobState> state;  ///< none: those of openStates()
};
/// Waiting, leased, failed and parked: what somebody may still have to do with.
const std::vector<JobState>& openStates();
/// In the order of the queue. @param afterRank  continues a list
base::Result<std::vector<JobRow>> listJobs(library::Database& database, const JobFilter& filter, std::optional<qint64> afterRank,
                                           int limit);

}  // namespace polyptych::queue
