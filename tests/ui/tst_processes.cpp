#include <signal.h>

#include <QApplication>
#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QLabel>
#include <QListView>
#include <QPlainTextEdit>
#include <QProcess>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <cstdio>
#include <functional>
#include <optional>
#include <utility>

#include "core/backend/remote_backend.h"
#include "core/library/lock.h"
#include "tests/app/small_model.h"
#include "ui/gallery/gallery_model.h"
#include "ui/main_window.h"

using namespace polyptych;
using ui::GalleryModel;

namespace {

constexpr int kPatienceMs = 60'000;
constexpr int kPictures = 40;

library::Location libraryIn(const QString& folder) { return library::locationAt(folder, library::Location::Layout::Dated); }

int picturesIn(const QString& folder) {
  int count = 0;
  for (QDirIterator files(folder, {QStringLiteral("*.png")}, QDir::Files, QDirIterator::Subdirectories); files.hasNext();
       files.next()) {
    ++count;
  }
  return count;
}

/// A whole window as the program makes it, in a process that can be killed: prints "<tiles> <finished> <message>" when one of
/// them changes. With "generate" somebody types a prompt and presses the button.
int runWindow(const QStringList& words) {
  backend::registerMetaTypes();
  backend::RemoteBackendOptions remote;
  remote.coreProgram = QStringLiteral(CORE_PROGRAM);
  remote.coreArguments = {QStringLiteral("--worker"),          QStringLiteral(FAKE_WORKER),
                          QStringLiteral("--worker-argument"), QStringLiteral("--step-ms"),
                          QStringLiteral("--worker-argument"), QStringLiteral("25"),
                          QStringLiteral("--linger"),          QStringLiteral("200")};
  const auto backend = backend::connectToBackend(libraryIn(words[0]), remote);
  ui::MainWindowOptions options;
  options.restoresSettings = false;
  options.model = words[1];
  options.cpuCores = {0};
  ui::MainWindow window(*backend, options);
  QObject::connect(backend.get(), &backend::RemoteBackend::joined, &window, &ui::MainWindow::onJoined);
  window.show();
  bool isToBegin = words.contains(QStringLiteral("generate"));
  QObject::connect(backend.get(), &backend::Backend::devicesListed, &window, [&] {
    if (std::exchange(isToBegin, false)) {
      auto* prompts = window.findChild<QPlainTextEdit*>(QStringLiteral("prompts"));
      QTest::keyClicks(prompts, QStringLiteral("a lighthouse"));
      window.findChild<QSpinBox*>(QStringLiteral("images"))->setValue(kPictures);
      window.findChild<QSpinBox*>(QStringLiteral("steps"))->setValue(4);
      QTest::mouseClick(window.findChild<QPushButton*>(QStringLiteral("generate")), Qt::LeftButton);
    }
  });
  QByteArray last;
  QTimer look;
  QObject::connect(&look, &QTimer::timeout, &window, [&] {
    const auto* model = window.findChild<QAbstractItemView*>(QStringLiteral("gallery"))->model();
    int done = 0;
    for (int row = 0; row < model->rowCount(); ++row) {
      done +=
          model->index(row, 0).data(GalleryModel::StateRole).value<GalleryModel::State>() == GalleryModel::State::Done ? 1 : 0;
    }
    const QByteArray now = QByteArray::number(model->rowCount()) + ' ' + QByteArray::number(done) + ' ' +
                           window.findChild<QLabel*>(QStringLiteral("message"))->text().toUtf8();
    if (now != last) {
      last = now;
      std::puts(now.constData());
      std::fflush(stdout);
    }
  });
  look.start(5);
  return QApplication::exec();
}

/// What such a window has printed.
struct Seen {
  int tiles = 0;
  int done = 0;
  QString message;
};

class Window {
 public:
  Window(const QStringList& words, const QString& platform = QStringLiteral("offscreen"), const QString& display = {}) {
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("QT_QPA_PLATFORM"), platform);
    environment.insert(QStringLiteral("DISPLAY"), display);
    m_process.setProcessEnvironment(environment);
    m_process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    m_process.start(QCoreApplication::applicationFilePath(), QStringList{QStringLiteral("--window")} + words);
  }
  ~Window() { kill(); }
  void kill() {
    if (m_process.state() != QProcess::NotRunning) {
      m_process.kill();
      m_process.waitForFinished(kPatienceMs);
    }
  }
  /// Reads on until it has printed what is looked for. @return nothing if it ends or says nothing for too long
  std::optional<Seen> waitFor(const std::function<bool(const Seen&)>& isFound) {
    for (;;) {
      while (!m_process.canReadLine()) {
        if (!m_process.waitForReadyRead(kPatienceMs)) {
          return std::nullopt;
        }
      }
      const QString line = QString::fromUtf8(m_process.readLine()).trimmed();
      const Seen seen{line.section(u' ', 0, 0).toInt(), line.section(u' ', 1, 1).toInt(), line.section(u' ', 2)};
      if (isFound(seen)) {
        return seen;
      }
    }
  }
  bool waitForEnd() { return m_process.waitForFinished(kPatienceMs); }

