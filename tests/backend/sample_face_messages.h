#pragma once

#include <vector>

#include "core/backend/face_messages.h"

namespace polyptych::tests {

inline backend::RunSpec sampleSpec(std::size_t pictures, quint64 id = 77) {
  backend::RunSpec spec;
  spec.id = id;
  for (std::size_t i = 0; i < pictures; ++i) {
    domain::GenerationRequest request;
    request.index = static_cast<std::int64_t>(i);
    request.promptIndex = static_cast<std::int64_t>(i / 2);
    request.prompt = "a lighthouse on a cliff, number " + std::to_string(i / 2) + ", gr\xC3\xBC\xC3\x9F dich";
    if (i % 2 == 0) {
      request.negativePrompt = "blurry";
      request.clipSkip = 1;
    }
    request.seed = 0xFFFFFFFFFFFFFF00ULL + i;
    request.width = 64;
    request.height = 72;
    request.steps = 3;
    request.guidanceScale = 7.25;
    request.guidanceRescale = 0.5;
    request.scheduler = "Euler";
    spec.requests.push_back(request);
  }
  spec.plan.model = {"/models/m", "org/m", "00ff", "fp16"};
  spec.plan.computeType = domain::ComputeType::Auto;
  spec.plan.noise = domain::NoiseKind::Model;
  spec.plan.threads = 0;
  spec.plan.batch = 2;
  spec.plan.vaeTiling = true;
  spec.slots = {{"cpu:0", domain::DeviceKind::Cpu, "CPU", "", {0, 3}},
                {"cuda:1#2", domain::DeviceKind::Cuda, "GPU", "GPU-1", {}},
                {"cpu:1+cpu:2", domain::DeviceKind::Cpu, "CPU", "", {1}, domain::PartnerDevice{"CPU", "", {2}}}};
  spec.wantsPreviews = true;
  return spec;
}

inline backend::SlotStatus sampleSlot() {
  backend::SlotStatus status;
  status.slotId = QStringLiteral("cuda:0");
  status.deviceName = QStringLiteral("GPU");
  status.state = backend::SlotState::Failed;
  status.reason = QStringLiteral("It fell.");
  status.failure = base::ErrorCode::DeviceLost;
  status.willRestart = true;
  status.loadedBytes = 5;
  status.totalBytes = quint64(1) << 40;
  status.index = -1;
  status.progress = {domain::Stage::Denoising, 2, 3};
  status.picturesDone = 4;
  return status;
}

/// One message of each type, and those of which there are two kinds.
inline std::vector<backend::face::Message> sampleFaceMessages() {
  using namespace backend;
  using namespace backend::face;
  const base::Error error{base::ErrorCode::OutOfMemory, "Too large. Choose a smaller size.", "detail"};
  RunSpec withLatents = sampleSpec(1);
  withLatents.initialLatents = {std::byte{1}, std::byte{2}};
  Command select;
  select.kind = Command::Kind::MoveBefore;
  select.jobs = {{3, 4, qint64(1) << 60}, 0};
  select.before = 9;
  Command devices;
  devices.kind = Command::Kind::SetDevices;
  devices.jobs.runId = 5;
  devices.slots = sampleSpec(0).slots;
  devices.slotId = QStringLiteral("cpu:0");
  Command mark;
  mark.kind = Command::Kind::Mark;
  mark.marks = {{1, 2, qint64(1) << 40},
                4,
                -1,
                {QStringLiteral("best"), QStringLiteral("고양이")},
                {QStringLiteral("old")},
                QStringLiteral("Boats"),
                QStringLiteral("Cats"),
                true};
  Command limits;
  limits.kind = Command::Kind::SetLimits;
  limits.limits = pool::SupervisionLimits{};
  limits.limits->stopAfter = std::chrono::minutes(60);
  DeviceReading reading;
  reading.deviceId = QStringLiteral("cuda:0");
  reading.totalBytes = 24ULL << 30;
  reading.usedBytes = 5ULL << 30;
  reading.oursBytes = 4ULL << 30;
  reading.utilisation = 0.75;
  reading.temperatureCelsius = 61;
  reading.powerWatts = 120.5;
  SlotStatus plainSlot = sampleSlot();
  plainSlot.failure.reset();
  domain::DeviceInfo gpu;
  gpu.id = "cuda:0";
  gpu.kind = domain::DeviceKind::Cuda;
  gpu.name = "GPU";
  gpu.uuid = "GPU-1";
  gpu.totalBytes = gpu.freeBytes = 24ULL << 30;
  gpu.powerWatts = 71.5;
  RunStatus run;
  run.runId = 5;
  run.number = 1;
  run.createdMs = 1700000000000;
  run.title = QStringLiteral("a lighthouse");
  run.folder = QStringLiteral("/library/pictures/x");
  run.state = RunState::Cancelled;
  run.isPaused = true;
  run.total = 10;
  run.made = 4;
  run.alreadyThere = 1;
  run.failed = 2;
  run.cancelled = 3;
  return {
      Hello{"00ff", QStringLiteral("1.2.3"), QStringLiteral("window")},
      Submit{sampleSpec(3)},
      Submit{withLatents},
      CancelRun{5},
      Control{7, select},
      Control{8, devices},
      ListDevices{},
      Refresh{},
      Goodbye{true},
      Retire{"00ff", QStringLiteral("1.2.3")},
      Await{{1, 2, quint64(1) << 47}},
      Welcome{QStringLiteral("1.2.3"), 4321, QStringLiteral("/library")},
      Refused{error},
      Retiring{},
      Devices{{gpu, {"cpu", domain::DeviceKind::Cpu, "CPU", "", 1, 0, 2, -1, -1}}},
      QueueChanged{{PauseReason::UncleanEnd, QStringLiteral("Go on?"), 3, 1, 2}},
      RunChanged{run},
      CommandDone{{7, error, 0, 0}},
      CommandDone{{7, std::nullopt, 12, 34}},
      RunStarted{5, 10, 2},
      SlotChanged{sampleSlot()},
      SlotChanged{plainSlot},
      StepFinished{5, plainSlot},
      Preview{5, 3, QStringLiteral("cpu:0"), {2, 1, {1, 2, 3, 4, 5, 6}}},
      PictureFinished{{5, 3, QStringLiteral("/library/pictures/x/1.png"), QStringLiteral("cpu:0"), 1.5, true}},
      PictureFailed{{5, 3, QStringLiteral("cpu:0"), error}},
      Trace{5, "safetensors"},
      Warned{5, {domain::WarningCode::PromptCut, "The words 'x' were left out."}},
      RunFinished{{5, 10, 4, 1, 2, true, error}},
      RunFinished{{5, 10, 9, 1, 0, false, std::nullopt}},
      Lost{error},
      WatchDevices{true},
      DevicesMeasured{{reading, {QStringLiteral("cpu"), 1, 1, 0, -1, -1, -1, -1}}},
      PicturesMarked{{1, 2, qint64(1) << 40}},
      LimitsChanged{*limits.limits},
      Control{9, mark},
      Control{10, limits},
  };
}

}  // namespace polyptych::tests
