#include <QApplication>
#include <QCommandLineParser>
#include <QDir>
#include <QIcon>
#include <QLibraryInfo>
#include <QLocale>
#include <QTranslator>
#include <cstdio>
#include <utility>

#include "core/backend/remote_backend.h"
#include "core/devices/device_list.h"
#include "core/library/location.h"
#include "ui/main_window.h"
#include "ui/theme.h"

using namespace polyptych;

namespace {

/// Own texts and Qt's. English has a file too, for its plural forms; it stands in for languages that are not there.
void addLanguage(QApplication& application, const QLocale& locale) {
  QLocale::setDefault(locale);
  const QString folder = QStringLiteral(":/translations");
  auto* own = new QTranslator(&application);
  if (own->load(locale, QStringLiteral("polyptych"), QStringLiteral("_"), folder) ||
      own->load(QStringLiteral("polyptych_en"), folder)) {
    QCoreApplication::installTranslator(own);
  }
  auto* qt = new QTranslator(&application);
  if (qt->load(locale, QStringLiteral("qtbase"), QStringLiteral("_"), QLibraryInfo::path(QLibraryInfo::TranslationsPath))) {
    QCoreApplication::installTranslator(qt);
  }
}

}  // namespace

int main(int argc, char** argv) {
  QApplication application(argc, argv);
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
       {QStringLiteral("library"), QStringLiteral("Folder of the library; otherwise Polyptych in the folder for pictures."),
        QStringLiteral("DIR")},
       {QStringLiteral("model-folder"), QStringLiteral("Folder to look for models in; may be given again."),
        QStringLiteral("DIR")},
       {QStringLiteral("language"), QStringLiteral("en or ko; otherwise the desktop's."), QStringLiteral("NAME")},
       {QStringLiteral("theme"), QStringLiteral("system, light or dark."), QStringLiteral("NAME"), QStringLiteral("system")}});
  parser.process(application);

  const QString theme = parser.value(QStringLiteral("theme"));
  if (theme != QLatin1String("system") && theme != QLatin1String("light") && theme != QLatin1String("dark")) {
    std::fprintf(stderr, "polyptych: --theme is system, light or dark, not \"%s\"\n", qPrintable(theme));
    return 2;
  }
  const QString language = parser.value(QStringLiteral("language"));
  if (parser.isSet(QStringLiteral("language")) && language != QLatin1String("en") && language != QLatin1String("ko")) {
    std::fprintf(stderr, "polyptych: --language is en or ko, not \"%s\"\n", qPrintable(language));
    return 2;
  }
  addLanguage(application, language.isEmpty() ? QLocale() : QLocale(language));
  ui::applyTheme(application, theme == QLatin1String("dark")    ? ui::ThemeKind::Dark
                              : theme == QLatin1String("light") ? ui::ThemeKind::Light
                                                                : ui::ThemeKind::System);

  backend::RemoteBackendOptions remote;
  remote.faceKind = QStringLiteral("window");
  for (const auto& [variable, option] :
       {std::pair{"POLYPTYCH_WORKER", "--worker"}, std::pair{"POLYPTYCH_CUDA_WORKER", "--cuda-worker"}}) {
    if (const QString program = qEnvironmentVariable(variable); !program.isEmpty()) {
      remote.coreArguments << QLatin1String(option) << QDir::current().absoluteFilePath(program);
    }
  }
  const library::Location location =
      parser.isSet(QStringLiteral("library"))
          ? library::locationAt(parser.value(QStringLiteral("library")), library::Location::Layout::Dated)
          : library::defaultLocation();
  const std::unique_ptr<backend::RemoteBackend> backend = backend::connectToBackend(location, remote);
  ui::MainWindowOptions options;
  options.model = parser.value(QStringLiteral("model"));
  options.modelFolders = parser.values(QStringLiteral("model-folder"));
  options.cpuCores = devices::usableCores();
  ui::MainWindow window(*backend, options);
  QObject::connect(backend.get(), &backend::RemoteBackend::joined, &window, &ui::MainWindow::onJoined);
  window.show();
  return QApplication::exec();
}
