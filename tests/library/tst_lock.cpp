#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QtTest>
#include <atomic>
#include <cerrno>
#include <thread>

#include "core/library/lock.h"

using namespace polyptych;
using namespace polyptych::library;
using base::ErrorCode;

namespace {

std::atomic<bool> isWithoutLocks{false};

}  // namespace

/// Stands in front of the C library's: a file system without locks, on purpose.
extern "C" int flock(int fd, int operation) noexcept {
  if (isWithoutLocks) {
    errno = ENOLCK;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_flock, fd, operation));
}

namespace {

Holder sampleHolder(const QString& socket = {}) {
  Holder holder;
  holder.program = QStringLiteral("polyptych-core");
  holder.version = QStringLiteral("1.2.3");
  holder.socket = socket;
  holder.token = "00ff";
  return holder;
}

bool has(const base::Error& error, const char* words) { return error.message.find(words) != std::string::npos; }

void replaceFile(const QString& path, const QByteArray& text) {
  QFile file(path);
  QVERIFY(file.open(QIODevice::WriteOnly));
  file.write(text);
}

/// A process that has the library until it is killed; nothing of it is cleaned up.
class OtherHolder {
 public:
  explicit OtherHolder(const Location& location) {
    int ends[2];
    if (::pipe(ends) != 0) {
      return;
    }
    m_pid = ::fork();
    if (m_pid == 0) {
      const auto lock = Lock::acquire(location, sampleHolder());
      const char byte = lock ? 'y' : 'n';
      [[maybe_unused]] const auto written = ::write(ends[1], &byte, 1);
      for (;;) {
        ::pause();
      }
    }
    char byte = 0;
    m_hasIt = ::read(ends[0], &byte, 1) == 1 && byte == 'y';
    ::close(ends[0]);
    ::close(ends[1]);
  }
  ~OtherHolder() { kill(); }
  OtherHolder(const OtherHolder&) = delete;
  OtherHolder& operator=(const OtherHolder&) = delete;

  bool hasIt() const { return m_hasIt; }
  pid_t pid() const { return m_pid; }
  void kill() {
    if (m_pid > 0) {
      ::kill(m_pid, SIGKILL);
      ::waitpid(std::exchange(m_pid, -1), nullptr, 0);
    }
  }

 private:
  pid_t m_pid = -1;
  bool m_hasIt = false;
};

}  // namespace

