#include "ui/shell/appearance.h"

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QEvent>
#include <QPalette>

#include "ui/shell/session_bus.h"

namespace polyptych::ui {
namespace {

constexpr QLatin1String kBus("polyptych-appearance");
constexpr QLatin1String kService("org.freedesktop.portal.Desktop");
constexpr QLatin1String kPath("/org/freedesktop/portal/desktop");
constexpr QLatin1String kInterface("org.freedesktop.portal.Settings");
constexpr QLatin1String kGroup("org.freedesktop.appearance");
constexpr QLatin1String kKey("color-scheme");
constexpr uint kPrefersDark = 1;
constexpr uint kPrefersLight = 2;

}  // namespace

Appearance::Appearance(QApplication& application) : m_application(application) {
  application.installEventFilter(this);
  m_threads.setMaxThreadCount(1);
}

Appearance::~Appearance() {
  m_threads.waitForDone();
  QDBusConnection::disconnectFromBus(kBus);
}

void Appearance::apply(ThemeKind kind) {
  m_kind = kind;
  const bool isDark = kind == ThemeKind::Dark || (kind == ThemeKind::System && m_isSystemDark.value_or(isPlatformDark()));
  if (m_isApplied && isDark == m_isDark) {
    return;
  }
  m_isApplied = true;
  m_isDark = isDark;
  applyTheme(m_application, isDark ? ThemeKind::Dark : ThemeKind::Light);
}

void Appearance::setSystemDark(std::optional<bool> isDark) {
  m_isSystemDark = isDark;
  if (m_isApplied) {
    apply(m_kind);
  }
}

bool Appearance::eventFilter(QObject* watched, QEvent* event) {
  // Sent to windows when the desktop's theme has changed. Not applied inside the delivery: it changes every widget.
  if (event->type() == QEvent::ThemeChange && watched->isWindowType() && m_isApplied && m_kind == ThemeKind::System) {
    QMetaObject::invokeMethod(
        this, [this] { apply(m_kind); }, Qt::QueuedConnection);
  }
  return QObject::eventFilter(watched, event);
}

void Appearance::followDesktop() {
  if (!hasSessionBus()) {
    return;
  }
  // Connecting waits for the bus.
  m_threads.start([this] {
    if (QDBusConnection::connectToBus(QDBusConnection::SessionBus, kBus).isConnected()) {
      QMetaObject::invokeMethod(this, &Appearance::listen, Qt::QueuedConnection);
    }
  });
}

void Appearance::listen() {
  QDBusConnection bus(kBus);
  bus.connect(kService, kPath, kInterface, QStringLiteral("SettingChanged"), this,
              SLOT(onSettingChanged(QString, QString, QDBusVariant)));
  QDBusMessage read = QDBusMessage::createMethodCall(kService, kPath, kInterface, QStringLiteral("Read"));
  read << QString(kGroup) << QString(kKey);
  auto* watcher = new QDBusPendingCallWatcher(bus.asyncCall(read), this);
  connect(watcher, &QDBusPendingCallWatcher::finished, this, [this, watcher] {
    watcher->deleteLater();
    const QDBusPendingReply<QDBusVariant> reply = *watcher;
    if (!reply.isError()) {
      take(reply.value().variant());
    }
  });
}

void Appearance::onSettingChanged(const QString& group, const QString& key, const QDBusVariant& value) {
  if (group == kGroup && key == kKey) {
    take(value.variant());
  }
}

/// Read() wraps its answer twice, the signal once.
void Appearance::take(const QVariant& value) {
  const QVariant inner = value.canConvert<QDBusVariant>() ? value.value<QDBusVariant>().variant() : value;
  const uint preference = inner.toUInt();
  setSystemDark(preference == kPrefersDark    ? std::optional(true)
                : preference == kPrefersLight ? std::optional(false)
                                              : std::nullopt);
}

}  // namespace polyptych::ui
