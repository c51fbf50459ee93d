#include <QApplication>
#include <QElapsedTimer>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>
#include <QTimer>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include "core/library/location.h"
#include "tests/ui/fake_backend.h"
#include "ui/gallery/gallery_view.h"
#include "ui/prompts/prompt_view.h"
#include "ui/shell/stall_monitor.h"
#include "ui/theme.h"

using namespace polyptych;

namespace {

double processorSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double megabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) {
      return std::stod(line.substr(6)) / 1024;
    }
  }
  return 0;
}

struct Times {
  std::vector<double> all;
  void add(double ms) { all.push_back(ms); }
  double at(double share) {
    std::ranges::sort(all);
    return all.empty() ? 0 : all[std::min(all.size() - 1, static_cast<std::size_t>(share * static_cast<double>(all.size())))];
  }
};

/// What a change and the painting that it asks for take.
double painted(QWidget& window, const std::function<void()>& change) {
  QElapsedTimer watch;
  watch.start();
  change();
  QCoreApplication::sendPostedEvents();
  QCoreApplication::processEvents();
  window.repaint();
  return static_cast<double>(watch.nsecsElapsed()) / 1e6;
}

std::vector<domain::DeviceInfo> devices(int gpus) {
  std::vector<domain::DeviceInfo> list;
  for (int i = 0; i < gpus; ++i) {
    list.push_back(tests::gpuDevice(i));
  }
  list.push_back(tests::cpuDevice());
  return list;
}

std::unique_ptr<ui::MainWindow> open(tests::FakeBackend& backend, const ui::MainWindowOptions& options) {
  auto window = std::make_unique<ui::MainWindow>(backend, options);
  window->resize(1920, 1080);
  window->show();
  QApplication::setActiveWindow(window.get());
  QCoreApplication::processEvents();
  return window;
}

void start() {
  Times times;
  for (int i = 0; i < 10; ++i) {
    tests::FakeBackend backend(devices(2));
    QElapsedTimer watch;
    watch.start();
    const auto window = open(backend, tests::windowOptions());
    window->repaint();
    times.add(static_cast<double>(watch.nsecsElapsed()) / 1e6);
  }
  std::printf("start: window made, shown and painted: median %.0f ms (aim 400 with the program)\n", times.at(0.5));
}

