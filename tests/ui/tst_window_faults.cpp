#include <signal.h>
#include <sys/mount.h>

#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QDirIterator>
#include <QFile>
#include <QPushButton>
#include <QScopeGuard>
#include <QSignalSpy>
#include <QSpinBox>

#include "core/backend/local_backend.h"
#include "core/backend/remote_backend.h"
#include "core/library/database.h"
#include "tests/app/small_model.h"
#include "tests/ui/stage.h"
#include "ui/devices/device_panel.h"

using namespace polyptych;
using tests::Application;
using ui::GalleryModel;
using State = GalleryModel::State;

namespace {

constexpr int kPatienceMs = 60'000;

/// Pids of the children of a process.
QList<qint64> childrenOf(qint64 pid) {
  QFile file(QStringLiteral("/proc/%1/task/%1/children").arg(pid));
  QList<qint64> children;
  if (file.open(QIODevice::ReadOnly)) {
    for (const QByteArray& child : file.readAll().simplified().split(' ')) {
      if (!child.isEmpty()) {
        children << child.toLongLong();
      }
    }
  }
  return children;
}

int picturesIn(const QString& folder) {
  int count = 0;
  for (QDirIterator files(folder, {QStringLiteral("*.png")}, QDir::Files, QDirIterator::Subdirectories); files.hasNext();
       files.next()) {
    ++count;
  }
  return count;
}

/// What a card has said, and what it said more when one pointed at it.
struct Words {
  QStringList states;
  QStringList tips;
};

/// A window on a backend with fake workers, which is all there, in a library of its own.
class Room {
 public:
  explicit Room(const QStringList& workerArguments, bool hasGpus = false, const QString& library = {}) {
    open(library);
    backend::LocalBackendOptions options;
    options.cpuWorker = options.cudaWorker = QStringLiteral(FAKE_WORKER);
    options.extraWorkerArguments = workerArguments;
    backend::LocalBackendTuning tuning;
    tuning.sources.nvmlLibrary = hasGpus ? QStringLiteral(FAKE_NVML) : QStringLiteral("/nowhere/libnvidia-ml.so.1");
    tuning.sources.visibleDevices.reset();
    auto backend = backend::LocalBackend::open(m_location, options, tuning);
    if (!backend) {
      qFatal("no backend: %s", backend.error().message.c_str());
    }
    begin(*std::move(backend));
  }
  /// With the backend in a process of its own, as the program has it.
  static std::unique_ptr<Room> remote(const QStringList& workerArguments) {
    std::unique_ptr<Room> room(new Room);
    room->open({});
    backend::RemoteBackendOptions options;
    options.coreProgram = QStringLiteral(CORE_PROGRAM);
    options.coreArguments = {QStringLiteral("--worker"), QStringLiteral(FAKE_WORKER), QStringLiteral("--linger"),
                             QStringLiteral("200")};
    for (const QString& argument : workerArguments) {
      options.coreArguments << QStringLiteral("--worker-argument") << argument;
    }
    auto backend = backend::connectToBackend(room->m_location, options);
    room->m_remote = backend.get();
    room->begin(std::move(backend));
    return room;
  }
  ~Room() {
    window.reset();
    if (m_remote != nullptr) {
      m_remote->leave(std::chrono::seconds(30));
    }
  }

