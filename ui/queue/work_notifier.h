#pragma once

#include <QObject>
#include <QString>
#include <QThreadPool>
#include <functional>

namespace polyptych::ui {

/// Tells the desktop how the work goes: a notification at its end, and progress on the program's icon. Over the session bus where
/// there is one; never waits for it.
class WorkNotifier : public QObject {
  Q_OBJECT
 public:
  using Sink = std::function<void(const QString& title, const QString& body)>;

  explicit WorkNotifier(QObject* parent = nullptr);
  ~WorkNotifier() override;

  /// In place of the desktop's notifications, for tests.
  void setSink(Sink sink) { m_sink = std::move(sink); }
  void notify(const QString& title, const QString& body);
  /// @param share  0 to 1; below 0: nothing is going on
  void showProgress(double share, qint64 waiting);

 private:
  Sink m_sink;
  bool m_hasBus = false;
  int m_lastPercent = -1;
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
