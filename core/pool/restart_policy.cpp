#include "core/pool/restart_policy.h"

#include <algorithm>
#include <cmath>

namespace polyptych::pool {
namespace {

std::string inWords(std::chrono::milliseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
  if (seconds >= 120 && seconds % 60 == 0) {
    return std::to_string(seconds / 60) + " minutes";
  }
  return seconds == 1 ? "1 second" : std::to_string(seconds) + " seconds";
}

}  // namespace

RestartPolicy::Decision RestartPolicy::noteDeath(std::chrono::milliseconds now, const base::Error& error,
                                                 std::optional<std::uint64_t> unit) {
  while (!m_deaths.empty() && now - m_deaths.front().time >= m_limits.restartWindow) {
    m_deaths.pop_front();
  }
  m_deaths.push_back({now, unit});
  const auto most = static_cast<std::size_t>(std::max(m_limits.maxRestartsInWindow, 0));
  if (most == 0 && m_deaths.size() > 1) {
    m_deaths.pop_front();  // nothing asks for them
  }
  m_isSetAside = m_isSetAside || (most > 0 && m_deaths.size() > most);
  Decision decision;
  if (m_isSetAside) {
    decision.isSetAside = true;
    decision.sentence = "Set aside: its worker ended " + std::to_string(m_deaths.size()) + " times within " +
                        inWords(m_limits.restartWindow) + ". The last time: " + error.message +
                        " Look at the device and the worker's log, then start it again.";
    return decision;
  }
  const double factor = std::pow(m_limits.restartFactor, std::min(m_deathsInRow, 1000));
  const double delay =
      std::min(static_cast<double>(m_limits.restartBase.count()) * factor, static_cast<double>(m_limits.restartMax.count()));
  ++m_deathsInRow;
  decision.delay = std::chrono::milliseconds(static_cast<std::int64_t>(delay));
  decision.sentence = error.message + " It is started again" +
                      (decision.delay < std::chrono::seconds(1) ? std::string(".") : " in " + inWords(decision.delay) + ".");
  return decision;
}

void RestartPolicy::excuse(std::uint64_t unit) {
  std::erase_if(m_deaths, [unit](const Death& death) { return death.unit == unit; });
}

void RestartPolicy::reset() {
  m_deaths.clear();
  m_deathsInRow = 0;
  m_isSetAside = false;
}

}  // namespace polyptych::pool
