#pragma once

#include <QCheckBox>
#include <QFrame>
#include <QLabel>
#include <QMap>
#include <QProgressBar>
#include <QPushButton>
#include <QWidget>
#include <optional>

#include "core/backend/backend.h"
#include "ui/devices/device_meters.h"
#include "ui/devices/step_rate.h"
#include "ui/elided.h"

class QHBoxLayout;
class QVBoxLayout;

namespace polyptych::ui {

/// What one device does, in words, with its preview, its step and its meters. A device with several workers has a line for each.
/// Folded it takes two lines.
class DeviceCard : public QFrame {
  Q_OBJECT
 public:
  /// Workers that the CPU may have: each takes the memory of a model.
  static constexpr int kMostWorkers = 8;

  explicit DeviceCard(const domain::DeviceInfo& device, QWidget* parent = nullptr);

  const domain::DeviceInfo& device() const { return m_device; }
  /// "GPU 0"
  QString shortName() const;
  bool isTicked() const { return m_tick->isChecked(); }
  void setTicked(bool on) { m_tick->setChecked(on); }
  QCheckBox* tick() const { return m_tick; }
  /// How many workers it is to have; more than one for the CPU alone.
  int workers() const { return m_workers; }
  void setWorkers(int workers);
  /// True if the slot is a worker on this device, or one on two devices of which this is one.
  bool hasSlot(const QString& slotId) const;
  /// True if the slot is a worker on this device, or one of which this is the first device: what it makes is told here.
  bool leads(const QString& slotId) const;
  /// Whose card tells what this device does: its own, or that of the first of a pair.
  QString teller() const;
  void setStatus(const backend::SlotStatus& status, const QString& prompt);
  void setPreview(const domain::Image& preview);
  void setReading(const backend::DeviceReading& reading);
  void addFailure();
  /// Nothing is begun, though there may be work.
  void setPaused(bool isPaused);
  /// No run is left: a card that waited for a restart waits no more.
  void endRuns();
  /// Nobody is left to work on it.
  void clear();

  /// Whether there is no room for whole cards. One that is in trouble, was opened or has the keyboard, stays whole.
  void setCrowded(bool isCrowded);
  bool isFolded() const { return m_isFolded; }
  bool eventFilter(QObject* watched, QEvent* event) override;
  /// Something is wrong that a person may mend.
  bool isInTrouble() const;
  /// Of the workers that were set aside.
  QStringList failedSlots() const;
  /// Denoising steps a second of all its workers together.
  std::optional<double> stepsPerSecond() const;

 Q_SIGNALS:
  /// Whether it is used, or by how many workers.
  void tickChanged();
  void restartWanted(const QString& slotId);
  void logWanted();
  /// The keyboard has come to it: there is more of it to be seen.
  void unfolded();

 protected:
  void mousePressEvent(QMouseEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;

 private:
  struct Slot {
    backend::SlotStatus status;
    QString prompt;
    StepRate rate;
  };
  /// A line of a card with several workers.
  struct Line {
    QLabel* name;
    QProgressBar* bar;
    QLabel* state;
  };

  void refresh();
  void showOne(const Slot* slot);
  void showSeveral();
  void showLines(std::size_t count);
  void showMark(const char* mark, const char* role);
  void showRate();
  void placeCount(bool isBesidePrompt);
  void fold();
  QString idleWords() const;
  QString countWords(int done) const;

  domain::DeviceInfo m_device;
  QMap<QString, Slot> m_slots;  ///< that were heard of and are not stopped
  QCheckBox* m_tick;
  QLabel* m_mark;
  QLabel* m_state;
  QLabel* m_rate;
  ElidedLabel* m_prompt;
  QLabel* m_preview;
  QLabel* m_count;
  QHBoxLayout* m_promptLine;
  QHBoxLayout* m_stateLine;
  QProgressBar* m_bar;
  QWidget* m_trouble;
  QPushButton* m_restart;
  QPushButton* m_log;
  QVBoxLayout* m_lineBox;
  std::vector<Line> m_lines;
  DeviceMeters* m_meters;
  DeviceMeters* m_brief;
  int m_failures = 0;
  int m_workers = 1;
  bool m_isPaused = false;
  bool m_isCountBesidePrompt = false;
  bool m_isCrowded = false;
  bool m_isOpened = false;     ///< by hand, though it is crowded
  bool m_hasKeyFocus = false;  ///< got by keys: a click is to leave everything where it is
  bool m_isFolded = false;
};

/// What people call a worker: "GPU 0", "GPU 0 (2)" for the second on it, "CPU 1" for the first slot of the CPU, "GPU 0 + 1" for
/// a pair.
QString slotName(const QString& slotId);

/// "Generating 17 / 25", "Loading model 1.2 of 3.4 GB"; nothing for a worker that is there and waits.
QString stateInWords(const backend::SlotStatus& status);

}  // namespace polyptych::ui
