#include "app/polyptych-cli/arguments.h"

#include <algorithm>
#include <charconv>
#include <climits>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <string_view>
#include <type_traits>

#include "core/base/utf8.h"
#include "core/domain/scheduler_name.h"
#include "core/prompt/expand.h"

namespace polyptych::cli {
namespace {

using base::Result;

base::Error wrong(std::string message) { return {base::ErrorCode::InvalidArgument, std::move(message), {}}; }

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 80;
  const std::string_view valid = text.substr(0, base::firstInvalidUtf8(text).value_or(text.size()));
  const std::string_view shown = base::utf8Prefix(valid, kShown);
  return "'" + std::string(shown) + (shown.size() < text.size() ? "..." : "") + "'";
}

template <typename T>
Result<T> wholeNumber(const std::string& option, const std::string& text, T least, T most) {
  T value{};
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end || value < least || value > most) {
    return wrong(option + " is " + quoted(text) + "; it must be a whole number from " + std::to_string(least) + " to " +
                 std::to_string(most) + ".");
  }
  return value;
}

Result<double> number(const std::string& option, const std::string& text, int least, int most) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end || !std::isfinite(value) || value < least || value > most) {
    return wrong(option + " is " + quoted(text) + "; it must be a number from " + std::to_string(least) + " to " +
                 std::to_string(most) + ".");
  }
  return value;
}

Result<int> side(const std::string& option, const std::string& text) {
  int value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end || value < domain::kMinSide || value > domain::kMaxSide || value % 8 != 0) {
    return wrong(option + " is " + quoted(text) + "; it must be a multiple of 8 from " + std::to_string(domain::kMinSide) +
                 " to " + std::to_string(domain::kMaxSide) + " pixels.");
  }
  return value;
}

/// What an option does with its value; a flag gets "".
using Take = std::function<Result<void>(Arguments&, const std::string& option, const std::string& value)>;

struct Option {
  std::string_view name;
  bool takesValue;
  bool mayRepeat;
  Take take;
};

/// Where in the arguments a member of Part lives.
template <typename Part>
Part& partOf(Arguments& arguments) {
  if constexpr (std::is_same_v<Part, GenerateArguments>) {
    return arguments.generate;
  } else if constexpr (std::is_same_v<Part, ContactSheetArguments>) {
    return arguments.sheet;
  } else if constexpr (std::is_same_v<Part, QueueArguments>) {
    return arguments.queue;
  } else if constexpr (std::is_same_v<Part, RequeueEdits>) {
    return arguments.queue.edits;
  } else if constexpr (std::is_same_v<Part, PictureArguments>) {
    return arguments.pictures;
  } else if constexpr (std::is_same_v<Part, LibraryArguments>) {
    return arguments.keeping;
  } else if constexpr (std::is_same_v<Part, LaunchArguments>) {
    return arguments.launch;
  } else if constexpr (std::is_same_v<Part, MergeArguments>) {
    return arguments.merge;
  } else {
    return arguments;
  }
}

template <typename Part, typename T, typename Read>
Take into(T Part::*place, Read read) {
  return [place, read](Arguments& arguments, const std::string& option, const std::string& value) -> Result<void> {
    auto result = read(option, value);
    if (!result) {
      return result.error();
    }
    partOf<Part>(arguments).*place = *std::move(result);
    return {};
  };
}

auto integer(int least, int most) {
  return
      [least, most](const std::string& option, const std::string& value) { return wholeNumber<int>(option, value, least, most); };
}

auto real(int least, int most) {
  return [least, most](const std::string& option, const std::string& value) { return number(option, value, least, most); };
}

Result<bool> set(const std::string&, const std::string&) { return true; }

Result<std::string> something(const std::string& option, const std::string& value) {
  if (value.empty()) {
    return wrong(option + " is empty. Give it a value or leave it out.");
  }
  // Other bytes would name another file: QString cannot hold them.
  if (const auto bad = base::firstInvalidUtf8(value)) {
    return wrong(option + " is not UTF-8 (byte " + std::to_string(*bad + 1) + "). Rename the file, or use a locale with UTF-8.");
  }
  return value;
}

