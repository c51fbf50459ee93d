#pragma once

#include <QString>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/domain/request.h"
#include "core/library/database.h"
#include "core/library/row_values.h"
#include "core/library/run_file.h"

namespace polyptych::queue {

// Every function below works inside the caller's transaction; errors are those of library::Database.

using library::RunState;

/// A run's row.
struct RunRow {
  quint64 id = 0;
  qint64 number = 0;
  qint64 createdMs = 0;
  QString title;
  QString folder;  ///< relative to library::Location::picturesFolder()
  QString fingerprint;
  domain::RunPlan plan;
  std::string programVersion;
  bool wantsTrace = false;
  bool wantsPreviews = false;
  bool hasLatents = false;
  RunState state = RunState::Open;
  bool isPaused = false;
  qint64 total = 0;
  qint64 made = 0;  ///< with alreadyThere
  qint64 alreadyThere = 0;
  qint64 failed = 0;  ///< with parked ones
  qint64 cancelled = 0;
  std::optional<base::Error> error;

  qint64 left() const { return total - made - failed - cancelled; }
};

/// Number for the next run, for people.
base::Result<qint64> nextRunNumber(library::Database& database);

/// Adds a run with all of its requests and jobs at the end of the queue. Jobs whose pictures are all `finished` are done.
/// @param finished  by index; empty: none is
/// @return AlreadyExists if the run is there
base::Result<void> insertRun(library::Database& database, const library::RunRecord& record, const std::vector<bool>& finished);

/// Takes a run with its jobs, requests and attempts out, for one that is put in again. Pictures stay.
base::Result<void> removeRun(library::Database& database, quint64 id);

base::Result<std::optional<RunRow>> readRun(library::Database& database, quint64 id);
/// Open runs, oldest first.
base::Result<std::vector<RunRow>> openRuns(library::Database& database);
/// All runs, newest first. @param before  only runs of a smaller number; 0: all
base::Result<std::vector<RunRow>> listRuns(library::Database& database, qint64 before, int limit);

base::Result<void> setRunPaused(library::Database& database, quint64 id, bool isPaused);
/// Ends a run as a whole; its waiting jobs fail with it.
base::Result<void> failRun(library::Database& database, quint64 id, const base::Error& error);
/// An open run with nothing left to make is finished (or cancelled, if anything of it was). @return whether it became so now
base::Result<bool> closeRunIfDone(library::Database& database, quint64 id);

/// First characters of a prompt, in one line.
QString titleOf(const std::string& prompt);

}  // namespace polyptych::queue
