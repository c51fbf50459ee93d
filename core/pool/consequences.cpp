#include "core/pool/consequences.h"

namespace polyptych::pool {

using base::ErrorCode;
using Where = FailureContext::Where;
using List = std::vector<Consequence>;

namespace {

List operator+(List list, const List& more) {
  list.insert(list.end(), more.begin(), more.end());
  return list;
}

/// What a worker that ended means for its device.
List device(ErrorCode code) {
  return countsAgainstDevice(code, true) ? List{Consequence::CountAgainstDevice, Consequence::RestartWorker}
                                         : List{Consequence::RestartWorker};
}

List again(const FailureContext& context, const SupervisionLimits& limits) {
  if (limits.maxDeathsPerUnit > 0 && context.deaths + 1 >= limits.maxDeathsPerUnit) {
    return {Consequence::ParkUnit, Consequence::CountDeath};
  }
  return {context.hasOtherDevice ? Consequence::RetryElsewhere : Consequence::RetryAnywhere, Consequence::CountDeath};
}

List all(const FailureContext& context) {
  if (context.isPlanChanged) {
    return {Consequence::ParkUnit};
  }
  return {context.isSharedBySettings ? Consequence::EndRun : Consequence::FailUnit};
}

List ofStart(ErrorCode code) {
  switch (code) {
    case ErrorCode::Cancelled:
      return {};
    case ErrorCode::InvalidArgument:
    case ErrorCode::NotFound:
    case ErrorCode::Unsupported:
    case ErrorCode::VersionMismatch:
      return {Consequence::SetDeviceAside};
    case ErrorCode::DiskFull:
      return {Consequence::PauseQueue};
    case ErrorCode::Corrupt:
    case ErrorCode::ModelUnusable:
    case ErrorCode::OutOfMemory:
    case ErrorCode::DeviceLost:
    case ErrorCode::WorkerDied:
    case ErrorCode::Io:
    case ErrorCode::AlreadyExists:
    case ErrorCode::Protocol:
    case ErrorCode::Timeout:
    case ErrorCode::Internal:
      return device(code);
  }
  return device(code);
}

List ofLoad(ErrorCode code, const FailureContext& context) {
  switch (code) {
    case ErrorCode::Cancelled:
      return {};
    case ErrorCode::InvalidArgument:
    case ErrorCode::NotFound:
    case ErrorCode::Corrupt:
    case ErrorCode::ModelUnusable:
      return {Consequence::EndRun};
    case ErrorCode::Unsupported:
      return {context.hasOtherDevice ? Consequence::AvoidForModel : Consequence::EndRun};
    case ErrorCode::OutOfMemory:
      return context.hasOtherDevice ? List{Consequence::AvoidForModel} : device(code);
    case ErrorCode::VersionMismatch:
      return {Consequence::SetDeviceAside};
    case ErrorCode::DiskFull:
      return {Consequence::PauseQueue};
    case ErrorCode::DeviceLost:
    case ErrorCode::WorkerDied:
    case ErrorCode::Io:
    case ErrorCode::AlreadyExists:
    case ErrorCode::Protocol:
    case ErrorCode::Timeout:
    case ErrorCode::Internal:
      return device(code);
  }
  return device(code);
}

List ofIdle(ErrorCode code) {
  if (code == ErrorCode::Cancelled) {
    return {};
  }
  return code == ErrorCode::VersionMismatch ? List{Consequence::SetDeviceAside} : device(code);
}

List ofUnitInWork(ErrorCode code, const FailureContext& context, const SupervisionLimits& limits) {
  const bool isAlive = context.isWorkerAlive;
  switch (code) {
    case ErrorCode::Cancelled:
      return {};
    case ErrorCode::InvalidArgument:
    case ErrorCode::NotFound:
    case ErrorCode::Unsupported:
    case ErrorCode::Corrupt:
    case ErrorCode::ModelUnusable:
      return isAlive ? all(context) : again(context, limits) + device(code);
    case ErrorCode::OutOfMemory:
      return {Consequence::AskLadder, isAlive ? Consequence::RecycleWorker : Consequence::RestartWorker};
    case ErrorCode::Io:
      return again(context, limits) + (isAlive ? List{Consequence::CountAgainstDevice} : device(code));
    case ErrorCode::DiskFull:
      return isAlive ? List{Consequence::RetryAnywhere, Consequence::PauseQueue}
                     : List{Consequence::RetryAnywhere, Consequence::RestartWorker, Consequence::PauseQueue};
    case ErrorCode::AlreadyExists:
      return isAlive ? List{Consequence::FailUnit} : again(context, limits) + device(code);
    case ErrorCode::VersionMismatch:
      return {Consequence::RetryAnywhere, Consequence::SetDeviceAside};
    case ErrorCode::Internal:
      if (isAlive) {
        return (context.hasOtherDevice ? again(context, limits) : List{Consequence::FailUnit}) +
               List{Consequence::CountAgainstDevice};
      }
      return again(context, limits) + device(code);
    case ErrorCode::DeviceLost:
    case ErrorCode::WorkerDied:
    case ErrorCode::Protocol:
    case ErrorCode::Timeout:
      return again(context, limits) + device(code);
  }
  return again(context, limits) + device(code);
}

List ofSaving(ErrorCode code, const FailureContext& context, const SupervisionLimits& limits) {
  switch (code) {
    case ErrorCode::Cancelled:
      return {};
    case ErrorCode::NotFound:
    case ErrorCode::OutOfMemory:
    case ErrorCode::Io:
    case ErrorCode::DiskFull:
    case ErrorCode::Timeout:
      return {Consequence::KeepPictures, Consequence::PauseQueue};
    case ErrorCode::Corrupt:
      return again(context, limits) + List{Consequence::CountAgainstDevice, Consequence::RecycleWorker};
    case ErrorCode::AlreadyExists:
      return {Consequence::EndRun};
    case ErrorCode::InvalidArgument:
    case ErrorCode::Unsupported:
    case ErrorCode::ModelUnusable:
    case ErrorCode::DeviceLost:
    case ErrorCode::WorkerDied:
    case ErrorCode::Protocol:
    case ErrorCode::VersionMismatch:
    case ErrorCode::Internal:
      return {Consequence::FailUnit};
  }
  return {Consequence::FailUnit};
}

}  // namespace

std::string_view nameOf(Consequence consequence) {
  switch (consequence) {
    case Consequence::RetryAnywhere:
      return "retry_anywhere";
    case Consequence::RetryElsewhere:
      return "retry_elsewhere";
    case Consequence::AskLadder:
      return "ask_ladder";
    case Consequence::ParkUnit:
      return "park_unit";
    case Consequence::FailUnit:
      return "fail_unit";
    case Consequence::KeepPictures:
      return "keep_pictures";
    case Consequence::AvoidForModel:
      return "avoid_for_model";
    case Consequence::EndRun:
      return "end_run";
    case Consequence::CountDeath:
      return "count_death";
    case Consequence::CountAgainstDevice:
      return "count_against_device";
    case Consequence::RestartWorker:
      return "restart_worker";
    case Consequence::RecycleWorker:
      return "recycle_worker";
    case Consequence::SetDeviceAside:
      return "set_device_aside";
    case Consequence::PauseQueue:
      return "pause_queue";
  }
  return "unknown";
}

List consequencesOf(ErrorCode code, const FailureContext& context, const SupervisionLimits& limits) {
  switch (context.where) {
    case Where::StartingWorker:
      return ofStart(code);
    case Where::LoadingModel:
      return ofLoad(code, context);
    case Where::Idle:
      return ofIdle(code);
    case Where::InWork:
      return ofUnitInWork(code, context, limits);
    case Where::SavingPictures:
      return ofSaving(code, context, limits);
  }
  return {};
}

bool countsAgainstDevice(ErrorCode code, bool isFinal) {
  switch (code) {
    case ErrorCode::DeviceLost:
    case ErrorCode::WorkerDied:
    case ErrorCode::Protocol:
    case ErrorCode::Timeout:
    case ErrorCode::Internal:
    case ErrorCode::Io:
      return true;
    case ErrorCode::OutOfMemory:
      return isFinal;
    case ErrorCode::InvalidArgument:
    case ErrorCode::NotFound:
    case ErrorCode::Unsupported:
    case ErrorCode::Corrupt:
    case ErrorCode::ModelUnusable:
    case ErrorCode::DiskFull:
    case ErrorCode::AlreadyExists:
    case ErrorCode::VersionMismatch:
    case ErrorCode::Cancelled:
      return false;
  }
  return false;
}

}  // namespace polyptych::pool
