#include "ui/shell/tab_order.h"

#include <QApplication>
#include <QList>

namespace polyptych::ui {
namespace {

bool takesTab(const QWidget* widget) {
  return (widget->focusPolicy() & Qt::TabFocus) != 0 && widget->focusProxy() == nullptr && widget->isVisible() &&
         widget->isEnabled();
}

/// In the order in which they were made. @param also  one that is there whether Tab reaches it or not
QList<QWidget*> tabsOf(QWidget* part, const QWidget* also = nullptr) {
  QList<QWidget*> tabs;
  QWidget* widget = part;
  do {
    if ((takesTab(widget) || widget == also) && (widget == part || part->isAncestorOf(widget))) {
      tabs << widget;
    }
    widget = widget->nextInFocusChain();
  } while (widget != part);
  return tabs;
}

}  // namespace

bool focusNext(const std::vector<QWidget*>& parts, bool isNext) {
  // A page that has the keyboard itself stands before what is on it.
  QWidget* now = QApplication::focusWidget();
  QList<QWidget*> tabs;
  for (QWidget* part : parts) {
    tabs << tabsOf(part, now);
  }
  if (tabs.isEmpty() || (tabs.size() == 1 && tabs.front() == now)) {
    return false;
  }
  const qsizetype at = tabs.indexOf(now);
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
