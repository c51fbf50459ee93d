#pragma once

#include <map>
#include <string>

#include "core/base/result.h"
#include "core/pool/supervision_limits.h"

namespace polyptych::pool {

/// Failures in a row, by device and over all: a bad card, driver or run costs a few units, not the night. Told of what
/// Consequence::CountAgainstDevice names, and of units that the ladder parked.
class Breaker {
 public:
  explicit Breaker(const SupervisionLimits& limits) : m_limits(limits) {}

  struct Verdict {
    bool opensDevice = false;    ///< now, by this failure: the device is to be set aside
    bool opensQueue = false;     ///< now, by this failure: the queue is to pause
    std::string deviceSentence;  ///< with device, count, last error and what to do; empty unless opensDevice
    std::string queueSentence;   ///< the same of the queue
  };

  /// @param device  what the breaker tells devices apart by, @param name  what people call it
  Verdict noteFailure(const std::string& device, const std::string& name, const base::Error& error);
  void noteSuccess(const std::string& device);
  bool isOpen(const std::string& device) const;
  bool isQueueOpen() const { return m_isQueueOpen; }
  /// The user starts the device again: it has all its chances.
  void closeDevice(const std::string& device);
  /// The user lets the queue go on: the same for the queue.
  void closeQueue();

 private:
  struct Device {
    int failuresInRow = 0;
    bool isOpen = false;
  };

  SupervisionLimits m_limits;
  std::map<std::string, Device> m_devices;
  int m_failuresInRow = 0;
  bool m_isQueueOpen = false;
};

}  // namespace polyptych::pool