 private:
  QProcess m_process;
};

}  // namespace

/// Windows and the backend as processes: whatever becomes of a window, its work goes on.
class TestProcesses : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void aRunOutlivesItsWindow_data() {
    QTest::addColumn<bool>("killsDisplay");
    QTest::newRow("window killed") << false;
    QTest::newRow("display killed") << true;
  }

  void aRunOutlivesItsWindow() {
    QFETCH(bool, killsDisplay);
    const QTemporaryDir folder;
    const QString root = folder.filePath(QStringLiteral("library"));
    const QString model = folder.filePath(QStringLiteral("model"));
    small::model(model);
    QProcess server;
    QString display;
    if (killsDisplay) {
      const QString program = QStandardPaths::findExecutable(QStringLiteral("Xvfb"));
      if (program.isEmpty()) {
        QSKIP("Xvfb is not installed");
      }
      server.start(program, {QStringLiteral("-displayfd"), QStringLiteral("1"), QStringLiteral("-screen"), QStringLiteral("0"),
                             QStringLiteral("1280x800x24"), QStringLiteral("-nolisten"), QStringLiteral("tcp")});
      while (!server.canReadLine()) {
        QVERIFY2(server.waitForReadyRead(kPatienceMs), server.readAllStandardError().constData());
      }
      display = u':' + QString::fromLatin1(server.readLine().trimmed());
    }
    Window first({root, model, QStringLiteral("generate")}, killsDisplay ? QStringLiteral("xcb") : QStringLiteral("offscreen"),
                 display);
    const auto begun = first.waitFor([](const Seen& seen) { return seen.done >= 3; });
    QVERIFY(begun);
    QCOMPARE(begun->tiles, kPictures);
    const auto holder = library::holderOf(libraryIn(root));
    QVERIFY(holder && *holder);
    if (killsDisplay) {
      server.kill();
      QVERIFY(server.waitForFinished(kPatienceMs));
      QVERIFY(first.waitForEnd());
    } else {
      first.kill();
    }
    const int there = picturesIn(root);
    QVERIFY2(there < kPictures, "the run was over before the window was");
    QTRY_VERIFY_WITH_TIMEOUT(picturesIn(root) >= there + 4, kPatienceMs);

    Window second({root, model});
    const auto joined = second.waitFor([](const Seen& seen) { return seen.tiles > 0; });
    QVERIFY(joined);
    QCOMPARE(joined->tiles, kPictures);
    QVERIFY2(joined->done >= there + 4 && joined->done < kPictures, qPrintable(QString::number(joined->done)));
    const auto ended = second.waitFor([](const Seen& seen) { return !seen.message.isEmpty(); });
    QVERIFY(ended);
    QCOMPARE(ended->done, kPictures);
    QCOMPARE(ended->message, QStringLiteral("All 40 picture(s) are there."));
    QCOMPARE(picturesIn(root), kPictures);
    const auto after = library::holderOf(libraryIn(root));
    QVERIFY(after && *after);
    QCOMPARE((*after)->pid, (*holder)->pid);
    // With nothing to do and nobody to serve it ends.
    second.kill();
    QTRY_VERIFY_WITH_TIMEOUT(::kill(static_cast<pid_t>((*holder)->pid), 0) != 0, kPatienceMs);
    QVERIFY(!QFile::exists(libraryIn(root).lockFile()));
  }

  /// The backend dies with work to do: the window starts another, which asks before it goes on.
  void aBackendThatWasKilledIsFollowedByAnother() {
    const QTemporaryDir folder;
    const QString root = folder.filePath(QStringLiteral("library"));
    const QString model = folder.filePath(QStringLiteral("model"));
    small::model(model);
    Window window({root, model, QStringLiteral("generate")});
    QVERIFY(window.waitFor([](const Seen& seen) { return seen.done >= 3; }));
    const auto holder = library::holderOf(libraryIn(root));
    QVERIFY(holder && *holder);
    QCOMPARE(::kill(static_cast<pid_t>((*holder)->pid), SIGKILL), 0);
    const auto asked = window.waitFor([](const Seen& seen) { return seen.message.contains(QStringLiteral("Nothing is lost")); });
    QVERIFY(asked);
    QCOMPARE(asked->tiles, kPictures);
    // Another window is asked too; a word from there is enough.
    backend::RemoteBackendOptions remote;
    remote.coreProgram = QStringLiteral(CORE_PROGRAM);
    auto other = backend::connectToBackend(libraryIn(root), remote);
    QSignalSpy answered(other.get(), &backend::Backend::commandDone);
    other->control({backend::Command::Kind::ResumeQueue, {}, 0, 0, {}, {}, {}, {}});
    QTRY_COMPARE_WITH_TIMEOUT(answered.size(), 1, kPatienceMs);
    const auto ended = window.waitFor([](const Seen& seen) { return seen.done == kPictures; });
    QVERIFY(ended);
    QCOMPARE(picturesIn(root), kPictures);
    window.kill();
    other.reset();
    QTRY_VERIFY_WITH_TIMEOUT(!QFile::exists(libraryIn(root).lockFile()), kPatienceMs);
  }

  /// main() of the window: its options, and the worker that the environment names.
  void theProgramStartsTheBackendOfALibrary() {
    const QTemporaryDir folder;
    const QString root = folder.filePath(QStringLiteral("library"));
    const QString model = folder.filePath(QStringLiteral("model"));
    small::model(model);
    QProcess program;
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("QT_QPA_PLATFORM"), QStringLiteral("offscreen"));
    environment.insert(QStringLiteral("POLYPTYCH_WORKER"), QStringLiteral(FAKE_WORKER));
    program.setProcessEnvironment(environment);
    program.setProcessChannelMode(QProcess::ForwardedChannels);
    program.start(QStringLiteral(WINDOW_PROGRAM), {QStringLiteral("--library"), root});
    const auto isServed = [&] {
      const auto holder = library::holderOf(libraryIn(root));
      return holder && *holder && !(*holder)->socket.isEmpty();
    };
    QTRY_VERIFY_WITH_TIMEOUT(isServed(), kPatienceMs);
    auto face = backend::connectToBackend(libraryIn(root), {});
    QSignalSpy ended(face.get(), &backend::Backend::runFinished);
    QSignalSpy finished(face.get(), &backend::Backend::pictureFinished);
    backend::RunSpec spec;
    spec.plan.model.folder = model.toStdString();
    spec.slots = {{"cpu:0", domain::DeviceKind::Cpu, "CPU", {}, {}}};
    for (int i = 0; i < 10; ++i) {
      domain::GenerationRequest request;
      request.index = request.promptIndex = i;
      request.prompt = "a lighthouse";
      request.width = request.height = 32;
      request.steps = 4;
      request.scheduler = "Euler";
      spec.requests.push_back(request);
    }
    face->submit(std::move(spec));
    QTRY_VERIFY_WITH_TIMEOUT(finished.size() >= 2, kPatienceMs);
    program.kill();
    QVERIFY(program.waitForFinished(kPatienceMs));
    QTRY_COMPARE_WITH_TIMEOUT(ended.size(), 1, kPatienceMs);
    const auto summary = ended[0][0].value<backend::RunSummary>();
    QVERIFY2(!summary.error, summary.error ? summary.error->message.c_str() : "");
    QCOMPARE(summary.made, std::int64_t(10));
    face.reset();
    QTRY_VERIFY_WITH_TIMEOUT(!QFile::exists(libraryIn(root).lockFile()), kPatienceMs);
  }
};

int main(int argc, char** argv) {
  QTEST_SET_MAIN_SOURCE_PATH
  QApplication application(argc, argv);
  QApplication::setApplicationName(QStringLiteral("polyptych-test"));
  QApplication::setOrganizationName(QStringLiteral("polyptych-test"));
  QLocale::setDefault(QLocale(QStringLiteral("en_US")));
  const QStringList words = QApplication::arguments();
  if (words.value(1) == QLatin1String("--window")) {
    return runWindow(words.mid(2));
  }
  backend::registerMetaTypes();
  TestProcesses test;
  return QTest::qExec(&test, argc, argv);
}

#include "tst_processes.moc"