Result<std::string> promptText(const std::string& what, const std::string& value) {
  if (const auto bad = base::firstInvalidUtf8(value)) {
    return wrong(what + " is not UTF-8 (byte " + std::to_string(*bad + 1) + "). Use a terminal and a locale with UTF-8.");
  }
  return value;
}

Result<std::uint64_t> seed(const std::string& option, const std::string& value) {
  return wholeNumber<std::uint64_t>(option, value, 0, UINT64_MAX);
}

Result<std::string> scheduler(const std::string& option, const std::string& value) {
  auto choice = domain::resolveScheduler(value);
  if (!choice) {
    return wrong(option + ": " + choice.error().message);
  }
  return choice->name;
}

Result<domain::ComputeType> computeType(const std::string& option, const std::string& value) {
  auto type = domain::computeTypeFromString(value);
  if (!type) {
    return wrong(option + " is " + quoted(value) + "; it must be auto, fp32, fp16 or bf16.");
  }
  return type;
}

Result<domain::NoiseKind> noiseKind(const std::string& option, const std::string& value) {
  auto kind = domain::noiseKindFromString(value);
  if (!kind) {
    return wrong(option + " is " + quoted(value) + "; it must be float or model.");
  }
  return kind;
}

Result<std::string> jobState(const std::string& option, const std::string& value) {
  for (const char* name : {"waiting", "in_work", "done", "failed", "parked", "cancelled"}) {
    if (value == name) {
      return value;
    }
  }
  return wrong(option + " is " + quoted(value) + "; it must be waiting, in_work, done, failed, parked or cancelled.");
}

Result<Split> split(const std::string& option, const std::string& value) {
  if (value == "pull" || value == "static") {
    return value == "pull" ? Split::Pull : Split::Static;
  }
  return wrong(option + " is " + quoted(value) + "; it must be pull or static.");
}

Result<Weights> weights(const std::string& option, const std::string& value) {
  for (const Weights one : {Weights::Files, Weights::Broadcast, Weights::Measured}) {
    if (value == nameOf(one)) {
      return one;
    }
  }
  return wrong(option + " is " + quoted(value) + "; it must be files, broadcast or measured.");
}

/// accelerate's list of numbers, or "all".
Result<std::string> gpuIds(const std::string& option, const std::string& value) {
  if (value == "all") {
    return value;
  }
  std::string devices;
  for (std::size_t at = 0; at <= value.size();) {
    const std::size_t comma = std::min(value.find(',', at), value.size());
    const auto number = wholeNumber<int>(option, value.substr(at, comma - at), 0, 4095);
    if (!number) {
      return number.error();
    }
    devices += (devices.empty() ? "cuda:" : ",cuda:") + std::to_string(*number);
    at = comma + 1;
  }
  return devices;
}

const Option kJson{"--json", false, false, into(&Arguments::json, set)};
const Option kModel{"--model", true, false, into(&Arguments::model, something)};
const Option kLibrary{"--library", true, false, into(&Arguments::library, something)};
const Option kFlatFolder{"--out", true, false, into(&Arguments::flatFolder, something)};
const Option kVariant{"--variant", true, false, into(&Arguments::variant, something)};