  template <typename Widget>
  Widget* find(const QString& name) const {
    auto* widget = window->findChild<Widget*>(name);
    if (widget == nullptr) {
      qFatal("no widget %s", qPrintable(name));
    }
    return widget;
  }
  template <typename Widget>
  Widget* find(const char* name) const {
    return find<Widget>(QLatin1String(name));
  }
  /// One prompt, so many pictures of it.
  void generate(int pictures, const char* size = "32x32") const {
    auto* field = find<QPlainTextEdit>("prompts");
    field->setFocus();
    QTest::keyClicks(field, QStringLiteral("a lighthouse"));
    find<QSpinBox>("images")->setValue(pictures);
    find<QSpinBox>("steps")->setValue(4);
    find<QComboBox>("size")->setEditText(QLatin1String(size));
    QTest::mouseClick(find<QPushButton>("generate"), Qt::LeftButton);
  }
  QAbstractItemModel* gallery() const { return find<QAbstractItemView>("gallery")->model(); }
  int count(State state) const {
    int number = 0;
    for (int row = 0; row < gallery()->rowCount(); ++row) {
      number += gallery()->index(row, 0).data(GalleryModel::StateRole).value<State>() == state;
    }
    return number;
  }
  QString message() const { return find<QLabel>("message")->text(); }
  QString progress() const { return find<QLabel>("progress")->text(); }
  QString stateOf(const char* device) const { return find<QLabel>(QStringLiteral("state-") + QLatin1String(device))->text(); }
  const Words& wordsOf(const char* device) {
    Words& words = m_words[QLatin1String(device)];
    if (!m_heard.contains(QLatin1String(device))) {
      m_heard << QLatin1String(device);
      // The window hears it first.
      const auto note = [this, &words, device] {
        const auto* label = find<QLabel>(QStringLiteral("state-") + QLatin1String(device));
        words.states << label->text();
        words.tips << label->toolTip();
      };
      QObject::connect(m_backend.get(), &backend::Backend::slotChanged, window.get(), note);
      QObject::connect(m_backend.get(), &backend::Backend::stepFinished, window.get(), note);
    }
    return words;
  }
  backend::Backend& backend() { return *m_backend; }
  const library::Location& location() const { return m_location; }

  std::unique_ptr<ui::MainWindow> window;

 private:
  Room() = default;
  void open(const QString& library) {
    m_location = library::locationAt(library.isEmpty() ? m_folder.filePath(QStringLiteral("library")) : library,
                                     library::Location::Layout::Dated);
    QDir().mkpath(m_location.homeFolder());
    small::model(m_folder.filePath(QStringLiteral("model")));
  }
  void begin(std::unique_ptr<backend::Backend> backend) {
    m_backend = std::move(backend);
    auto options = tests::windowOptions();
    options.describeModel = models::describeModel;
    options.model = m_folder.filePath(QStringLiteral("model"));
    options.library = m_location.root;
    options.location = m_location;
    window = std::make_unique<ui::MainWindow>(*m_backend, options);
    if (m_remote != nullptr) {
      QObject::connect(m_remote, &backend::RemoteBackend::joined, window.get(), &ui::MainWindow::onJoined);
    }
    QSignalSpy listed(m_backend.get(), &backend::Backend::devicesListed);
    window->resize(1280, 800);
    window->show();
    QApplication::setActiveWindow(window.get());
    if (listed.isEmpty() && !listed.wait(kPatienceMs)) {
      qFatal("no devices");
    }
  }

  QTemporaryDir m_folder;
  library::Location m_location;
  std::unique_ptr<backend::Backend> m_backend;
  backend::RemoteBackend* m_remote = nullptr;
  QMap<QString, Words> m_words;
  QStringList m_heard;
};

}  // namespace

