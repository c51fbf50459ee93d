#pragma once

#include <QCheckBox>
#include <QFrame>
#include <QLabel>
#include <QProgressBar>
#include <QWidget>
#include <optional>
#include <vector>

#include "core/backend/backend.h"
#include "ui/elided.h"

class QGridLayout;
class QVBoxLayout;

namespace polyptych::ui {

/// What one device does, in words, with its preview and its step.
class DeviceCard : public QFrame {
  Q_OBJECT
 public:
  explicit DeviceCard(const domain::DeviceInfo& device, QWidget* parent = nullptr);

  const domain::DeviceInfo& device() const { return m_device; }
  bool isTicked() const { return m_tick->isChecked(); }
  void setTicked(bool on) { m_tick->setChecked(on); }
  /// True if the slot is a worker on this device.
  bool hasSlot(const QString& slotId) const;
  void setStatus(const backend::SlotStatus& status, const QString& prompt);
  void setPreview(const domain::Image& preview);
  /// Nothing is begun, though there may be work.
  void setPaused(bool isPaused);
  /// No run is left: a card that waited for a restart waits no more.
  void endRuns();

 Q_SIGNALS:
  void tickChanged();

 private:
  void setIdle(const QString& why);
  void placeCount(bool isBesidePrompt);
  QString idleWords() const;

  domain::DeviceInfo m_device;
  QCheckBox* m_tick;
  QLabel* m_mark;
  QLabel* m_state;
  ElidedLabel* m_prompt;
  QLabel* m_preview;
  QLabel* m_count;
  QGridLayout* m_words;
  QProgressBar* m_bar;
  bool m_isRestarting = false;
  bool m_isPaused = false;
  bool m_isCountBesidePrompt = false;
  std::optional<backend::SlotStatus> m_last;
  QString m_lastPrompt;
};

/// The right side: a card a device, and a sentence where there is no GPU.
class DevicePanel : public QWidget {
  Q_OBJECT
 public:
  explicit DevicePanel(QWidget* parent = nullptr);

  /// Makes the cards anew. @param ticked  ids or UUIDs remembered; nothing known: all GPUs, or else the CPU
  void setDevices(const std::vector<domain::DeviceInfo>& devices, const QStringList& ticked);
  const std::vector<domain::DeviceInfo>& devices() const { return m_devices; }
  const std::vector<DeviceCard*>& cards() const { return m_cards; }
  /// A list for domain::chooseDevices(): "cuda:0,GPU-...": empty if nothing is ticked.
  QString tickedList() const;
  QStringList tickedNames() const;
  DeviceCard* cardOf(const QString& slotId) const;
  void endRuns();
  void setPaused(bool isPaused);
  /// Nobody is left to work on them.
  void stop();

 Q_SIGNALS:
  void tickChanged();

 private:
  std::vector<domain::DeviceInfo> m_devices;
  std::vector<DeviceCard*> m_cards;
  bool m_isPaused = false;
  QLabel* m_hint;
  QLabel* m_count;
  QVBoxLayout* m_list;
};

/// "Generating 17 / 25", "Loading model 1.2 of 3.4 GB"; nothing for a worker that is there and waits.
QString stateInWords(const backend::SlotStatus& status);

}  // namespace polyptych::ui
