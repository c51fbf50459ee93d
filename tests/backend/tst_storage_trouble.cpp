#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QtTest>
#include <condition_variable>
#include <cstring>
#include <mutex>

#include "core/base/fail_point.h"
#include "tests/backend/library_faults.h"
#include "tests/backend/watched_library.h"

using namespace polyptych;
using namespace polyptych::tests;
using backend::PauseReason;
using std::chrono::milliseconds;

namespace {

constexpr int kPictures = 40;

// Of linux/fs.h, which does not go together with sys/mount.h.
constexpr unsigned long kGetFlags = _IOR('f', 1, long);
constexpr unsigned long kSetFlags = _IOW('f', 2, long);
constexpr int kImmutable = 0x10;

/// A disk that takes what it is given and does not come back.
std::mutex stuckMutex;
std::condition_variable stuckWake;
bool isStuck = false;

void waitWhileStuck(const char* step) {
  if (std::strcmp(step, "sync-temporary") == 0) {
    std::unique_lock lock(stuckMutex);
    stuckWake.wait(lock, [] { return !isStuck; });
  }
}

void setStuck(bool isNow) {
  {
    const std::lock_guard lock(stuckMutex);
    isStuck = isNow;
  }
  stuckWake.notify_all();
}

SampleRun manyPictures() { return squares(kPictures, 128, 1, 2); }

bool mountDisk(const QString& folder, const char* options) {
  return QDir().mkpath(folder) && ::mount("tmpfs", QFile::encodeName(folder).constData(), "tmpfs", 0, options) == 0;
}

/// Also for root, whom rights do not hold.
bool setReadOnly(const QString& folder, bool isReadOnly) {
  const QByteArray name = QFile::encodeName(folder);
  if (::geteuid() != 0) {
    return ::chmod(name.constData(), isReadOnly ? 0500 : 0700) == 0;
  }
  const int fd = ::open(name.constData(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int flags = 0;
  bool isSet = fd >= 0 && ::ioctl(fd, kGetFlags, &flags) == 0;
  flags = isReadOnly ? flags | kImmutable : flags & ~kImmutable;
  isSet = isSet && ::ioctl(fd, kSetFlags, &flags) == 0;
  ::close(fd);
  return isSet;
}

void unmount(const QString& folder) { ::umount2(QFile::encodeName(folder).constData(), MNT_DETACH); }

}  // namespace

/// What becomes of a run whose disk is full, gone, not to be written, or silent in the middle of it: the queue pauses and says
/// why, goes on by itself when it can, and no picture is lost, made twice or somewhere else.
class TestStorageTrouble : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() {
    base::setFailPoint(waitWhileStuck);
    QTemporaryDir good;
    WatchedLibrary undisturbed(good.path(), {});
    const quint64 run = undisturbed.submit(manyPictures());
    QVERIFY(undisturbed.waitForEnd());
    m_expected = picturesIn(undisturbed.runs[run].folder);
    QCOMPARE(m_expected.size(), kPictures);
  }

  void init() { m_folder = std::make_unique<QTemporaryDir>(); }

  void aFullDisk() {
    const QString folder = m_folder->filePath("disk");
    if (!mountDisk(folder, "size=4m")) {
      QSKIP("a file system of its own cannot be mounted here");
    }
    const auto end = qScopeGuard([&] { unmount(folder); });
    WatchedLibrary library(folder, {"--step-ms", "10"});
    const quint64 run = begin(library);
    QFile filler(folder + "/filler");
    QVERIFY(filler.open(QIODevice::WriteOnly | QIODevice::Unbuffered));
    while (filler.write(QByteArray(4096, 'x')) == 4096) {
    }
    QVERIFY(library.waitForPause(PauseReason::Storage));
    QVERIFY2(library.queue.back().sentence.contains("no space"), qPrintable(library.queue.back().sentence));
    QVERIFY(filler.remove());
    goesOn(library, run);
  }

  void aFolderThatMayNotBeWritten() {
    WatchedLibrary library(m_folder->filePath("library"), {"--step-ms", "10"});
    const quint64 run = begin(library);
    const QString folder = library.runs[run].folder;
    const auto end = qScopeGuard([&] { setReadOnly(folder, false); });
    if (!setReadOnly(folder, true)) {
      QSKIP("a folder cannot be made read-only here");
    }
    QVERIFY(library.waitForPause(PauseReason::Storage));
    QVERIFY2(library.queue.back().sentence.contains("not allowed") && library.queue.back().sentence.contains(folder),
             qPrintable(library.queue.back().sentence));
    setReadOnly(folder, false);
    goesOn(library, run);
  }

  /// A drive is taken off and comes back in its place. What is written meanwhile must not go to the folder under it.
  void aDriveThatGoesAndComesBack() {
    const QString drive = m_folder->filePath("drive");
    const QString place = m_folder->filePath("place");
    QVERIFY(QDir().mkpath(drive) && QDir().mkpath(place));
    const auto mountIt = [&] {
      return ::mount(QFile::encodeName(drive).constData(), QFile::encodeName(place).constData(), nullptr, MS_BIND, nullptr) == 0;
    };
    if (!mountIt()) {
      QSKIP("a file system of its own cannot be mounted here");
    }
    const auto end = qScopeGuard([&] { unmount(place); });
    WatchedLibrary library(place, {"--step-ms", "10"});
    const quint64 run = begin(library);
    unmount(place);
    QVERIFY(library.waitForPause(PauseReason::Storage));
    QVERIFY2(library.queue.back().sentence.contains("is not there"), qPrintable(library.queue.back().sentence));
    QCOMPARE(QDir(place).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot), QStringList());
    QVERIFY(mountIt());
    goesOn(library, run);
  }

