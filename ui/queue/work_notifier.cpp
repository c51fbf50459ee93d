#include "ui/queue/work_notifier.h"

#include <QDBusConnection>
#include <QDBusMessage>
#include <QVariantMap>
#include <cmath>

#include "ui/shell/session_bus.h"

namespace polyptych::ui {
namespace {

constexpr QLatin1String kBus("polyptych-notifier");

QDBusConnection bus() { return QDBusConnection::connectToBus(QDBusConnection::SessionBus, kBus); }

}  // namespace

WorkNotifier::WorkNotifier(QObject* parent) : QObject(parent), m_hasBus(hasSessionBus()) { m_threads.setMaxThreadCount(1); }

WorkNotifier::~WorkNotifier() {
  m_threads.waitForDone();
  QDBusConnection::disconnectFromBus(kBus);
}

void WorkNotifier::notify(const QString& title, const QString& body) {
  if (m_sink) {
    m_sink(title, body);
    return;
  }
  if (!m_hasBus) {
    return;
  }
  m_threads.start([title, body] {
    // org.freedesktop.Notifications, version 1.2
    QDBusMessage message = QDBusMessage::createMethodCall(
        QStringLiteral("org.freedesktop.Notifications"), QStringLiteral("/org/freedesktop/Notifications"),
        QStringLiteral("org.freedesktop.Notifications"), QStringLiteral("Notify"));
    message << QStringLiteral("Polyptych") << uint(0) << QStringLiteral("polyptych") << title << body << QStringList()
            << QVariantMap{{QStringLiteral("desktop-entry"), QStringLiteral("polyptych")}} << -1;
    bus().send(message);
  });
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
