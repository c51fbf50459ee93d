#include <QCommandLineParser>
#include <QDir>
#include <QElapsedTimer>
#include <QListView>
#include <QPainter>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSettings>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>
#include <cstdio>
#include <functional>
#include <memory>
#include <vector>

#include "core/backend/remote_backend.h"
#include "core/devices/device_list.h"
#include "core/library/location.h"
#include "ui/gallery/gallery_model.h"
#include "ui/main_window.h"
#include "ui/shell/appearance.h"
#include "ui/shell/language.h"
#include "ui/theme.h"

using namespace polyptych;

namespace {

constexpr int kPatienceMs = 300'000;
constexpr int kSettleMs = 400;
constexpr int kPictures = 4;  ///< of each prompt
constexpr int kWorkers = 4;

/// The window on its real backend, in a library of its own, as somebody who starts for the first time has it.
class Scene {
 public:
  Scene(const QString& core, const QStringList& coreArguments, bool isKorean) : m_isKorean(isKorean) {
    QSettings().clear();
    QFile::remove(QFileInfo(QSettings().fileName()).absolutePath() + QStringLiteral("/prompts.jsonl"));
    m_language.apply(isKorean ? ui::LanguageChoice::Korean : ui::LanguageChoice::English);
    backend::RemoteBackendOptions remote;
    remote.coreProgram = core;
    remote.coreArguments = coreArguments;
    const auto location = library::locationAt(m_folder.filePath(QStringLiteral("Polyptych")), library::Location::Layout::Dated);
    m_backend = backend::connectToBackend(location, remote);
    ui::MainWindowOptions options;
    options.cpuCores = devices::usableCores();
    options.library = location.root;
    options.location = location;
    window = std::make_unique<ui::MainWindow>(*m_backend, options);
    QObject::connect(m_backend.get(), &backend::RemoteBackend::joined, window.get(), &ui::MainWindow::onJoined);
    window->resize(1440, 900);
    window->show();
    bool isListed = false;
    QObject::connect(m_backend.get(), &backend::Backend::devicesListed, window.get(), [&isListed] { isListed = true; });
    await([&isListed] { return isListed; }, "the devices");
  }
  ~Scene() {
    window.reset();
    m_backend->leave(std::chrono::seconds(30));
  }

  void await(const std::function<bool()>& isSo, const char* what) {
    if (!QTest::qWaitFor(isSo, kPatienceMs)) {
      std::fprintf(stderr, "screenshots: waited in vain for %s\n", what);
      std::exit(1);
    }
  }
  template <typename Widget>
  Widget* find(const char* name) const {
    auto* widget = window->findChild<Widget*>(QLatin1String(name));
    if (widget == nullptr) {
      std::fprintf(stderr, "screenshots: there is no %s\n", name);
      std::exit(1);
    }
    return widget;
  }
  int countOf(ui::GalleryModel::State state) const {
    const auto* model = find<QAbstractItemView>("gallery")->model();
    int count = 0;
    for (int row = 0; row < model->rowCount(); ++row) {
      count += model->index(row, 0).data(ui::GalleryModel::StateRole).value<ui::GalleryModel::State>() == state ? 1 : 0;
    }
    return count;
  }
  bool isKorean() const { return m_isKorean; }

  std::unique_ptr<ui::MainWindow> window;

 private:
  bool m_isKorean;
  QTemporaryDir m_folder;
  ui::Language m_language;
  std::unique_ptr<backend::RemoteBackend> m_backend;
};

/// One picture of the set. They are made in this order, each where the one before left the window.
struct Shot {
  const char* name;
  std::function<void(Scene&)> arrange;
};

std::vector<Shot> standardSet() {
  using State = ui::GalleryModel::State;
  const auto page = [](const char* name) {
    return [name](Scene& scene) { scene.window->shell().pages().open(QLatin1String(name)); };
  };
  return {
      {"first-start", [](Scene&) {}},
      {"running",
       [](Scene& scene) {
         auto* prompts = scene.find<QPlainTextEdit>("prompts");
         prompts->setPlainText(QStringLiteral(
             "a white lighthouse by the sea at sunset\na red house in the snow at night\na yellow balloon over the "
             "desert\na pink mushroom in a meadow\na black rocket in the city\na blue tree in a field"));
         scene.find<QSpinBox>("images")->setValue(kPictures);
         for (int i = 1; i < kWorkers; ++i) {
           scene.window->shell().actions().trigger(QStringLiteral("devices.moreWorkers"));
         }
         QTest::keyClick(prompts, Qt::Key_Return, Qt::ControlModifier);
         scene.await([&] { return scene.countOf(State::Done) >= 9; }, "the first pictures");
       }},
      {"action-list",
       [](Scene& scene) {
         QTest::keyClick(scene.window.get(), Qt::Key_K, Qt::ControlModifier);
         QTest::keyClicks(QApplication::focusWidget(), QStringLiteral("s"));
       }},
      {"closing",
       [](Scene& scene) {
         QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape);
         scene.window->close();
       }},
      {"finished",
       [](Scene& scene) {
         QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape);
         auto* grid = scene.find<QAbstractItemView>("gallery");
         scene.await([&] { return scene.countOf(State::Done) == grid->model()->rowCount(); }, "all pictures");

         scene.await([&] { return !grid->model()->index(0, 0).data(Qt::DecorationRole).value<QPixmap>().isNull(); }, "the tiles");
       }},
      {"loupe",
       [](Scene& scene) {
         auto* grid = scene.find<QAbstractItemView>("gallery");
         grid->setFocus();
         grid->setCurrentIndex(grid->model()->index(2, 0));
         QTest::keyClick(grid, Qt::Key_Return);
       }},
      {"compare",
       [](Scene& scene) {
         QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape);
         auto* grid = scene.find<QAbstractItemView>("gallery");
         grid->setFocus();
         grid->selectionModel()->select(grid->model()->index(0, 0), QItemSelectionModel::ClearAndSelect);
         grid->selectionModel()->select(grid->model()->index(1, 0), QItemSelectionModel::Select);
         scene.window->shell().actions().trigger(QStringLiteral("gallery.compare"));
       }},
      {"queue",
       [](Scene& scene) {
         QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape);
         QTest::mouseClick(scene.find<QPushButton>("queueDoor"), Qt::LeftButton);
         QTest::mouseClick(scene.find<QPushButton>("queueTime"), Qt::LeftButton);
         QTest::qWait(kSettleMs);
       }},
      {"models",
       [page](Scene& scene) {
         QTest::mouseClick(scene.find<QPushButton>("queueDoor"), Qt::LeftButton);
         page("models")(scene);
       }},
      {"settings", page("settings")},
      {"shortcuts", page("shortcuts")},
      {"about", page("about")},
  };
}

}  // namespace