  void aFolderThatIsMovedAndPutBack() {
    const QString folder = m_folder->filePath("library");
    WatchedLibrary library(folder, {"--step-ms", "10"});
    const quint64 run = begin(library);
    QVERIFY(QDir().rename(folder, folder + " elsewhere"));
    QVERIFY(library.waitForPause(PauseReason::Storage));
    QVERIFY2(library.queue.back().sentence.contains("is not there"), qPrintable(library.queue.back().sentence));
    QVERIFY(!QFileInfo::exists(folder));
    QVERIFY(QDir().rename(folder + " elsewhere", folder));
    goesOn(library, run);
  }

  void aRunsFolderThatIsAnotherOneNow_data() {
    QTest::addColumn<bool>("isDriveOff");
    QTest::newRow("a file in its place") << false;
    QTest::newRow("the drive of the pictures is off") << true;
  }

  /// A folder that is removed and put back from a copy, as of a network drive whose server began anew: what was open of it before
  /// leads nowhere.
  void aRunsFolderThatIsAnotherOneNow() {
    QFETCH(const bool, isDriveOff);
    WatchedLibrary library(m_folder->filePath("library"), {"--step-ms", "10"});
    const quint64 run = begin(library);
    const QString folder = library.runs[run].folder;
    const QString pictures = library.location.picturesFolder();
    const QString copy = m_folder->filePath("copy");
    QFile obstacle(folder);
    if (isDriveOff) {
      QVERIFY(QDir().rename(pictures, pictures + " kept"));
      QVERIFY(removeOpened(pictures + " kept" + folder.mid(pictures.size()), copy));
    } else {
      QVERIFY(QDir().rename(folder, folder + " kept"));
      QVERIFY(obstacle.open(QIODevice::WriteOnly));
      QVERIFY(removeOpened(folder + " kept", copy));
    }
    QVERIFY(library.waitForPause(PauseReason::Storage));
    QVERIFY2(library.queue.back().sentence.contains(isDriveOff ? QFileInfo(folder).path() : folder),
             qPrintable(library.queue.back().sentence));
    if (isDriveOff) {
      QVERIFY(!QFileInfo::exists(pictures));  // nothing is made under the place of a drive
      QVERIFY(QDir().mkpath(QFileInfo(folder).path()) && QDir().rename(copy, folder));
    } else {
      QVERIFY(obstacle.remove() && QDir().rename(copy, folder));
    }
    QVERIFY(library.waitForEnd());
    QCOMPARE(library.runs[run].made, kPictures);
    QVERIFY(library.failures.isEmpty());
    // What was written between the copy and the end of what was copied is gone; everything after it is there.
    QVERIFY(library.waitFor([&] { return picturesIn(folder).size() >= kPictures - 4; }));
    library.destroy();
  }

  /// The index takes rows and the manifest does not: its lines come later, each once.
  void aManifestThatCannotBeWritten() {
    WatchedLibrary library(m_folder->filePath("library"), {"--step-ms", "10"});
    const quint64 run = begin(library);
    const QString manifest = library.runs[run].folder + '/' + gallery::kManifestName;
    QVERIFY(QFile::rename(manifest, manifest + ".kept"));
    // Between the two it may have been made again, with a line of its own.
    const auto isFolder = [&] {
      QFile::remove(manifest);
      QDir().mkdir(manifest);
      return QFileInfo(manifest).isDir();
    };
    QTRY_VERIFY_WITH_TIMEOUT(isFolder(), kPatienceMs);
    QVERIFY(library.waitForPause(PauseReason::Storage));
    QVERIFY2(library.queue.back().sentence.contains(gallery::kManifestName), qPrintable(library.queue.back().sentence));
    QVERIFY(QDir().rmdir(manifest));
    QVERIFY(QFile::rename(manifest + ".kept", manifest));
    // And a line that was torn when its disk went is not taken for one.
    QFile torn(manifest);
    QVERIFY(torn.open(QIODevice::Append));
    torn.write("{\"index\":");
    torn.close();
    QVERIFY(library.waitForEnd());
    QCOMPARE(library.runs[run].made, kPictures);
    library.destroy();
    const QStringList faults = faultsOf(library.location, {{0, m_expected}});
    // At most the line that was removed above is missing.
    QVERIFY2(faults.filter("line that does not fit").isEmpty() && faults.filter("twice").isEmpty() && faults.size() <= 1,
             qPrintable(faults.join('\n')));
  }

