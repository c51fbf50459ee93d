#pragma once

#include <map>
#include <optional>
#include <vector>

#include "core/backend/backend.h"
#include "ui/main_window.h"

namespace polyptych::tests {

/// A backend without workers: keeps what it was asked for, and tells what a test makes it tell.
class FakeBackend : public backend::Backend {
  Q_OBJECT
 public:
  explicit FakeBackend(std::vector<domain::DeviceInfo> devices) : m_devices(std::move(devices)) {}

  quint64 submit(backend::RunSpec spec) override {
    specs.push_back(std::move(spec));
    return specs.size();
  }
  void cancelRun(quint64 runId) override { cancelled.push_back(runId); }
  quint64 control(backend::Command command) override {
    commands.push_back(std::move(command));
    return commands.size();
  }
  void listDevices() override {
    QMetaObject::invokeMethod(
        this, [this] { Q_EMIT devicesListed(m_devices); }, Qt::QueuedConnection);
  }
  void refresh() override { ++refreshes; }
  void watchDevices(bool isWanted) override { isWatched = isWanted; }
  void measure(std::vector<backend::DeviceReading> readings) { Q_EMIT devicesMeasured(readings); }

  void start(quint64 runId = 1) {
    backend::RunStatus status;
    status.runId = runId;
    status.total = total(runId);
    status.folder = QStringLiteral("/library/pictures/") + QString::number(runId);
    Q_EMIT runStarted(runId, status.total, 0);
    tell(status);
  }
  /// A run that goes on, as runChanged tells it.
  void tell(const backend::RunStatus& status) {
    statuses[status.runId] = status;
    Q_EMIT runChanged(status);
  }
  void pause(backend::PauseReason reason, const QString& sentence = {}) {
    backend::QueueStatus status;
    status.pause = reason;
    status.sentence = sentence;
    Q_EMIT queueChanged(status);
  }
  /// Answers the last command.
  void answer(qint64 undoId = 0, std::optional<base::Error> error = {}) {
    Q_EMIT commandDone({commands.size(), std::move(error), 1, undoId});
  }
  void lose(base::Error error) { Q_EMIT lost(error); }
  void step(const QString& slotId, qint64 index, int step, int steps, domain::Stage stage = domain::Stage::Denoising,
            quint64 runId = 1, int done = 0) {
    backend::SlotStatus status;
    status.slotId = slotId;
    status.state = backend::SlotState::Busy;
    status.index = index;
    status.progress = {stage, step, steps};
    status.picturesDone = done;
    Q_EMIT slotChanged(status);
    Q_EMIT stepFinished(runId, status);
  }
  void preview(const QString& slotId, qint64 index, const domain::Image& image, quint64 runId = 1) {
    Q_EMIT previewMade(runId, index, slotId, image);
  }
  void picture(qint64 index, const QString& path, const QString& slotId = QStringLiteral("cpu:0"), quint64 runId = 1) {
    Q_EMIT pictureFinished({runId, index, path, slotId, 1.0, false});
    ++statuses[runId].made;
    tell(statuses[runId]);
  }
  void fail(qint64 index, base::Error error, quint64 runId = 1) {
    Q_EMIT pictureFailed({runId, index, QStringLiteral("cpu:0"), std::move(error)});
    ++statuses[runId].failed;
    tell(statuses[runId]);
  }
  void warn(domain::WarningCode code, std::string sentence, quint64 runId = 1) {
    Q_EMIT warned(runId, {code, std::move(sentence)});
  }
  void failSlot(const QString& slotId, base::ErrorCode code, const QString& reason, bool willRestart) {
    backend::SlotStatus status;
    status.slotId = slotId;
    status.state = backend::SlotState::Failed;
    status.reason = reason;
    status.failure = code;
    status.willRestart = willRestart;
    Q_EMIT slotChanged(status);
  }
  void state(const QString& slotId, backend::SlotState state, quint64 loaded = 0, quint64 bytes = 0) {
    backend::SlotStatus status;
    status.slotId = slotId;
    status.state = state;
    status.loadedBytes = loaded;
    status.totalBytes = bytes;
    Q_EMIT slotChanged(status);
  }
  void finish(std::int64_t made, std::int64_t failed = 0, bool wasCancelled = false, quint64 runId = 1) {
    backend::RunSummary summary;
    summary.runId = runId;
    backend::RunStatus& status = statuses[runId];
    summary.total = status.total;
    summary.made = made;
    summary.failed = failed;
    summary.wasCancelled = wasCancelled;
    status.state = wasCancelled ? backend::RunState::Cancelled : backend::RunState::Finished;
    status.made = made;
    status.failed = failed;
    status.cancelled = status.total - made - failed;
    tell(status);
    Q_EMIT runFinished(summary);
  }
  void refuse(base::Error error, quint64 runId = 1) {
    backend::RunSummary summary;
    summary.runId = runId;
    summary.error = std::move(error);
    Q_EMIT runFinished(summary);
  }
  qint64 total(quint64 runId) const { return static_cast<qint64>(specs[runId - 1].requests.size()); }

  std::vector<backend::RunSpec> specs;
  std::vector<quint64> cancelled;
  std::vector<backend::Command> commands;
  std::map<quint64, backend::RunStatus> statuses;
  bool isWatched = false;
  int refreshes = 0;

 private:
  std::vector<domain::DeviceInfo> m_devices;
};

inline domain::DeviceInfo cpuDevice() {
  domain::DeviceInfo device;
  device.id = "cpu";
  device.name = "Fake CPU";
  device.totalBytes = 16ull << 30;
  device.cores = 2;
  return device;
}

inline domain::DeviceInfo gpuDevice(int number) {
  domain::DeviceInfo device;
  device.id = "cuda:" + std::to_string(number);
  device.kind = domain::DeviceKind::Cuda;
  device.name = "Fake GPU 4090";
  device.totalBytes = number == 2 ? 4ull << 30 : 24ull << 30;
  device.uuid = "GPU-0000000" + std::to_string(number);
  return device;
}

/// Options of a window that knows one model and touches no file of the machine.
inline ui::MainWindowOptions windowOptions() {
  ui::MainWindowOptions options;
  options.restoresSettings = false;
  options.model = QStringLiteral("test/small-model");
  options.cpuCores = {0, 1};
  options.listModels = [](const QStringList&) {
    models::ModelSummary model;
    model.name = model.reference = QStringLiteral("test/small-model");
    model.isUsable = true;
    return QVector<models::ModelSummary>{model};
  };
  options.describeModel = [](const QString& reference) -> base::Result<models::ModelDescription> {
    if (reference != QLatin1String("test/small-model")) {
      return base::Error{base::ErrorCode::NotFound, "There is no such model here.", {}};
    }
    models::ModelDescription model;
    model.summary.name = reference;
    model.summary.path = QStringLiteral("/models/small");
    model.width = 256;
    model.height = 192;
    return model;
  };
  return options;
}

inline domain::Image plainImage(int side, std::uint8_t value) {
  return {side, side, std::vector<std::uint8_t>(static_cast<std::size_t>(3 * side * side), value)};
}

}  // namespace polyptych::tests
