#include "ui/shell/session.h"

#include <QGuiApplication>
#include <QScreen>
#include <QSettings>
#include <algorithm>

#include "ui/theme.h"

namespace polyptych::ui {
namespace {

/// So much of the top edge has to be on a screen for the window to be moved.
constexpr int kToGrab = 160;

const QString& placeSetting() {
  static const QString key = QStringLiteral("window/geometry");
  return key;
}

}  // namespace

QRect onScreens(const QRect& frame, const QList<QRect>& screens) {
  if (screens.isEmpty()) {
    return frame;
  }
  const QRect top(frame.topLeft(), QSize(frame.width(), Metrics::kTopBar));
  const auto seen = [&](const QRect& screen) { return screen.intersected(top); };
  for (const QRect& screen : screens) {
    if (seen(screen).width() >= std::min(kToGrab, frame.width()) && seen(screen).height() >= Metrics::kTopBar / 2) {
      return frame;
    }
  }
  const QRect& screen = screens.first();
  QRect placed(QPoint(), frame.size().boundedTo(screen.size()));
  placed.moveCenter(screen.center());
  return placed;
}

void restorePlace(QWidget& window) {
  const QByteArray geometry = QSettings().value(placeSetting()).toByteArray();
  if (geometry.isEmpty() || !window.restoreGeometry(geometry)) {
    return;
  }
  QList<QRect> screens;
  for (const QScreen* screen : QGuiApplication::screens()) {
    screens << screen->availableGeometry();
  }
  const QRect placed = onScreens(window.geometry(), screens);
  if (placed != window.geometry()) {
    window.setGeometry(placed);
  }
}

void savePlace(const QWidget& window) { QSettings().setValue(placeSetting(), window.saveGeometry()); }

}  // namespace polyptych::ui
