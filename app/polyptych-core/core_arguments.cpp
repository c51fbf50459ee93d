#include "app/polyptych-core/core_arguments.h"

#include <QFile>
#include <charconv>
#include <optional>
#include <utility>

namespace polyptych::core {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using library::Location;

constexpr int kMaxLingerMs = 24 * 60 * 60 * 1000;
constexpr int kMaxTries = 1000;

Error wrong(std::string sentence) {
  return {ErrorCode::InvalidArgument, std::move(sentence) + " See polyptych-core --help.", {}};
}

std::optional<int> numberIn(const std::string& word, int most) {
  int value = 0;
  const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (failure != std::errc() || end != word.data() + word.size() || value < 0 || value > most) {
    return std::nullopt;
  }
  return value;
}

QString fileName(const std::string& word) { return QFile::decodeName(QByteArray::fromStdString(word)); }

}  // namespace

Result<CoreArguments> parseCoreArguments(const std::vector<std::string>& words) {
  CoreArguments arguments;
  bool hasLocation = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--help" || word == "-h") {
      arguments.command = CoreCommand::Help;
      return arguments;
    }
    if (word == "--version") {
      arguments.command = CoreCommand::Version;
      return arguments;
    }
    if (word == "--resume") {
      arguments.backend.resumesAfterUncleanEnd = true;
      continue;
    }
    if (word == "--until-alone") {
      arguments.endsWhenAlone = true;
      continue;
    }
    const bool isPlace = word == "--library" || word == "--out";
    const bool isNumber = word == "--linger" || word == "--max-attempts" || word == "--max-deaths";
    if (!isPlace && !isNumber && word != "--worker" && word != "--cuda-worker" && word != "--worker-argument") {
      return wrong("'" + word + "' is not known.");
    }
    if (i + 1 == words.size()) {
      return wrong(word + " needs a value.");
    }
    const std::string& value = words[++i];
    if (isPlace) {
      if (hasLocation || value.empty()) {
        return wrong("Give one folder, with --library or with --out.");
      }
      hasLocation = true;
      arguments.location =
          library::locationAt(fileName(value), word == "--out" ? Location::Layout::Flat : Location::Layout::Dated);
    } else if (isNumber) {
      const bool isLinger = word == "--linger";
      const int most = isLinger ? kMaxLingerMs : kMaxTries;
      const auto number = numberIn(value, most);
      if (!number) {
        return wrong(word + " takes " + (isLinger ? "milliseconds" : "a number") + ", 0 to " + std::to_string(most) + ".");
      }
      if (isLinger) {
        arguments.linger = std::chrono::milliseconds(*number);
      } else {
        arguments.backend.areLimitsFixed = true;
        if (word == "--max-attempts") {
          arguments.backend.limits.maxDeathsPerUnit = *number;
        } else {
          arguments.backend.limits.deviceBreaker = arguments.backend.limits.maxRestartsInWindow = *number;
          arguments.backend.limits.overallBreaker = *number == 0 ? 0 : arguments.backend.limits.overallBreaker;
        }
      }
    } else if (word == "--worker") {
      arguments.backend.cpuWorker = fileName(value);
    } else if (word == "--cuda-worker") {
      arguments.backend.cudaWorker = fileName(value);
    } else {
      arguments.backend.extraWorkerArguments.append(QString::fromStdString(value));
    }
  }
  if (!hasLocation) {
    return wrong("Which library? Give its folder with --library or --out.");
  }
  return arguments;
}

std::string coreHelpText() {
  return R"(polyptych-core --library DIR | --out DIR [options]

The backend of Polyptych: keeps one library's queue, starts the workers and writes the pictures. The window and polyptych-cli
start it by themselves, and it ends by itself when it has neither work nor a window or command at its socket.

  --library DIR           the library in DIR
  --out DIR               the library of one run in DIR/.polyptych, its pictures in DIR
  --resume                go on at once with work that was left when the machine or the program ended suddenly
  --linger MS             how long to stay without work and without a face (2000)
  --until-alone           end when the last window or command has gone, with work or without: what is left is another's to make
  --max-attempts N        set a job aside after so many attempts that ended with their worker (2); 0: never
  --max-deaths N          set a device aside after so many deaths of its worker without a finished job between (4); 0: never
  --worker PROGRAM        the CPU worker (polyptych-worker beside this program)
  --cuda-worker PROGRAM   the GPU worker (polyptych-worker-cuda beside this program)
  --worker-argument A     give A to every worker; may be given again
  --help, --version

SIGTERM, SIGINT and SIGHUP end it cleanly: what was not finished is made by the next. A second one ends it at once.

Exit status: 0 ended by itself or by a signal; 1 the library cannot be used; 2 wrong arguments; 4 another program has the library;
130 a second signal.
)";
}

}  // namespace polyptych::core
