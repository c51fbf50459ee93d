#pragma once

#include <QObject>
#include <QSocketNotifier>

namespace polyptych::cli {

/// SIGINT, SIGTERM and SIGHUP as a signal of the event loop. Before expect() and from the second on, the process ends at once
/// with status 130. One object per process; the signals' old ways come back when it goes.
class Interrupts : public QObject {
  Q_OBJECT
 public:
  explicit Interrupts(QObject* parent = nullptr);
  ~Interrupts() override;

  /// From now on the first signal is told instead of obeyed.
  void expect();

 Q_SIGNALS:
  void interrupted();

 private:
  int m_ends[2] = {-1, -1};
  QSocketNotifier* m_notifier = nullptr;
};

}  // namespace polyptych::cli
