#pragma once

#include <QObject>
#include <QSocketNotifier>

namespace polyptych::core {

/// SIGINT, SIGTERM and SIGHUP as a signal of the event loop; those that were ignored when the program started stay so. The second
/// one ends the process at once with status 130. One object per process; it stays until the process ends.
class Termination : public QObject {
  Q_OBJECT
 public:
  explicit Termination(QObject* parent = nullptr);

 Q_SIGNALS:
  void asked();

 private:
  int m_ends[2] = {-1, -1};
  QSocketNotifier* m_notifier = nullptr;
};

}  // namespace polyptych::core
