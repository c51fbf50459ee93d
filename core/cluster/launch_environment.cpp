#include "core/cluster/launch_environment.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "core/cluster/node_list.h"

namespace polyptych::cluster {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

Error wrong(std::string sentence) { return {ErrorCode::InvalidArgument, std::move(sentence), {}}; }

/// The names that a launcher has for the same four numbers.
struct Names {
  Launcher launcher;
  const char* rank;
  const char* worldSize;
  std::array<const char*, 2> localRank;  ///< the first that is set counts
  std::array<const char*, 2> localWorldSize;
};

// Inner launchers first.
constexpr std::array<Names, 4> kFamilies{{
    {Launcher::Torchrun, "RANK", "WORLD_SIZE", {"LOCAL_RANK", nullptr}, {"LOCAL_WORLD_SIZE", nullptr}},
    {Launcher::OpenMpi,
     "OMPI_COMM_WORLD_RANK",
     "OMPI_COMM_WORLD_SIZE",
     {"OMPI_COMM_WORLD_LOCAL_RANK", nullptr},
     {"OMPI_COMM_WORLD_LOCAL_SIZE", nullptr}},
    {Launcher::Mvapich,
     "MV2_COMM_WORLD_RANK",
     "MV2_COMM_WORLD_SIZE",
     {"MV2_COMM_WORLD_LOCAL_RANK", nullptr},
     {"MV2_COMM_WORLD_LOCAL_SIZE", nullptr}},
    {Launcher::ProcessManagerInterface,
     "PMI_RANK",
     "PMI_SIZE",
     {"MPI_LOCALRANKID", "PMI_LOCAL_RANK"},
     {"MPI_LOCALNRANKS", "PMI_LOCAL_SIZE"}},
}};
constexpr int kMostProcesses = 1'000'000;

/// Reads numbers and remembers what they came from.
class Reader {
 public:
  explicit Reader(const Variables& variables) : m_variables(variables) {}

  std::optional<std::string> text(const char* name) const {
    std::optional<std::string> value = name != nullptr ? m_variables(name) : std::nullopt;
    return value && !value->empty() ? value : std::nullopt;
  }
  bool has(const char* name) const { return text(name).has_value(); }

  /// Nothing if it is not set. A wrong value is kept as the problem.
  std::optional<int> number(const char* name, const char* meaning, int least, int most) {
    const std::optional<std::string> value = text(name);
    if (!value) {
      return std::nullopt;
    }
    int number = 0;
    const auto [end, code] = std::from_chars(value->data(), value->data() + value->size(), number);
    if (code != std::errc() || end != value->data() + value->size() || number < least || number > most) {
      refuse(std::string(name) + " is '" + value->substr(0, 100) + "'; it must be a whole number from " + std::to_string(least) +
             " to " + std::to_string(most) + ".");
      return std::nullopt;
    }
    note(name, *value, meaning);
    return number;
  }
  template <std::size_t N>
  std::optional<int> number(const std::array<const char*, N>& names, const char* meaning, int least, int most) {
    for (const char* name : names) {
      if (has(name)) {
        return number(name, meaning, least, most);
      }
    }
    return std::nullopt;
  }

  void note(const char* name, std::string value, const char* meaning) { reasons.push_back({name, std::move(value), meaning}); }
  void refuse(std::string sentence) {
    if (!problem) {
      problem = wrong(std::move(sentence));
    }
  }

  std::vector<Reason> reasons;
  std::optional<Error> problem;