  /// A network drive may keep whoever writes waiting, without an error.
  void aDiskThatDoesNotAnswer() {
    backend::LocalBackendTuning tuning = quickTuning();
    tuning.diskPatience = milliseconds(300);
    WatchedLibrary library(m_folder->filePath("library"), {"--step-ms", "10"}, tuning);
    const auto end = qScopeGuard([] { setStuck(false); });
    const quint64 run = begin(library);
    setStuck(true);
    QVERIFY(library.waitForPause(PauseReason::Storage));
    QVERIFY2(library.queue.back().sentence.contains("does not answer"), qPrintable(library.queue.back().sentence));
    const qint64 made = library.runs[run].made;
    QVERIFY(made < kPictures);
    setStuck(false);
    goesOn(library, run);
  }

  /// Pictures that are not on the disk are kept in memory up to a limit: above it nothing is begun.
  void aSlowDiskHoldsWorkBack() {
    backend::LocalBackendTuning tuning = quickTuning();
    tuning.maxPendingBytes = 1;
    tuning.diskPatience = milliseconds(kPatienceMs);
    WatchedLibrary library(m_folder->filePath("library"), {"--step-ms", "1"}, tuning);
    const auto end = qScopeGuard([] { setStuck(false); });
    const quint64 run = begin(library);
    setStuck(true);
    const auto kept = [&] {
      return library.column(QStringLiteral("SELECT count(*) FROM attempts WHERE started IS NOT NULL")).value(0).toInt() -
             static_cast<int>(library.runs[run].made);
    };
    // Each of the two workers may finish what it has; without the limit there is room for five.
    QTRY_VERIFY_WITH_TIMEOUT(kept() >= 1, kPatienceMs);
    QVERIFY(!QTest::qWaitFor([&] { return kept() > 3; }, 500));
    setStuck(false);
    goesOn(library, run);
  }

  /// The backend is ended while its disk is full: what could not be written is made by the next one, which asks first.
  void anEndWhileTheDiskIsFull() {
    const QString folder = m_folder->filePath("disk");
    if (!mountDisk(folder, "size=4m")) {
      QSKIP("a file system of its own cannot be mounted here");
    }
    const auto end = qScopeGuard([&] { unmount(folder); });
    QFile filler(folder + "/filler");
    {
      WatchedLibrary library(folder, {"--step-ms", "10"});
      begin(library);
      QVERIFY(filler.open(QIODevice::WriteOnly | QIODevice::Unbuffered));
      while (filler.write(QByteArray(4096, 'x')) == 4096) {
      }
      QVERIFY(library.waitForPause(PauseReason::Storage));
      library.destroy();
    }
    QVERIFY(filler.remove());
    WatchedLibrary next(folder, {"--step-ms", "1"});
    next.open().refresh();
    QVERIFY(next.waitForPause(PauseReason::UncleanEnd));
    next.command(backend::Command::Kind::ResumeQueue);
    QVERIFY(next.waitForEnd());
    QCOMPARE(next.failures.size(), 0);
    next.destroy();
    QCOMPARE(faultsOf(next.location, {{0, m_expected}}), QStringList());
  }

 private:
  quint64 begin(WatchedLibrary& library) {
    const quint64 run = library.submit(manyPictures());
    [&] { QVERIFY(library.waitFor([&] { return library.runs[run].made >= 3; })); }();
    return run;
  }

  void goesOn(WatchedLibrary& library, quint64 run) {
    QCOMPARE(library.runs[run].failed, 0);
    QVERIFY(library.waitForEnd());
    QCOMPARE(library.runs[run].made, kPictures);
    QCOMPARE(library.runs[run].failed, 0);
    QVERIFY(library.failures.isEmpty());
    QCOMPARE(library.queue.back().pause, PauseReason::None);
    library.destroy();
    QCOMPARE(faultsOf(library.location, {{0, m_expected}}), QStringList());
  }

  /// Copies a folder and removes it, until nothing came to it in between.
  static bool removeOpened(const QString& folder, const QString& copy) {
    if (!QDir().mkpath(copy)) {
      return false;
    }
    for (int tries = 0; tries < 100 && QFileInfo::exists(folder); ++tries) {
      for (const QString& name : QDir(folder).entryList(QDir::Files)) {
        if (!QFileInfo::exists(copy + '/' + name)) {
          QFile::copy(folder + '/' + name, copy + '/' + name);
        }
        QFile::remove(folder + '/' + name);
      }
      QDir().rmdir(folder);
    }
    return !QFileInfo::exists(folder);
  }

  std::unique_ptr<QTemporaryDir> m_folder;
  Pictures m_expected;
};

QTEST_GUILESS_MAIN(TestStorageTrouble)
#include "tst_storage_trouble.moc"
