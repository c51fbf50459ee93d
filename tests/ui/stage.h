#pragma once

#include <QAbstractItemView>
#include <QApplication>
#include <QLabel>
#include <QListView>
#include <QPlainTextEdit>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>
#include <QTranslator>
#include <ctime>
#include <functional>
#include <memory>

#include "core/backend/backend.h"
#include "tests/ui/fake_backend.h"
#include "ui/shell/stall_monitor.h"
#include "ui/theme.h"

namespace polyptych::tests {

using ui::GalleryModel;

/// Measures what each event costs the window's thread: its own processor time, so that other programs do not count.
class Application : public ui::MonitoredApplication {
 public:
  Application(int& argc, char** argv) : MonitoredApplication(argc, argv, ui::StallMonitor::Clock::Processor) {}
  static double milliseconds() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
  }
  double& longest = monitor.longestMs;
};

/// A window on a fake backend, with everything a test looks at.
struct Stage {
  explicit Stage(std::vector<domain::DeviceInfo> devices = {tests::cpuDevice()}, QString modelReference = {},
                 const std::function<void(ui::MainWindowOptions&)>& change = {})
      : backend(std::move(devices)) {
    auto options = tests::windowOptions();
    if (!modelReference.isNull()) {
      options.model = modelReference;
    }
    if (change) {
      change(options);
    }
    window = std::make_unique<ui::MainWindow>(backend, options);
    window->show();
    QApplication::setActiveWindow(window.get());
    QCoreApplication::processEvents();
  }
  template <typename Widget>
  Widget* find(const char* name) const {
    auto* widget = window->findChild<Widget*>(QLatin1String(name));
    if (widget == nullptr) {
      qFatal("no widget %s", name);
    }
    return widget;
  }
  void type(const QStringList& prompts) {
    auto* editor = find<QPlainTextEdit>("prompts");
    editor->setFocus();
    for (int i = 0; i < prompts.size(); ++i) {
      if (i > 0) {
        QTest::keyClick(editor, Qt::Key_Return);
      }
      QTest::keyClicks(editor, prompts[i]);
    }
  }
  /// Types, starts and waits for the run to reach the backend.
  bool run(const QStringList& prompts) {
    type(prompts);
    QTest::keyClick(find<QPlainTextEdit>("prompts"), Qt::Key_Return, Qt::ControlModifier);
    if (!QTest::qWaitFor([this] { return backend.specs.size() == 1; })) {
      return false;
    }
    backend.start();
    return true;
  }
  /// The list's rows.
  static QStringList promptsOf(const ui::MainWindow& window) {
    QStringList prompts;
    const auto* list = window.findChild<QAbstractItemView*>(QStringLiteral("promptList"))->model();
    for (int row = 0; row < list->rowCount(); ++row) {
      prompts << list->index(row, 0).data().toString();
    }
    return prompts;
  }
  QStringList prompts() const { return promptsOf(*window); }
  QString message() const { return find<QLabel>("message")->text(); }
  QAbstractItemView* grid() const { return find<QAbstractItemView>("gallery"); }
  QModelIndex tile(int row) const { return grid()->model()->index(row, 0); }
  GalleryModel::State stateOf(int row) const { return tile(row).data(GalleryModel::StateRole).value<GalleryModel::State>(); }
  QString makePicture(const QString& name, int side, QColor colour) const {
    QImage image(side, side, QImage::Format_RGB888);
    image.fill(colour);
    const QString path = folder.filePath(name);
    image.save(path);
    return path;
  }
  static QColor colourOf(const QPixmap& picture) {
    return picture.isNull() ? QColor() : picture.toImage().pixelColor(picture.rect().center());
  }

  QTemporaryDir folder;
  FakeBackend backend;
  std::unique_ptr<ui::MainWindow> window;
};

/// Runs a test of the window as the program would start: English, dark.
template <typename Test>
int runUiTest(int argc, char** argv) {
  Application application(argc, argv);
  QApplication::setApplicationName(QStringLiteral("polyptych-test"));
  QApplication::setOrganizationName(QStringLiteral("polyptych-test"));
  QLocale::setDefault(QLocale(QStringLiteral("en_US")));
  backend::registerMetaTypes();
  QTranslator english;
  if (!english.load(QStringLiteral("polyptych_en"), QStringLiteral(":/translations"))) {
    qFatal("the English plural forms are not in the program");
  }
  QCoreApplication::installTranslator(&english);
  ui::applyTheme(application, ui::ThemeKind::Dark);
  Test test;
  return QTest::qExec(&test, argc, argv);
}

}  // namespace polyptych::tests
