#pragma once

#include <QSplitter>

#include "ui/queue/queue_page.h"

namespace polyptych::ui {

/// The centre of the window, and the queue that slides up over its lower half.
class QueueDrawer : public QSplitter {
  Q_OBJECT
 public:
  QueueDrawer(QWidget* centre, QueuePage* queue, QWidget* parent = nullptr);

  /// Shown again it only takes the keyboard.
  void setShown(bool isShown);
  void toggle() { setShown(!m_queue->isVisible()); }
  /// How much of the centre the queue takes, pixels; 0: half.
  int queueHeight() const { return m_queue->isVisible() ? m_queue->height() : m_height; }
  void setQueueHeight(int height) { m_height = height; }

 Q_SIGNALS:
  /// The queue goes and had the keyboard.
  void focusFreed();

 private:
  QueuePage* m_queue;
  int m_height = 0;
};

}  // namespace polyptych::ui
