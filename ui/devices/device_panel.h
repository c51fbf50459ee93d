#pragma once

#include <QLabel>
#include <QScrollArea>
#include <QWidget>
#include <utility>
#include <vector>

#include "core/backend/backend.h"
#include "ui/devices/device_card.h"
#include "ui/devices/device_log.h"

class QCheckBox;
class QVBoxLayout;

namespace polyptych::ui {

/// The right side: a card a device, and a sentence where there is no GPU. With more than kMostWhole devices the cards of those
/// that simply work or wait are folded.
class DevicePanel : public QWidget {
  Q_OBJECT
 public:
  static constexpr int kMostWhole = 5;

  explicit DevicePanel(QWidget* parent = nullptr);

  /// Makes the cards anew. @param ticked  ids or UUIDs remembered; nothing known: all GPUs, or else the CPU
  void setDevices(const std::vector<domain::DeviceInfo>& devices, const QStringList& ticked);
  const std::vector<domain::DeviceInfo>& devices() const { return m_devices; }
  const std::vector<DeviceCard*>& cards() const { return m_cards; }
  /// A list for domain::chooseDevices(): "cpu:2,GPU-...", with "GPU-...+GPU-..." for two that work together; empty if nothing is
  /// ticked.
  QString tickedList() const;
  /// Ids or UUIDs, to be remembered.
  QStringList tickedNames() const;
  /// Workers of the CPU.
  int cpuWorkers() const;
  void setCpuWorkers(int workers);
  /// Whether ticked GPUs of a kind make each picture together, two by two. It is kept where there are no two of a kind.
  bool areTogether() const;
  void setTogether(bool areTogether);
  /// There are two of a kind.
  bool canBeTogether() const { return !pairs().empty(); }
  /// The card that tells what the worker makes.
  DeviceCard* cardOf(const QString& slotId) const;
  DeviceLog& log() { return m_log; }
  void tickAll();
  void takeFocus();

  void show(const backend::SlotStatus& status, const QString& prompt);
  void notePicture(const backend::PictureEvent& picture);
  void noteFailure(const backend::FailureEvent& failure);
  void setReadings(const std::vector<backend::DeviceReading>& readings);
  void endRuns();
  void setPaused(bool isPaused);
  /// Nobody is left to work on them.
  void stop();

 Q_SIGNALS:
  void tickChanged();
  void restartWanted(const QString& slotId);
  /// @param device  as its card calls it
  void logWanted(const QString& device);
  /// Readings are seen, or are not.
  void watched(bool isWanted);

 protected:
  void showEvent(QShowEvent* event) override;
  void hideEvent(QHideEvent* event) override;

 private:
  using Pair = std::pair<const DeviceCard*, const DeviceCard*>;
  std::vector<Pair> pairs() const;

  std::vector<domain::DeviceInfo> m_devices;
  std::vector<DeviceCard*> m_cards;
  bool m_isPaused = false;
  int m_cpuWorkers = 1;  ///< as long as there is no card
  DeviceLog m_log;
  QLabel* m_hint;
  QLabel* m_count;
  QCheckBox* m_together;
  QLabel* m_togetherHint;
  QWidget* m_togetherBox;
  QScrollArea* m_scroll;
  QVBoxLayout* m_list;
};

}  // namespace polyptych::ui
