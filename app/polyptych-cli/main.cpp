#include <QCoreApplication>
#include <QFile>
#include <clocale>
#include <cstdlib>
#include <string>
#include <vector>

#include "app/polyptych-cli/arguments.h"
#include "app/polyptych-cli/event_printer.h"
#include "app/polyptych-cli/generate_command.h"
#include "app/polyptych-cli/interrupts.h"
#include "app/polyptych-cli/query_commands.h"
#include "app/polyptych-cli/streams.h"
#include "core/backend/backend.h"

namespace {

using namespace polyptych;
using cli::ExitCode;

QString fileOption(const std::optional<std::string>& typed, const char* variable) {
  return typed ? QFile::decodeName(QByteArray::fromStdString(*typed)) : QFile::decodeName(qgetenv(variable));
}

std::unique_ptr<backend::Backend> makeBackend(const cli::Arguments& arguments) {
  backend::LocalBackendOptions options;
  options.cpuWorker = fileOption(arguments.cpuWorker, "POLYPTYCH_WORKER");
  options.cudaWorker = fileOption(arguments.cudaWorker, "POLYPTYCH_CUDA_WORKER");
  for (const std::string& argument : arguments.workerArguments) {
    options.extraWorkerArguments.append(QString::fromStdString(argument));
  }
  return backend::makeLocalBackend(options);
}

int generate(QCoreApplication& application, const cli::Arguments& arguments) {
  const cli::Telling telling = arguments.json            ? cli::Telling::Json
                               : cli::isErrorATerminal() ? cli::Telling::Terminal
                                                         : cli::Telling::Plain;
  cli::EventPrinter printer(telling, cli::writeOutput, cli::writeError, cli::terminalColumns());
  cli::Interrupts interrupts;
  const auto backend = makeBackend(arguments);
  cli::GenerateCommand command(arguments, *backend, printer);
  QObject::connect(&command, &cli::GenerateCommand::ended, &application, &QCoreApplication::exit, Qt::QueuedConnection);
  QObject::connect(&interrupts, &cli::Interrupts::interrupted, &command, [&] {
    printer.tellUser("Stopping after the step in work. Ctrl-C again ends at once.");
    command.interrupt();
  });
  QMetaObject::invokeMethod(&command, &cli::GenerateCommand::start, Qt::QueuedConnection);
  QObject::connect(backend.get(), &backend::Backend::runStarted, &interrupts, &cli::Interrupts::expect);
  return QCoreApplication::exec();
}

int devices(QCoreApplication& application, const cli::Arguments& arguments) {
  const auto backend = makeBackend(arguments);
  QObject::connect(backend.get(), &backend::Backend::devicesListed, &application,
                   [&](const std::vector<domain::DeviceInfo>& list) {
                     QCoreApplication::exit(static_cast<int>(cli::showDevices(list, arguments.json)));
                   });
  QMetaObject::invokeMethod(backend.get(), &backend::Backend::listDevices, Qt::QueuedConnection);
  return QCoreApplication::exec();
}

/// Qt's warnings, but for the one that servers without a login session give at every start.
void onQtMessage(QtMsgType type, const QMessageLogContext&, const QString& message) {
  if (type != QtDebugMsg && !message.startsWith(QLatin1String("QStandardPaths: XDG_RUNTIME_DIR not set"))) {
    cli::writeError(cli::printable(message.toStdString()) + "\n");
  }
}

ExitCode writeText(const std::string& text) { return cli::writeOutput(text) ? ExitCode::AllMade : ExitCode::SomeFailed; }

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + std::max(argc, 1));
  qInstallMessageHandler(onQtMessage);
  QCoreApplication application(argc, argv);
  QCoreApplication::setApplicationName(QStringLiteral("polyptych-cli"));
  QCoreApplication::setApplicationVersion(QStringLiteral(POLYPTYCH_VERSION));
  std::setlocale(LC_NUMERIC, "C");

  const auto arguments = cli::parseArguments(words);
  if (!arguments) {
    cli::complain(arguments.error());
    return static_cast<int>(ExitCode::WrongUsage);
  }
  switch (arguments->command) {
    case cli::Command::Help:
      return static_cast<int>(writeText(cli::helpText()));
    case cli::Command::Version:
      return static_cast<int>(writeText("polyptych-cli " POLYPTYCH_VERSION "\n"));
    case cli::Command::Generate:
      return generate(application, *arguments);
    case cli::Command::Devices:
      return devices(application, *arguments);
    case cli::Command::Models:
      return static_cast<int>(cli::showModels(arguments->json));
    case cli::Command::ShowModel:
      return static_cast<int>(cli::showModel(*arguments->model, arguments->json));
    case cli::Command::Schedulers:
      return static_cast<int>(cli::showSchedulers(arguments->json));
    case cli::Command::ContactSheet:
      return static_cast<int>(cli::makeContactSheet(arguments->sheet));
    case cli::Command::Tokenize:
      return static_cast<int>(cli::tokenizeInput(*arguments->model, arguments->json));
  }
  return static_cast<int>(ExitCode::WrongUsage);
}
