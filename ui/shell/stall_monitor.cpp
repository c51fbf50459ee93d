#include "ui/shell/stall_monitor.h"

#include <QDebug>
#include <QEvent>
#include <QThread>
#include <algorithm>
#include <ctime>

namespace polyptych::ui {

double StallMonitor::now() const {
  timespec time{};
  clock_gettime(m_clock == Clock::Processor ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

bool StallMonitor::measure(QObject* receiver, const QEvent* event, const std::function<bool()>& deliver) {
  const int level = QThread::currentThread()->loopLevel();
  if (!m_frames.empty()) {
    if (m_frames.back().loopLevel == level) {
      return deliver();  // sent while another is delivered: part of that one
    }
    m_frames.back().hasNestedLoop = true;
  }
  // Both may be gone afterwards.
  QByteArray name = receiver->metaObject()->className();
  const QString objectName = receiver->objectName();
  const int type = event->type();
  m_frames.push_back({level, false});
  const double before = now();
  const bool result = deliver();
  const double spent = now() - before;
  const bool hasNestedLoop = m_frames.back().hasNestedLoop;
  m_frames.pop_back();
  if (hasNestedLoop) {
    return result;
  }
  longestMs = std::max(longestMs, spent);
  if (spent > limitMs && report) {
    if (!objectName.isEmpty()) {
      name += " \"" + objectName.toUtf8() + '"';
    }
    report({name, type, spent});
  }
  return result;
}

void StallMonitor::warn(const Stall& stall) {
  qWarning("stall: %s took %.0f ms for event %d", stall.receiver.constData(), stall.milliseconds, stall.eventType);
}

bool MonitoredApplication::notify(QObject* receiver, QEvent* event) {
  if (QThread::currentThread() != thread()) {
    return QApplication::notify(receiver, event);
  }
  return monitor.measure(receiver, event, [&] { return QApplication::notify(receiver, event); });
}

}  // namespace polyptych::ui
