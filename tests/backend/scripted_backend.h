#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <vector>

#include "core/backend/backend.h"

namespace polyptych::tests {

/// A backend without workers that does what it is told to. It keeps what it was asked for.
class ScriptedBackend : public backend::Backend {
  Q_OBJECT
 public:
  quint64 submit(backend::RunSpec spec) override {
    const quint64 id = spec.id;
    specs.push_back(std::move(spec));
    if (onSubmit) {
      onSubmit(specs.back());
    }
    return id;
  }
  void cancelRun(quint64 runId) override {
    cancelled.push_back(runId);
    if (onCancel) {
      onCancel(runId);
    }
  }
  quint64 control(backend::Command command) override {
    commands.push_back(std::move(command));
    const quint64 id = 1000 + commands.size();
    if (answersAtOnce) {
      Q_EMIT commandDone({id, std::nullopt, qint64(commands.size()), 0});
    } else {
      open.push_back(id);
    }
    return id;
  }
  void listDevices() override {
    ++lists;
    QMetaObject::invokeMethod(
        this,
        [this] {
          domain::DeviceInfo cpu;
          cpu.id = "cpu";
          cpu.name = "Scripted CPU";
          cpu.cores = 2;
          Q_EMIT devicesListed({cpu});
        },
        Qt::QueuedConnection);
  }
  void refresh() override {
    ++refreshes;
    Q_EMIT queueChanged({backend::PauseReason::User, QStringLiteral("Paused."), 5, 0, 0});
  }

  void finish(quint64 runId, bool wasCancelled = false) {
    backend::RunSummary summary;
    summary.runId = runId;
    summary.total = summary.made = 1;
    summary.wasCancelled = wasCancelled;
    Q_EMIT runFinished(summary);
  }
  void refuse(quint64 runId, base::Error error) {
    backend::RunSummary summary;
    summary.runId = runId;
    summary.error = std::move(error);
    Q_EMIT runFinished(summary);
  }
  void step(const QString& slotId, int step) {
    backend::SlotStatus status;
    status.slotId = slotId;
    status.state = backend::SlotState::Busy;
    status.index = 0;
    status.progress = {domain::Stage::Denoising, step, 1'000'000};
    Q_EMIT stepFinished(1, status);
  }

  std::function<void(const backend::RunSpec&)> onSubmit;
  std::function<void(quint64)> onCancel;
  bool answersAtOnce = false;
  std::vector<backend::RunSpec> specs;
  std::vector<quint64> cancelled;
  std::vector<backend::Command> commands;
  std::vector<quint64> open;  ///< numbers of commands without an answer
  int lists = 0;
  int refreshes = 0;
};

}  // namespace polyptych::tests
