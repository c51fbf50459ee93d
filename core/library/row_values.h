#pragma once

#include <QtGlobal>

namespace polyptych::library {

// The numbers that stand in the rows of an index (resources/sql), for all who read or write them. They never change their
// meaning.

/// jobs.state
enum class JobState { Waiting = 0, Leased = 1, Done = 2, Failed = 3, Parked = 4, Cancelled = 5 };
inline constexpr int kJobStates = 6;

/// attempts.outcome: what became of one attempt at a job.
enum class AttemptOutcome { Done = 0, Cancelled = 1, Failed = 2, WorkerLost = 3, BackendLost = 4, GivenBack = 5 };
inline constexpr int kAttemptOutcomes = 6;

/// runs.state
enum class RunState { Open = 0, Finished = 1, Cancelled = 2, Failed = 3 };
inline constexpr int kRunStates = 4;

/// Distance of neighbours in jobs.rank, so that others fit between.
inline constexpr qint64 kRankGap = 1 << 16;

/// A value as a row has it.
template <typename Value>
constexpr int inRow(Value value) {
  return static_cast<int>(value);
}

}  // namespace polyptych::library