const std::vector<Option>& generateOptions() {
  using G = GenerateArguments;
  static const std::vector<Option> options = {
      kJson,
      kModel,
      kVariant,
      {"--prompts", true, false, into(&G::promptsFile, something)},
      {"--negative", true, false, into(&G::negative, promptText)},
      {"--devices", true, false, into(&G::devices, something)},
      {"--out", true, false, into(&G::out, something)},
      kLibrary,
      {"--resume", false, false, into(&G::resumes, set)},
      {"--seed", true, false, into(&G::seed, seed)},
      {"--steps", true, false, into(&G::steps, integer(1, domain::kMaxSteps))},
      {"--guidance", true, false, into(&G::guidance, real(0, 1000))},
      {"--guidance-rescale", true, false, into(&G::guidanceRescale, real(0, 1))},
      {"--width", true, false, into(&G::width, side)},
      {"--height", true, false, into(&G::height, side)},
      {"--scheduler", true, false, into(&G::scheduler, scheduler)},
      {"--images-per-prompt", true, false, into(&G::imagesPerPrompt, integer(1, prompt::kMaxImagesPerPrompt))},
      {"--batch", true, false, into(&G::batch, integer(1, domain::kMaxBatch))},
      {"--dtype", true, false, into(&G::dtype, computeType)},
      {"--noise", true, false, into(&G::noise, noiseKind)},
      {"--clip-skip", true, false, into(&G::clipSkip, integer(0, 64))},
      {"--threads", true, false, into(&G::threads, integer(1, 1024))},
      {"--vae-slicing", false, false, into(&G::vaeSlicing, set)},
      {"--vae-tiling", false, false, into(&G::vaeTiling, set)},
      {"--trace", true, false, into(&G::trace, something)},
      {"--initial-latents", true, false, into(&G::initialLatents, something)},
      {"--split", true, false, into(&G::split, split)},
      {"--join-timeout", true, false, into(&G::joinTimeout, integer(1, 86400))},
      {"--rank-timeout", true, false, into(&G::rankTimeout, integer(1, 86400))},
      {"--weights", true, false, into(&G::weights, weights)},
      {"--rendezvous", true, false, into(&Arguments::rendezvous, something)},
      {"--worker", true, false, into(&Arguments::cpuWorker, something)},
      {"--cuda-worker", true, false, into(&Arguments::cudaWorker, something)},
      {"--worker-argument", true, true,
       [](Arguments& arguments, const std::string&, const std::string& value) -> Result<void> {
         arguments.workerArguments.push_back(value);
         return {};
       }},
  };
  return options;
}

struct CommandInfo {
  std::string_view name;
  Command command;
  const std::vector<Option>* options;
};

const std::vector<CommandInfo>& commands() {
  static const std::vector<Option> listing = {kJson};
  static const std::vector<Option> tokenizing = {kJson, kModel};
  using S = ContactSheetArguments;
  static const std::vector<Option> sheet = {{"--out", true, false, into(&S::out, something)},
                                            {"--columns", true, false, into(&S::columns, integer(1, 512))},
                                            {"--cell", true, false, into(&S::cell, integer(16, 1024))}};
  using Q = QueueArguments;
  using E = RequeueEdits;
  constexpr int kMost = std::numeric_limits<int>::max();
  static const std::vector<Option> listingRuns = {
      kJson, kLibrary, kFlatFolder, {"--limit", true, false, into(&Q::limit, integer(1, 1000000))}};
  static const std::vector<Option> queue = {kJson,
                                            kLibrary,
                                            kFlatFolder,
                                            {"--run", true, false, into(&Q::run, integer(1, kMost))},
                                            {"--before", true, false, into(&Q::before, integer(1, kMost))},
                                            {"--state", true, false, into(&Q::state, jobState)},
                                            {"--limit", true, false, into(&Q::limit, integer(1, 1000000))},
                                            {"--steps", true, false, into(&E::steps, integer(1, domain::kMaxSteps))},
                                            {"--width", true, false, into(&E::width, side)},
                                            {"--height", true, false, into(&E::height, side)},
                                            {"--guidance", true, false, into(&E::guidance, real(0, 1000))},
                                            {"--scheduler", true, false, into(&E::scheduler, scheduler)},
                                            {"--negative", true, false, into(&E::negative, promptText)},
                                            {"--seed", true, false, into(&E::seed, seed)},
                                            {"--batch", true, false, into(&E::batch, integer(1, domain::kMaxBatch))}};
  static const std::vector<Option> limits = {kJson, kLibrary, kFlatFolder};
  using P = PictureArguments;
  using L = LibraryArguments;
  static const Option out{"--out", true, false, into(&GenerateArguments::out, something)};
  static const Option search{"--search", true, false, into(&P::search, promptText)};
  static const Option run{"--run", true, false, into(&P::run, integer(1, INT_MAX))};
  static const Option stars{"--stars", true, false, into(&P::stars, integer(0, 5))};
  static const std::vector<Option> pictures = {
      kJson, kLibrary, out, search, run, stars, {"--limit", true, false, into(&P::limit, integer(1, 1000000))}};
  static const std::vector<Option> keeping = {kJson,
                                              kLibrary,
                                              out,
                                              search,
                                              run,
                                              stars,
                                              {"--repair", false, false, into(&L::repair, set)},
                                              {"--name", true, false, into(&L::nameTemplate, something)}};
  using R = LaunchArguments;
  static const std::vector<Option> launching = {{"--num-processes", true, false, into(&R::processes, integer(1, 100000))},
                                                {"--num-machines", true, false, into(&R::machines, integer(1, 100000))},
                                                {"--machine-rank", true, false, into(&R::machineRank, integer(0, 99999))},
                                                {"--main-process-ip", true, false, into(&R::mainAddress, something)},
                                                {"--main-process-port", true, false, into(&R::mainPort, integer(0, 65535))},
                                                {"--devices", true, false, into(&R::devices, something)},
                                                {"--gpu-ids", true, false, into(&R::devices, gpuIds)},
                                                {"--cpu", false, false, into(&R::cpu, set)},
                                                {"--max-restarts", true, false, into(&R::maxRestarts, integer(0, 1000000))},
                                                {"--rendezvous", true, false, into(&Arguments::rendezvous, something)}};
  static const std::vector<Option> merging = {{"--out", true, false, into(&MergeArguments::out, something)}};
  static const std::vector<CommandInfo> all = {
      {"queue", Command::Queue, &queue},
      {"runs", Command::Runs, &listingRuns},
      {"generate", Command::Generate, &generateOptions()},
      {"devices", Command::Devices, &listing},
      {"models", Command::Models, &listing},
      {"show-model", Command::ShowModel, &listing},
      {"schedulers", Command::Schedulers, &listing},
      {"tokenize", Command::Tokenize, &tokenizing},
      {"contact-sheet", Command::ContactSheet, &sheet},
      {"pictures", Command::Pictures, &pictures},
      {"library", Command::Library, &keeping},
      {"limits", Command::Limits, &limits},
      {"env", Command::Env, &listing},
      {"launch", Command::Launch, &launching},
      {"merge", Command::Merge, &merging},
  };
  return all;
}

