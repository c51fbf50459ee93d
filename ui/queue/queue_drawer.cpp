#include "ui/queue/queue_drawer.h"

#include <QApplication>
#include <algorithm>

#include "ui/theme.h"

namespace polyptych::ui {

QueueDrawer::QueueDrawer(QWidget* centre, QueuePage* queue, QWidget* parent) : QSplitter(Qt::Vertical, parent), m_queue(queue) {
  setObjectName(QStringLiteral("middle"));
  setChildrenCollapsible(false);
  addWidget(centre);
  addWidget(m_queue);
  setStretchFactor(0, 1);
  m_queue->hide();
  connect(m_queue, &QueuePage::closed, this, [this] { setShown(false); });
}

void QueueDrawer::setShown(bool isShown) {
  if (isShown == m_queue->isVisible()) {
    if (isShown) {
      m_queue->takeFocus();
    }
    return;
  }
  if (isShown) {
    const int wanted =
        std::clamp(m_height > 0 ? m_height : height() / 2, std::min(height() / 3, Metrics::kQueueHeight), height() * 2 / 3);
    m_queue->show();
    setSizes({height() - wanted, wanted});
    m_queue->takeFocus();
    return;
  }
  m_height = m_queue->height();
  const bool hadFocus = m_queue->isAncestorOf(QApplication::focusWidget());
  m_queue->hide();
  if (hadFocus) {
    Q_EMIT focusFreed();
  }
}

}  // namespace polyptych::ui