/// Pictures of the window on its real backend: screenshots FOLDER [SHOT...]. QT_SCALE_FACTOR=2 makes them for a dense screen.
int main(int argc, char** argv) {
  QApplication application(argc, argv);
  QApplication::setApplicationName(QStringLiteral("polyptych-screenshots"));
  QApplication::setOrganizationName(QStringLiteral("polyptych-screenshots"));
  QCommandLineParser parser;
  parser.addHelpOption();
  parser.addOptions({{QStringLiteral("core"), QStringLiteral("Path of polyptych-core."), QStringLiteral("FILE")},
                     {QStringLiteral("worker"), QStringLiteral("Path of a worker."), QStringLiteral("FILE")}});
  parser.addPositionalArgument(QStringLiteral("folder"), QStringLiteral("Where the pictures go."));
  parser.addPositionalArgument(QStringLiteral("shots"), QStringLiteral("Which; otherwise all."), QStringLiteral("[shots...]"));
  parser.process(application);
  QStringList wanted = parser.positionalArguments();
  if (wanted.isEmpty() || !QDir().mkpath(wanted.first())) {
    parser.showHelp(2);
  }
  const QDir folder(wanted.takeFirst());
  const std::vector<Shot> shots = standardSet();
  for (const QString& name : wanted) {
    if (std::ranges::none_of(shots, [&](const Shot& shot) { return name == QLatin1String(shot.name); })) {
      std::fprintf(stderr, "screenshots: there is no shot \"%s\"\n", qPrintable(name));
      return 2;
    }
  }
  QStringList coreArguments{QStringLiteral("--linger"), QStringLiteral("200")};
  if (parser.isSet(QStringLiteral("worker"))) {
    coreArguments << QStringLiteral("--worker") << parser.value(QStringLiteral("worker"));
  }
  backend::registerMetaTypes();
  ui::Appearance appearance(application);
  for (const bool isKorean : {false, true}) {
    appearance.apply(ui::ThemeKind::Dark);
    Scene scene(parser.value(QStringLiteral("core")), coreArguments, isKorean);
    QStringList left = wanted;
    for (const Shot& shot : shots) {
      if (!wanted.isEmpty() && left.isEmpty()) {
        break;
      }
      QApplication::setActiveWindow(scene.window.get());
      shot.arrange(scene);
      if (!wanted.isEmpty() && left.removeAll(QLatin1String(shot.name)) == 0) {
        continue;
      }
      QTest::qWait(kSettleMs);
      // Both themes of the same moment.
      for (const auto theme : {ui::ThemeKind::Dark, ui::ThemeKind::Light}) {
        appearance.apply(theme);
        QCoreApplication::processEvents();
        const QString name =
            QStringLiteral("%1-%2-%3@%4x.png")
                .arg(QLatin1String(shot.name), theme == ui::ThemeKind::Dark ? QStringLiteral("dark") : QStringLiteral("light"),
                     isKorean ? QStringLiteral("ko") : QStringLiteral("en"))
                .arg(scene.window->devicePixelRatioF());
        if (!scene.window->grab().save(folder.filePath(name))) {
          std::fprintf(stderr, "screenshots: %s cannot be written\n", qPrintable(folder.filePath(name)));
          return 1;
        }
      }
      appearance.apply(ui::ThemeKind::Dark);
    }
  }
  return 0;
}
