#include <QApplication>
#include <QCommandLineParser>
#include <QDir>
#include <QIcon>
#include <cstdio>
#include <utility>

#include "app/polyptych/window_program.h"
#include "ui/shell/stall_monitor.h"

using namespace polyptych;

namespace {

/// Builds with asserts measure what every event costs the window's thread.
#ifdef NDEBUG
using Application = QApplication;
#else
using Application = ui::MonitoredApplication;
#endif

}  // namespace

int main(int argc, char** argv) {
  Application application(argc, argv);
  QApplication::setApplicationName(QStringLiteral("polyptych"));
  QApplication::setOrganizationName(QStringLiteral("polyptych"));
  QApplication::setApplicationDisplayName(QStringLiteral("Polyptych"));
  QApplication::setApplicationVersion(QStringLiteral(POLYPTYCH_VERSION));
  QApplication::setDesktopFileName(QStringLiteral("polyptych"));
  QApplication::setWindowIcon(QIcon(QStringLiteral(":/icons/polyptych.svg")));

  QCommandLineParser parser;
  parser.setApplicationDescription(
      QStringLiteral("Turns a list of prompts into a gallery of pictures with every GPU of the machine."));
  parser.addHelpOption();
  parser.addVersionOption();
  parser.addOptions(
      {{QStringLiteral("model"), QStringLiteral("Model to begin with: a folder, or a name of the Hugging Face cache."),
        QStringLiteral("REF")},
       {QStringLiteral("library"),
        QStringLiteral("Folder of the library; otherwise the one opened last, at first Polyptych in the folder for pictures."),
        QStringLiteral("DIR")},
       {QStringLiteral("model-folder"), QStringLiteral("Folder to look for models in; may be given again."),
        QStringLiteral("DIR")},
       {QStringLiteral("language"), QStringLiteral("en or ko, this time; otherwise as chosen in the settings."),
        QStringLiteral("NAME")},
       {QStringLiteral("theme"), QStringLiteral("system, light or dark, this time; otherwise as chosen in the settings."),
        QStringLiteral("NAME")}});
  parser.process(application);

  const QStringList themes{QStringLiteral("system"), QStringLiteral("light"), QStringLiteral("dark")};
  const QString theme = parser.value(QStringLiteral("theme"));
  if (parser.isSet(QStringLiteral("theme")) && !themes.contains(theme)) {
    std::fprintf(stderr, "polyptych: --theme is system, light or dark, not \"%s\"\n", qPrintable(theme));
    return 2;
  }
  const QString language = parser.value(QStringLiteral("language"));
  if (parser.isSet(QStringLiteral("language")) && language != QLatin1String("en") && language != QLatin1String("ko")) {
    std::fprintf(stderr, "polyptych: --language is en or ko, not \"%s\"\n", qPrintable(language));
    return 2;
  }
  ui::Preferences preferences(true);
  preferences.override([&](ui::PreferenceValues& values) {
    if (!theme.isEmpty()) {
      values.theme = static_cast<ui::ThemeKind>(themes.indexOf(theme));
    }
    if (!language.isEmpty()) {
      values.language = language == QLatin1String("ko") ? ui::LanguageChoice::Korean : ui::LanguageChoice::English;
    }
  });

  WindowProgram::Options options;
  options.model = parser.value(QStringLiteral("model"));
  options.modelFolders = parser.values(QStringLiteral("model-folder"));
  for (const auto& [variable, option] :
       {std::pair{"POLYPTYCH_WORKER", "--worker"}, std::pair{"POLYPTYCH_CUDA_WORKER", "--cuda-worker"}}) {
    if (const QString worker = qEnvironmentVariable(variable); !worker.isEmpty()) {
      options.coreArguments << QLatin1String(option) << QDir::current().absoluteFilePath(worker);
    }
  }
  WindowProgram program(application, preferences, options);
  program.open(parser.isSet(QStringLiteral("library")) ? parser.value(QStringLiteral("library")) : preferences.values().library);
  return QApplication::exec();
}
