#pragma once

#include <QWidget>

namespace polyptych::ui {

/// Where the window was. Screens may have gone since: it comes back to where it can be seen.
void restorePlace(QWidget& window);
void savePlace(const QWidget& window);

/// Moves and shrinks `frame` so that it can be seen and grabbed on one of the screens; as it is, if it can be already.
QRect onScreens(const QRect& frame, const QList<QRect>& screens);

}  // namespace polyptych::ui
