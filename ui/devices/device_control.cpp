#include "ui/devices/device_control.h"

#include <QSettings>
#include <algorithm>
#include <utility>

#include "ui/devices/device_panel.h"
#include "ui/open_runs.h"
#include "ui/shell/preferences.h"

namespace polyptych::ui {
namespace {

/// Setting: which devices are ticked, by UUID where they have one.
constexpr QLatin1String kTicked("devices");
/// Setting: how many workers the CPU has.
constexpr QLatin1String kCpuWorkers("cpuWorkers");
/// Setting: whether GPUs of a kind make each picture together.
constexpr QLatin1String kTogether("devicesTogether");

}  // namespace

DeviceControl::DeviceControl(backend::Backend& backend, DevicePanel& panel, OpenRuns& runs, const Preferences& preferences,
                             std::vector<int> cpuCores, bool restoresSettings, QObject* parent)
    : QObject(parent),
      m_backend(backend),
      m_panel(panel),
      m_runs(runs),
      m_preferences(preferences),
      m_cpuCores(std::move(cpuCores)),
      m_restoresSettings(restoresSettings) {
  using backend::Backend;
  connect(&backend, &Backend::devicesListed, this, &DeviceControl::onDevicesListed);
  connect(&backend, &Backend::slotChanged, this, [this](const backend::SlotStatus& status) {
    m_slots.insert(status.slotId, status);
    show(status, m_currentRun);
  });
  connect(&backend, &Backend::stepFinished, this, [this](quint64 runId, const backend::SlotStatus& status) {
    m_currentRun = runId;
    show(status, runId);
  });
  connect(&backend, &Backend::previewMade, this,
          [this](quint64, qint64, const QString& slotId, const domain::Image& preview) { onPreviewMade(slotId, preview); });
  connect(&backend, &Backend::devicesMeasured, &panel, &DevicePanel::setReadings);
  connect(&backend, &Backend::pictureFinished, &panel, &DevicePanel::notePicture);
  connect(&backend, &Backend::pictureFailed, &panel, &DevicePanel::noteFailure);
  connect(&panel, &DevicePanel::watched, this, &DeviceControl::watch);
  connect(&panel, &DevicePanel::restartWanted, this, [this](const QString& slotId) {
    backend::Command command;
    command.kind = backend::Command::Kind::RestartDevice;
    command.slotId = slotId;
    m_backend.control(std::move(command));
  });
  connect(&panel, &DevicePanel::tickChanged, this, [this] {
    Q_EMIT tickChanged();
    change();
  });
}

void DeviceControl::restore() {
  if (m_restoresSettings) {
    m_panel.setCpuWorkers(QSettings().value(kCpuWorkers, 1).toInt());
    m_panel.setTogether(QSettings().value(kTogether, false).toBool());
  }
}

QVariantMap DeviceControl::session() const {
  return {{kTicked, m_panel.tickedNames()}, {kCpuWorkers, m_panel.cpuWorkers()}, {kTogether, m_panel.areTogether()}};
}

bool DeviceControl::isAnyTicked() const { return !m_panel.tickedList().isEmpty(); }

base::Result<std::vector<domain::DeviceSlot>> DeviceControl::chosen() const {
  return domain::chooseDevices(m_panel.tickedList().toStdString(), m_panel.devices(), m_cpuCores);
}

void DeviceControl::watch() { m_backend.watchDevices(m_panel.isVisible() && !m_panel.window()->isMinimized()); }

void DeviceControl::lose() {
  m_isLost = true;
  m_panel.stop();
}

void DeviceControl::onDevicesListed(const std::vector<domain::DeviceInfo>& devices) {
  // Made anew only where there are others: the cards have the person's ticks.
  if (!std::ranges::equal(devices, m_panel.devices(), {}, &domain::DeviceInfo::id, &domain::DeviceInfo::id)) {
    const bool isFirst = m_panel.devices().empty();
    m_panel.setDevices(devices, !isFirst             ? m_panel.tickedNames()
                                : m_restoresSettings ? QSettings().value(kTicked).toStringList()
                                                     : QStringList());
  }
  for (const backend::SlotStatus& status : std::as_const(m_slots)) {
    show(status, m_currentRun);
  }
  m_runs.settle();
  give();
}

void DeviceControl::show(const backend::SlotStatus& status, quint64 runId) {
  m_panel.show(status, m_runs.promptOf(runId, status.index));
}

void DeviceControl::onPreviewMade(const QString& slotId, const domain::Image& preview) {
  DeviceCard* card = m_panel.cardOf(slotId);
  if (card != nullptr && m_previewGate.lets(slotId, m_preferences.values())) {
    card->setPreview(preview);
  }
}

/// A tick counts at once, for the work that goes on: what is ticked starts, what is not finishes its picture and ends.
void DeviceControl::change() {
  if (m_isLost || m_runs.isEmpty()) {
    return;
  }
  backend::Command command;
  command.kind = backend::Command::Kind::SetDevices;
  if (isAnyTicked()) {
    auto slotList = chosen();
    if (!slotList) {
      return;
    }
    command.slots = std::move(*slotList);
  }
  m_backend.control(std::move(command));
}

void DeviceControl::give() {
  if (m_isLost || m_runs.isEmpty() || hasWorkers() || !isAnyTicked()) {
    return;
  }
  if (auto slotList = chosen()) {
    backend::Command command;
    command.kind = backend::Command::Kind::SetDevices;
    command.slots = std::move(*slotList);
    m_backend.control(std::move(command));
  }
}

}  // namespace polyptych::ui
