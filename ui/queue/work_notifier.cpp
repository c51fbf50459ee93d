#include "ui/queue/work_notifier.h"

#include <QDBusConnection>
#include <QDBusMessage>
#include <QGuiApplication>
#include <QIcon>
#include <QSystemTrayIcon>
#include <QVariantMap>
#include <cmath>

#include "ui/shell/session_bus.h"

namespace polyptych::ui {
namespace {

constexpr QLatin1String kBus("polyptych-notifier");
constexpr int kAnswerMs = 5000;
/// How long the tray's icon stays: what it told goes with it.
constexpr int kTrayMs = 30'000;

QDBusConnection bus() { return QDBusConnection::connectToBus(QDBusConnection::SessionBus, kBus); }

QString notifications() { return QStringLiteral("org.freedesktop.Notifications"); }
QString notificationsPath() { return QStringLiteral("/org/freedesktop/Notifications"); }

/// org.freedesktop.Notifications, version 1.2
std::optional<uint> tellDesktop(const QString& title, const QString& body) {
  QDBusMessage message =
      QDBusMessage::createMethodCall(notifications(), notificationsPath(), notifications(), QStringLiteral("Notify"));
  // The action of that name is a click on the notification itself.
  message << QStringLiteral("Polyptych") << uint(0) << QStringLiteral("polyptych") << title << body
          << QStringList{QStringLiteral("default"), QStringLiteral("Polyptych")}
          << QVariantMap{{QStringLiteral("desktop-entry"), QStringLiteral("polyptych")}} << -1;
  const QDBusMessage answer = bus().call(message, QDBus::Block, kAnswerMs);
  if (answer.type() != QDBusMessage::ReplyMessage) {
    return std::nullopt;
  }
  return answer.arguments().value(0).toUInt();
}

}  // namespace

WorkNotifier::WorkNotifier(QObject* parent) : QObject(parent), m_hasBus(hasSessionBus()) {
  m_threads.setMaxThreadCount(1);
  m_iconTimer.setSingleShot(true);
  m_iconTimer.setInterval(kTrayMs);
  connect(&m_iconTimer, &QTimer::timeout, this, &WorkNotifier::hideTray);
  m_tray = [this](const QString& title, const QString& body) { showInTray(title, body); };
  if (m_hasBus) {
    m_desktop = tellDesktop;
    m_threads.start([this] {
      QDBusConnection connection = bus();
      connection.connect(notifications(), notificationsPath(), notifications(), QStringLiteral("ActionInvoked"), this,
                         SLOT(onActionInvoked(uint, QString)));
      connection.connect(notifications(), notificationsPath(), notifications(), QStringLiteral("ActivationToken"), this,
                         SLOT(onActivationToken(uint, QString)));
    });
  }
}

WorkNotifier::~WorkNotifier() {
  m_threads.waitForDone();
  QDBusConnection::disconnectFromBus(kBus);
}

void WorkNotifier::notify(const QString& title, const QString& body) {
  if (m_sink) {
    m_sink(title, body);
    return;
  }
  if (!m_desktop) {
    m_tray(title, body);
    return;
  }
  m_threads.start([this, desktop = m_desktop, title, body] {
    const std::optional<uint> shown = desktop(title, body);
    QMetaObject::invokeMethod(
        this,
        [this, shown, title, body] {
          if (shown) {
            m_shown = *shown;
          } else {
            m_tray(title, body);
          }
        },
        Qt::QueuedConnection);
  });
}

void WorkNotifier::onActionInvoked(uint id, const QString& action) {
  if (id != 0 && id == m_shown && action == QLatin1String("default")) {
    Q_EMIT clicked();
  }
}

void WorkNotifier::onActivationToken(uint id, const QString& token) {
  if (id != 0 && id == m_shown) {
    qputenv("XDG_ACTIVATION_TOKEN", token.toUtf8());  // read by Qt when a window asks to be raised
  }
}

void WorkNotifier::showInTray(const QString& title, const QString& body) {
  if (!QSystemTrayIcon::isSystemTrayAvailable()) {
    return;
  }
  if (m_icon == nullptr) {
    m_icon = new QSystemTrayIcon(QIcon(QStringLiteral(":/icons/polyptych.svg")), this);
    m_icon->setToolTip(QGuiApplication::applicationDisplayName());
    const auto act = [this] {
      hideTray();
      Q_EMIT clicked();
    };
    connect(m_icon, &QSystemTrayIcon::messageClicked, this, act);
    connect(m_icon, &QSystemTrayIcon::activated, this, act);
  }
  m_icon->show();
  m_icon->showMessage(title, body, m_icon->icon(), kTrayMs);
  m_iconTimer.start();
}

void WorkNotifier::hideTray() {
  m_iconTimer.stop();
  if (m_icon != nullptr) {
    m_icon->hide();
  }
}

void WorkNotifier::showProgress(double share, qint64 waiting) {
  const int percent = share < 0 ? -1 : static_cast<int>(std::lround(100 * share));
  if (percent == m_lastPercent || !m_hasBus || m_sink) {
    return;
  }
  m_lastPercent = percent;
  m_threads.start([percent, waiting] {
    // Docks of several desktops listen to it; others do not mind.
    QDBusMessage message =
        QDBusMessage::createSignal(QStringLiteral("/org/polyptych/Polyptych"),
                                   QStringLiteral("com.canonical.Unity.LauncherEntry"), QStringLiteral("Update"));
    message << QStringLiteral("application://polyptych.desktop")
            << QVariantMap{{QStringLiteral("progress"), percent / 100.0},
                           {QStringLiteral("progress-visible"), percent >= 0},
                           {QStringLiteral("count"), waiting},
                           {QStringLiteral("count-visible"), percent >= 0 && waiting > 0}};
    bus().send(message);
  });
}

}  // namespace polyptych::ui
