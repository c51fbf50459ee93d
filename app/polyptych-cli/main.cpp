#include <fcntl.h>
#include <unistd.h>

#include <QCoreApplication>
#include <QFile>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "app/polyptych-cli/arguments.h"
#include "app/polyptych-cli/env_command.h"
#include "app/polyptych-cli/event_printer.h"
#include "app/polyptych-cli/generate_command.h"
#include "app/polyptych-cli/group_command.h"
#include "app/polyptych-cli/inputs.h"
#include "app/polyptych-cli/interrupts.h"
#include "app/polyptych-cli/launch_command.h"
#include "app/polyptych-cli/library_commands.h"
#include "app/polyptych-cli/limits_command.h"
#include "app/polyptych-cli/merge_command.h"
#include "app/polyptych-cli/query_commands.h"
#include "app/polyptych-cli/queue_commands.h"
#include "app/polyptych-cli/requeue_command.h"
#include "app/polyptych-cli/streams.h"
#include "core/backend/remote_backend.h"
#include "core/devices/device_list.h"

namespace {

using namespace polyptych;
using cli::ExitCode;

constexpr std::chrono::milliseconds kLeaveLimit{5000};

QString fileOption(const std::optional<std::string>& typed, const char* variable) {
  return typed ? QFile::decodeName(QByteArray::fromStdString(*typed)) : QFile::decodeName(qgetenv(variable));
}

backend::RemoteBackendOptions backendOptions(const cli::Arguments& arguments) {
  backend::RemoteBackendOptions options;
  options.faceKind = QStringLiteral("cli");
  options.waitsForWork = arguments.command != cli::Command::Limits;
  const auto add = [&options](const char* name, const QString& value) {
    if (!value.isEmpty()) {
      options.coreArguments << QLatin1String(name) << value;
    }
  };
  add("--worker", fileOption(arguments.cpuWorker, "POLYPTYCH_WORKER"));
  add("--cuda-worker", fileOption(arguments.cudaWorker, "POLYPTYCH_CUDA_WORKER"));
  for (const std::string& argument : arguments.workerArguments) {
    options.coreArguments << QStringLiteral("--worker-argument") << QString::fromStdString(argument);
  }
  if (arguments.generate.resumes) {
    options.coreArguments << QStringLiteral("--resume");
  }
  return options;
}

std::unique_ptr<backend::RemoteBackend> makeBackend(const cli::Arguments& arguments) {
  return std::make_unique<backend::RemoteBackend>(cli::libraryOf(arguments), backendOptions(arguments));
}

/// One of several processes that a launcher has started.
int generateInGroup(QCoreApplication& application, const cli::Arguments& arguments,
                    const cluster::LaunchEnvironment& environment) {
  const bool isMain = environment.rank == 0;
  const auto rendezvous = cli::rendezvousProgram(arguments.rendezvous);
  if (!rendezvous) {
    cli::complain(rendezvous.error());
    return static_cast<int>(ExitCode::WrongUsage);
  }
  const cli::Telling telling = !isMain                   ? cli::Telling::Plain
                               : arguments.json          ? cli::Telling::Json
                               : cli::isErrorATerminal() ? cli::Telling::Terminal
                                                         : cli::Telling::Plain;
  const std::string prefix = isMain ? "" : "rank " + std::to_string(environment.rank) + ": ";
  cli::EventPrinter printer(
      telling, [isMain](std::string_view text) { return !isMain || cli::writeOutput(text); },
      [prefix](std::string_view text) { return cli::writeError(prefix + std::string(text)); }, cli::terminalColumns());
  cli::Interrupts interrupts;
  cli::GroupTools tools;
  tools.listDevices = [] { return devices::listDevices(); };
  tools.rendezvous = *rendezvous;
  tools.makeBackend = [&arguments](const QString& folder, const QStringList& workerArguments) {
    backend::RemoteBackendOptions options = backendOptions(arguments);
    for (const QString& argument : workerArguments) {
      options.coreArguments << QStringLiteral("--worker-argument") << argument;
    }
    options.coreArguments << QStringLiteral("--until-alone") << QStringLiteral("--resume");
    return std::make_unique<backend::RemoteBackend>(library::locationAt(folder, library::Location::Layout::Dated), options);
  };
  cli::GroupCommand command(arguments, environment, printer, std::move(tools));
  QObject::connect(&command, &cli::GroupCommand::ended, &application, &QCoreApplication::exit, Qt::QueuedConnection);
  QObject::connect(&command, &cli::GroupCommand::started, &interrupts, &cli::Interrupts::expect);
  QObject::connect(&interrupts, &cli::Interrupts::interrupted, &command, [&] {
    if (isMain) {
      printer.tellUser("Stopping after the step in work. Ctrl-C again ends at once.");
    }
    command.interrupt();
  });
  QMetaObject::invokeMethod(&command, &cli::GroupCommand::start, Qt::QueuedConnection);
  return QCoreApplication::exec();
}

int launch(QCoreApplication& application, const cli::Arguments& arguments) {
  const auto rendezvous = cli::rendezvousProgram(arguments.rendezvous);
  if (!rendezvous) {
    cli::complain(rendezvous.error());
    return static_cast<int>(ExitCode::WrongUsage);
  }
  cli::Interrupts interrupts;
  cli::LaunchCommand command(arguments, QCoreApplication::applicationFilePath(), *rendezvous,
                             [] { return devices::listDevices(); });
  QObject::connect(&command, &cli::LaunchCommand::ended, &application, &QCoreApplication::exit, Qt::QueuedConnection);
  QObject::connect(&command, &cli::LaunchCommand::started, &interrupts, &cli::Interrupts::expect);
  QObject::connect(&interrupts, &cli::Interrupts::interrupted, &command, &cli::LaunchCommand::interrupt);
  QMetaObject::invokeMethod(&command, &cli::LaunchCommand::start, Qt::QueuedConnection);
  return QCoreApplication::exec();
}

int generate(QCoreApplication& application, const cli::Arguments& arguments) {
  const auto environment = cluster::detectLaunchEnvironment();
  if (!environment) {
    cli::complain(environment.error());
    return static_cast<int>(ExitCode::WrongUsage);
  }
  if (environment->isGroup()) {
    return generateInGroup(application, arguments, *environment);
  }
  const cli::Telling telling = arguments.json            ? cli::Telling::Json
                               : cli::isErrorATerminal() ? cli::Telling::Terminal
                                                         : cli::Telling::Plain;
  int outputProblem = 0;
  const auto toOutput = [&outputProblem](std::string_view text) {
    const bool isWritten = cli::writeOutput(text);
    if (!isWritten && errno != EPIPE) {
      outputProblem = errno;
    }
    return isWritten;
  };
  cli::EventPrinter printer(telling, toOutput, cli::writeError, cli::terminalColumns());
  cli::Interrupts interrupts;
  const auto backend = makeBackend(arguments);
  cli::GenerateCommand command(arguments, *backend, printer, [] { return devices::listDevices(); });
  QObject::connect(&command, &cli::GenerateCommand::ended, &application, &QCoreApplication::exit, Qt::QueuedConnection);
  QObject::connect(&interrupts, &cli::Interrupts::interrupted, &command, [&] {
    printer.tellUser("Stopping after the step in work. Ctrl-C again ends at once.");
    command.interrupt();
  });
  QMetaObject::invokeMethod(&command, &cli::GenerateCommand::start, Qt::QueuedConnection);
  QObject::connect(backend.get(), &backend::Backend::runStarted, &interrupts, &cli::Interrupts::expect);
  const int code = QCoreApplication::exec();
  if (arguments.generate.out) {
    // The folder is its user's again once its backend has ended.
    backend->leave(kLeaveLimit);
  }
  if (outputProblem != 0) {
    cli::complainOfOutput(outputProblem);
    return static_cast<int>(ExitCode::SomeFailed);
  }
  return code;
}

template <typename Command>
int ask(QCoreApplication& application, const cli::Arguments& arguments) {
  const auto backend = makeBackend(arguments);
  Command command(arguments, *backend);
  QObject::connect(&command, &Command::ended, &application, &QCoreApplication::exit, Qt::QueuedConnection);
  QMetaObject::invokeMethod(&command, &Command::start, Qt::QueuedConnection);
  return QCoreApplication::exec();
}

/// Qt's warnings, but for the one that servers without a login session give at every start.
void onQtMessage(QtMsgType type, const QMessageLogContext&, const QString& message) {
  if (type != QtDebugMsg && !message.startsWith(QLatin1String("QStandardPaths: XDG_RUNTIME_DIR not set"))) {
    cli::writeError(cli::printable(message.toStdString()) + "\n");
  }
}

/// Descriptors 0 to 2 that nobody gave us would be taken by the next files that are opened.
void openStandardDescriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) < 0) {
      [[maybe_unused]] const int opened = open("/dev/null", O_RDWR);  // the lowest free number: this one
    }
  }
}

