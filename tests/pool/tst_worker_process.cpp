#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QDir>
#include <QFileInfo>
#include <QLocalServer>
#include <QLocalSocket>
#include <QProcess>
#include <QSignalSpy>
#include <QtTest>

#include "core/pool/worker_process.h"
#include "core/pool/worker_socket.h"

using namespace polyptych;
using namespace polyptych::pool;
using base::ErrorCode;

namespace {

WorkerSpec cpuSpec() { return {{"cpu:1", domain::DeviceKind::Cpu, "CPU", "", {2, 3}}, "/w", {"--extra"}, 4}; }

protocol::Hello helloWith(const QByteArray& token) {
  protocol::Hello hello;
  hello.token = token.toStdString();
  hello.pid = 1;
  hello.programVersion = POLYPTYCH_VERSION;
  hello.device.name = "Fake";
  return hello;
}

void send(QLocalSocket& socket, const protocol::Message& message) {
  const auto bytes = protocol::encode(message);
  QVERIFY(bytes.isOk());
  socket.write(reinterpret_cast<const char*>(bytes->data()), qint64(bytes->size()));
  socket.flush();
}

}  // namespace

class TestWorkerProcess : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void argumentsAreThoseOfTheProtocol() {
    QCOMPARE(workerArguments(cpuSpec(), "/run/s"),
             QStringList({"--socket", "/run/s", "--device", "cpu", "--threads", "4", "--cores", "2,3", "--extra"}));
    const WorkerSpec gpu{{"cuda:0", domain::DeviceKind::Cuda, "GPU", "GPU-1", {}}, "/w", {}, 1};
    QCOMPARE(workerArguments(gpu, "/run/s"), QStringList({"--socket", "/run/s", "--device", "cuda", "--threads", "1"}));
  }

  void argumentsNameTheSharedMemory() {
    WorkerSpec cpu = cpuSpec();
    cpu.sharedMemoryFd = 9;
    QVERIFY(workerArguments(cpu, "/run/s").join(' ').contains("--shared-memory 9"));
  }

  void argumentsNameThePartner() {
    WorkerSpec cpu = cpuSpec();
    cpu.slot.partner = domain::PartnerDevice{"CPU", "", {4, 5}};
    QCOMPARE(workerArguments(cpu, "/run/s"), QStringList({"--socket", "/run/s", "--device", "cpu", "--threads", "4", "--cores",
                                                          "2,3", "--partner", "cpu", "--partner-cores", "4,5", "--extra"}));
    const WorkerSpec gpu{
        {"cuda:0+cuda:1", domain::DeviceKind::Cuda, "GPU", "GPU-1", {}, domain::PartnerDevice{"GPU", "GPU-2", {}}}, "/w", {}, 1};
    QCOMPARE(workerArguments(gpu, "/run/s"),
             QStringList({"--socket", "/run/s", "--device", "cuda", "--threads", "1", "--partner", "GPU-2"}));
    QCOMPARE(workerEnvironment(gpu).value("CUDA_VISIBLE_DEVICES"), QString("GPU-1"));
  }

  void theEnvironmentShowsOneDevice() {
    const QProcessEnvironment cpu = workerEnvironment(cpuSpec());
    QVERIFY(cpu.contains("CUDA_VISIBLE_DEVICES"));
    QCOMPARE(cpu.value("CUDA_VISIBLE_DEVICES"), QString());
    QCOMPARE(cpu.value("OMP_NUM_THREADS"), QString("4"));
    QCOMPARE(cpu.value("MKL_NUM_THREADS"), QString("4"));
    const WorkerSpec gpu{{"cuda:0", domain::DeviceKind::Cuda, "GPU", "GPU-1", {}}, "/w", {}, 1};
    QCOMPARE(workerEnvironment(gpu).value("CUDA_VISIBLE_DEVICES"), QString("GPU-1"));
  }

  void logsAreInTheCacheFolderAndDoNotGrowForEver() {
    const QString path = workerLogFile("cuda:0#2");
    QCOMPARE(QFileInfo(path).fileName(), QString("worker-cuda-0-2.log"));
    QVERIFY(path.startsWith(qEnvironmentVariable("XDG_CACHE_HOME") + "/polyptych/logs/"));
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    QVERIFY(file.resize(5 << 20));
    file.close();
    QCOMPARE(workerLogFile("cuda:0#2"), path);
    QVERIFY(!QFileInfo::exists(path));
    QVERIFY(QFileInfo::exists(path + ".old"));
  }

  void socketPathsAreShortAndNew() {
    QVERIFY(newSocketPath() != newSocketPath());
    QVERIFY(newSocketPath().startsWith(qEnvironmentVariable("XDG_RUNTIME_DIR")));
    const QByteArray before = qgetenv("XDG_RUNTIME_DIR");
    const QString deep = QString::fromLocal8Bit(before) + '/' + QString(100, 'x');
    QVERIFY(QDir().mkdir(deep));
    QVERIFY(QFile::setPermissions(deep, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner));
    qputenv("XDG_RUNTIME_DIR", deep.toLocal8Bit());
    QVERIFY(newSocketPath().size() < 60);
    qputenv("XDG_RUNTIME_DIR", before);
  }

  void socketsOfDeadProcessesAreRemovedAndNoOthers() {
    const QString runtime = qEnvironmentVariable("XDG_RUNTIME_DIR");
    QProcess dead;
    dead.start("true", QStringList());
    QVERIFY(dead.waitForStarted());
    const QString deadFolder = runtime + "/plp-" + QString::number(dead.processId());
    QVERIFY(dead.waitForFinished());
    const auto make = [](const QString& folder) {
      return QDir().mkdir(folder) && QFile::setPermissions(folder, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    };
    QVERIFY(make(deadFolder));
    QLocalServer heard;  // as a process of another container would
    QVERIFY(heard.listen(deadFolder + "/heard"));
    const QString own = newSocketPath();
    QVERIFY(make(runtime + "/plp-words"));
    removeDeadSocketFolders();
    QVERIFY(QFileInfo::exists(deadFolder + "/heard"));
    heard.close();
    QFile left(deadFolder + "/left");
    QVERIFY(left.open(QIODevice::WriteOnly));
    removeDeadSocketFolders();
    QVERIFY(!QFileInfo::exists(deadFolder));
    QVERIFY(QFileInfo::exists(QFileInfo(own).path()));
    QVERIFY(QFileInfo::exists(runtime + "/plp-words"));
    removeSocketFolder();
    QVERIFY(!QFileInfo::exists(QFileInfo(own).path()));
  }

  void aProcessThatNobodyHasWaitedForIsDead() {
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(0);
    }
    QVERIFY(child > 0);
    siginfo_t ended{};
    QCOMPARE(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);  // it stays a zombie
    const QString folder = qEnvironmentVariable("XDG_RUNTIME_DIR") + "/plp-" + QString::number(child);
    QVERIFY(QDir().mkdir(folder));
    QVERIFY(QFile::setPermissions(folder, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner));
    removeDeadSocketFolders();
    QVERIFY(!QFileInfo::exists(folder));
    QCOMPARE(::waitpid(child, nullptr, 0), child);
  }

  void tokensAreNew() {
    QCOMPARE(newToken().size(), 64);
    QVERIFY(newToken() != newToken());
  }

  void onlyTheUserReachesTheSocketAndItGoesAfterTheGreeting() {
    WorkerSocket socket;
    QVERIFY(socket.listen(newSocketPath(), "right").isOk());
    struct stat status {};
    QCOMPARE(::stat(QFile::encodeName(socket.path()).constData(), &status), 0);
    QCOMPARE(int(status.st_mode & 0077), 0);
    const QString path = socket.path();
    QSignalSpy greeted(&socket, &WorkerSocket::greeted);
    QLocalSocket peer;
    peer.connectToServer(path);
    send(peer, helloWith("right"));
    QVERIFY(greeted.wait());
    QVERIFY(!QFileInfo::exists(path));
    QVERIFY(socket.isConnected());
  }

  void strangersAreTurnedAwayAndDoNotDisturb() {
    WorkerSocket socket;
    socket.setWorkerPid(1);
    QVERIFY(socket.listen(newSocketPath(), "right").isOk());
    QSignalSpy greeted(&socket, &WorkerSocket::greeted);
    QSignalSpy broken(&socket, &WorkerSocket::broken);
    QLocalSocket silent;
    silent.connectToServer(socket.path());
    QLocalSocket wrong;
    wrong.connectToServer(socket.path());
    send(wrong, helloWith("wrong"));
    QTRY_COMPARE(wrong.state(), QLocalSocket::UnconnectedState);
    QLocalSocket garbage;
    garbage.connectToServer(socket.path());
    garbage.write(QByteArray(4096, 'x'));
    QTRY_COMPARE(garbage.state(), QLocalSocket::UnconnectedState);
    QLocalSocket impolite;
    impolite.connectToServer(socket.path());
    send(impolite, protocol::Heartbeat{1});
    QTRY_COMPARE(impolite.state(), QLocalSocket::UnconnectedState);
    QVERIFY(greeted.isEmpty() && broken.isEmpty());
    QLocalSocket right;
    right.connectToServer(socket.path());
    send(right, helloWith("right"));
    QVERIFY(greeted.wait());
    QVERIFY(broken.isEmpty());
  }

  void theWorkerItselfMustGreet_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("code");
    const auto bytesOf = [](const protocol::Message& message) {
      const auto encoded = protocol::encode(message);
      return QByteArray(reinterpret_cast<const char*>(encoded->data()), qsizetype(encoded->size()));
    };
    QByteArray newer = bytesOf(helloWith("right"));
    newer[4] = 2;
    QByteArray large = bytesOf(helloWith("right"));
    large.replace(8, 4, QByteArray("\xff\xff\xff\x7f", 4));
    QTest::newRow("garbage") << QByteArray(64, 'x') << int(ErrorCode::Protocol);
    QTest::newRow("newer version") << newer << int(ErrorCode::VersionMismatch);
    QTest::newRow("large frame") << large << int(ErrorCode::Protocol);
    QTest::newRow("wrong token") << bytesOf(helloWith("wrong")) << int(ErrorCode::Protocol);
    QTest::newRow("not Hello") << bytesOf(protocol::Heartbeat{1}) << int(ErrorCode::Protocol);
    QTest::newRow("twice") << bytesOf(helloWith("right")) + bytesOf(helloWith("right")) << int(ErrorCode::Protocol);
  }
  void theWorkerItselfMustGreet() {
    QFETCH(const QByteArray, bytes);
    QFETCH(const int, code);
    WorkerSocket socket;
    socket.setWorkerPid(QCoreApplication::applicationPid());
    QVERIFY(socket.listen(newSocketPath(), "right").isOk());
    QList<base::Error> errors;
    connect(&socket, &WorkerSocket::broken, this, [&errors](const base::Error& error) { errors << error; });
    QLocalSocket peer;
    peer.connectToServer(socket.path());
    peer.write(bytes);
    QTRY_COMPARE(errors.size(), 1);
    QCOMPARE(int(errors[0].code), code);
    QVERIFY(!socket.isConnected());
    QTRY_COMPARE(peer.state(), QLocalSocket::UnconnectedState);
  }

  void aPlaceThatCannotListenIsAnError() {
    WorkerSocket socket;
    const auto listening = socket.listen("/nowhere/at/all", "t");
    QVERIFY(!listening.isOk());
    QCOMPARE(listening.error().code, ErrorCode::Io);
  }
};

QTEST_GUILESS_MAIN(TestWorkerProcess)
#include "tst_worker_process.moc"
