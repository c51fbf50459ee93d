#include "ui/shell/tab_order.h"

#include <QApplication>
#include <QList>

namespace polyptych::ui {
namespace {

bool takesTab(const QWidget* widget) {
  return (widget->focusPolicy() & Qt::TabFocus) != 0 && widget->focusProxy() == nullptr && widget->isVisible() &&
         widget->isEnabled();
}

/// In the order in which they were made.
QList<QWidget*> tabsOf(QWidget* part) {
  QList<QWidget*> tabs;
  QWidget* widget = part;
  do {
    if (takesTab(widget) && (widget == part || part->isAncestorOf(widget))) {
      tabs << widget;
    }
    widget = widget->nextInFocusChain();
  } while (widget != part);
  return tabs;
}

}  // namespace

bool focusNext(const std::vector<QWidget*>& parts, bool isNext) {
  QList<QWidget*> tabs;
  for (QWidget* part : parts) {
    tabs << tabsOf(part);
  }
  if (tabs.isEmpty()) {
    return false;
  }
  // A part of a field, its line for example, stands where the field does.
  qsizetype at = -1;
  for (const QWidget* now = QApplication::focusWidget(); now != nullptr && at < 0; now = now->parentWidget()) {
    at = tabs.indexOf(const_cast<QWidget*>(now));
  }
  const qsizetype next = at < 0 ? (isNext ? 0 : tabs.size() - 1) : (at + (isNext ? 1 : tabs.size() - 1)) % tabs.size();
  tabs[next]->setFocus(isNext ? Qt::TabFocusReason : Qt::BacktabFocusReason);
  return true;
}

bool focusFirstOf(QWidget* part) {
  const QList<QWidget*> tabs = tabsOf(part);
  if (tabs.isEmpty()) {
    return false;
  }
  tabs.front()->setFocus(Qt::TabFocusReason);
  return true;
}

}  // namespace polyptych::ui