 private:
  const Variables& m_variables;
};

/// Rank, world size and their local counterparts by one launcher's names.
std::optional<LaunchEnvironment> readFamily(const Names& names, Reader& reader) {
  if (!reader.has(names.rank) && !reader.has(names.worldSize)) {
    return std::nullopt;
  }
  for (const auto& [here, missing] : {std::pair(names.rank, names.worldSize), std::pair(names.worldSize, names.rank)}) {
    if (reader.has(here) && !reader.has(missing)) {
      reader.refuse(std::string(here) + " is set and " + missing +
                    " is not. Start through a launcher that sets both, or unset it to run as one process.");
      return std::nullopt;
    }
  }
  LaunchEnvironment found;
  found.launcher = names.launcher;
  found.rank = reader.number(names.rank, "rank", 0, kMostProcesses - 1).value_or(0);
  found.worldSize = reader.number(names.worldSize, "world size", 1, kMostProcesses).value_or(1);
  const auto localRank = reader.number(names.localRank, "local rank", 0, kMostProcesses - 1);
  const auto localSize = reader.number(names.localWorldSize, "local world size", 1, kMostProcesses);
  if (!localRank && found.worldSize > 1) {
    reader.refuse(std::string(names.localRank[0]) + " is not set though " + names.worldSize + " is " +
                  std::to_string(found.worldSize) +
                  ": which device is this process's cannot be known. Set it to the number of the process on its machine.");
  }
  found.localRank = localRank.value_or(0);
  // torch.distributed.launch of old and hand-made scripts leave it out; nothing but the default port's machine depends on it.
  found.localWorldSize = localSize.value_or(found.worldSize);
  return found;
}

/// srun's numbers. Only inside of a step: the script of a batch job is one process.
std::optional<LaunchEnvironment> readSlurm(Reader& reader) {
  if (!reader.has("SLURM_PROCID") || !reader.has("SLURM_STEP_ID")) {
    return std::nullopt;
  }
  LaunchEnvironment found;
  found.launcher = Launcher::Slurm;
  found.rank = reader.number("SLURM_PROCID", "rank", 0, kMostProcesses - 1).value_or(0);
  const auto size =
      reader.number(std::array{"SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", "SLURM_NPROCS"}, "world size", 1, kMostProcesses);
  if (!size && !reader.problem) {
    reader.refuse("SLURM_PROCID is set and neither SLURM_STEP_NUM_TASKS nor SLURM_NTASKS is; start the processes with srun.");
  }
  found.worldSize = size.value_or(1);
  found.localRank = reader.number("SLURM_LOCALID", "local rank", 0, kMostProcesses - 1).value_or(0);
  found.localWorldSize = found.worldSize;
  // "4(x2),3": tasks of each node, in the nodes' order.
  const std::optional<std::string> tasks = reader.text("SLURM_STEP_TASKS_PER_NODE");
  const int node = reader.number("SLURM_NODEID", "node", 0, kMostProcesses - 1).value_or(0);
  if (tasks) {
    int nodesBefore = 0;
    std::string_view rest = *tasks;
    while (!rest.empty()) {
      const std::string_view part = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), part.size() + 1));
      int count = 0;
      int times = 1;
      const char* const end = part.data() + part.size();
      const auto [after, problem] = std::from_chars(part.data(), end, count);
      const std::string_view repeat(after, static_cast<std::size_t>(end - after));
      const bool isRepeated = repeat.size() > 3 && repeat.substr(0, 2) == "(x" && repeat.back() == ')';
      if (isRepeated) {
        std::from_chars(repeat.data() + 2, end - 1, times);
      }
      if (problem != std::errc() || count < 1 || times < 1 || (!repeat.empty() && !isRepeated)) {
        reader.refuse("SLURM_STEP_TASKS_PER_NODE is '" + tasks->substr(0, 100) + "', which cannot be read.");
        break;
      }
      nodesBefore += times;
      if (node < nodesBefore) {
        found.localWorldSize = count;
        reader.note("SLURM_STEP_TASKS_PER_NODE", *tasks, "local world size");
        break;
      }
    }
  }
  return found;
}

/// True if a launcher's numbers are srun's own, without those of the machine: srun --mpi=pmi2 gives PMI_RANK and PMI_SIZE too,
/// and job scripts that know torch export WORLD_SIZE for all steps.
bool isSaidBySlurm(const Names& names, const Reader& reader) {
  const auto size = reader.text(reader.has("SLURM_STEP_NUM_TASKS") ? "SLURM_STEP_NUM_TASKS" : "SLURM_NTASKS");
  const auto agrees = [&](const char* name, const std::optional<std::string>& own) {
    return !reader.has(name) || reader.text(name) == own;
  };
  return reader.has("SLURM_STEP_ID") && agrees(names.rank, reader.text("SLURM_PROCID")) && agrees(names.worldSize, size) &&
         std::none_of(names.localRank.begin(), names.localRank.end(), [&](const char* name) { return reader.has(name); });
}

/// Slurm's port where nobody named one: jobs of one machine must not meet.
std::uint16_t portOfJob(const std::string& job) {
  std::uint64_t number = 0;
  std::from_chars(job.data(), job.data() + job.size(), number);
  return static_cast<std::uint16_t>(10'000 + number % 20'000);
}

