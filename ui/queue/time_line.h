#pragma once

#include <QColor>
#include <QWidget>
#include <vector>

#include "core/queue/queue_reader.h"

namespace polyptych::ui {

/// Which device made what when: a row a device, a bar an attempt. The wheel zooms at the pointer, a drag or the arrows move, plus
/// and minus zoom, Home goes to now. How an attempt ended is told by shape as well as by colour.
class TimeLine : public QWidget {
  Q_OBJECT
 public:
  explicit TimeLine(QWidget* parent = nullptr);

  /// @param nowMs  where attempts that go on end
  void setAttempts(std::vector<queue::AttemptRow> attempts, qint64 nowMs);
  qint64 begin() const { return m_begin; }
  qint64 end() const { return m_end; }
  const QStringList& devices() const { return m_devices; }
  /// Nothing where there is no bar.
  const queue::AttemptRow* attemptAt(const QPoint& point) const;
  QRect barOf(const queue::AttemptRow& attempt) const;
  QSize minimumSizeHint() const override;

 Q_SIGNALS:
  /// What is seen begins earlier than what was read.
  void earlierWanted(qint64 sinceMs);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  bool event(QEvent* event) override;

 private:
  void show(qint64 begin, qint64 end);
  void zoom(double factor, double at);
  double xOf(qint64 ms) const;
  qint64 timeAt(double x) const;
  int nameWidth() const;
  int rowTop(int device) const;
  void paintAxis(QPainter& painter) const;
  void paintBar(QPainter& painter, const queue::AttemptRow& attempt) const;
  QString words(const queue::AttemptRow& attempt) const;

  std::vector<queue::AttemptRow> m_attempts;
  QStringList m_devices;
  qint64 m_now = 0;
  qint64 m_begin = 0;
  qint64 m_end = 0;
  bool m_isFollowing = true;  ///< the end is now
  double m_dragX = -1;
};

}  // namespace polyptych::ui
