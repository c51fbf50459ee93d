#pragma once

#include <QObject>
#include <QString>
#include <QThreadPool>
#include <QTimer>
#include <functional>
#include <optional>

class QSystemTrayIcon;

namespace polyptych::ui {

/// Tells the desktop how the work goes: a notification at its end, and progress on the program's icon. Over the session bus where
/// there is one; from an icon in the tray, which goes again, where nobody on the bus takes notifications. Never waits for either.
class WorkNotifier : public QObject {
  Q_OBJECT
 public:
  using Sink = std::function<void(const QString& title, const QString& body)>;
  /// The number that the desktop gave; nothing if it takes no notifications.
  using Desktop = std::function<std::optional<uint>(const QString& title, const QString& body)>;

  explicit WorkNotifier(QObject* parent = nullptr);
  ~WorkNotifier() override;

  /// In place of all, of the desktop's notifications, of the tray; for tests. The desktop's is called on a thread.
  void setSink(Sink sink) { m_sink = std::move(sink); }
  void setDesktop(Desktop desktop) { m_desktop = std::move(desktop); }
  void setTray(Sink tray) { m_tray = std::move(tray); }
  void notify(const QString& title, const QString& body);
  /// @param share  0 to 1; below 0: nothing is going on
  void showProgress(double share, qint64 waiting);

 Q_SIGNALS:
  /// Somebody wants to see what the last notification told.
  void clicked();

 public Q_SLOTS:
  /// org.freedesktop.Notifications: what was done with one of them, ours or another's.
  void onActionInvoked(uint id, const QString& action);
  /// The same: lets a window raise itself where windows may not.
  void onActivationToken(uint id, const QString& token);

 private:
  void showInTray(const QString& title, const QString& body);
  void hideTray();

  Sink m_sink;
  Desktop m_desktop;
  Sink m_tray;
  bool m_hasBus = false;
  uint m_shown = 0;  ///< by the desktop, the last one
  int m_lastPercent = -1;
  QSystemTrayIcon* m_icon = nullptr;
  QTimer m_iconTimer;
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