/// `generate --json` tells its events even where its words are wrong.
void tellWrongUsage(const std::vector<std::string>& words, const base::Error& error) {
  const auto end = std::find(words.begin(), words.end(), "--");
  if (words.empty() || words[0] != "generate" || std::find(words.begin(), end, "--json") == end) {
    cli::complain(error);
    return;
  }
  cli::EventPrinter printer(cli::Telling::Json, cli::writeOutput, cli::writeError, cli::terminalColumns());
  printer.tellError(error);
  printer.tellFinished({}, ExitCode::WrongUsage, 0);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + std::max(argc, 1));
  openStandardDescriptors();
  std::signal(SIGPIPE, SIG_IGN);
  qInstallMessageHandler(onQtMessage);
  QCoreApplication application(argc, argv);
  QCoreApplication::setApplicationName(QStringLiteral("polyptych-cli"));
  QCoreApplication::setApplicationVersion(QStringLiteral(POLYPTYCH_VERSION));
  std::setlocale(LC_NUMERIC, "C");

  const auto arguments = cli::parseArguments(words);
  if (!arguments) {
    tellWrongUsage(words, arguments.error());
    return static_cast<int>(ExitCode::WrongUsage);
  }
  switch (arguments->command) {
    case cli::Command::Help:
      return static_cast<int>(cli::answer(cli::helpText()));
    case cli::Command::Version:
      return static_cast<int>(cli::answer("polyptych-cli " POLYPTYCH_VERSION "\n"));
    case cli::Command::Generate:
      return generate(application, *arguments);
    case cli::Command::Devices:
      return static_cast<int>(cli::showDevices(devices::listDevices(), arguments->json));
    case cli::Command::Models:
      return static_cast<int>(cli::showModels(arguments->json));
    case cli::Command::ShowModel:
      return static_cast<int>(cli::showModel(*arguments->model, arguments->json));
    case cli::Command::Schedulers:
      return static_cast<int>(cli::showSchedulers(arguments->json));
    case cli::Command::ContactSheet:
      return static_cast<int>(cli::makeContactSheet(arguments->sheet));
    case cli::Command::Runs:
      return static_cast<int>(cli::showRuns(*arguments));
    case cli::Command::Queue:
      return arguments->queue.verb == "list"      ? static_cast<int>(cli::showQueue(*arguments))
             : arguments->queue.verb == "requeue" ? ask<cli::RequeueCommand>(application, *arguments)
                                                  : ask<cli::QueueCommand>(application, *arguments);
    case cli::Command::Limits:
      return ask<cli::LimitsCommand>(application, *arguments);
    case cli::Command::Pictures:
      return static_cast<int>(cli::showPictures(*arguments));
    case cli::Command::Library:
      return static_cast<int>(cli::keepLibrary(*arguments));
    case cli::Command::Env:
      return static_cast<int>(cli::showLaunchEnvironment(cluster::processVariables(), arguments->json));
    case cli::Command::Launch:
      return launch(application, *arguments);
    case cli::Command::Merge:
      return static_cast<int>(cli::mergeFolders(arguments->merge));
    case cli::Command::Tokenize:
      return static_cast<int>(cli::tokenizeInput(*arguments->model, arguments->json));
  }
  return static_cast<int>(ExitCode::WrongUsage);
}