/// Levenshtein's distance, for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

template <typename Names>
std::string suggestion(std::string_view word, const Names& names) {
  std::string_view best;
  std::size_t least = 4;
  for (const auto& candidate : names) {
    const std::size_t far = word.size() > 64 ? least : distance(word, candidate.name);
    if (far < least) {
      least = far;
      best = candidate.name;
    }
  }
  return best.empty() ? " polyptych-cli --help shows them all." : " Did you mean " + std::string(best) + "?";
}

Result<void> takePositional(Arguments& arguments, const CommandInfo& command, const std::string& word) {
  if (command.command == Command::Generate) {
    auto text = promptText("Prompt " + std::to_string(arguments.generate.prompts.size() + 1), word);
    if (!text) {
      return text.error();
    }
    arguments.generate.prompts.push_back(*std::move(text));
    return {};
  }
  if (command.command == Command::ShowModel && !arguments.model) {
    auto reference = something("show-model's REF", word);
    if (!reference) {
      return reference.error();
    }
    arguments.model = *std::move(reference);
    return {};
  }
  if (command.command == Command::ContactSheet && arguments.sheet.folder.empty()) {
    auto folder = something("contact-sheet's FOLDER", word);
    if (!folder) {
      return folder.error();
    }
    arguments.sheet.folder = *std::move(folder);
    return {};
  }
  if (command.command == Command::Queue && arguments.queue.verb.empty()) {
    static const std::set<std::string_view> verbs = {"list",    "pause",   "resume", "cancel", "retry",
                                                     "requeue", "dismiss", "front",  "move",   "undo"};
    if (!verbs.contains(word)) {
      return wrong("queue cannot " + quoted(word) +
                   "; it can list, pause, resume, cancel, retry, requeue, dismiss, front, move and undo.");
    }
    arguments.queue.verb = word;
    return {};
  }
  if (command.command == Command::Queue) {
    auto number = wholeNumber<std::int64_t>("A job's number", word, 1, std::numeric_limits<std::int64_t>::max());
    if (!number) {
      return number.error();
    }
    arguments.queue.numbers.push_back(*number);
    return {};
  }
  if (command.command == Command::Limits) {
    arguments.limits.push_back(word);
    return {};
  }
  if (command.command == Command::Merge) {
    auto folder = something("merge's FOLDER", word);
    if (!folder) {
      return folder.error();
    }
    arguments.merge.folders.push_back(*std::move(folder));
    return {};
  }
  if (command.command == Command::Library && arguments.keeping.action.empty()) {
    if (word != "check" && word != "rebuild" && word != "export" && word != "import") {
      return wrong(quoted(word) + " is nothing that library does; write check, rebuild, export or import.");
    }
    arguments.keeping.action = word;
    return {};
  }
  if (command.command == Command::Library && arguments.keeping.folder.empty() &&
      (arguments.keeping.action == "export" || arguments.keeping.action == "import")) {
    auto folder = something("library's FOLDER", word);
    if (!folder) {
      return folder.error();
    }
    arguments.keeping.folder = *std::move(folder);
    return {};
  }
  return wrong(std::string(command.name) + " takes no argument " + quoted(word) + "." +
               (command.command == Command::Tokenize ? " It reads its lines from standard input." : ""));
}

