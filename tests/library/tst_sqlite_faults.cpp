#include <QProcess>
#include <QRandomGenerator>
#include <QTemporaryDir>
#include <QtTest>
#include <filesystem>

#include "core/backend/local_backend.h"
#include "core/library/lock.h"
#include "core/library/writer.h"
#include "tests/backend/library_faults.h"
#include "tests/backend/sample_run.h"
#include "tests/library/fault_vfs.h"

using namespace polyptych;
using namespace polyptych::tests;
using base::ErrorCode;
using fault_vfs::Kind;
using library::Location;

namespace {

constexpr int kJobs = 3;
constexpr int kBatch = 2;
constexpr int kPictures = kJobs * kBatch;
/// More than the scenario has operations.
constexpr int kTooMany = 2000;
constexpr int kPatienceMs = 20000;
/// The stride at most where what is tried is quick, or few.
constexpr int kShortStride = 9;

/// POLYPTYCH_FAULT_STRIDE: only every so-many-th operation fails, and fewer of the damages are done. 1 without it.
int stride() {
  static const int given = qEnvironmentVariableIntValue("POLYPTYCH_FAULT_STRIDE");
  return std::max(given, 1);
}

Location datedLibrary(const QString& folder) { return library::locationAt(folder, Location::Layout::Dated); }

backend::LocalBackendOptions options() {
  backend::LocalBackendOptions chosen;
  chosen.cpuWorker = FAKE_WORKER;
  chosen.extraWorkerArguments = QStringList{"--step-ms", "0", "--load-ms", "0"};
  chosen.resumesAfterUncleanEnd = true;
  chosen.limits.maxDeathsPerUnit = 0;
  return chosen;
}

SampleRun threeJobs(const QString& folder) {
  SampleRun run = sampleRun(folder, kPictures, 1, kBatch);
  run.id = kProbeRun;
  return run;
}

/// What the library said of one try to get the run made.
struct Told {
  bool isAccepted = false;             ///< runStarted
  std::optional<base::Error> refusal;  ///< of the library, or of the run
};

/// Opens the library, submits the run if `submits`, and waits until nothing is left to do, or it refuses.
Told work(const Location& location, bool submits) {
  Told told;
  const auto lock = library::Lock::acquire(location, {});
  if (!lock) {
    told.refusal = lock.error();
    return told;
  }
  auto opened = backend::LocalBackend::open(location, options(), quickTuning());
  if (!opened) {
    told.refusal = opened.error();
    return told;
  }
  backend::LocalBackend& backend = **opened;
  QObject::connect(&backend, &backend::Backend::runStarted, &backend, [&] { told.isAccepted = true; });
  bool isOver = false;
  QObject::connect(&backend, &backend::Backend::runFinished, &backend, [&](const backend::RunSummary& summary) {
    told.refusal = summary.error;
    isOver = true;
  });
  if (submits) {
    backend.submit(threeJobs(location.root));
  } else {
    backend::Command command;
    command.kind = backend::Command::Kind::SetDevices;
    command.slots = {cpuSlot(0)};
    backend.control(command);
  }
  if (!QTest::qWaitFor([&] { return isOver || (!submits && backend.isIdle()); }, kPatienceMs)) {
    told.refusal = base::Error{ErrorCode::Timeout, "Nothing more came.", {}};
  }
  return told;
}

/// A backend that is killed by itself at a step of threeJobs().
bool makeKilled(const QString& folder, const QString& step) {
  QProcess probe;
  QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
  environment.insert("POLYPTYCH_FAIL_POINT", step);
  probe.setProcessEnvironment(environment);
  probe.start(RUN_PROBE, {"--dated", FAKE_WORKER, folder, QString::number(kPictures), "1", QString::number(kBatch), "--step-ms",
                          "0", "--load-ms", "0"});
  return probe.waitForFinished() && probe.exitStatus() == QProcess::CrashExit;
}

/// The same for one that may be damaged: it opens, or says so and is set aside. @return what is wrong; empty if nothing is
QString finish(const Location& location) {
  for (int tries = 0; tries < 2; ++tries) {
    const Told told = work(location, false);
    if (!told.refusal) {
      return {};
    }
    if (told.refusal->code != ErrorCode::Corrupt || told.refusal->message.empty()) {
      return QString::fromStdString(told.refusal->message + " / " + told.refusal->detail);
    }
    if (const auto moved = library::setAside(location.databaseFile()); !moved) {
      return QString::fromStdString(moved.error().message);
    }
  }
  return QStringLiteral("a new index is damaged too");
}

QString faults(const Location& location, const Pictures& expected) {
  return faultsOf(location, {{kProbeRun, expected}}).filter(QRegularExpression("^(?!.*library\\.sqlite\\.damaged-)")).join('\n');
}

void copyFolder(const QString& from, const QString& to) {
  std::filesystem::copy(QFile::encodeName(from).toStdString(), QFile::encodeName(to).toStdString(),
                        std::filesystem::copy_options::recursive);
}

}  // namespace