/// What somebody at the window sees of workers that die, devices that leave, and a disk that fills: the backend is the real one.
class TestWindowFaults : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void aKilledWorkerCostsNoPicture() {
    Room room({QStringLiteral("--step-ms"), QStringLiteral("20")});
    const Words& words = room.wordsOf("cpu");
    room.generate(12);
    QTRY_VERIFY_WITH_TIMEOUT(room.count(State::Done) >= 2 && room.count(State::Working) >= 1, kPatienceMs);
    const QList<qint64> workers = childrenOf(QCoreApplication::applicationPid());
    QCOMPARE(workers.size(), 1);
    QCOMPARE(::kill(static_cast<pid_t>(workers[0]), SIGKILL), 0);
    QTRY_VERIFY_WITH_TIMEOUT(words.states.contains(QStringLiteral("Restarting")), kPatienceMs);
    // Nothing is asked of anybody.
    QCOMPARE(QApplication::activeModalWidget(), nullptr);
    QVERIFY(!room.find<QPushButton>("restart-cpu")->isVisible());
    QTRY_COMPARE_WITH_TIMEOUT(room.count(State::Done), 12, kPatienceMs);
    QTRY_COMPARE_WITH_TIMEOUT(room.message(), QStringLiteral("All 12 pictures are there."), kPatienceMs);
    QCOMPARE(room.count(State::Failed), 0);
    QCOMPARE(picturesIn(room.location().root), 12);
    const qsizetype said = words.states.indexOf(QStringLiteral("Restarting"));
    QVERIFY2(words.tips[said].contains(QStringLiteral("worker")), qPrintable(words.tips[said]));
    QVERIFY2(words.states.mid(said).contains(QStringLiteral("Generating 3 / 4")), qPrintable(words.states.join(u'|')));
    // A worker that will be there again in a moment is not given up.
    QVERIFY2(words.states.filter(QStringLiteral("Set aside")).isEmpty(), qPrintable(words.states.join(u'|')));
    QTRY_COMPARE_WITH_TIMEOUT(room.stateOf("cpu"), QStringLiteral("Idle: nothing waiting"), kPatienceMs);
    const QString log = room.window->findChild<ui::DevicePanel*>()->log().text(QStringLiteral("CPU"));
    QVERIFY2(log.contains(QStringLiteral("Restarting · ")), qPrintable(log));
  }

  void aPictureThatKillsItsWorkersIsParkedAndSaid() {
    Room room({QStringLiteral("--behave=crash"), QStringLiteral("--only-index=1"), QStringLiteral("--step-ms=5")});
    room.generate(4);
    QTRY_VERIFY_WITH_TIMEOUT(!room.find<QPushButton>("stop")->isEnabled() && room.gallery()->rowCount() == 4, kPatienceMs);
    QTRY_COMPARE_WITH_TIMEOUT(room.count(State::Done), 3, kPatienceMs);
    QCOMPARE(room.count(State::Failed), 1);
    QVERIFY2(room.message().startsWith(QStringLiteral("1 picture failed; the others are there. ")), qPrintable(room.message()));
    QVERIFY(!room.gallery()->index(1, 0).data(GalleryModel::ReasonRole).toString().isEmpty());
    QVERIFY(room.find<QLabel>("count-cpu")->text().contains(QStringLiteral("1 failed")));
    QCOMPARE(QApplication::activeModalWidget(), nullptr);
  }

  void anUntickedDeviceFinishesItsPictureAndTheOtherGoesOn() {
    Room room({QStringLiteral("--step-ms"), QStringLiteral("20")}, true);
    QStringList made;  // devices, as pictures come
    connect(&room.backend(), &backend::Backend::pictureFinished, room.window.get(),
            [&made](const backend::PictureEvent& picture) { made << picture.slotId; });
    auto* tick = room.find<QCheckBox>("tick-cuda:0");
    QVERIFY(tick->isChecked() && room.find<QCheckBox>("tick-cuda:1")->isChecked());
    QVERIFY(!room.find<QCheckBox>("tick-cpu")->isChecked());
    room.generate(40);
    const auto isGenerating = [&](const char* device) { return room.stateOf(device).startsWith(QStringLiteral("Generating")); };
    QTRY_VERIFY_WITH_TIMEOUT(made.contains(QStringLiteral("cuda:0")) && made.contains(QStringLiteral("cuda:1")), kPatienceMs);
    QTRY_VERIFY_WITH_TIMEOUT(isGenerating("cuda:0"), kPatienceMs);
    const qsizetype before = made.count(QStringLiteral("cuda:0"));
    QTest::mouseClick(tick, Qt::LeftButton, {}, QPoint(8, tick->height() / 2));
    QVERIFY(!tick->isChecked());
    QTRY_COMPARE_WITH_TIMEOUT(room.stateOf("cuda:0"), QStringLiteral("Idle: not ticked"), kPatienceMs);
    QVERIFY2(made.count(QStringLiteral("cuda:0")) <= before + 1, "it went on after its picture");
    const qsizetype rest = made.count(QStringLiteral("cuda:0"));
    const qsizetype all = made.size();
    QTRY_VERIFY_WITH_TIMEOUT(made.size() >= all + 6, kPatienceMs);
    // What was in work when it left the device is on its way for a moment; nothing comes behind that.
    QVERIFY(made.count(QStringLiteral("cuda:0")) <= rest + 1);
    QVERIFY(made.mid(made.size() - 4).count(QStringLiteral("cuda:1")) == 4);
    QVERIFY(room.find<QPushButton>("stop")->isEnabled());
    // Ticked again it takes its part.
    QTest::mouseClick(tick, Qt::LeftButton, {}, QPoint(8, tick->height() / 2));
    QTRY_VERIFY_WITH_TIMEOUT(made.count(QStringLiteral("cuda:0")) > rest + 1, kPatienceMs);
    QTRY_COMPARE_WITH_TIMEOUT(room.count(State::Done), 40, kPatienceMs);
    QTRY_COMPARE_WITH_TIMEOUT(room.message(), QStringLiteral("All 40 pictures are there."), kPatienceMs);
    QCOMPARE(picturesIn(room.location().root), 40);
  }

  void twoGpusTogetherAreOneWorker() {
    qputenv("FAKE_NVML_NAME", "Twin GPU");
    const auto unset = qScopeGuard([] { qunsetenv("FAKE_NVML_NAME"); });
    Room room({QStringLiteral("--step-ms"), QStringLiteral("20")}, true);
    QSet<QString> made;  // workers
    connect(&room.backend(), &backend::Backend::pictureFinished, room.window.get(),
            [&made](const backend::PictureEvent& picture) { made << picture.slotId; });
    auto* together = room.find<QCheckBox>("together");
    QVERIFY(together->isVisible());
    QTest::mouseClick(together, Qt::LeftButton, {}, QPoint(8, together->height() / 2));
    room.generate(6);
    QTRY_COMPARE_WITH_TIMEOUT(room.stateOf("cuda:1"), QStringLiteral("Works together with GPU 0"), kPatienceMs);
    QTRY_COMPARE_WITH_TIMEOUT(room.count(State::Done), 6, kPatienceMs);
    QCOMPARE(made, QSet<QString>{QStringLiteral("cuda:0+cuda:1")});
    QTRY_COMPARE_WITH_TIMEOUT(room.stateOf("cuda:1"), QStringLiteral("Idle: nothing waiting"), kPatienceMs);
    // Apart again in the middle of a run, of two prompts now.
    made.clear();
    room.generate(8);
    QTRY_VERIFY_WITH_TIMEOUT(!made.isEmpty(), kPatienceMs);
    QTest::mouseClick(together, Qt::LeftButton, {}, QPoint(8, together->height() / 2));
    QTRY_COMPARE_WITH_TIMEOUT(room.message(), QStringLiteral("All 16 pictures are there."), kPatienceMs);
    QVERIFY(made.contains(QStringLiteral("cuda:0")) && made.contains(QStringLiteral("cuda:1")));
    QCOMPARE(room.count(State::Failed), 0);
    QCOMPARE(picturesIn(room.location().root), 22);
  }

  void aFullDiskIsSaidUntilThereIsRoom() {
    const QTemporaryDir folder;
    const QString disk = folder.filePath(QStringLiteral("disk"));
    QVERIFY(QDir().mkpath(disk));
    if (::mount("tmpfs", QFile::encodeName(disk).constData(), "tmpfs", 0, "size=4m") != 0) {
      QSKIP("a file system of its own cannot be mounted here");
    }
    const auto unmount = qScopeGuard([&] { ::umount2(QFile::encodeName(disk).constData(), MNT_DETACH); });
    Room room({QStringLiteral("--step-ms"), QStringLiteral("10")}, false, disk + QStringLiteral("/library"));
    room.generate(40, "128x128");
    QTRY_VERIFY_WITH_TIMEOUT(room.count(State::Done) >= 3, kPatienceMs);
    QFile filler(disk + QStringLiteral("/filler"));
    QVERIFY(filler.open(QIODevice::WriteOnly | QIODevice::Unbuffered));
    while (filler.write(QByteArray(4096, 'x')) == 4096) {
    }
    QTRY_VERIFY_WITH_TIMEOUT(room.progress().endsWith(QStringLiteral("paused")), kPatienceMs);
    const QString said = room.message();
    QVERIFY2(said.contains(QStringLiteral("full")) || said.contains(QStringLiteral("space")), qPrintable(said));
    QCOMPARE(QApplication::activeModalWidget(), nullptr);
    QTRY_COMPARE_WITH_TIMEOUT(room.stateOf("cpu"), QStringLiteral("Idle: the queue is paused"), kPatienceMs);
    // It goes on by itself: there is nothing to press.
    QVERIFY(!room.find<QPushButton>("messageAction")->isVisible());
    QCOMPARE(room.find<QPushButton>("pause")->text(), QStringLiteral("Pause"));
    QCOMPARE(room.count(State::Failed), 0);
    QVERIFY(filler.remove());
    QTRY_VERIFY_WITH_TIMEOUT(room.message() != said, kPatienceMs);
    QTRY_COMPARE_WITH_TIMEOUT(room.count(State::Done), 40, kPatienceMs);
    QTRY_COMPARE_WITH_TIMEOUT(room.message(), QStringLiteral("All 40 pictures are there."), kPatienceMs);
    QCOMPARE(room.count(State::Failed), 0);
    QCOMPARE(picturesIn(disk), 40);
  }

  void fiveThousandPastedLinesAreAllMade() {
    constexpr int kLines = 5000;
    const std::unique_ptr<Room> room = Room::remote({QStringLiteral("--step-ms"), QStringLiteral("1")});
    QStringList lines;
    for (int i = 0; i < kLines; ++i) {
      lines << QStringLiteral("a lighthouse, number %1").arg(i);
    }
    QApplication::clipboard()->setText(lines.join(u'\n'));
    auto* application = static_cast<Application*>(qApp);
    application->longest = 0;
    auto* field = room->find<QPlainTextEdit>("prompts");
    field->setFocus();
    QTest::keyClick(field, Qt::Key_V, Qt::ControlModifier);
    QTRY_COMPARE(room->find<QPushButton>("generate")->text(), QStringLiteral("Generate 5,000"));
    room->find<QSpinBox>("steps")->setValue(1);
    qint64 total = 0;
    qint64 made = 0;
    connect(&room->backend(), &backend::Backend::runChanged, room->window.get(), [&](const backend::RunStatus& status) {
      total = status.total;
      made = status.made;
    });
    QTest::mouseClick(room->find<QPushButton>("generate"), Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(total, qint64{kLines}, kPatienceMs);
    QTRY_COMPARE_WITH_TIMEOUT(room->gallery()->rowCount(), kLines, kPatienceMs);
    QTRY_VERIFY_WITH_TIMEOUT(made >= 20, kPatienceMs);
    QVERIFY2(room->progress().contains(QStringLiteral(" of 5,000")), qPrintable(room->progress()));
    QCOMPARE(room->gallery()->index(kLines - 1, 0).data(GalleryModel::PromptRole).toString(), lines.back());
    qInfo("longest event: %.1f ms of processor time", application->longest);
    // As in tst_window: a stall is 50 ms, and machines that run tests are three times slower when they are full.
#if !defined(__SANITIZE_ADDRESS__)
    QVERIFY2(application->longest <= 150, qPrintable(QString::number(application->longest)));
#endif
    // All of them wait in the library, in their order.
    auto database = library::Database::open(room->location().databaseFile(), library::Database::Mode::ReadOnly);
    QVERIFY(database.isOk());
    QCOMPARE((*database)->value("SELECT count(DISTINCT prompt) FROM requests", {})->toInt(), kLines);
    QTest::mouseClick(room->find<QPushButton>("stop"), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(room->message().startsWith(QStringLiteral("Stopped. ")), kPatienceMs);
    QTRY_COMPARE_WITH_TIMEOUT(room->gallery()->rowCount(), picturesIn(room->location().root), kPatienceMs);
    QCOMPARE(room->count(State::Done), room->gallery()->rowCount());
  }
};

int main(int argc, char** argv) {
  QTEST_SET_MAIN_SOURCE_PATH
  return tests::runUiTest<TestWindowFaults>(argc, argv);
}

#include "tst_window_faults.moc"
