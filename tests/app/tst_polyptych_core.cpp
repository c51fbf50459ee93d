#include <signal.h>
#include <unistd.h>

#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>
#include <memory>
#include <optional>

#include "app/polyptych-core/core_arguments.h"
#include "app/polyptych-core/core_life.h"
#include "core/backend/remote_backend.h"
#include "core/library/lock.h"

using namespace polyptych;
using backend::Backend;
using backend::RemoteBackend;
using backend::RemoteBackendOptions;
using backend::RunSpec;
using backend::RunSummary;
using base::ErrorCode;
using core::CoreLife;
using library::Location;
using std::chrono::milliseconds;

namespace {

constexpr int kPatienceMs = 20000;

#define WAIT_FOR(condition) QTRY_VERIFY_WITH_TIMEOUT(condition, kPatienceMs)

RunSpec runOf(const char* prompt) {
  RunSpec spec;
  spec.id = backend::newRunId();
  domain::GenerationRequest& request = spec.requests.emplace_back();
  request.prompt = prompt;
  request.scheduler = "Euler";
  return spec;
}

/// False for a process that has ended and only waits to be buried by its parent.
bool isAlive(qint64 pid) {
  QFile file(QStringLiteral("/proc/%1/stat").arg(pid));
  return file.open(QIODevice::ReadOnly) && !file.readAll().contains(") Z ");
}

struct Ended {
  int code = -1;
  QString output;
  QString errors;
};

Ended runCore(const QStringList& arguments) {
  QProcess process;
  process.start(QStringLiteral(SCRIPTED_CORE), arguments);
  Ended ended;
  if (process.waitForFinished(kPatienceMs)) {
    ended.code = process.exitCode();
  }
  ended.output = QString::fromUtf8(process.readAllStandardOutput());
  ended.errors = QString::fromUtf8(process.readAllStandardError());
  return ended;
}

}  // namespace