class TestSqliteFaults : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() {
    fault_vfs::install();
    backend::registerMetaTypes();
    QTemporaryDir folder;
    const Told told = work(datedLibrary(folder.path()), true);
    QVERIFY(told.isAccepted && !told.refusal);
    m_expected = picturesIn(foldersOf(datedLibrary(folder.path()))[kProbeRun]);
    QCOMPARE(m_expected.size(), kPictures);
  }

  void everyFailedOperationLosesNothing_data() {
    QTest::addColumn<Kind>("kind");
    QTest::addColumn<bool>("isForEver");
    QTest::newRow("one error") << Kind::Error << false;
    QTest::newRow("one full disk") << Kind::Full << false;
    QTest::newRow("errors from then on") << Kind::Error << true;
    QTest::newRow("a full disk from then on") << Kind::Full << true;
  }

  /// The first opening makes the file: whatever fails, the next one finds a whole library or none.
  void aFailedFirstOpeningIsRepeated_data() { everyFailedOperationLosesNothing_data(); }

  void aFailedFirstOpeningIsRepeated() {
    QFETCH(Kind, kind);
    QFETCH(bool, isForEver);
    int n = 1;
    int failures = 0;
    for (bool isReached = true; isReached; n += std::min(stride(), kShortStride)) {
      QVERIFY(n < kTooMany);
      QTemporaryDir folder;
      const QString file = datedLibrary(folder.path()).databaseFile();
      const QByteArray at = "operation " + QByteArray::number(n);
      fault_vfs::failAt(n, kind, isForEver);
      {
        const auto opened = library::Database::open(file, library::Database::Mode::ReadWrite);
        isReached = fault_vfs::hasFailed();
        QVERIFY2(opened || opened.error().code == ErrorCode::Io || opened.error().code == ErrorCode::DiskFull, at);
        failures += opened ? 0 : 1;
      }
      fault_vfs::failAt(0, kind, false);
      const auto again = library::Database::open(file, library::Database::Mode::ReadWrite);
      QVERIFY2(again, again ? "" : at + ": " + again.error().detail.c_str());
      QVERIFY2((*again)->check(), at);
    }
    QVERIFY(failures > 0);
    qInfo("%d operations", n - 1 - std::min(stride(), kShortStride));
  }

  void theWriterDoesEveryWorkOnce_data() { everyFailedOperationLosesNothing_data(); }

  /// A commit that failed may be on the disk all the same: what is repeated then must not be done twice.
  void theWriterDoesEveryWorkOnce() {
    QFETCH(Kind, kind);
    QFETCH(bool, isForEver);
    int n = 1;
    for (bool isReached = true; isReached; n += stride()) {
      QTemporaryDir folder;
      const QString file = datedLibrary(folder.path()).databaseFile();
      const QByteArray at = "operation " + QByteArray::number(n);
      QVERIFY(library::Database::open(file, library::Database::Mode::ReadWrite).isOk());
      int done = 0;
      int refused = 0;
      {
        library::Writer writer(file);
        QSignalSpy troubled(&writer, &library::Writer::troubled);
        const auto add = [&](library::Writer::Patience patience) {
          writer.post(
              [](library::Database& database) -> base::Result<void> {
                const auto before = database.meta(QStringLiteral("count"));
                return before ? database.setMeta(QStringLiteral("count"), before->toInt() + 1) : before.error();
              },
              [&](const base::Result<void>& result) { ++(result ? done : refused); }, patience);
        };
        fault_vfs::failAt(n, kind, isForEver);
        for (int i = 0; i < 3; ++i) {
          add(library::Writer::Patience::Forever);
          add(library::Writer::Patience::None);
          // One transaction after another; a disk that is bad for ever is mended once it was seen to be.
          QTRY_VERIFY(done + refused == 2 * (i + 1) || troubled.size() > 0);
          isReached = fault_vfs::hasFailed();
          if (troubled.size() > 0) {
            fault_vfs::failAt(0, kind, false);
          }
          QTRY_COMPARE(done + refused, 2 * (i + 1));
        }
        fault_vfs::failAt(0, kind, false);
      }
      auto database = library::Database::open(file, library::Database::Mode::ReadWrite);
      QVERIFY2(database, at);
      QVERIFY2((*database)->meta(QStringLiteral("count"))->toInt() == done,
               at + ": " + QByteArray::number((*database)->meta(QStringLiteral("count"))->toInt()) + " done, " +
                   QByteArray::number(done) + " told");
    }
    QVERIFY(n > 5);
  }

  /// Open, submit three jobs, give them out, finish them, close: the N-th write, sync or cut fails, for every N.
  void everyFailedOperationLosesNothing() {
    QFETCH(Kind, kind);
    QFETCH(bool, isForEver);
    QTemporaryDir made;
    QVERIFY(backend::LocalBackend::open(datedLibrary(made.path()), options()).isOk());
    // With a stride each row begins elsewhere.
    int n = 1 + (isForEver ? stride() / 2 : 0) + (kind == Kind::Full ? stride() / 4 : 0);
    for (bool isReached = true; isReached; n += stride()) {
      QVERIFY(n < kTooMany);
      QTemporaryDir folder;
      const Location location = datedLibrary(folder.path());
      copyFolder(made.path(), folder.path());
      Told told;
      {
        // A disk that stays bad is mended while the backend waits for it.
        QTimer mend;
        if (isForEver) {
          connect(&mend, &QTimer::timeout, this, [] {
            if (fault_vfs::hasFailed()) {
              fault_vfs::failAt(0, Kind::Error, false);
            }
          });
          mend.start(50);
        }
        fault_vfs::failAt(n, kind, isForEver);
        told = work(location, true);
        isReached = fault_vfs::hasFailed();
        fault_vfs::failAt(0, kind, false);
      }
      const QByteArray at = "operation " + QByteArray::number(n);
      if (told.refusal) {
        QVERIFY2(!told.refusal->message.empty(), at);
        QVERIFY2(told.refusal->code == ErrorCode::Io || told.refusal->code == ErrorCode::DiskFull,
                 at + ": " + told.refusal->message.c_str() + ' ' + told.refusal->detail.c_str());
        QVERIFY2(!told.isAccepted, at + ": an accepted run was given up");
        // It was not acknowledged: it is asked for again.
        const Told again = work(location, true);
        QVERIFY2(!again.refusal && again.isAccepted, at + (again.refusal ? again.refusal->message.c_str() : ""));
      } else {
        const QString problem = finish(location);
        QVERIFY2(problem.isEmpty(), at + ": " + problem.toUtf8());
      }
      const QString left = faults(location, m_expected);
      QVERIFY2(left.isEmpty(), at + ": " + left.toUtf8());
    }
    qInfo("%d operations", n - stride());
  }

  void aLostOrDamagedIndexLosesNothing_data() {
    QTest::addColumn<QString>("step");
    for (const char* step : {"tell-run:1", "picture-row:1", "committed:2", "manifest-row:1", "tell-picture:1"}) {
      QTest::newRow(step) << QString(step);
    }
  }

  /// A backend is killed in the middle; then its index is damaged in many ways, and whoever comes next finishes the run without
  /// being asked for it again.
  void aLostOrDamagedIndexLosesNothing() {
    QFETCH(QString, step);
    QTemporaryDir killed;
    QVERIFY(makeKilled(killed.path(), step));
    const QString file = QStringLiteral("/library.sqlite");
    const QString wal = file + "-wal";
    const qint64 walSize = QFileInfo(killed.path() + wal).size();
    QVERIFY(walSize > 0);

    QRandomGenerator random(11);
    struct Damage {
      QString name;
      std::function<bool(const QString& folder)> act;
    };
    const auto cut = [](const QString& path, qint64 size) { return QFile::resize(path, size); };
    const auto spoil = [](const QString& path, qint64 at, qint64 count) {
      QFile spoiled(path);
      return spoiled.open(QIODevice::ReadWrite) && spoiled.seek(at) && spoiled.write(QByteArray(count, '\x5a')) == count;
    };
    std::vector<Damage> damages{
        {"nothing", [](const QString&) { return true; }},
        {"no WAL", [&](const QString& folder) { return QFile::remove(folder + wal); }},
        {"no index of the WAL", [&](const QString& folder) { return QFile::remove(folder + file + "-shm"); }},
        {"an empty WAL", [&](const QString& folder) { return cut(folder + wal, 0); }},
        {"no file, but its WAL", [&](const QString& folder) { return QFile::remove(folder + file); }},
        {"nothing left",
         [&](const QString& folder) {
           return QFile::remove(folder + file) && QFile::remove(folder + wal) && QFile::remove(folder + file + "-shm");
         }},
        {"garbage for a file",
         [&](const QString& folder) { return QFile::remove(folder + wal) && spoil(folder + file, 0, 4096); }},
    };
    for (int i = 0; i < 12; ++i) {
      const qint64 size = random.bounded(static_cast<int>(walSize));
      damages.push_back(
          {QStringLiteral("WAL cut at %1").arg(size), [=](const QString& folder) { return cut(folder + wal, size); }});
    }
    for (int i = 0; i < 8; ++i) {
      const qint64 at = random.bounded(static_cast<int>(walSize) - 64);
      damages.push_back(
          {QStringLiteral("WAL spoilt at %1").arg(at), [=](const QString& folder) { return spoil(folder + wal, at, 64); }});
    }
    const auto every = static_cast<std::size_t>(std::min(stride(), kShortStride));
    for (std::size_t i = static_cast<std::size_t>(step.size()) % every; i < damages.size(); i += every) {
      const Damage& damage = damages[i];
      QTemporaryDir folder;
      copyFolder(killed.path(), folder.path());
      QVERIFY2(damage.act(folder.path()), qPrintable(damage.name));
      const QString problem = finish(datedLibrary(folder.path()));
      QVERIFY2(problem.isEmpty(), qPrintable(damage.name + ": " + problem));
      const QString left = faults(datedLibrary(folder.path()), m_expected);
      QVERIFY2(left.isEmpty(), qPrintable(damage.name + ": " + left));
    }
  }

  /// A file that lost its end or part of its pages when the power went.
  void aTornFileLosesNothing() {
    QTemporaryDir made;
    QVERIFY(makeKilled(made.path(), QStringLiteral("tell-picture:1")));
    // Everything goes from the WAL to the file.
    QVERIFY(library::Database::open(datedLibrary(made.path()).databaseFile(), library::Database::Mode::ReadWrite).isOk());
    const QString file = QStringLiteral("/library.sqlite");
    const qint64 size = QFileInfo(made.path() + file).size();
    QVERIFY(!QFileInfo::exists(made.path() + file + "-wal"));
    QRandomGenerator random(12);
    QList<qint64> sizes{0, 1, 100, 511, 4096, size - 4096, size - 2048, size - 1};
    for (int i = 0; i < 16; ++i) {
      sizes << random.bounded(static_cast<int>(size));
    }
    int setAside = 0;
    for (qsizetype i = 0; i < sizes.size(); i += std::min(stride(), kShortStride)) {
      const qint64 left = sizes[i];
      for (const bool isFilled : {false, true}) {
        QTemporaryDir folder;
        copyFolder(made.path(), folder.path());
        QVERIFY(QFile::resize(folder.path() + file, left));
        QVERIFY(!isFilled || QFile::resize(folder.path() + file, size));
        const QByteArray at = QByteArray::number(left) + (isFilled ? " bytes, then zeros" : " bytes");
        const QString problem = finish(datedLibrary(folder.path()));
        QVERIFY2(problem.isEmpty(), at + ": " + problem.toUtf8());
        setAside += QDir(folder.path()).entryList({"library.sqlite.damaged-*"}).isEmpty() ? 0 : 1;
        const QString wrong = faults(datedLibrary(folder.path()), m_expected);
        QVERIFY2(wrong.isEmpty(), at + ": " + wrong.toUtf8());
      }
    }
    QVERIFY(setAside > 0);
  }

 private:
  Pictures m_expected;
};

QTEST_GUILESS_MAIN(TestSqliteFaults)
#include "tst_sqlite_faults.moc"
