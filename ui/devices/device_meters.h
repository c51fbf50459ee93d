#pragma once

#include <QString>
#include <QWidget>
#include <deque>

#include "core/backend/backend.h"

namespace polyptych::ui {

/// How a device does: its memory in three parts that differ without colour too (ours full, others hatched, free empty; whose it
/// is not known, a thin line), and what it was kept busy with over the last two minutes, with its figures. Words for each part
/// under the pointer.
class DeviceMeters : public QWidget {
  Q_OBJECT
 public:
  /// All: two lines. Brief: one short bar with the figure of its utilisation, for a card that is folded.
  enum class Kind { All, Brief };
  explicit DeviceMeters(const domain::DeviceInfo& device, Kind kind, QWidget* parent = nullptr);

  void setReading(const backend::DeviceReading& reading);
  const std::deque<double>& utilisations() const { return m_utilisations; }
  /// "14.6 / 24 GB"
  QString memoryText() const;
  /// "98 %  66 °C  402 W"; what is not known is left out.
  QString figures() const;
  /// What each part is, for the tool tip and for those who cannot see it.
  QString memoryWords() const;
  QString utilisationWords() const;

  QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool event(QEvent* event) override;

 private:
  void tellWords();
  void paintMemory(QPainter& painter, const QRect& bar) const;
  void paintSpark(QPainter& painter, const QRectF& room) const;
  int lineHeight() const;

  const bool m_isCpu;
  const Kind m_kind;
  backend::DeviceReading m_reading;
  bool m_isRead = false;
  std::deque<double> m_utilisations;  ///< 0 to 1, the newest last; about one a second
};

}  // namespace polyptych::ui
