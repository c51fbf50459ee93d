#pragma once

#include <QApplication>
#include <chrono>
#include <functional>
#include <vector>

namespace polyptych::ui {

/// Measures what each event costs the thread that delivers it, and tells what is over a limit. A nested event loop (a menu, a
/// drag) is no stall: the events inside it are measured each by itself.
class StallMonitor {
 public:
  /// Elapsed: waiting counts. Processor: only what this thread itself computed, whatever else the machine does.
  enum class Clock { Elapsed, Processor };
  struct Stall {
    QByteArray receiver;  ///< class, and object name if there is one
    int eventType = 0;    ///< QEvent::Type
    double milliseconds = 0;
  };

  explicit StallMonitor(Clock clock) : m_clock(clock) {}

  /// What happens to a stall; to begin with a warning in the log.
  std::function<void(const Stall&)> report = warn;
  double limitMs = 50;
  double longestMs = 0;

  /// @param deliver  delivers the event
  bool measure(QObject* receiver, const QEvent* event, const std::function<bool()>& deliver);

  static void warn(const Stall& stall);

 private:
  double now() const;

  const Clock m_clock;
  struct Frame {
    int loopLevel;
    bool hasNestedLoop;
  };
  std::vector<Frame> m_frames;
};

/// The application of debug builds and of tests: every event of the window's thread is measured.
class MonitoredApplication : public QApplication {
  Q_OBJECT
 public:
  MonitoredApplication(int& argc, char** argv, StallMonitor::Clock clock = StallMonitor::Clock::Elapsed)
      : QApplication(argc, argv), monitor(clock) {}
  bool notify(QObject* receiver, QEvent* event) override;

  StallMonitor monitor;
};

}  // namespace polyptych::ui
