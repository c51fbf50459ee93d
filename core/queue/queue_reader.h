#pragma once

#include <QString>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/domain/request.h"
#include "core/library/location.h"
#include "core/queue/changes.h"
#include "core/queue/jobs.h"
#include "core/queue/runs.h"

namespace polyptych::library {
class Database;
}

namespace polyptych::queue {

/// Jobs of each state.
struct JobCounts {
  qint64 waiting = 0;
  qint64 leased = 0;
  qint64 done = 0;
  qint64 failed = 0;
  qint64 parked = 0;
  qint64 cancelled = 0;
};

/// One attempt at a job: what the time line shows.
struct AttemptRow {
  qint64 jobId = 0;
  quint64 runId = 0;
  qint64 runNumber = 0;
  qint64 firstIndex = 0;
  int count = 0;
  QString device;  ///< DeviceSlot::id
  qint64 startedMs = 0;
  std::optional<qint64> endedMs;  ///< nothing: going on
  std::optional<AttemptOutcome> outcome;
  QString prompt;
};

/// How fast a device was with pictures of a model, from the attempts that are done.
struct DeviceSpeed {
  QString device;  ///< DeviceSlot::id
  QString modelName;
  double secondsPerWork = 0;  ///< median; work: pixels x steps x pictures
  qint64 attempts = 0;
};

/// Reads queue and history from a library's index. For one thread; beside a backend that writes. Errors are those of
/// library::Database.
class QueueReader {
 public:
  /// Opens the index of a library for reading alone. @return NotFound, Unsupported (newer), Corrupt, Io
  static base::Result<std::unique_ptr<QueueReader>> open(const library::Location& location);
  ~QueueReader();

  /// A page of the queue table, see listJobs().
  base::Result<std::vector<JobRow>> jobs(const JobFilter& filter, std::optional<qint64> afterRank, int limit);
  /// Numbers of all that jobs() would list, in any order.
  base::Result<std::vector<qint64>> jobIds(const JobFilter& filter);
  /// The jobs by their runs; those that there are not are left out.
  base::Result<std::map<quint64, std::vector<qint64>>> byRun(const std::vector<qint64>& jobIds);
  /// @param runId  0: of all, as jobs() lists them
  base::Result<JobCounts> counts(quint64 runId);
  /// Newest first, see listRuns().
  base::Result<std::vector<RunRow>> runs(qint64 before, int limit);
  /// Attempts that began at that time or later, oldest first.
  base::Result<std::vector<AttemptRow>> attempts(qint64 sinceMs, int limit);
  /// What a job's attempts were, oldest first.
  base::Result<std::vector<AttemptRow>> attemptsOf(qint64 jobId);
  /// The newest attempts alone count.
  base::Result<std::vector<DeviceSpeed>> speeds();
  /// What the jobs that are meant were asked for and have not made, of those in `states` alone, in the queue's order: to be asked
  /// for again, changed. Nothing selected: of all runs; jobs and a run: those of the jobs that are its own. Indices are those of
  /// their runs.
  base::Result<std::vector<domain::GenerationRequest>> requestsOf(const Selection& selection,
                                                                  const std::vector<JobState>& states);

 private:
  explicit QueueReader(std::unique_ptr<library::Database> database);
  std::unique_ptr<library::Database> m_database;
};

}  // namespace polyptych::queue
