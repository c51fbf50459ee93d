#include "core/pool/breaker.h"

#include <algorithm>
#include <string_view>

namespace polyptych::pool {
namespace {

std::string_view adviceFor(base::ErrorCode code) {
  switch (code) {
    case base::ErrorCode::OutOfMemory:
      return "End other programs that use its memory, or ask for smaller pictures";
    case base::ErrorCode::DeviceLost:
      return "Look at the card, its driver and its power supply";
    case base::ErrorCode::Io:
      return "Look at the folder of the model and its disk";
    default:
      return "Look at the worker's log";
  }
}

std::string nameOf(const std::string& device, const std::string& name) {
  return name.empty() || name == device ? device : device + " (" + name + ")";
}

}  // namespace

Breaker::Verdict Breaker::noteFailure(const std::string& device, const std::string& name, const base::Error& error) {
  Verdict verdict;
  Device& it = m_devices[device];
  it.failuresInRow = std::min(it.failuresInRow + 1, 1000000);
  m_failuresInRow = std::min(m_failuresInRow + 1, 1000000);
  const std::string advice(adviceFor(error.code));
  if (!it.isOpen && m_limits.deviceBreaker > 0 && it.failuresInRow >= m_limits.deviceBreaker) {
    it.isOpen = true;
    verdict.opensDevice = true;
    verdict.deviceSentence = nameOf(device, name) + " failed " + std::to_string(it.failuresInRow) +
                             " times in a row and is set aside. The last error: " + error.message + " " + advice +
                             ", then start the device again.";
  }
  if (!m_isQueueOpen && m_limits.overallBreaker > 0 && m_failuresInRow >= m_limits.overallBreaker) {
    m_isQueueOpen = true;
    verdict.opensQueue = true;
    verdict.queueSentence = "The queue is paused: " + std::to_string(m_failuresInRow) +
                            " attempts in a row failed. The last error, on " + nameOf(device, name) + ": " + error.message + " " +
                            advice + ", then let the queue go on.";
  }
  return verdict;
}

void Breaker::noteSuccess(const std::string& device) {
  m_devices[device].failuresInRow = 0;
  m_failuresInRow = 0;
}

bool Breaker::isOpen(const std::string& device) const {
  const auto found = m_devices.find(device);
  return found != m_devices.end() && found->second.isOpen;
}

void Breaker::closeDevice(const std::string& device) { m_devices.erase(device); }

void Breaker::closeQueue() {
  m_failuresInRow = 0;
  m_isQueueOpen = false;
}

}  // namespace polyptych::pool
