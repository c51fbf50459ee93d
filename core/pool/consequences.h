#pragma once

#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/pool/supervision_limits.h"

namespace polyptych::pool {

/// What follows from an error. Those of a unit come first in a list, then those of the device, then those of the queue.
enum class Consequence {
  RetryAnywhere,       ///< the unit waits again, in front
  RetryElsewhere,      ///< the same, and it avoids this slot
  AskLadder,           ///< OutOfMemoryLadder::decide() says how the unit goes on
  ParkUnit,            ///< the unit waits for the user, with a proposal (PoisonRule)
  FailUnit,            ///< the unit's pictures failed, with the error
  KeepPictures,        ///< the pictures are made: they are kept, and written again when the library can be written
  AvoidForModel,       ///< units of this model avoid the slot
  EndRun,              ///< every unit of the run would meet this: the run ends with the error
  CountDeath,          ///< one more death of the unit, on disk, before it waits again
  CountAgainstDevice,  ///< Breaker::noteFailure()
  RestartWorker,       ///< RestartPolicy::noteDeath() says when, or that the device is set aside
  RecycleWorker,       ///< the worker is ended and started again at once: its memory is not trusted
  SetDeviceAside,      ///< no start of this worker can go well
  PauseQueue,          ///< the library or the host: nothing new is begun until the trouble ends
};

/// "retry_anywhere" and so on; for the log and for attempts on disk.
std::string_view nameOf(Consequence consequence);

struct FailureContext {
  enum class Where {
    StartingWorker,  ///< from exec to Hello
    LoadingModel,
    InWork,
    Idle,            ///< a worker without a unit and not loading
    SavingPictures,  ///< the backend's own: a unit is made and its pictures are not on disk yet
  };
  Where where = Where::InWork;
  bool isWorkerAlive = false;      ///< InWork, LoadingModel: the worker said so itself and goes on
  int deaths = 0;                  ///< of the unit, this one not included
  bool hasOtherDevice = false;     ///< another slot that is not set aside may take the unit
  bool isPlanChanged = false;      ///< the ladder has changed the unit's plan
  bool isSharedBySettings = true;  ///< all units of the run have the same settings but for prompt and seed
};

/// What an error of a unit or a worker means. Total: every code in every place has an answer; only Cancelled has the empty one.
///
/// Where a unit is concerned (InWork, SavingPictures) exactly one of RetryAnywhere, RetryElsewhere, AskLadder, ParkUnit,
/// FailUnit, KeepPictures and EndRun is in the list. In the table
///   again   CountDeath, with ParkUnit if that was the last allowed death, else with RetryElsewhere if there is another
///           device, else with RetryAnywhere
///   all     EndRun if the run's units share their settings, else FailUnit; but ParkUnit if the ladder changed the plan
///   device  RestartWorker, and CountAgainstDevice if countsAgainstDevice()
///   count   CountAgainstDevice
///   load    AvoidForModel if there is another device, else what stands behind it
///   keep    KeepPictures, PauseQueue
///
///                    StartingWorker  LoadingModel     Idle    InWork, worker lives           InWork, ended        SavingPictures
///   InvalidArgument  SetDeviceAside  EndRun           device  all                            again, device        FailUnit
///   NotFound         SetDeviceAside  EndRun           device  all                            again, device        keep
///   Unsupported      SetDeviceAside  load, EndRun     device  all                            again, device        FailUnit
///   Corrupt          device          EndRun           device  all                            again, device        again, (1)
///   ModelUnusable    device          EndRun           device  all                            again, device        FailUnit
///   OutOfMemory      device          load, device     device  AskLadder, RecycleWorker (2)   AskLadder, Restart   keep
///   DeviceLost       device          device           device  again, device                  again, device        FailUnit
///   WorkerDied       device          device           device  again, device                  again, device        FailUnit
///   Io               device          device           device  again, count                   again, device        keep
///   DiskFull         PauseQueue      PauseQueue       device  RetryAnywhere, PauseQueue      the same, Restart    keep
///   AlreadyExists    device          device           device  FailUnit                       again, device        EndRun
///   Protocol         device          device           device  again, device                  again, device        FailUnit
///   VersionMismatch  SetDeviceAside  SetDeviceAside   (3)     RetryAnywhere, SetDeviceAside  the same             FailUnit
///   Timeout          device          device           device  again, device                  again, device        keep
///   Cancelled        -               -                -       -                              -                    -
///   Internal         device          device           device  (4), count                     again, device        FailUnit
///
///   (1) CountAgainstDevice, RecycleWorker: it sent another picture than it was asked for
///   (2) what is left of the memory after a refusal says nothing of the next unit; the ladder judges clean workers alone
///   (3) SetDeviceAside
///   (4) again if there is another device, else FailUnit
///
/// After an EndRun or AvoidForModel at a load the device is well: it may be started again at once for another model.
std::vector<Consequence> consequencesOf(base::ErrorCode code, const FailureContext& context, const SupervisionLimits& limits);

/// True if an error of this kind says something against the device rather than against the request, the model or the disk. Out of
/// memory does so only when nothing helped (`isFinal`): on the way down the ladder it is expected.
bool countsAgainstDevice(base::ErrorCode code, bool isFinal);

}  // namespace polyptych::pool
