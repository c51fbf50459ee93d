#include "ui/run_progress.h"

namespace polyptych::ui {
namespace {

constexpr std::size_t kRemembered = 64;

}  // namespace

void RunProgress::setCounts(qint64 total, qint64 done, qint64 failed) {
  m_total = total;
  m_done = done;
  m_failed = failed;
}

void RunProgress::workBegan(Clock::time_point now) {
  if (!m_begin) {
    m_begin = now;
  }
}

void RunProgress::pictureDone(Clock::time_point now) {
  if (!m_begin) {
    // No step was seen: the rate counts from this picture on.
    m_begin = now;
    return;
  }
  m_times.push_back(now);
  if (m_times.size() > kRemembered) {
    // What is counted begins with the picture that goes.
    m_begin = m_times.front();
    m_times.pop_front();
  }
}

void RunProgress::forgetRate() {
  m_begin.reset();
  m_times.clear();
}

std::optional<double> RunProgress::ratePerMinute() const {
  if (m_times.size() < 2) {
    return std::nullopt;
  }
  const double minutes = std::chrono::duration<double>(m_times.back() - *m_begin).count() / 60;
  return minutes > 0 ? std::optional(static_cast<double>(m_times.size()) / minutes) : std::nullopt;
}

std::optional<std::chrono::seconds> RunProgress::remaining() const {
  const auto rate = ratePerMinute();
  if (!rate) {
    return std::nullopt;
  }
  const double left = static_cast<double>(m_total - m_done - m_failed) / *rate * 60;
  return std::chrono::seconds(static_cast<std::int64_t>(left));
}

}  // namespace polyptych::ui
