#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include "core/backend/local_backend.h"
#include "tests/backend/library_faults.h"
#include "tests/backend/sample_run.h"

using namespace polyptych;
using namespace polyptych::tests;
using backend::Backend;
using backend::Command;
using backend::LocalBackend;
using backend::RunSummary;

namespace {

constexpr int kPictures = 4;

std::unique_ptr<LocalBackend> open(const library::Location& location) {
  backend::LocalBackendOptions options;
  options.cpuWorker = FAKE_WORKER;
  options.extraWorkerArguments = QStringList{"--step-ms", "0", "--load-ms", "0"};
  return LocalBackend::open(location, options, quickTuning()).value();
}

SampleRun namedRun(const QString& folder) {
  SampleRun run = sampleRun(folder, kPictures);
  run.id = kProbeRun;
  return run;
}

void control(LocalBackend& backend, Command::Kind kind) {
  QSignalSpy done(&backend, &Backend::commandDone);
  Command command;
  command.kind = kind;
  backend.control(command);
  QVERIFY(done.wait());
}

QStringList runFolders(const library::Location& location) {
  QStringList folders;
  for (QDirIterator dates(location.picturesFolder(), QDir::Dirs | QDir::NoDotAndDotDot); dates.hasNext();) {
    folders << QDir(dates.next()).entryList(QDir::Dirs | QDir::NoDotAndDotDot);
  }
  return folders;
}

}  // namespace