void findMaster(LaunchEnvironment& found, Reader& reader) {
  if (const auto address = reader.text("MASTER_ADDR")) {
    found.masterAddress = *address;
    reader.note("MASTER_ADDR", *address, "master address");
  }
  if (const auto port = reader.number("MASTER_PORT", "master port", 1, 65'535)) {
    found.masterPort = static_cast<std::uint16_t>(*port);
  }
  if (found.launcher == Launcher::Slurm && found.masterAddress.empty()) {
    for (const char* name : {"SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST"}) {
      const std::optional<std::string> list = reader.text(name);
      if (!list) {
        continue;
      }
      const Result<std::vector<std::string>> hosts = expandNodeList(*list);
      if (!hosts) {
        reader.refuse(std::string(name) + ": " + hosts.error().message);
        return;
      }
      found.masterAddress = hosts->front();
      reader.note(name, *list, "master address");
      break;
    }
  }
  if (found.masterAddress.empty() && found.localWorldSize == found.worldSize) {
    found.masterAddress = "127.0.0.1";
  }
  if (found.masterAddress.empty()) {
    reader.refuse(
        "The processes are on several machines and MASTER_ADDR is not set; set it to the host of rank 0, the same for all.");
  }
  if (found.masterPort == 0) {
    const std::optional<std::string> job = found.launcher == Launcher::Slurm ? reader.text("SLURM_JOB_ID") : std::nullopt;
    found.masterPort = job ? portOfJob(*job) : kDefaultMasterPort;
    if (job) {
      reader.note("SLURM_JOB_ID", *job, "master port");
    }
  }
}

/// Sets of two launchers that are both about this very process.
void compare(const LaunchEnvironment& inner, const Names& innerNames, const Variables& variables, Reader& problems) {
  for (const Names& names : kFamilies) {
    if (names.launcher == inner.launcher || problems.problem) {
      continue;
    }
    Reader reader(variables);
    const std::optional<LaunchEnvironment> other = readFamily(names, reader);
    if (!other || reader.problem || (other->rank == inner.rank && other->worldSize == inner.worldSize)) {
      continue;
    }
    problems.refuse(std::string(innerNames.rank) + " and " + innerNames.worldSize + " say rank " + std::to_string(inner.rank) +
                    " of " + std::to_string(inner.worldSize) + ", " + names.rank + " and " + names.worldSize + " say rank " +
                    std::to_string(other->rank) + " of " + std::to_string(other->worldSize) +
                    ". Unset those of the launcher that did not start this process.");
  }
}

}  // namespace

std::string_view nameOf(Launcher launcher) {
  switch (launcher) {
    case Launcher::None:
      return "none";
    case Launcher::Torchrun:
      return "torchrun";
    case Launcher::OpenMpi:
      return "openmpi";
    case Launcher::Mvapich:
      return "mvapich";
    case Launcher::ProcessManagerInterface:
      return "pmi";
    case Launcher::Slurm:
      return "slurm";
  }
  return "none";
}

Variables processVariables() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
  };
}

Result<LaunchEnvironment> detectLaunchEnvironment(const Variables& variables) {
  Reader reader(variables);
  std::optional<LaunchEnvironment> found;
  for (const Names& names : kFamilies) {
    if (isSaidBySlurm(names, reader)) {
      continue;
    }
    found = readFamily(names, reader);
    if (reader.problem) {
      return *reader.problem;
    }
    if (found) {
      // torchrun's agents are themselves processes of mpirun or srun.
      if (!(found->launcher == Launcher::Torchrun && reader.has("TORCHELASTIC_RUN_ID"))) {
        compare(*found, names, variables, reader);
      }
      break;
    }
  }
  if (!found) {
    found = readSlurm(reader);
  }
  if (reader.problem) {
    return *reader.problem;
  }
  if (!found) {
    return LaunchEnvironment{};
  }
  if (found->rank >= found->worldSize || found->localRank >= found->localWorldSize || found->localWorldSize > found->worldSize) {
    return wrong("Rank " + std::to_string(found->rank) + " of " + std::to_string(found->worldSize) + " and local rank " +
                 std::to_string(found->localRank) + " of " + std::to_string(found->localWorldSize) + ", as " +
                 std::string(nameOf(found->launcher)) + " tells, cannot be: a rank is below the number of processes.");
  }
  findMaster(*found, reader);
  found->restartCount = reader.number("TORCHELASTIC_RESTART_COUNT", "restart count", 0, kMostProcesses).value_or(0);
  if (const auto agent = reader.text("TORCHELASTIC_USE_AGENT_STORE"); agent && found->launcher == Launcher::Torchrun) {
    found->hasAgentStore = *agent == "True" || *agent == "true" || *agent == "1";
    reader.note("TORCHELASTIC_USE_AGENT_STORE", *agent, "who keeps the store");
  }
  for (const char* name : {"TORCHELASTIC_RUN_ID", "SLURM_JOB_ID"}) {
    if (const auto id = reader.text(name); id && found->runId.empty()) {
      found->runId = *id;
      reader.note(name, *id, "run id");
    }
  }
  if (reader.problem) {
    return *reader.problem;
  }
  found->reasons = std::move(reader.reasons);
  return *found;
}

}  // namespace polyptych::cluster