class TestLock : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() {
    isWithoutLocks = false;
    m_folder = std::make_unique<QTemporaryDir>();
    m_location = locationAt(m_folder->filePath(QStringLiteral("library")), Location::Layout::Dated);
  }

  void aLocationKnowsItsPlaces() {
    const Location dated = locationAt(QStringLiteral("/a//b/../c/"), Location::Layout::Dated);
    QCOMPARE(dated.root, QStringLiteral("/a/c"));
    QCOMPARE(dated.databaseFile(), QStringLiteral("/a/c/library.sqlite"));
    QCOMPARE(dated.lockFile(), QStringLiteral("/a/c/library.lock"));
    QCOMPARE(dated.picturesFolder(), QStringLiteral("/a/c/pictures"));
    const Location flat = locationAt(QStringLiteral("out"), Location::Layout::Flat);
    QCOMPARE(flat.root, QDir::currentPath() + QStringLiteral("/out"));
    QCOMPARE(flat.lockFile(), flat.root + QStringLiteral("/.polyptych/library.lock"));
    QCOMPARE(flat.databaseFile(), flat.root + QStringLiteral("/.polyptych/library.sqlite"));
    QCOMPARE(flat.picturesFolder(), flat.root);
    QCOMPARE(QFileInfo(defaultLocation().root).fileName(), QStringLiteral("Polyptych"));
  }

  void theHolderIsWhoTookIt() {
    QVERIFY(!*holderOf(m_location));
    {
      auto lock = Lock::acquire(m_location, sampleHolder());
      QVERIFY2(lock.isOk(), lock ? "" : lock.error().message.c_str());
      Holder expected = sampleHolder();
      expected.host = QSysInfo::machineHostName();
      expected.pid = QCoreApplication::applicationPid();
      QCOMPARE(**holderOf(m_location), expected);
      expected.socket = QStringLiteral("/run/user/1000/plp-1");
      QVERIFY(lock->update(sampleHolder(expected.socket)).isOk());
      QCOMPARE(**holderOf(m_location), expected);
      expected.socket.clear();
      QVERIFY(lock->update(sampleHolder()).isOk());
      QCOMPARE(**holderOf(m_location), expected);
    }
    QVERIFY(!*holderOf(m_location));
    QVERIFY(!QFile::exists(m_location.lockFile()));
  }

  void onlyItsUserReadsTheFile() {
    const auto lock = Lock::acquire(m_location, sampleHolder());
    QVERIFY(lock.isOk());
    struct stat status {};
    QCOMPARE(::stat(QFile::encodeName(m_location.lockFile()).constData(), &status), 0);
    QCOMPARE(status.st_mode & 0777, 0600u);
  }

  void aSecondHolderIsToldOfTheFirst() {
    for (const bool without : {false, true}) {
      isWithoutLocks = without;
      const auto first = Lock::acquire(m_location, sampleHolder());
      QVERIFY(first.isOk());
      const auto second = Lock::acquire(m_location, sampleHolder());
      QVERIFY(!second);
      QCOMPARE(second.error().code, ErrorCode::AlreadyExists);
      QVERIFY(has(second.error(), "polyptych-core 1.2.3"));
      QVERIFY(has(second.error(), std::to_string(QCoreApplication::applicationPid()).c_str()));
      QVERIFY(has(second.error(), QSysInfo::machineHostName().toUtf8().constData()));
      QVERIFY(*holderOf(m_location));
    }
  }

  void aKilledHolderLeavesNoLock() {
    for (const bool without : {false, true}) {
      isWithoutLocks = without;
      OtherHolder other(m_location);
      QVERIFY(other.hasIt());
      QCOMPARE((*holderOf(m_location))->pid, qint64(other.pid()));
      QVERIFY(!Lock::acquire(m_location, sampleHolder()));
      other.kill();
      QVERIFY(QFile::exists(m_location.lockFile()));
      QVERIFY(!*holderOf(m_location));
      const auto lock = Lock::acquire(m_location, sampleHolder());
      QVERIFY(lock.isOk());
      QCOMPARE((*holderOf(m_location))->pid, QCoreApplication::applicationPid());
    }
  }

  void withoutLocksAHolderOfAnotherMachineIsBelieved() {
    isWithoutLocks = true;
    QVERIFY(QDir().mkpath(m_location.homeFolder()));
    replaceFile(m_location.lockFile(),
                R"({"host":"elsewhere","pid":1,"program":"polyptych-core","version":"1","socket":"","token":"x"})");
    const auto lock = Lock::acquire(m_location, sampleHolder());
    QVERIFY(!lock);
    QVERIFY(has(lock.error(), "elsewhere"));
    QVERIFY(*holderOf(m_location));
  }

  void aTornTextIsAnErrorOnlyWhileSomebodyHoldsIt() {
    const QByteArray whole = R"({"host":"h","pid":7,"program":"p","version":"1","socket":"s","token":"x"})";
    std::optional<Lock> lock(Lock::acquire(m_location, sampleHolder()).value());
    for (const QByteArray& text : {QByteArray(), whole.left(20), whole + "x", QByteArray(whole).replace("7", "-7"),
                                   QByteArray(whole).replace("7", "\"7\""), QByteArray(whole).replace("\"h\"", "1")}) {
      replaceFile(m_location.lockFile(), text);
      const auto holder = holderOf(m_location);
      QVERIFY(!holder);
      QCOMPARE(holder.error().code, ErrorCode::Corrupt);
      const auto second = Lock::acquire(m_location, sampleHolder());
      QVERIFY(!second);
      QCOMPARE(second.error().code, ErrorCode::AlreadyExists);
    }
    lock.reset();
    QVERIFY(QDir().mkpath(m_location.homeFolder()));
    replaceFile(m_location.lockFile(), whole.left(20));
    QVERIFY(!*holderOf(m_location));
    QVERIFY(Lock::acquire(m_location, sampleHolder()).isOk());
  }

  /// A reader that looks at the wrong moment must not keep a holder from a library that is free.
  void readersDoNotDisturbWhoTakesIt() {
    std::atomic<bool> isOver{false};
    std::atomic<int> torn{0};
    std::thread reader([&] {
      while (!isOver) {
        const auto holder = holderOf(m_location);
        torn += holder ? 0 : 1;
      }
    });
    int failures = 0;
    for (int i = 0; i < 200; ++i) {
      auto lock = Lock::acquire(m_location, sampleHolder());
      failures += lock ? 0 : 1;
      if (lock && !lock->update(sampleHolder(QString(i % 90, QLatin1Char('s'))))) {
        ++failures;
      }
    }
    isOver = true;
    reader.join();
    QCOMPARE(failures, 0);
    QCOMPARE(torn.load(), 0);
  }

  /// Its file is removed by somebody, or is on a drive that was off.
  void aFileThatIsGoneIsMadeAgain() {
    auto lock = Lock::acquire(m_location, sampleHolder("/tmp/s"));
    QVERIFY(lock.isOk());
    QVERIFY(lock->keep().isOk());
    QVERIFY(QFile::remove(m_location.lockFile()));
    // While there is no index, the place is not the library's: all of it was removed.
    QCOMPARE(lock->keep().error().code, ErrorCode::NotFound);
    QVERIFY(!QFile::exists(m_location.lockFile()));
    replaceFile(m_location.databaseFile(), "an index");
    QVERIFY(lock->keep().isOk());
    const auto holder = holderOf(m_location);
    QVERIFY(holder && *holder);
    QCOMPARE((*holder)->socket, QString("/tmp/s"));
    QCOMPARE((*holder)->pid, QCoreApplication::applicationPid());
    const OtherHolder other(m_location);
    QVERIFY(!other.hasIt());
    // The one that a dead holder left is taken.
    QVERIFY(QFile::remove(m_location.lockFile()));
    replaceFile(m_location.lockFile(), "{}");
    QVERIFY(lock->keep().isOk());
    QVERIFY(holderOf(m_location) && *holderOf(m_location));
  }

  void aLibraryThatIsElsewhereIsWaitedFor() {
    auto lock = Lock::acquire(m_location, sampleHolder());
    QVERIFY(lock.isOk());
    QVERIFY(QDir().rename(m_location.root, m_location.root + "-elsewhere"));
    QVERIFY(lock->keep().isOk());
    QVERIFY(!QFileInfo::exists(m_location.root));
    QVERIFY(QDir().rename(m_location.root + "-elsewhere", m_location.root));
    QVERIFY(lock->keep().isOk());
  }

  void aFileThatAnotherTookMeanwhileIsItsOwn() {
    auto lock = Lock::acquire(m_location, sampleHolder());
    QVERIFY(lock.isOk());
    replaceFile(m_location.databaseFile(), "an index");
    QVERIFY(QFile::remove(m_location.lockFile()));
    const OtherHolder other(m_location);
    QVERIFY(other.hasIt());
    const auto kept = lock->keep();
    QVERIFY(!kept);
    QCOMPARE(kept.error().code, ErrorCode::AlreadyExists);
    QVERIFY(has(kept.error(), "is in use by polyptych-core 1.2.3"));
  }

  void ofManyOneTakesIt() {
    std::atomic<int> owners{0};
    std::atomic<int> most{0};
    std::vector<std::thread> takers;
    for (int i = 0; i < 4; ++i) {
      takers.emplace_back([&] {
        for (int round = 0; round < 20; ++round) {
          const auto lock = Lock::acquire(m_location, sampleHolder());
          if (lock) {
            const int now = ++owners;
            most = std::max(most.load(), now);
            --owners;
          }
        }
      });
    }
    for (std::thread& taker : takers) {
      taker.join();
    }
    QCOMPARE(most.load(), 1);
  }

  void saysWhichFolderCannotBeMade() {
    replaceFile(m_folder->filePath(QStringLiteral("library")), "a file");
    const auto lock = Lock::acquire(m_location, sampleHolder());
    QVERIFY(!lock);
    QCOMPARE(lock.error().code, ErrorCode::Io);
    QVERIFY(has(lock.error(), m_location.root.toUtf8().constData()));
    QVERIFY(!*holderOf(m_location));
  }

 private:
  std::unique_ptr<QTemporaryDir> m_folder;
  Location m_location;
};

QTEST_GUILESS_MAIN(TestLock)
#include "tst_lock.moc"
