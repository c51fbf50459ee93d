#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace polyptych::cluster {

/// What started this process as one of several.
enum class Launcher {
  None,                     ///< one process
  Torchrun,                 ///< torchrun, accelerate launch, our own `launch`, or whoever sets RANK and WORLD_SIZE
  OpenMpi,                  ///< mpirun of Open MPI
  Mvapich,                  ///< mpirun of MVAPICH2
  ProcessManagerInterface,  ///< mpirun of MPICH and Intel MPI (Hydra)
  Slurm                     ///< srun
};

/// "torchrun" and so on.
std::string_view nameOf(Launcher launcher);

/// A variable that decided something.
struct Reason {
  std::string variable;
  std::string value;
  std::string meaning;  ///< "rank", "world size", ...
};

/// Which process of a group this one is, and where the group meets.
struct LaunchEnvironment {
  Launcher launcher = Launcher::None;
  int rank = 0;
  int worldSize = 1;
  int localRank = 0;  ///< among the processes of this machine
  int localWorldSize = 1;
  std::string masterAddress;  ///< host of rank 0; empty without a launcher
  std::uint16_t masterPort = 0;
  /// The store is there already, kept by torchrun's agent; otherwise rank 0 keeps it.
  bool hasAgentStore = false;
  int restartCount = 0;  ///< how often the launcher has started the group again
  std::string runId;     ///< the launcher's name for the job; may be empty
  std::vector<Reason> reasons;

  bool isGroup() const { return worldSize > 1; }
};

/// Value of an environment variable; nothing if it is not set.
using Variables = std::function<std::optional<std::string>(const char* name)>;
/// The variables of this process.
Variables processVariables();

/// Port of the rendezvous where nobody named one: torch's.
inline constexpr std::uint16_t kDefaultMasterPort = 29500;

/// Reads the variables that torchrun, accelerate launch, Open MPI, MVAPICH2, MPICH, Intel MPI and Slurm give to their processes;
/// the names are accelerate's (utils/environment.py, get_cpu_distributed_information) and torch's (distributed/run.py). Where
/// launchers are nested the inner one counts: torchrun's agents and the daemons of mpirun may be started by Slurm.
/// @return InvalidArgument for numbers that cannot be, parts of a set that are missing, and sets that contradict each other; the
/// sentence names the variables
base::Result<LaunchEnvironment> detectLaunchEnvironment(const Variables& variables = processVariables());

}  // namespace polyptych::cluster
