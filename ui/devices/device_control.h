#pragma once

#include <QHash>
#include <QObject>
#include <QVariantMap>
#include <vector>

#include "core/backend/backend.h"
#include "core/domain/device_choice.h"
#include "ui/shell/preview_gate.h"

namespace polyptych::ui {

class DevicePanel;
class OpenRuns;
class Preferences;

/// Between the cards of the devices and the backend: what is ticked works, and what a worker does is seen on its card.
class DeviceControl : public QObject {
  Q_OBJECT
 public:
  /// All outlive it. @param cpuCores  that CPU workers may use
  DeviceControl(backend::Backend& backend, DevicePanel& panel, OpenRuns& runs, const Preferences& preferences,
                std::vector<int> cpuCores, bool restoresSettings, QObject* parent = nullptr);

  bool isAnyTicked() const;
  /// What is ticked, as workers.
  base::Result<std::vector<domain::DeviceSlot>> chosen() const;
  /// A backend that was started anew has the work of the one before it and no device to do it on.
  void give();
  /// The backend has told of workers, since the connection stands.
  bool hasWorkers() const { return !m_slots.isEmpty(); }
  /// The connection is made anew: all workers will be told again.
  void forget() { m_slots.clear(); }
  /// There is no backend any more.
  void lose();
  /// A window that nobody sees wants no readings.
  void watch();
  /// The run that was worked on last.
  quint64 currentRun() const { return m_currentRun; }
  void setCurrentRun(quint64 runId) { m_currentRun = runId; }

  /// Workers, as the last start left them; ticks follow once the devices are listed.
  void restore();
  /// For the next start, by the keys of the settings.
  QVariantMap session() const;

 Q_SIGNALS:
  void tickChanged();

 private:
  void change();
  void show(const backend::SlotStatus& status, quint64 runId);
  void onDevicesListed(const std::vector<domain::DeviceInfo>& devices);
  void onPreviewMade(const QString& slotId, const domain::Image& preview);

  backend::Backend& m_backend;
  DevicePanel& m_panel;
  OpenRuns& m_runs;
  const Preferences& m_preferences;
  const std::vector<int> m_cpuCores;
  const bool m_restoresSettings;
  PreviewGate m_previewGate;
  QHash<QString, backend::SlotStatus> m_slots;  ///< by id
  quint64 m_currentRun = 0;
  bool m_isLost = false;
};

}  // namespace polyptych::ui
