#pragma once

#include <QMenu>

namespace polyptych::ui {

/// Shows a menu and goes on; it deletes itself once it is closed. @param menu  of a parent that may go before it
inline void popUp(QMenu* menu, const QPoint& at) {
  menu->setAttribute(Qt::WA_DeleteOnClose);
  menu->popup(at);
}

}  // namespace polyptych::ui