Result<void> takeOption(Arguments& arguments, const CommandInfo& command, std::span<const std::string> words, std::size_t& at,
                        std::set<std::string>& seen) {
  const std::string& word = words[at];
  const std::size_t equals = word.find('=');
  const std::string name = word.substr(0, equals);
  const auto option =
      std::find_if(command.options->begin(), command.options->end(), [&](const Option& one) { return one.name == name; });
  if (option == command.options->end()) {
    return wrong(quoted(name) + " is not an option of " + std::string(command.name) + "." + suggestion(name, *command.options) +
                 (command.command == Command::Generate ? " (Prompts that begin with a dash go after --.)" : ""));
  }
  if (!seen.insert(name).second && !option->mayRepeat) {
    return wrong(name + " is given twice. Give it once.");
  }
  if (!option->takesValue) {
    if (equals != std::string::npos) {
      return wrong(name + " takes no value.");
    }
    return option->take(arguments, name, {});
  }
  if (equals != std::string::npos) {
    return option->take(arguments, name, word.substr(equals + 1));
  }
  if (at + 1 >= words.size()) {
    return wrong(name + " needs a value after it.");
  }
  if (words[at + 1].starts_with("--")) {
    return wrong(name + " needs a value after it, and " + quoted(words[at + 1]) +
                 " looks like an option. If it is meant, write " + name + "=VALUE.");
  }
  return option->take(arguments, name, words[++at]);
}

Result<void> checkPlace(const Arguments& arguments) {
  return arguments.library && arguments.generate.out ? wrong("Give --library or --out, not both.") : Result<void>();
}

Result<void> checkLibrary(const Arguments& arguments) {
  const LibraryArguments& keeping = arguments.keeping;
  const PictureArguments& pictures = arguments.pictures;
  if (keeping.action.empty()) {
    return wrong("library needs what to do: check, rebuild, export or import.");
  }
  const bool hasFolder = keeping.action == "export" || keeping.action == "import";
  if (hasFolder && keeping.folder.empty()) {
    return wrong("library " + keeping.action + " needs a folder.");
  }
  if (keeping.repair && keeping.action != "check") {
    return wrong("--repair goes with library check alone.");
  }
  if (keeping.action != "export" && (pictures.search || pictures.run || pictures.stars > 0 || keeping.nameTemplate)) {
    return wrong("--search, --run, --stars and --name go with library export alone.");
  }
  return checkPlace(arguments);
}

Result<void> checkLaunch(const LaunchArguments& launch) {
  if (launch.words.empty()) {
    return wrong("launch needs what to start: generate and its options.");
  }
  if (launch.machines > 1 && (!launch.mainAddress || !launch.mainPort || *launch.mainPort == 0)) {
    return wrong("With several machines, give each of them --main-process-ip and --main-process-port of the first.");
  }
  if (launch.machineRank >= launch.machines) {
    return wrong("--machine-rank is " + std::to_string(launch.machineRank) + "; with " + std::to_string(launch.machines) +
                 " machines it must be from 0 to " + std::to_string(launch.machines - 1) + ".");
  }
  if (launch.processes && *launch.processes % launch.machines != 0) {
    return wrong("--num-processes counts those of all machines: it must be a multiple of --num-machines.");
  }
  if (launch.cpu && launch.devices) {
    return wrong("Give --cpu or --devices, not both.");
  }
  return {};
}

