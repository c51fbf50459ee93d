#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/domain/request.h"

namespace polyptych::cli {

enum class Command {
  Help,
  Version,
  Generate,
  Devices,
  Models,
  ShowModel,
  Schedulers,
  Tokenize,
  ContactSheet,
  Queue,
  Runs,
  Pictures,
  Library,
  Limits,
  Env,
  Launch,
  Merge
};

/// How the ranks of a group share a run.
enum class Split {
  Pull,   ///< who has done its share leases more
  Static  ///< accelerate's rule: contiguous blocks, the remainder to the first ranks
};

/// How the ranks of a group come by the weights of the model.
enum class Weights {
  Files,      ///< each reads its own
  Broadcast,  ///< rank 0 reads and sends
  Measured    ///< what is faster, measured while they load
};
std::string nameOf(Weights weights);

/// `generate` as it was typed. What is absent is decided later, from the model and the machine.
struct GenerateArguments {
  std::vector<std::string> prompts;
  std::optional<std::string> promptsFile;  ///< "-": standard input
  std::optional<std::string> negative;
  std::string devices;             ///< as domain::chooseDevices() reads it
  std::optional<std::string> out;  ///< a folder of its own; absent: the library
  bool resumes = false;            ///< goes on by itself after an unclean end
  std::optional<std::uint64_t> seed;
  int steps = 25;
  double guidance = 7.5;
  double guidanceRescale = 0.0;
  std::optional<int> width;
  std::optional<int> height;
  std::optional<std::string> scheduler;  ///< canonical spelling
  int imagesPerPrompt = 1;
  std::optional<int> batch;  ///< absent: chosen at submit, or 1 for --out
  domain::ComputeType dtype = domain::ComputeType::Auto;
  domain::NoiseKind noise = domain::NoiseKind::Float;
  std::optional<int> clipSkip;
  std::optional<int> threads;
  bool vaeSlicing = false;
  bool vaeTiling = false;
  std::optional<std::string> trace;
  std::optional<std::string> initialLatents;
  // Of one process among several:
  Split split = Split::Pull;
  int joinTimeout = 300;           ///< seconds until rank 0 must have begun, and, in a static split, every rank
  int rankTimeout = 20;            ///< seconds without a sign of life after which a rank is taken for dead
  std::optional<Weights> weights;  ///< absent: measured on GPUs, else files
};

/// `launch` as it was typed; the names are accelerate's.
struct LaunchArguments {
  std::optional<int> processes;  ///< of all machines
  int machines = 1;
  int machineRank = 0;
  std::optional<std::string> mainAddress;
  std::optional<int> mainPort;
  std::optional<std::string> devices;
  bool cpu = false;
  int maxRestarts = 3;             ///< of each process
  std::vector<std::string> words;  ///< `generate` and what follows it
};

/// `merge` as it was typed.
struct MergeArguments {
  std::vector<std::string> folders;
  std::optional<std::string> out;  ///< absent: the only folder
};

/// `contact-sheet` as it was typed.
struct ContactSheetArguments {
  std::string folder;
  std::optional<std::string> out;  ///< absent: contact-sheet.png in the folder
  int columns = 0;
  int cell = 256;
};

/// What `queue requeue` changes; what is absent stays as it was.
struct RequeueEdits {
  std::optional<int> width;
  std::optional<int> height;
  std::optional<int> steps;
  std::optional<double> guidance;
  std::optional<std::string> scheduler;
  std::optional<std::string> negative;
  std::optional<std::uint64_t> seed;  ///< of the first picture; the next have the next ones
  std::optional<int> batch;

  friend bool operator==(const RequeueEdits&, const RequeueEdits&) = default;
};

/// `queue` and `runs` as they were typed.
struct QueueArguments {
  std::string verb;                   ///< list, pause, resume, cancel, retry, requeue, dismiss, front, move or undo
  std::vector<std::int64_t> numbers;  ///< of jobs; for undo, the number that the command gave
  std::optional<int> run;             ///< number of a run
  std::optional<int> before;          ///< move: a job
  std::optional<std::string> state;   ///< list: waiting, in_work, done, failed, parked or cancelled
  int limit = 100;
  RequeueEdits edits;
};

/// Which pictures of a library, as `pictures` and `library export` take it.
struct PictureArguments {
  std::optional<std::string> search;
  std::optional<int> run;  ///< number, for people
  int stars = 0;
  int limit = 100;
};

/// `library` as it was typed.
struct LibraryArguments {
  std::string action;  ///< check, rebuild, export or import
  std::string folder;  ///< of export and import
  bool repair = false;
  std::optional<std::string> nameTemplate;
};

/// A whole command line, checked as far as words and numbers go.
struct Arguments {
  Command command = Command::Help;
  bool json = false;
  std::optional<std::string> model;  ///< --model, or show-model's REF
  std::optional<std::string> variant;
  std::optional<std::string> library;  ///< absent: library::defaultLocation()
  GenerateArguments generate;
  ContactSheetArguments sheet;
  QueueArguments queue;
  std::optional<std::string> flatFolder;  ///< --out of queue and runs: the folder of a single run
  PictureArguments pictures;
  LibraryArguments keeping;
  LaunchArguments launch;
  MergeArguments merge;
  std::vector<std::string> limits;  ///< NAME=VALUE
  /// Not shown in the help: programs to start in place of those beside this one, and arguments for them.
  std::optional<std::string> cpuWorker;
  std::optional<std::string> cudaWorker;
  std::vector<std::string> workerArguments;
  std::optional<std::string> rendezvous;
};

/// Reads everything after the program's name. `--name VALUE` and `--name=VALUE` are the same; after `--` everything is a prompt;
/// an option may be given once; a value that begins with two dashes needs the form with `=`. "--help" anywhere before `--` gives
/// Command::Help.
/// @return InvalidArgument with a sentence that names the option and what it takes
base::Result<Arguments> parseArguments(std::span<const std::string> words);

/// What --help prints.
std::string helpText();

}  // namespace polyptych::cli