void typing() {
  tests::FakeBackend backend(devices(1));
  const auto window = open(backend, tests::windowOptions());
  auto& prompts = window->findChild<ui::RunForm*>(QStringLiteral("leftPanel"))->prompts();
  ui::PromptListModel::Entries entries(20'000);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i].prompt = "a white lighthouse number " + std::to_string(i) + " by the sea at dusk, oil on canvas, soft rim light";
  }
  std::printf("20 000 prompts put into the list: %.1f ms\n", painted(*window, [&] { prompts.list().insert(0, entries); }));
  auto* field = window->findChild<QPlainTextEdit*>(QStringLiteral("prompts"));
  field->setFocus();
  Times below;
  for (int i = 0; i < 200; ++i) {
    below.add(painted(*window, [&] { QTest::keyClick(field, Qt::Key_A); }));
  }
  prompts.view().editRow(10'000);
  Times inRow;
  for (int i = 0; i < 200; ++i) {
    inRow.add(painted(*window, [&] { QTest::keyClick(QApplication::focusWidget(), Qt::Key_B); }));
  }
  Times scrolling;
  auto* bar = prompts.view().verticalScrollBar();
  for (int i = 0; i < 300; ++i) {
    scrolling.add(painted(*window, [&] { bar->setValue(bar->value() + 977); }));
  }
  std::printf(
      "a key to the painted window, 20 000 prompts: in the field median %.1f ms, p99 %.1f; in a row %.1f, %.1f (aim 16)\n",
      below.at(0.5), below.at(0.99), inRow.at(0.5), inRow.at(0.99));
  std::printf("scrolling the prompts: median %.1f ms, p99 %.1f\n", scrolling.at(0.5), scrolling.at(0.99));
}

void previews(int seconds) {
  tests::FakeBackend backend(devices(8));
  const auto window = open(backend, tests::windowOptions());
  auto* field = window->findChild<QPlainTextEdit*>(QStringLiteral("prompts"));
  field->setPlainText(QStringLiteral("a lighthouse"));
  ui::RunInput input;
  input.entries.resize(64);
  for (auto& entry : input.entries) {
    entry.prompt = "a lighthouse";
  }
  input.modelReference = QStringLiteral("test/small-model");
  window->findChild<ui::RunForm*>(QStringLiteral("leftPanel"))->prompts().list().insert(0, input.entries);
  QTest::keyClick(field, Qt::Key_Return, Qt::ControlModifier);
  if (!QTest::qWaitFor([&] { return !backend.specs.empty(); })) {
    std::printf("previews: the run did not begin\n");
    return;
  }
  backend.start();
  const domain::Image image = tests::plainImage(64, 128);
  auto* monitored = static_cast<ui::MonitoredApplication*>(QCoreApplication::instance());
  monitored->monitor.longestMs = 0;
  // 64 tiles, 10 previews a second of each: what the backend tells, not what the window shows of it.
  QTimer timer;
  timer.setInterval(100);
  int step = 0;
  QObject::connect(&timer, &QTimer::timeout, window.get(), [&] {
    ++step;
    for (int tile = 0; tile < 64; ++tile) {
      const QString slot = QStringLiteral("cuda:%1").arg(tile % 8);
      if (tile < 8) {
        backend.step(slot, tile, step % 25, 25);
      }
      backend.preview(slot, tile, image);
    }
  });
  const double before = processorSeconds();
  timer.start();
  QTest::qWait(seconds * 1000);
  timer.stop();
  const double share = (processorSeconds() - before) / seconds;
  std::printf("8 cards and 64 tiles, 10 previews a second each: %.1f %% of a core (aim 15), longest event %.1f ms (aim 33)\n",
              100 * share, monitored->monitor.longestMs);
}

void wholeGallery(const QString& folder) {
  tests::FakeBackend backend(devices(2));
  auto options = tests::windowOptions();
  options.location = library::locationAt(folder, library::Location::Layout::Dated);
  QElapsedTimer watch;
  watch.start();
  const auto window = open(backend, options);
  auto* grid = window->findChild<ui::GalleryView*>(QStringLiteral("gallery"));
  const auto isSeen = [grid] {
    return grid->model()->rowCount() > 0 && !grid->model()->index(0, 0).data(Qt::DecorationRole).value<QPixmap>().isNull();
  };
  if (!QTest::qWaitFor(isSeen, 30'000)) {
    std::printf("gallery: no picture in %s\n", qPrintable(folder));
    return;
  }
  const double first = static_cast<double>(watch.nsecsElapsed()) / 1e6;
  QTest::qWait(2000);
  std::printf("gallery of %d pictures: first thumbnail after %.0f ms (aim 500)\n", grid->model()->rowCount(), first);
  Times frames;
  auto* bar = grid->verticalScrollBar();
  for (int i = 0; i < 600; ++i) {
    frames.add(painted(*window, [&] { bar->setValue((bar->value() + 1777) % std::max(1, bar->maximum())); }));
  }
  std::printf("scrolling fast: frame median %.1f ms, p99 %.1f (aim 16)\n", frames.at(0.5), frames.at(0.99));
  auto* search = window->findChild<QLineEdit*>(QStringLiteral("search"));
  Times searches;
  for (const char* const word : {"l", "li", "lig", "light", "moon", "등대", "0001", "boat"}) {
    QSignalSpy settled(qobject_cast<ui::GalleryModel*>(grid->model()), &ui::GalleryModel::settled);
    QElapsedTimer typed;
    typed.start();
    search->setText(QString::fromUtf8(word));
    Q_EMIT search->textEdited(search->text());
    if (!settled.wait(5000)) {
      std::printf("search: no answer to %s\n", word);
    }
    searches.add(static_cast<double>(typed.nsecsElapsed()) / 1e6);
  }
  std::printf("search, a key to another result: median %.0f ms, worst %.0f (aim 50)\n", searches.at(0.5), searches.at(1));
  std::printf("memory: %.0f MB (aim 500)\n", megabytes());
}

}  // namespace

/// window_bench [LIBRARY]: what the window costs, without a display. LIBRARY is the folder that library_bench makes.
int main(int argc, char** argv) {
  qputenv("QT_QPA_PLATFORM", "offscreen");
  ui::MonitoredApplication application(argc, argv, ui::StallMonitor::Clock::Processor);
  QApplication::setApplicationName(QStringLiteral("polyptych-bench"));
  QApplication::setOrganizationName(QStringLiteral("polyptych-bench"));
  backend::registerMetaTypes();
  ui::applyTheme(application, ui::ThemeKind::Dark);
  start();
  typing();
  previews(10);
  if (const QString folder = QApplication::arguments().value(1); !folder.isEmpty()) {
    wholeGallery(folder);
  }
  return 0;
}