Result<void> checkWhole(const Arguments& arguments) {
  switch (arguments.command) {
    case Command::Generate:
      if (arguments.generate.prompts.empty() && !arguments.generate.promptsFile) {
        return wrong("There is no prompt. Write one after generate, or name a list with --prompts FILE.");
      }
      return {};
    case Command::ShowModel:
      return arguments.model ? Result<void>() : wrong("show-model needs a model: a folder, or a name in the Hugging Face cache.");
    case Command::Tokenize:
      return arguments.model ? Result<void>() : wrong("tokenize needs --model REF.");
    case Command::ContactSheet:
      return arguments.sheet.folder.empty() ? wrong("contact-sheet needs the folder of a run.") : Result<void>();
    case Command::Pictures:
      return checkPlace(arguments);
    case Command::Launch:
      return checkLaunch(arguments.launch);
    case Command::Merge:
      return arguments.merge.folders.empty() ? wrong("merge needs the folder of a run that several processes made.")
             : arguments.merge.folders.size() > 1 && !arguments.merge.out
                 ? wrong("Several folders are merged into one: name it with --out DIR.")
                 : Result<void>();
    case Command::Library:
      return checkLibrary(arguments);
    case Command::Queue:
      return arguments.queue.verb != "requeue" && arguments.queue.edits != RequeueEdits{}
                 ? wrong(
                       "--steps, --width, --height, --guidance, --scheduler, --negative, --seed and --batch go with queue "
                       "requeue alone.")
                 : Result<void>();
    default:
      return {};
  }
}

}  // namespace

std::string nameOf(Weights weights) {
  return weights == Weights::Files ? "files" : weights == Weights::Broadcast ? "broadcast" : "measured";
}

Result<Arguments> parseArguments(std::span<const std::string> words) {
  Arguments arguments;
  if (words.empty()) {
    return wrong(
        "There is no command. Begin with generate, devices, models, show-model, schedulers, tokenize, contact-sheet, pictures "
        "or library.");
  }
  const auto beforePrompts = words.first(static_cast<std::size_t>(std::find(words.begin(), words.end(), "--") - words.begin()));
  if (words[0] == "help" || std::any_of(beforePrompts.begin(), beforePrompts.end(),
                                        [](const std::string& word) { return word == "--help" || word == "-h"; })) {
    return arguments;
  }
  if (words[0] == "--version") {
    arguments.command = Command::Version;
    return words.size() == 1 ? Result<Arguments>(arguments) : wrong("--version stands alone.");
  }
  const auto command =
      std::find_if(commands().begin(), commands().end(), [&](const CommandInfo& one) { return one.name == words[0]; });
  if (command == commands().end()) {
    return wrong(quoted(words[0]) + " is not a command." + suggestion(words[0], commands()));
  }
  arguments.command = command->command;
  std::set<std::string> seen;
  bool onlyPrompts = false;
  std::vector<std::string> ownWords;
  if (command->command == Command::Launch) {
    const auto program = std::find(words.begin(), words.end(), "generate");
    for (const std::string& word : std::span(words.begin(), program)) {
      ownWords.push_back(word);
      if (word.starts_with("--")) {  // accelerate writes --num_processes
        std::replace(ownWords.back().begin(),
                     ownWords.back().begin() + static_cast<std::ptrdiff_t>(std::min(word.find('='), word.size())), '_', '-');
      }
    }
    arguments.launch.words.assign(program, words.end());
    words = ownWords;
    if (!arguments.launch.words.empty()) {
      if (const auto inner = parseArguments(arguments.launch.words); !inner) {
        return inner.error();
      }
    }
  }
  for (std::size_t at = 1; at < words.size(); ++at) {
    const std::string& word = words[at];
    Result<void> taken;
    if (!onlyPrompts && word == "--") {
      onlyPrompts = true;
    } else if (!onlyPrompts && word.size() > 1 && word.front() == '-') {
      taken = takeOption(arguments, *command, words, at, seen);
    } else {
      taken = takePositional(arguments, *command, word);
    }
    if (!taken) {
      return taken.error();
    }
  }
  if (auto whole = checkWhole(arguments); !whole) {
    return whole.error();
  }
  return arguments;
}

}  // namespace polyptych::cli
