#pragma once

#include <vector>

#include "core/base/result.h"
#include "core/library/database.h"

namespace polyptych::queue {

/// Jobs that a person means: the given ones, or else those of a run, or else all of open runs.
struct Selection {
  std::vector<qint64> jobIds;
  quint64 runId = 0;
};

/// What a change did. Counts are pictures; `runs` are those whose counters are different now.
struct Changed {
  qint64 pictures = 0;
  qint64 undoId = 0;
  std::vector<quint64> runs;
};

// Each works inside the caller's transaction; errors are those of library::Database.

/// Waiting jobs become cancelled; can be undone.
base::Result<Changed> cancelWaiting(library::Database& database, const Selection& selection, qint64 nowMs);
/// Failed and parked jobs become cancelled, so that nobody counts them any more: they were asked for in another way. Can be
/// undone.
base::Result<Changed> dismiss(library::Database& database, const Selection& selection, qint64 nowMs);
/// A number for undo() without anything cancelled yet, for jobs that are in work.
base::Result<qint64> newUndo(library::Database& database, const QString& words, qint64 nowMs);
/// Jobs that were cancelled under this number are again what they were, where they stood; jobs that were moved and still wait
/// stand where they stood. @return NotFound for an unknown number
base::Result<Changed> undo(library::Database& database, qint64 undoId);
/// Failed, parked and cancelled jobs wait again, with all their attempts; those whose pictures are all there do not.
base::Result<Changed> retry(library::Database& database, const Selection& selection);
/// Waiting jobs to the front, in the order they have. Can be undone, like the two below.
base::Result<Changed> moveToFront(library::Database& database, const Selection& selection, qint64 nowMs);
/// Waiting jobs behind all others that wait, in the order they have.
base::Result<Changed> moveToEnd(library::Database& database, const Selection& selection, qint64 nowMs);
/// Waiting jobs to the place before another waiting one. @param before  0: to the end. @return NotFound if that does not wait
base::Result<Changed> moveBefore(library::Database& database, const Selection& selection, qint64 before, qint64 nowMs);

}  // namespace polyptych::queue