class TestRecovery : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void init() {
    m_folder = std::make_unique<QTemporaryDir>();
    m_location = library::locationAt(m_folder->path(), library::Location::Layout::Dated);
  }

  void aRunThatIsSentAgainAfterItsEndIsToldAndNotMadeAgain() {
    makeAll();
    const auto backend = open(m_location);
    QSignalSpy started(backend.get(), &Backend::runStarted);
    QSignalSpy finished(backend.get(), &Backend::runFinished);
    backend->submit(namedRun(m_folder->path()));
    QVERIFY(finished.wait());
    QCOMPARE(started.size(), 1);
    const auto summary = finished[0][0].value<RunSummary>();
    QVERIFY(!summary.error);
    QCOMPARE(summary.runId, kProbeRun);
    QCOMPARE(summary.made, kPictures);
    QCOMPARE(runFolders(m_location).size(), 1);
    QTRY_VERIFY(backend->isIdle());
  }

  void theEndOfARunIsToldByALaterBackend() {
    makeAll();
    const auto backend = open(m_location);
    QSignalSpy finished(backend.get(), &Backend::runFinished);
    backend->await({kProbeRun + 1, kProbeRun});
    QVERIFY(finished.wait());
    QCOMPARE(finished.size(), 1);
    QCOMPARE(finished[0][0].value<RunSummary>().runId, kProbeRun);
  }

  void theChosenDevicesAreKeptWithTheQueue() {
    submitPaused();
    const auto backend = open(m_location);
    QSignalSpy finished(backend.get(), &Backend::runFinished);
    control(*backend, Command::Kind::ResumeQueue);
    QVERIFY(finished.wait());
    QCOMPARE(finished[0][0].value<RunSummary>().made, kPictures);
  }

  void aRunOutlivesItsIndex() {
    submitPaused();
    QVERIFY(QFile::remove(m_location.databaseFile()));
    const auto backend = open(m_location);
    QSignalSpy queue(backend.get(), &Backend::queueChanged);
    backend->refresh();
    QCOMPARE(queue.back()[0].value<backend::QueueStatus>().waiting, kPictures);
    QCOMPARE(queue.back()[0].value<backend::QueueStatus>().pause, backend::PauseReason::UncleanEnd);
    // Nobody has chosen a device: no reason for a process to stay.
    control(*backend, Command::Kind::ResumeQueue);
    QTRY_VERIFY(backend->isIdle());
    QSignalSpy finished(backend.get(), &Backend::runFinished);
    backend->submit(namedRun(m_folder->path()));
    QVERIFY(finished.wait());
    QCOMPARE(runFolders(m_location).size(), 1);
  }

  /// A page is found to be damaged while the backend runs: it begins nothing more, and the next one makes the index again.
  void aDamageThatIsFoundInTheMiddleIsMendedByTheNext_data() {
    QTest::addColumn<QString>("damage");
    // As a disk does that gives back other bytes than it was given.
    QTest::newRow("tables that cannot be found") << QStringLiteral(
        "PRAGMA writable_schema=ON; UPDATE sqlite_master SET rootpage=9999999 WHERE name = 'jobs'; PRAGMA schema_version=999");
    QTest::newRow("rows that are gone") << QStringLiteral("DELETE FROM prompts");
  }
  void aDamageThatIsFoundInTheMiddleIsMendedByTheNext() {
    QFETCH(const QString, damage);
    {
      const auto backend = open(m_location);
      control(*backend, Command::Kind::PauseQueue);
      QSignalSpy started(backend.get(), &Backend::runStarted);
      backend->submit(namedRun(m_folder->path()));
      QVERIFY(started.wait());
      QVERIFY(library::Database::open(m_location.databaseFile(), library::Database::Mode::ReadWrite).value()->run(damage).isOk());
      QSignalSpy damaged(backend.get(), &LocalBackend::damaged);
      Command command;
      command.kind = Command::Kind::ResumeQueue;
      backend->control(command);
      QTRY_COMPARE(damaged.size(), 1);
      QSignalSpy queue(backend.get(), &Backend::queueChanged);
      backend->refresh();
      QVERIFY2(queue.back()[0].value<backend::QueueStatus>().sentence.contains("damaged"),
               qPrintable(queue.back()[0].value<backend::QueueStatus>().sentence));
    }
    QString opening;
    backend::LocalBackendOptions options;
    options.cpuWorker = FAKE_WORKER;
    options.extraWorkerArguments = QStringList{"--step-ms", "0", "--load-ms", "0"};
    options.onOpening = [&](const QString& doing, qint64) { opening = doing; };
    const auto backend = LocalBackend::open(m_location, options, quickTuning()).value();
    QVERIFY2(opening.contains("being made again"), qPrintable(opening));
    QSignalSpy finished(backend.get(), &Backend::runFinished);
    Command devices;
    devices.kind = Command::Kind::SetDevices;
    devices.slots = {cpuSlot(0)};
    backend->control(devices);
    control(*backend, Command::Kind::ResumeQueue);
    QVERIFY(finished.size() > 0 || finished.wait());
    QCOMPARE(finished[0][0].value<RunSummary>().made, kPictures);
  }

  void aFolderThatASubmitOnlyBeganIsRemoved() {
    const QString begun = m_location.picturesFolder() + "/2026-01-02/0001-begun";
    const QString other = m_location.picturesFolder() + "/2026-01-02/0002-with-a-file";
    for (const QString& folder : {begun, other}) {
      QVERIFY(QDir().mkpath(folder));
    }
    QFile temporary(begun + "/.polyptych-1.tmp");
    QVERIFY(temporary.open(QIODevice::WriteOnly));
    QFile file(other + "/somebody's");
    QVERIFY(file.open(QIODevice::WriteOnly));
    QVERIFY(open(m_location)->isEmpty());
    QVERIFY(!QFileInfo::exists(begun));
    QVERIFY(file.exists());
  }

  void aRefusedSubmitLeavesNothing() {
    const auto backend = open(m_location);
    QVERIFY(library::Database::open(m_location.databaseFile(), library::Database::Mode::ReadWrite)
                .value()
                ->run(QStringLiteral("DROP TABLE jobs"))
                .isOk());
    QSignalSpy finished(backend.get(), &Backend::runFinished);
    backend->submit(namedRun(m_folder->path()));
    QVERIFY(finished.wait());
    QVERIFY(finished[0][0].value<RunSummary>().error.has_value());
    QCOMPARE(runFolders(m_location), QStringList());
  }

 private:
  void makeAll() {
    const auto backend = open(m_location);
    QSignalSpy finished(backend.get(), &Backend::runFinished);
    backend->submit(namedRun(m_folder->path()));
    QVERIFY(finished.wait());
  }

  void submitPaused() {
    const auto backend = open(m_location);
    control(*backend, Command::Kind::PauseQueue);
    QSignalSpy started(backend.get(), &Backend::runStarted);
    backend->submit(namedRun(m_folder->path()));
    QVERIFY(started.wait());
  }

  std::unique_ptr<QTemporaryDir> m_folder;
  library::Location m_location;
};

QTEST_GUILESS_MAIN(TestRecovery)
#include "tst_recovery.moc"
