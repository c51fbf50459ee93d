#include "ui/shell/session_bus.h"

#include <QFile>
#include <QStandardPaths>

namespace polyptych::ui {

bool hasSessionBus() {
  return qEnvironmentVariableIsSet("DBUS_SESSION_BUS_ADDRESS") ||
         QFile::exists(QStandardPaths::writableLocation(QStandardPaths::RuntimeLocation) + QStringLiteral("/bus"));
}

}  // namespace polyptych::ui
