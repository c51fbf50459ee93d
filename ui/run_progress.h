#pragma once

#include <QString>
#include <chrono>
#include <deque>
#include <optional>

namespace polyptych::ui {

/// Count, rate and finishing time of the runs that are going on. Honest: no finishing time before two pictures are done; the rate
/// is of the last pictures, and of the time from the first step on while they are few: several devices end at the same moment.
class RunProgress {
 public:
  using Clock = std::chrono::steady_clock;

  /// What the backend counts; `total` without what was cancelled.
  void setCounts(qint64 total, qint64 done, qint64 failed);
  /// The first step of a picture: from here the rate counts. Later calls change nothing until reset().
  void workBegan(Clock::time_point now);
  void pictureDone(Clock::time_point now);
  /// After a time in which nothing was made.
  void forgetRate();
  void reset() { *this = RunProgress(); }

  qint64 total() const { return m_total; }
  qint64 done() const { return m_done; }
  qint64 failed() const { return m_failed; }
  /// 0 to 1, with what failed.
  double share() const { return m_total > 0 ? static_cast<double>(m_done + m_failed) / static_cast<double>(m_total) : 0; }
  /// Pictures a minute over the last ones; nothing before two are done.
  std::optional<double> ratePerMinute() const;
  std::optional<std::chrono::seconds> remaining() const;

 private:
  qint64 m_total = 0;
  qint64 m_done = 0;
  qint64 m_failed = 0;
  std::optional<Clock::time_point> m_begin;
  std::deque<Clock::time_point> m_times;
};

}  // namespace polyptych::ui