class TestPolyptychCore : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() { backend::registerMetaTypes(); }

  void init() {
    m_folder = std::make_unique<QTemporaryDir>();
    m_location = library::locationAt(m_folder->filePath(QStringLiteral("library")), Location::Layout::Dated);
    qunsetenv("SCRIPTED_CORE_VERSION");
    qunsetenv("SCRIPTED_CORE_FIRST_FACE_MS");
  }

  /// Whatever a test started ends with it.
  void cleanup() {
    for (const auto layout : {Location::Layout::Dated, Location::Layout::Flat}) {
      const auto holder = library::holderOf(library::locationAt(m_location.root, layout));
      if (holder && *holder && (*holder)->pid != QCoreApplication::applicationPid()) {
        ::kill(static_cast<pid_t>((*holder)->pid), SIGKILL);
      }
    }
  }

  void readsItsArguments() {
    const auto arguments =
        core::parseCoreArguments({"--out", "/a/b", "--resume", "--linger", "30", "--worker", "/w", "--cuda-worker", "/c",
                                  "--worker-argument", "--x", "--worker-argument", "y"});
    QVERIFY(arguments.isOk());
    QCOMPARE(arguments->location, library::locationAt(QStringLiteral("/a/b"), Location::Layout::Flat));
    QVERIFY(arguments->backend.resumesAfterUncleanEnd);
    QCOMPARE(arguments->linger, milliseconds(30));
    QCOMPARE(arguments->backend.cpuWorker, QStringLiteral("/w"));
    QCOMPARE(arguments->backend.cudaWorker, QStringLiteral("/c"));
    QCOMPARE(arguments->backend.extraWorkerArguments, QStringList({QStringLiteral("--x"), QStringLiteral("y")}));
    QCOMPARE(core::parseCoreArguments({"--library", "/l"})->linger, milliseconds(2000));
    QCOMPARE(core::parseCoreArguments({"--library", "/l", "--help"})->command, core::CoreCommand::Help);
    QCOMPARE(core::parseCoreArguments({"--version"})->command, core::CoreCommand::Version);
  }

  void refusesWrongArguments_data() {
    QTest::addColumn<QStringList>("words");
    const auto row = [](const char* name, const char* words) {
      QTest::newRow(name) << QString::fromLatin1(words).split(QLatin1Char(' '), Qt::SkipEmptyParts);
    };
    row("no library", "");
    row("two libraries", "--library a --out b");
    row("no value", "--library");
    row("unknown", "--library a --fast");
    row("a bare word", "a");
    row("linger in words", "--library a --linger soon");
    row("linger below zero", "--library a --linger -1");
    row("linger too long", "--library a --linger 99999999999");
    QTest::newRow("empty folder") << QStringList{QStringLiteral("--library"), QString()};
  }
  void refusesWrongArguments() {
    QFETCH(QStringList, words);
    std::vector<std::string> list;
    for (const QString& word : words) {
      list.push_back(word.toStdString());
    }
    const auto arguments = core::parseCoreArguments(list);
    QVERIFY(!arguments);
    QCOMPARE(arguments.error().code, ErrorCode::InvalidArgument);
  }

  void endsWithoutWorkAndFaces() {
    CoreLife life(milliseconds(1), milliseconds(1));
    QSignalSpy ended(&life, &CoreLife::ended);
    life.setFaces(1);
    life.setIdle(true);
    life.setFaces(0);
    QVERIFY(ended.wait(kPatienceMs));
  }

  void staysWithWorkOrFaces() {
    CoreLife life(milliseconds(0), milliseconds(0));
    QSignalSpy ended(&life, &CoreLife::ended);
    life.setIdle(true);
    life.setFaces(1);
    QCoreApplication::processEvents();
    life.wantEnd();
    QCoreApplication::processEvents();
    life.setIdle(false);
    life.setFaces(0);
    QCoreApplication::processEvents();
    QVERIFY(ended.isEmpty());
    life.setIdle(true);
    QVERIFY(ended.wait(kPatienceMs));
  }

  void waitsLongerForTheFirstFace() {
    CoreLife life(milliseconds(0), std::chrono::hours(1));
    QSignalSpy ended(&life, &CoreLife::ended);
    life.setIdle(true);
    QCoreApplication::processEvents();
    QVERIFY(ended.isEmpty());
    life.setFaces(1);
    life.setFaces(0);
    QVERIFY(ended.wait(kPatienceMs));
  }

  void endsInTheMiddleOfWorkWithItsLastFace() {
    CoreLife life(std::chrono::hours(1), milliseconds(0), true);
    QSignalSpy ended(&life, &CoreLife::ended);
    life.setIdle(false);
    QCoreApplication::processEvents();
    QVERIFY(ended.isEmpty());  // the first is still to come
    life.setFaces(1);
    QCoreApplication::processEvents();
    QVERIFY(ended.isEmpty());
    life.setFaces(0);
    QVERIFY(ended.wait(kPatienceMs));
  }

  void doesNotLingerWhereTheEndIsWanted() {
    CoreLife life(std::chrono::hours(1), std::chrono::hours(1));
    QSignalSpy ended(&life, &CoreLife::ended);
    life.setFaces(1);
    life.setFaces(0);
    life.wantEnd();
    QCoreApplication::processEvents();
    QVERIFY(ended.isEmpty());
    life.setIdle(true);
    QVERIFY(ended.wait(kPatienceMs));
    life.setFaces(1);
    life.setFaces(0);
    QCoreApplication::processEvents();
    QCOMPARE(ended.size(), 1);
  }

  void tellsItsHelpAndVersion() {
    const Ended help = runCore({QStringLiteral("--help")});
    QCOMPARE(help.code, 0);
    QVERIFY(help.output.contains(QLatin1String("--library DIR")));
    const Ended version = runCore({QStringLiteral("--version")});
    QCOMPARE(version.code, 0);
    QCOMPARE(version.output, QStringLiteral("polyptych-core " POLYPTYCH_VERSION "\n"));
    const Ended wrong = runCore({});
    QCOMPARE(wrong.code, 2);
    QVERIFY(wrong.errors.contains(QLatin1String("Which library?")));
  }

  void saysWhoHasTheLibrary() {
    library::Holder self;
    self.program = QStringLiteral("polyptych-core");
    self.version = QStringLiteral("7.7.7");
    const auto lock = library::Lock::acquire(m_location, self);
    QVERIFY(lock.isOk());
    const Ended ended = runCore({QStringLiteral("--library"), m_location.root});
    QCOMPARE(ended.code, 4);
    QVERIFY2(ended.errors.contains(QLatin1String("7.7.7")) &&
                 ended.errors.contains(QString::number(QCoreApplication::applicationPid())),
             qPrintable(ended.errors));
  }

  /// Somebody removes the lock's file: it is made again; where another program was quicker, this one ends at once.
  void staysTheOnlyOneAtALibrary() {
    QProcess process;
    process.start(QStringLiteral(SCRIPTED_CORE), {QStringLiteral("--library"), m_location.root});
    const auto isServed = [&] {
      const auto holder = library::holderOf(m_location);
      return holder && *holder && !(*holder)->socket.isEmpty();
    };
    QTRY_VERIFY(isServed());
    QFile index(m_location.databaseFile());
    QVERIFY(index.open(QIODevice::WriteOnly));
    QVERIFY(QFile::remove(m_location.lockFile()));
    QTRY_VERIFY(isServed());
    QCOMPARE((*library::holderOf(m_location))->pid, process.processId());
    QVERIFY(QFile::remove(m_location.lockFile()));
    library::Holder self;
    self.program = QStringLiteral("polyptych-core");
    self.version = QStringLiteral("7.7.7");
    const auto lock = library::Lock::acquire(m_location, self);
    if (!lock) {
      QSKIP("it was made again before this program could take it");
    }
    QVERIFY(process.waitForFinished());
    QCOMPARE(process.exitCode(), 4);
    QVERIFY(process.readAllStandardError().contains("7.7.7"));
    QVERIFY(*library::holderOf(m_location));
  }

  /// Nobody waits for a library that is gone for good, whatever was to be done in it.
  void endsWithItsLibrary() {
    QProcess process;
    process.start(QStringLiteral(SCRIPTED_CORE), {QStringLiteral("--library"), m_location.root});
    const auto isServed = [&] {
      const auto holder = library::holderOf(m_location);
      return holder && *holder && !(*holder)->socket.isEmpty();
    };
    QTRY_VERIFY(isServed());
    QVERIFY(QDir(m_location.root).removeRecursively());
    QVERIFY(process.waitForFinished());
    QCOMPARE(process.exitCode(), 1);
    QVERIFY(process.readAllStandardError().contains("was removed"));
    QVERIFY(!QFileInfo::exists(m_location.root));
  }

  void saysThatALibraryCannotBeUsed() {
    const Ended ended = runCore(
        {QStringLiteral("--library"), m_location.root, QStringLiteral("--worker-argument"), QStringLiteral("fail-to-open")});
    QCOMPARE(ended.code, 1);
    QVERIFY(ended.errors.contains(QLatin1String("The library is damaged.")));
    QVERIFY(!*library::holderOf(m_location));
  }

  void endsByItselfIfNobodyComes() {
    qputenv("SCRIPTED_CORE_FIRST_FACE_MS", "10");
    QCOMPARE(runCore({QStringLiteral("--library"), m_location.root, QStringLiteral("--linger"), QStringLiteral("0")}).code, 0);
    QVERIFY(!QFile::exists(m_location.lockFile()));
  }

  void endsCleanlyOnASignal_data() {
    QTest::addColumn<int>("number");
    QTest::newRow("SIGTERM") << SIGTERM;
    QTest::newRow("SIGINT") << SIGINT;
    QTest::newRow("SIGHUP") << SIGHUP;
  }
  void endsCleanlyOnASignal() {
    QFETCH(int, number);
    QProcess process;
    process.start(QStringLiteral(SCRIPTED_CORE), {QStringLiteral("--library"), m_location.root});
    QVERIFY(process.waitForStarted(kPatienceMs));
    WAIT_FOR(listeningPid());
    ::kill(static_cast<pid_t>(process.processId()), number);
    QVERIFY(process.waitForFinished(kPatienceMs));
    QCOMPARE(process.exitStatus(), QProcess::NormalExit);
    QCOMPARE(process.exitCode(), 0);
    QVERIFY(!QFile::exists(m_location.lockFile()));
  }

  void aFaceStartsItAndItEndsAfterTheFace() {
    std::optional<RemoteBackend> face(std::in_place, m_location, options());
    QSignalSpy finished(&*face, &Backend::runFinished);
    const quint64 run = face->submit(runOf("quick one"));
    WAIT_FOR(!finished.isEmpty());
    QCOMPARE(finished[0][0].value<RunSummary>().runId, run);
    const qint64 pid = *face->corePid();
    QVERIFY(isAlive(pid));
    // A session of its own: what the terminal of the face says does not reach it.
    QCOMPARE(qint64(::getsid(static_cast<pid_t>(pid))), pid);
    face.reset();
    WAIT_FOR(!isAlive(pid));
    QVERIFY(!QFile::exists(m_location.lockFile()));
  }

  void ctrlCDoesNotReachABackendThatAFaceStarted() {
    RemoteBackend face(m_location, options());
    WAIT_FOR(face.corePid());
    const qint64 pid = *face.corePid();
    ::kill(static_cast<pid_t>(pid), SIGINT);
    QSignalSpy done(&face, &Backend::commandDone);
    face.control({});
    WAIT_FOR(!done.isEmpty());
    QCOMPARE(*face.corePid(), pid);
  }

  void facesThatStartTogetherEndUpAtOneBackend() {
    RemoteBackend first(m_location, options());
    RemoteBackend second(m_location, options());
    RemoteBackend third(m_location, options());
    WAIT_FOR(first.corePid() && second.corePid() && third.corePid());
    QCOMPARE(*first.corePid(), *second.corePid());
    QCOMPARE(*first.corePid(), *third.corePid());
  }

  void itGoesOnWithoutAFaceWhileThereIsWork() {
    std::optional<RemoteBackend> face(std::in_place, m_location, options());
    QSignalSpy started(&*face, &Backend::runStarted);
    const quint64 run = face->submit(runOf("a long one"));
    WAIT_FOR(!started.isEmpty());
    const qint64 pid = *face->corePid();
    face.reset();
    face.emplace(m_location, options());
    QSignalSpy finished(&*face, &Backend::runFinished);
    WAIT_FOR(face->corePid());
    QCOMPARE(*face->corePid(), pid);
    face->cancelRun(run);
    WAIT_FOR(!finished.isEmpty());
    QVERIFY(finished[0][0].value<RunSummary>().wasCancelled);
    face.reset();
    WAIT_FOR(!isAlive(pid));
  }

  void leavingWaitsUntilNoProcessIsLeft() {
    const Location flat = library::locationAt(m_location.root, Location::Layout::Flat);
    RemoteBackendOptions quick = options();
    quick.coreArguments = {QStringLiteral("--linger"), QStringLiteral("600000")};
    RemoteBackend face(flat, quick);
    QSignalSpy finished(&face, &Backend::runFinished);
    face.submit(runOf("quick one"));
    WAIT_FOR(!finished.isEmpty());
    const qint64 pid = *face.corePid();
    QVERIFY(QFile::exists(m_location.root + QStringLiteral("/.polyptych/library.lock")));
    QVERIFY(face.leave(milliseconds(kPatienceMs)));
    QVERIFY(!QFile::exists(flat.lockFile()));
    WAIT_FOR(!isAlive(pid));
    RemoteBackend next(flat, quick);
    WAIT_FOR(next.corePid());
    QVERIFY(next.leave(milliseconds(kPatienceMs)));
  }

  void aBackendThatDiesIsReplacedAndTheRunSentAgain() {
    RemoteBackendOptions mortal = options();
    mortal.coreArguments << QStringLiteral("--worker-argument") << "die-once=" + m_folder->filePath(QStringLiteral("died"));
    RemoteBackend face(m_location, mortal);
    QSignalSpy joined(&face, &RemoteBackend::joined);
    QSignalSpy finished(&face, &Backend::runFinished);
    QSignalSpy lost(&face, &Backend::lost);
    const quint64 run = face.submit(runOf("quick one"));
    WAIT_FOR(!finished.isEmpty());
    QCOMPARE(finished[0][0].value<RunSummary>().runId, run);
    QCOMPARE(joined.size(), 2);
    const qint64 pid = *face.corePid();
    ::kill(static_cast<pid_t>(pid), SIGKILL);
    WAIT_FOR(joined.size() == 3);
    QVERIFY(*face.corePid() != pid);
    QVERIFY(lost.isEmpty());
  }

  void aNewerFaceReplacesAnOlderIdleBackend() {
    qputenv("SCRIPTED_CORE_VERSION", "0.0.1");
    RemoteBackendOptions older = options();
    older.version = QStringLiteral("0.0.1");
    older.coreArguments = {QStringLiteral("--linger"), QStringLiteral("600000")};
    std::optional<RemoteBackend> first(std::in_place, m_location, older);
    WAIT_FOR(first->corePid());
    const qint64 oldPid = *first->corePid();
    first.reset();
    QVERIFY(isAlive(oldPid));
    qunsetenv("SCRIPTED_CORE_VERSION");
    RemoteBackend second(m_location, options());
    WAIT_FOR(second.corePid());
    QVERIFY(*second.corePid() != oldPid);
    WAIT_FOR(!isAlive(oldPid));
  }

  void programsThatDoNotFitTogetherAreToldApartOnce() {
    qputenv("SCRIPTED_CORE_VERSION", "0.0.1");
    RemoteBackend face(m_location, options());
    QSignalSpy lost(&face, &Backend::lost);
    WAIT_FOR(!lost.isEmpty());
    QCOMPARE(lost[0][0].value<base::Error>().code, ErrorCode::VersionMismatch);
  }

 private:
  RemoteBackendOptions options() const {
    RemoteBackendOptions options;
    options.coreProgram = QStringLiteral(SCRIPTED_CORE);
    options.coreArguments = {QStringLiteral("--linger"), QStringLiteral("100")};
    options.backOff = milliseconds(1);
    return options;
  }
  bool listeningPid() const {
    const auto holder = library::holderOf(m_location);
    return holder && *holder && !(*holder)->socket.isEmpty();
  }

  std::unique_ptr<QTemporaryDir> m_folder;
  Location m_location;
};

QTEST_GUILESS_MAIN(TestPolyptychCore)
#include "tst_polyptych_core.moc"
