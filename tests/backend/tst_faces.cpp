#include <signal.h>
#include <sys/stat.h>

#include <QFile>
#include <QLocalSocket>
#include <QPointer>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>

#include "core/backend/face_server.h"
#include "core/backend/remote_backend.h"
#include "core/library/lock.h"
#include "core/pool/worker_process.h"
#include "tests/backend/sample_face_messages.h"
#include "tests/backend/scripted_backend.h"

using namespace polyptych;
using namespace polyptych::backend;
using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;
using tests::ScriptedBackend;

namespace {

constexpr int kPatienceMs = 20000;

#define WAIT_FOR(condition) QTRY_VERIFY_WITH_TIMEOUT(condition, kPatienceMs)

std::span<const std::byte> spanOf(const QByteArray& bytes) {
  return std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size())));
}

/// What polyptych-core is made of, in this process: lock, backend, server.
class Core {
 public:
  explicit Core(const library::Location& location, FaceLimits limits = {}, const QString& version = QStringLiteral("1.0.0")) {
    m_self.program = QStringLiteral("polyptych-core");
    m_self.version = version;
    m_self.token = "00112233";
    m_lock.emplace(library::Lock::acquire(location, m_self).value());
    FaceServerOptions options;
    options.token = m_self.token;
    options.version = version;
    options.libraryRoot = location.root;
    options.limits = limits;
    options.isIdle = [this] { return isIdle; };
    m_server = std::make_unique<FaceServer>(backend, options);
    listen();
  }

  void listen() {
    const auto listening = m_server->listen(pool::newSocketPath());
    if (!listening) {
      qFatal("%s", listening.error().detail.c_str());
    }
    m_self.socket = m_server->path();
    static_cast<void>(m_lock->update(m_self));
  }

  FaceServer& server() { return *m_server; }
  const QString& socket() const { return m_self.socket; }
  const QByteArray& token() const { return m_self.token; }

  ScriptedBackend backend;
  bool isIdle = true;

 private:
  library::Holder m_self;
  std::optional<library::Lock> m_lock;
  std::unique_ptr<FaceServer> m_server;
};

/// A program at the socket that keeps no rule but the test's.
class RawFace {
 public:
  explicit RawFace(const QString& path, qint64 readBuffer = 0) {
    m_socket.setReadBufferSize(readBuffer);
    m_socket.connectToServer(path);
  }
  RawFace(const Core& core, const char* version) : RawFace(core.socket()) {
    send(face::Hello{core.token(), QLatin1String(version), QStringLiteral("raw")});
  }

  void write(const QByteArray& bytes) {
    m_socket.write(bytes);
    m_socket.flush();
  }
  void send(const face::Message& message) { write(*face::encode(message)); }
  bool isOpen() const { return m_socket.state() == QLocalSocket::ConnectedState; }
  void die() { m_socket.abort(); }
  void readWithoutLimit() { m_socket.setReadBufferSize(0); }

  /// Everything that came until now.
  std::vector<face::Message>& messages() {
    m_parser.feed(spanOf(m_socket.readAll()));
    for (auto frame = m_parser.next(); frame && *frame; frame = m_parser.next()) {
      auto message = face::decode(std::move(**frame));
      if (message) {
        m_messages.push_back(std::move(*message));
      }
    }
    return m_messages;
  }
  template <typename T>
  const T* first() {
    for (const face::Message& message : messages()) {
      if (const auto* typed = std::get_if<T>(&message)) {
        return typed;
      }
    }
    return nullptr;
  }
  template <typename T>
  std::vector<T> all() {
    std::vector<T> found;
    for (const face::Message& message : messages()) {
      if (const auto* typed = std::get_if<T>(&message)) {
        found.push_back(*typed);
      }
    }
    return found;
  }

 private:
  QLocalSocket m_socket;
  protocol::FrameParser m_parser;
  std::vector<face::Message> m_messages;
};

RemoteBackendOptions quickOptions() {
  RemoteBackendOptions options;
  options.coreProgram = QStringLiteral("/nonexistent/polyptych-core");
  options.startTimeout = milliseconds(kPatienceMs);
  options.backOff = milliseconds(1);
  options.version = QStringLiteral("1.0.0");
  return options;
}

FaceLimits smallLimits() {
  FaceLimits limits;
  limits.lowMark = 64 << 10;
  limits.highMark = 1 << 20;
  return limits;
}

bool has(const Error& error, const char* words) { return error.message.find(words) != std::string::npos; }

}  // namespace

class TestFaces : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() { registerMetaTypes(); }

  void init() {
    m_folder = std::make_unique<QTemporaryDir>();
    m_location = library::locationAt(m_folder->filePath(QStringLiteral("library")), library::Location::Layout::Dated);
  }

  void newRunIdsAreSmallEnoughForEverybody() {
    std::set<quint64> ids;
    for (int i = 0; i < 1000; ++i) {
      const quint64 id = newRunId();
      QVERIFY(id >= 1 && id < quint64(1) << 48);
      ids.insert(id);
    }
    QCOMPARE(ids.size(), std::size_t(1000));
  }

  void aFaceHearsEverySignal() {
    Core core(m_location);
    RemoteBackend face(m_location, quickOptions());
    const std::vector<QMetaMethod> hearing{
        QMetaMethod::fromSignal(&Backend::queueChanged),    QMetaMethod::fromSignal(&Backend::runChanged),
        QMetaMethod::fromSignal(&Backend::runStarted),      QMetaMethod::fromSignal(&Backend::slotChanged),
        QMetaMethod::fromSignal(&Backend::stepFinished),    QMetaMethod::fromSignal(&Backend::previewMade),
        QMetaMethod::fromSignal(&Backend::pictureFinished), QMetaMethod::fromSignal(&Backend::pictureFailed),
        QMetaMethod::fromSignal(&Backend::traceMade),       QMetaMethod::fromSignal(&Backend::warned),
        QMetaMethod::fromSignal(&Backend::runFinished),     QMetaMethod::fromSignal(&Backend::lost)};
    std::vector<std::unique_ptr<QSignalSpy>> spies;
    for (const QMetaMethod& method : hearing) {
      spies.push_back(std::make_unique<QSignalSpy>(&face, method));
    }
    WAIT_FOR(face.corePid());
    QCOMPARE(*face.corePid(), QCoreApplication::applicationPid());
    QCOMPARE(core.server().faces(), 1);

    Q_EMIT core.backend.queueChanged({PauseReason::Storage, QStringLiteral("No space."), 1, 2, 3});
    RunStatus run;
    run.runId = 5;
    run.title = QStringLiteral("a lighthouse");
    Q_EMIT core.backend.runChanged(run);
    Q_EMIT core.backend.runStarted(5, 10, 2);
    Q_EMIT core.backend.slotChanged(tests::sampleSlot());
    Q_EMIT core.backend.stepFinished(5, tests::sampleSlot());
    Q_EMIT core.backend.previewMade(5, 3, QStringLiteral("cpu:0"), {1, 1, {1, 2, 3}});
    Q_EMIT core.backend.pictureFinished({5, 3, QStringLiteral("/p.png"), QStringLiteral("cpu:0"), 1.5, false});
    Q_EMIT core.backend.pictureFailed({5, 4, QStringLiteral("cpu:0"), {ErrorCode::OutOfMemory, "Too large.", {}}});
    Q_EMIT core.backend.traceMade(5, "trace");
    Q_EMIT core.backend.warned(5, {domain::WarningCode::PromptCut, "Cut."});
    core.backend.finish(5);
    Q_EMIT core.backend.lost({ErrorCode::Io, "Gone.", {}});
    WAIT_FOR(!spies.back()->isEmpty());
    for (std::size_t i = 0; i < spies.size(); ++i) {
      QVERIFY2(spies[i]->size() == 1, hearing[i].name().constData());
    }
    QCOMPARE(spies[0]->front()[0].value<QueueStatus>().pause, PauseReason::Storage);
    QCOMPARE(spies[1]->front()[0].value<RunStatus>().title, run.title);
    QCOMPARE(spies[2]->front()[1].toLongLong(), 10);
    QCOMPARE(spies[3]->front()[0].value<SlotStatus>().reason, tests::sampleSlot().reason);
    QCOMPARE(spies[5]->front()[3].value<domain::Image>(), domain::Image({1, 1, {1, 2, 3}}));
    QCOMPARE(spies[6]->front()[0].value<PictureEvent>().path, QStringLiteral("/p.png"));
    QCOMPARE(spies[7]->front()[0].value<FailureEvent>().error.message, std::string("Too large."));
    QCOMPARE(spies[8]->front()[1].toByteArray(), QByteArray("trace"));
    QCOMPARE(spies[10]->front()[0].value<RunSummary>().made, 1);
    QCOMPARE(spies[11]->front()[0].value<Error>().message, std::string("Gone."));
  }

  void callsBeforeTheConnectionStandsAreKeptInTheirOrder() {
    RemoteBackend face(m_location, quickOptions());
    RunSpec spec = tests::sampleSpec(3, 0);
    const quint64 id = face.submit(spec);
    QVERIFY(id != 0);
    QCOMPARE(face.submit(tests::sampleSpec(1, 9)), quint64(9));
    const quint64 command = face.control({Command::Kind::PauseRun, {{}, id}, 0, 0, {}, {}, {}, {}});
    face.cancelRun(9);
    face.listDevices();
    face.refresh();
    QSignalSpy devices(&face, &Backend::devicesListed);
    QSignalSpy queue(&face, &Backend::queueChanged);
    QSignalSpy done(&face, &Backend::commandDone);
    Core core(m_location);
    core.backend.answersAtOnce = true;
    WAIT_FOR(!devices.isEmpty() && !done.isEmpty() && !queue.isEmpty());
    QCOMPARE(core.backend.specs.size(), std::size_t(2));
    QCOMPARE(core.backend.specs[0].id, id);
    QVERIFY(core.backend.specs[0].requests == spec.requests);
    QCOMPARE(core.backend.commands.at(0).jobs.runId, id);
    QVERIFY(core.backend.cancelled == std::vector<quint64>{9});
    QCOMPARE(done[0][0].value<CommandResult>().commandId, command);
    QCOMPARE(devices[0][0].value<std::vector<domain::DeviceInfo>>().at(0).name, std::string("Scripted CPU"));
    QCOMPARE(core.backend.refreshes, 1);
  }

  void answersGoToTheFaceThatAsked() {
    Core core(m_location);
    RemoteBackend first(m_location, quickOptions());
    RemoteBackend second(m_location, quickOptions());
    WAIT_FOR(core.server().faces() == 2);
    QSignalSpy firstDone(&first, &Backend::commandDone);
    QSignalSpy secondDone(&second, &Backend::commandDone);
    QSignalSpy firstDevices(&first, &Backend::devicesListed);
    QSignalSpy secondDevices(&second, &Backend::devicesListed);
    const quint64 asked = first.control({});
    WAIT_FOR(core.backend.open.size() == 1);
    const quint64 alsoAsked = second.control({});
    second.listDevices();
    WAIT_FOR(core.backend.open.size() == 2 && !secondDevices.isEmpty());
    Q_EMIT core.backend.commandDone({core.backend.open[1], std::nullopt, 2, 0});
    Q_EMIT core.backend.commandDone({core.backend.open[0], std::nullopt, 1, 0});
    Q_EMIT core.backend.commandDone({core.backend.open[0], std::nullopt, 1, 0});
    Q_EMIT core.backend.commandDone({4711, std::nullopt, 1, 0});
    WAIT_FOR(!firstDone.isEmpty() && !secondDone.isEmpty());
    core.backend.refresh();
    QSignalSpy queue(&first, &Backend::queueChanged);
    WAIT_FOR(!queue.isEmpty());
    QCOMPARE(firstDone.size(), 1);
    QCOMPARE(firstDone[0][0].value<CommandResult>().commandId, asked);
    QCOMPARE(firstDone[0][0].value<CommandResult>().changed, 1);
    QCOMPARE(secondDone.size(), 1);
    QCOMPARE(secondDone[0][0].value<CommandResult>().commandId, alsoAsked);
    QCOMPARE(secondDone[0][0].value<CommandResult>().changed, 2);
    QVERIFY(firstDevices.isEmpty());
  }

  void aRefusedRunIsToldToWhoAsked() {
    Core core(m_location);
    core.backend.onSubmit = [&](const RunSpec& spec) {
      core.backend.refuse(spec.id, {ErrorCode::InvalidArgument, "There is nothing to make.", {}});
    };
    RemoteBackend face(m_location, quickOptions());
    QSignalSpy finished(&face, &Backend::runFinished);
    const quint64 id = face.submit({});
    WAIT_FOR(!finished.isEmpty());
    QCOMPARE(finished[0][0].value<RunSummary>().runId, id);
    QCOMPARE(finished[0][0].value<RunSummary>().error->message, std::string("There is nothing to make."));
  }

  void aRunThatCannotTravelIsRefusedHere() {
    Core core(m_location);
    RemoteBackend face(m_location, quickOptions());
    QSignalSpy finished(&face, &Backend::runFinished);
    QSignalSpy done(&face, &Backend::commandDone);
    RunSpec spec = tests::sampleSpec(2);
    spec.requests[1].prompt = "\xFF";
    face.submit(spec);
    face.control({Command::Kind::Retry, {{-1}, 0}, 0, 0, {}, {}, {}, {}});
    QVERIFY(finished.isEmpty() && done.isEmpty());
    WAIT_FOR(!finished.isEmpty() && !done.isEmpty());
    QCOMPARE(finished[0][0].value<RunSummary>().error->code, ErrorCode::InvalidArgument);
    QVERIFY(done[0][0].value<CommandResult>().error.has_value());
    WAIT_FOR(face.corePid());
    QVERIFY(core.backend.specs.empty());
  }

  void aHundredThousandRequestsArriveWhole() {
    Core core(m_location);
    core.backend.onSubmit = [&](const RunSpec& spec) {
      Q_EMIT core.backend.runStarted(spec.id, qint64(spec.requests.size()), 0);
    };
    RemoteBackend face(m_location, quickOptions());
    QSignalSpy started(&face, &Backend::runStarted);
    RunSpec spec = tests::sampleSpec(100'000);
    spec.initialLatents.assign(1 << 20, std::byte{7});
    face.submit(spec);
    WAIT_FOR(!started.isEmpty());
    QVERIFY(core.backend.specs.at(0).requests == spec.requests);
    QVERIFY(core.backend.specs.at(0).initialLatents == spec.initialLatents);
  }

  void whoDoesNotKnowTheTokenIsTurnedAway() {
    Core core(m_location);
    for (const QByteArray& token : {QByteArray(), QByteArray("00112234"), QByteArray("0011223"), QByteArray(256, 'x')}) {
      RawFace raw(core.socket());
      raw.send(face::Hello{token, QStringLiteral("1.0.0"), {}});
      WAIT_FOR(!raw.isOpen());
      QVERIFY(raw.messages().empty());
      RawFace retiring(core.socket());
      retiring.send(face::Retire{token, QStringLiteral("2.0.0")});
      WAIT_FOR(!retiring.isOpen());
      QVERIFY(retiring.messages().empty());
    }
    QCOMPARE(core.server().faces(), 0);
  }

  void whoDoesNotBeginWithHelloIsTurnedAway_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("garbage") << QByteArray("GET / HTTP/1.1\r\n\r\n");
    QTest::newRow("submit") << *face::encode(face::Submit{tests::sampleSpec(1)});
    QTest::newRow("refresh") << *face::encode(face::Refresh{});
    QTest::newRow("of the core") << *face::encode(face::Retiring{});
    QTest::newRow("too large")
        << face::encode(face::Hello{"t", QString(4096, QChar(0x20AC)), QString(4096, QChar(0x20AC))})->left(50);
  }
  void whoDoesNotBeginWithHelloIsTurnedAway() {
    QFETCH(QByteArray, bytes);
    Core core(m_location);
    RawFace raw(core.socket());
    raw.write(bytes);
    WAIT_FOR(!raw.isOpen());
    QVERIFY(core.backend.specs.empty());
    QCOMPARE(core.backend.refreshes, 0);
  }

  void whoSaysNothingIsTurnedAwayInTime() {
    FaceLimits limits;
    limits.helloDeadline = milliseconds(300);
    Core core(m_location, limits);
    RemoteBackend face(m_location, quickOptions());
    RawFace silent(core.socket());
    RawFace slow(core.socket());
    slow.write(face::encode(face::Hello{core.token(), QStringLiteral("1.0.0"), {}})->left(20));
    WAIT_FOR(!silent.isOpen() && !slow.isOpen());
    WAIT_FOR(face.corePid());
    QCOMPARE(core.server().faces(), 1);
  }

  void strangersAreCounted() {
    FaceLimits limits;
    limits.maxStrangers = 3;
    Core core(m_location, limits);
    std::vector<std::unique_ptr<RawFace>> strangers;
    for (int i = 0; i < 3; ++i) {
      strangers.push_back(std::make_unique<RawFace>(core.socket()));
    }
    RawFace tooMany(core.socket());
    WAIT_FOR(!tooMany.isOpen());
    for (const auto& stranger : strangers) {
      QVERIFY(stranger->isOpen());
    }
    strangers[0]->send(face::Hello{core.token(), QStringLiteral("1.0.0"), {}});
    WAIT_FOR(core.server().faces() == 1);
    RawFace again(core.socket());
    again.send(face::Hello{core.token(), QStringLiteral("1.0.0"), {}});
    WAIT_FOR(core.server().faces() == 2);
  }

  void aFaceThatBreaksTheRulesCostsItselfAlone_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("garbage") << QByteArray(100, 'x');
    QTest::newRow("a second hello") << *face::encode(face::Hello{"00112233", QStringLiteral("1.0.0"), {}});
    QTest::newRow("retire after hello") << *face::encode(face::Retire{"00112233", QStringLiteral("1.0.0")});
    QTest::newRow("message of the core") << *face::encode(face::RunStarted{1, 2, 3});
    QByteArray unknown = *face::encode(face::Refresh{});
    unknown[6] = char(99);
    QTest::newRow("unknown type") << unknown;
    QByteArray damaged = *face::encode(face::CancelRun{5});
    damaged[16] = char(0xFF);
    QTest::newRow("damaged map") << damaged;
    QByteArray huge = *face::encode(face::Refresh{});
    huge[11] = char(0x7F);
    QTest::newRow("huge map") << huge;
  }
  void aFaceThatBreaksTheRulesCostsItselfAlone() {
    QFETCH(QByteArray, bytes);
    Core core(m_location);
    RemoteBackend good(m_location, quickOptions());
    RawFace bad(core, "1.0.0");
    WAIT_FOR(core.server().faces() == 2);
    QSignalSpy changed(&core.server(), &FaceServer::facesChanged);
    bad.write(bytes);
    WAIT_FOR(!bad.isOpen());
    QCOMPARE(core.server().faces(), 1);
    QCOMPARE(changed.back()[0].toInt(), 1);
    QSignalSpy finished(&good, &Backend::runFinished);
    core.backend.finish(3);
    WAIT_FOR(!finished.isEmpty());
  }

  void aFaceThatDiesInTheMiddleOfAFrameLeavesNothing() {
    Core core(m_location);
    const QByteArray submit = *face::encode(face::Submit{tests::sampleSpec(2)});
    for (const qsizetype size : {qsizetype(1), qsizetype(15), qsizetype(16), submit.size() / 2, submit.size() - 1}) {
      RawFace raw(core, "1.0.0");
      WAIT_FOR(core.server().faces() == 1);
      raw.write(submit.left(size));
      raw.die();
      WAIT_FOR(core.server().faces() == 0);
    }
    QVERIFY(core.backend.specs.empty());
    core.backend.finish(1);
  }

  void whatAFaceSaidLastBeforeItDiedIsDone() {
    Core core(m_location);
    RawFace raw(core, "1.0.0");
    raw.send(face::CancelRun{5});
    raw.die();
    WAIT_FOR(!core.backend.cancelled.empty());
    WAIT_FOR(core.server().faces() == 0);
  }

  void theAnswerToAFaceThatDiedGoesNowhere() {
    Core core(m_location);
    RawFace raw(core, "1.0.0");
    raw.send(face::Control{1, {}});
    raw.send(face::ListDevices{});
    WAIT_FOR(!core.backend.open.empty());
    raw.die();
    WAIT_FOR(core.server().faces() == 0);
    Q_EMIT core.backend.commandDone({core.backend.open[0], std::nullopt, 1, 0});
    Q_EMIT core.backend.devicesListed({});
  }

  void aFaceThatHangsLosesStepsAndPreviewsFirst() {
    Core core(m_location, smallLimits());
    RawFace raw(core.socket(), 1024);
    raw.send(face::Hello{core.token(), QStringLiteral("1.0.0"), {}});
    WAIT_FOR(core.server().faces() == 1);
    constexpr int kSteps = 20000;
    const domain::Image image{64, 64, std::vector<std::uint8_t>(3 * 64 * 64)};
    for (int i = 1; i <= kSteps; ++i) {
      core.backend.step(i % 2 == 0 ? QStringLiteral("cpu:0") : QStringLiteral("cpu:1"), i);
      Q_EMIT core.backend.previewMade(1, i, QStringLiteral("cpu:0"), image);
      if (i % 1000 == 0) {
        Q_EMIT core.backend.pictureFinished({1, i, QStringLiteral("/p.png"), QStringLiteral("cpu:1"), 1, false});
        QCoreApplication::sendPostedEvents();
      }
    }
    QCOMPARE(core.server().faces(), 1);
    raw.readWithoutLimit();
    const auto lastSteps = [&] {
      std::map<QString, int> last;
      for (const face::StepFinished& step : raw.all<face::StepFinished>()) {
        last[step.status.slotId] = step.status.progress.step;
      }
      return last;
    };
    const std::map<QString, int> newest{{QStringLiteral("cpu:0"), kSteps}, {QStringLiteral("cpu:1"), kSteps - 1}};
    WAIT_FOR(lastSteps() == newest);
    QVERIFY(raw.all<face::StepFinished>().size() < kSteps / 2);
    QCOMPARE(raw.all<face::PictureFinished>().size(), std::size_t(kSteps / 1000));
    WAIT_FOR(!raw.all<face::Preview>().empty() && raw.all<face::Preview>().back().index == kSteps);
    QVERIFY(raw.all<face::Preview>().size() < 100);
  }

  void anOldStepDoesNotComeAfterANewerState() {
    Core core(m_location, smallLimits());
    RawFace raw(core.socket(), 1024);
    raw.send(face::Hello{core.token(), QStringLiteral("1.0.0"), {}});
    WAIT_FOR(core.server().faces() == 1);
    for (int i = 1; i <= 5000; ++i) {
      core.backend.step(QStringLiteral("cpu:0"), i);
    }
    SlotStatus idle;
    idle.slotId = QStringLiteral("cpu:0");
    idle.state = SlotState::Idle;
    Q_EMIT core.backend.slotChanged(idle);
    core.backend.finish(1);
    raw.readWithoutLimit();
    WAIT_FOR(raw.first<face::RunFinished>() != nullptr);
    core.backend.finish(2);
    WAIT_FOR(raw.all<face::RunFinished>().size() == 2);
    bool isIdle = false;
    for (const face::Message& message : raw.messages()) {
      isIdle = isIdle || std::holds_alternative<face::SlotChanged>(message);
      QVERIFY(!isIdle || !std::holds_alternative<face::StepFinished>(message));
    }
    QVERIFY(isIdle);
  }

  void aFaceThatHangsForGoodIsGivenUp() {
    Core core(m_location, smallLimits());
    RemoteBackend good(m_location, quickOptions());
    RawFace raw(core.socket(), 1024);
    raw.send(face::Hello{core.token(), QStringLiteral("1.0.0"), {}});
    WAIT_FOR(core.server().faces() == 2);
    QSignalSpy pictures(&good, &Backend::pictureFinished);
    int told = 0;
    for (; told < 100'000 && core.server().faces() == 2; ++told) {
      Q_EMIT core.backend.pictureFinished({1, told, QString(200, QLatin1Char('p')), QStringLiteral("cpu:0"), 1, false});
      if (told % 100 == 0) {
        QVERIFY(QTest::qWaitFor([&] { return pictures.size() >= told; }, kPatienceMs));
      }
    }
    QCOMPARE(core.server().faces(), 1);
    QVERIFY(told > 1000);
    WAIT_FOR(pictures.size() == told);
    raw.readWithoutLimit();
    raw.messages();
    WAIT_FOR(!raw.isOpen());
  }

  void aLargeTraceIsNoReasonToGiveAFaceUp() {
    Core core(m_location, smallLimits());
    RemoteBackend face(m_location, quickOptions());
    QSignalSpy traces(&face, &Backend::traceMade);
    QSignalSpy finished(&face, &Backend::runFinished);
    WAIT_FOR(face.corePid());
    const QByteArray trace(16 << 20, 't');
    Q_EMIT core.backend.traceMade(1, trace);
    core.backend.finish(1);
    WAIT_FOR(!finished.isEmpty());
    QCOMPARE(traces.at(0)[1].toByteArray().size(), trace.size());
    QVERIFY(face.corePid());
  }

  void anotherVersionIsRefusedInWords() {
    Core core(m_location);
    RawFace raw(core, "0.9.9");
    WAIT_FOR(!raw.isOpen());
    const auto* refused = raw.first<face::Refused>();
    QVERIFY(refused != nullptr);
    QCOMPARE(refused->error.code, ErrorCode::VersionMismatch);
    QVERIFY(has(refused->error, "0.9.9") && has(refused->error, "1.0.0") && has(refused->error, "Close"));
    QVERIFY(raw.first<face::Welcome>() == nullptr);
  }

  void anIdleBackendRetiresForANewerFace() {
    Core core(m_location);
    QSignalSpy wanted(&core.server(), &FaceServer::endWanted);
    RawFace raw(core.socket());
    raw.send(face::Retire{core.token(), QStringLiteral("2.0.0")});
    WAIT_FOR(raw.first<face::Retiring>() != nullptr);
    QCOMPARE(wanted.size(), 1);
    QVERIFY(raw.isOpen());
    core.server().close();
    QVERIFY(raw.isOpen());
  }

  void aBusyBackendDoesNotRetire() {
    Core core(m_location);
    core.isIdle = false;
    QSignalSpy wanted(&core.server(), &FaceServer::endWanted);
    RemoteBackendOptions options = quickOptions();
    options.version = QStringLiteral("2.0.0");
    RemoteBackend newer(m_location, options);
    QSignalSpy lost(&newer, &Backend::lost);
    WAIT_FOR(!lost.isEmpty());
    const auto error = lost[0][0].value<Error>();
    QCOMPARE(error.code, ErrorCode::VersionMismatch);
    QVERIFY(has(error, "1.0.0") && has(error, "2.0.0") && has(error, "work to do"));
    core.isIdle = true;
    RemoteBackend older(m_location, quickOptions());
    WAIT_FOR(older.corePid());
    RemoteBackend again(m_location, options);
    QSignalSpy lostAgain(&again, &Backend::lost);
    WAIT_FOR(!lostAgain.isEmpty());
    QVERIFY(has(lostAgain[0][0].value<Error>(), "another window"));
    QVERIFY(wanted.isEmpty());
    QCOMPARE(core.server().faces(), 1);
  }

  void aNewerFaceTakesTheIdleBackendsPlace() {
    std::optional<Core> core(std::in_place, m_location);
    connect(
        &core->server(), &FaceServer::endWanted, this, [&] { core->server().close(); }, Qt::QueuedConnection);
    RemoteBackendOptions options = quickOptions();
    options.version = QStringLiteral("2.0.0");
    RemoteBackend face(m_location, options);
    QSignalSpy wanted(&core->server(), &FaceServer::endWanted);
    WAIT_FOR(!wanted.isEmpty());
    QCoreApplication::processEvents();
    core.reset();
    core.emplace(m_location, FaceLimits(), QStringLiteral("2.0.0"));
    WAIT_FOR(core->server().faces() == 1);
  }

  void aFaceThatSaysGoodbyeIsNotCounted() {
    Core core(m_location);
    QSignalSpy changed(&core.server(), &FaceServer::facesChanged);
    QSignalSpy wanted(&core.server(), &FaceServer::endWanted);
    auto face = std::make_unique<RemoteBackend>(m_location, quickOptions());
    WAIT_FOR(core.server().faces() == 1);
    face.reset();
    WAIT_FOR(core.server().faces() == 0);
    QCOMPARE(changed.size(), 2);
    QVERIFY(wanted.isEmpty());
  }

  void theLastFaceMayWaitForTheEnd() {
    Core core(m_location);
    RawFace other(core, "1.0.0");
    RawFace raw(core, "1.0.0");
    QSignalSpy wanted(&core.server(), &FaceServer::endWanted);
    WAIT_FOR(core.server().faces() == 2);
    raw.send(face::Goodbye{true});
    WAIT_FOR(!raw.isOpen());
    QVERIFY(wanted.isEmpty());
    other.send(face::Goodbye{true});
    WAIT_FOR(!wanted.isEmpty());
    QCOMPARE(core.server().faces(), 0);
    core.server().close();
    QCoreApplication::processEvents();
    QVERIFY(other.isOpen());
  }

  void aNewFaceEndsTheWaiting() {
    Core core(m_location);
    RawFace raw(core, "1.0.0");
    WAIT_FOR(core.server().faces() == 1);
    raw.send(face::Goodbye{true});
    WAIT_FOR(core.server().faces() == 0);
    QVERIFY(raw.isOpen());
    RawFace next(core, "1.0.0");
    WAIT_FOR(core.server().faces() == 1);
    WAIT_FOR(!raw.isOpen());
  }

  void leavingIsBounded() {
    Core core(m_location);
    RemoteBackend face(m_location, quickOptions());
    WAIT_FOR(face.corePid());
    QSignalSpy finished(&face, &Backend::runFinished);
    QVERIFY(!face.leave(milliseconds(50)));
    QVERIFY(!face.corePid());
    face.submit(tests::sampleSpec(1));
    WAIT_FOR(!finished.isEmpty());
    QCOMPARE(finished[0][0].value<RunSummary>().error->code, ErrorCode::Cancelled);
    QVERIFY(core.backend.specs.empty());
  }

  void whatHadNoAnswerIsSentToTheNextBackend() {
    std::optional<Core> core(std::in_place, m_location);
    core->backend.onSubmit = [&](const RunSpec& spec) {
      if (spec.id == 1) {
        Q_EMIT core->backend.runStarted(1, 1, 0);
      }
    };
    RemoteBackend face(m_location, quickOptions());
    QSignalSpy joined(&face, &RemoteBackend::joined);
    QSignalSpy started(&face, &Backend::runStarted);
    QSignalSpy done(&face, &Backend::commandDone);
    QSignalSpy lost(&face, &Backend::lost);
    face.submit(tests::sampleSpec(1, 1));
    face.submit(tests::sampleSpec(1, 2));
    const quint64 answered = face.control({Command::Kind::PauseQueue, {}, 0, 0, {}, {}, {}, {}});
    const quint64 open = face.control({Command::Kind::ResumeQueue, {}, 0, 0, {}, {}, {}, {}});
    face.cancelRun(2);
    WAIT_FOR(core->backend.open.size() == 2 && !core->backend.cancelled.empty());
    Q_EMIT core->backend.commandDone({core->backend.open[0], std::nullopt, 1, 0});
    WAIT_FOR(started.size() == 1 && done.size() == 1);
    QCOMPARE(done[0][0].value<CommandResult>().commandId, answered);

    core.reset();
    core.emplace(m_location);
    core->backend.answersAtOnce = true;
    WAIT_FOR(joined.size() == 2 && done.size() == 2);
    QCOMPARE(core->backend.specs.size(), std::size_t(1));
    QCOMPARE(core->backend.specs[0].id, quint64(2));
    QCOMPARE(core->backend.commands.size(), std::size_t(1));
    QCOMPARE(core->backend.commands[0].kind, Command::Kind::ResumeQueue);
    QCOMPARE(done[1][0].value<CommandResult>().commandId, open);
    QVERIFY(core->backend.cancelled == std::vector<quint64>{2});
    WAIT_FOR(core->backend.refreshes == 1);
    QVERIFY(lost.isEmpty());
  }

  void theEndOfARunThatAFaceMissedIsToldAgain() {
    Core core(m_location, smallLimits());
    core.backend.onSubmit = [&](const RunSpec& spec) { Q_EMIT core.backend.runStarted(spec.id, 1, 0); };
    RawFace raw(core, "1.0.0");
    raw.send(face::Submit{tests::sampleSpec(1, 5)});
    raw.send(face::Submit{tests::sampleSpec(1, 6)});
    WAIT_FOR(raw.all<face::RunStarted>().size() == 2);
    raw.die();
    WAIT_FOR(core.server().faces() == 0);
    core.backend.finish(5);
    core.backend.finish(7);
    RawFace again(core, "1.0.0");
    again.send(face::Await{{5, 6}});
    WAIT_FOR(again.first<face::RunFinished>() != nullptr);
    core.backend.finish(6);
    WAIT_FOR(again.all<face::RunFinished>().size() == 2);
    QCOMPARE(again.all<face::RunFinished>()[0].summary.runId, quint64(5));
    QCOMPARE(again.all<face::RunFinished>()[1].summary.runId, quint64(6));
  }

  void aFaceThatWasCutOffAsksForTheEndsItMissed() {
    Core core(m_location);
    core.backend.onSubmit = [&](const RunSpec& spec) { Q_EMIT core.backend.runStarted(spec.id, 1, 0); };
    RemoteBackendOptions options = quickOptions();
    options.maxTries = 1000;
    RemoteBackend face(m_location, options);
    QSignalSpy joined(&face, &RemoteBackend::joined);
    QSignalSpy started(&face, &Backend::runStarted);
    QSignalSpy finished(&face, &Backend::runFinished);
    face.submit(tests::sampleSpec(1, 5));
    WAIT_FOR(started.size() == 1);
    bool isFirst = true;
    connect(&core.server(), &FaceServer::facesChanged, this, [&](int faces) {
      if (faces == 0 && std::exchange(isFirst, false)) {
        core.backend.finish(5);
      }
    });
    const auto links = core.server().findChildren<FaceLink*>();
    QCOMPARE(links.size(), 1);
    Q_EMIT links[0]->closed();
    WAIT_FOR(joined.size() == 2 && finished.size() == 1);
    QCOMPARE(finished[0][0].value<RunSummary>().runId, quint64(5));
    QCOMPARE(core.backend.specs.size(), std::size_t(1));
  }

  void aProgramThatIsNotThereIsToldAtOnce() {
    RemoteBackend face(m_location, quickOptions());
    QSignalSpy lost(&face, &Backend::lost);
    QSignalSpy finished(&face, &Backend::runFinished);
    QSignalSpy done(&face, &Backend::commandDone);
    WAIT_FOR(!lost.isEmpty());
    QCOMPARE(lost[0][0].value<Error>().code, ErrorCode::NotFound);
    QVERIFY(has(lost[0][0].value<Error>(), "/nonexistent/polyptych-core"));
    const quint64 run = face.submit(tests::sampleSpec(1));
    const quint64 command = face.control({});
    face.cancelRun(run);
    face.refresh();
    face.listDevices();
    WAIT_FOR(!finished.isEmpty() && !done.isEmpty());
    QCOMPARE(finished[0][0].value<RunSummary>().runId, run);
    QCOMPARE(done[0][0].value<CommandResult>().commandId, command);
    QVERIFY(!face.leave(milliseconds(1)));
  }

  void aProgramThatEndsAtOnceIsTriedAndThenQuoted() {
    RemoteBackendOptions options = quickOptions();
    options.coreProgram = script("echo started >> \"$2.count\"; echo 'first line'; echo 'The disk is on \033fire.' >&2; exit 7");
    RemoteBackend face(m_location, options);
    QSignalSpy lost(&face, &Backend::lost);
    WAIT_FOR(!lost.isEmpty());
    const auto error = lost[0][0].value<Error>();
    QVERIFY2(has(error, "status 7") && has(error, "The disk is on ?fire.") && has(error, "core-library-"), error.message.c_str());
    QFile count(m_location.root + QStringLiteral(".count"));
    QVERIFY(count.open(QIODevice::ReadOnly));
    QCOMPARE(count.readAll().count('\n'), options.maxTries);
  }

  void aProgramThatIsNeverReadyIsGivenUpInTime() {
    RemoteBackendOptions options = quickOptions();
    options.startTimeout = milliseconds(2000);
    options.coreProgram = script("echo $$ > \"$2.pid\"; echo 'Thinking.'; read forever < \"$2.pipe\"");
    QCOMPARE(::mkfifo(QFile::encodeName(m_location.root + QStringLiteral(".pipe")).constData(), 0600), 0);
    RemoteBackend face(m_location, options);
    QSignalSpy lost(&face, &Backend::lost);
    WAIT_FOR(!lost.isEmpty());
    const auto error = lost[0][0].value<Error>();
    QCOMPARE(error.code, ErrorCode::Timeout);
    QVERIFY2(has(error, "in time") && has(error, "Thinking."), error.message.c_str());
    QFile pid(m_location.root + QStringLiteral(".pid"));
    QVERIFY(pid.open(QIODevice::ReadOnly));
    const int number = pid.readAll().trimmed().toInt();
    QVERIFY(number > 1);
    ::kill(number, SIGKILL);
  }

  /// A backend that looks after its library is waited for as long as it gets on, and what it does is told once.
  void aBackendThatOpensForLongIsWaitedForAndTold() {
    library::Holder self;
    self.program = QStringLiteral("polyptych-core");
    self.version = QStringLiteral("1.0.0");
    auto lock = library::Lock::acquire(m_location, self);
    QVERIFY(lock.isOk());
    self.doing = QStringLiteral("The index is being made again.");
    QVERIFY(lock->update(self).isOk());
    const auto read = library::holderOf(m_location);
    QVERIFY(read && *read && (*read)->doing == self.doing);
    RemoteBackendOptions options = quickOptions();
    options.startTimeout = milliseconds(200);
    options.openingTimeout = milliseconds(3000);
    options.untilTold = milliseconds(100);
    RemoteBackend face(m_location, options);
    QSignalSpy warned(&face, &Backend::warned);
    QSignalSpy lost(&face, &Backend::lost);
    QTimer work;
    connect(&work, &QTimer::timeout, this, [&] {
      ++self.done;
      QVERIFY(lock->update(self).isOk());
    });
    work.start(20);
    WAIT_FOR(self.done >= 50 && !warned.isEmpty());
    work.stop();
    QVERIFY(lost.isEmpty());
    QCOMPARE(warned.size(), 1);
    QCOMPARE(warned[0][0].toULongLong(), quint64(0));
    QCOMPARE(warned[0][1].value<domain::Warning>().sentence, self.doing.toStdString());
    // One that gets on no more is given up.
    WAIT_FOR(!lost.isEmpty());
    QCOMPARE(lost[0][0].value<Error>().code, ErrorCode::Timeout);
  }

  void aBackendThatDoesNotAnswerIsGivenUpInTime() {
    QLocalServer mute;
    QVERIFY(mute.listen(pool::newSocketPath()));
    library::Holder self;
    self.program = QStringLiteral("polyptych-core");
    self.version = QStringLiteral("1.0.0");
    self.socket = mute.fullServerName();
    const auto lock = library::Lock::acquire(m_location, self);
    QVERIFY(lock.isOk());
    RemoteBackendOptions options = quickOptions();
    options.startTimeout = milliseconds(300);
    RemoteBackend face(m_location, options);
    QSignalSpy lost(&face, &Backend::lost);
    WAIT_FOR(!lost.isEmpty());
    QCOMPARE(lost[0][0].value<Error>().code, ErrorCode::Timeout);
    QVERIFY(has(lost[0][0].value<Error>(), "does not answer"));
  }

  void aSocketThatIsGoneIsTriedAFewTimes() {
    library::Holder self;
    self.program = QStringLiteral("polyptych-core");
    self.version = QStringLiteral("1.0.0");
    self.socket = pool::newSocketPath();
    const auto lock = library::Lock::acquire(m_location, self);
    QVERIFY(lock.isOk());
    RemoteBackend face(m_location, quickOptions());
    QSignalSpy lost(&face, &Backend::lost);
    WAIT_FOR(!lost.isEmpty());
    QCOMPARE(lost[0][0].value<Error>().code, ErrorCode::Io);
    QVERIFY(has(lost[0][0].value<Error>(), "cannot be reached"));
  }

  void aBackendThatBreaksTheRulesIsLeft_data() {
    QTest::addColumn<QByteArray>("answer");
    QTest::addColumn<bool>("isWelcomed");
    QTest::newRow("garbage") << QByteArray("+OK ready\r\n and more than a header") << false;
    QTest::newRow("an event before welcome") << *face::encode(face::RunStarted{1, 2, 3}) << false;
    QTest::newRow("a face's message") << *face::encode(face::Refresh{}) << false;
    QTest::newRow("retiring unasked") << *face::encode(face::Retiring{}) << false;
    QTest::newRow("welcome twice") << *face::encode(face::Welcome{QStringLiteral("1.0.0"), 1, {}}) << true;
    QTest::newRow("refused late") << *face::encode(face::Refused{}) << true;
  }
  void aBackendThatBreaksTheRulesIsLeft() {
    QFETCH(QByteArray, answer);
    QFETCH(bool, isWelcomed);
    QLocalServer liar;
    QVERIFY(liar.listen(pool::newSocketPath()));
    int connections = 0;
    connect(&liar, &QLocalServer::newConnection, this, [&] {
      while (QLocalSocket* socket = liar.nextPendingConnection()) {
        ++connections;
        if (isWelcomed) {
          socket->write(*face::encode(face::Welcome{QStringLiteral("1.0.0"), 1, {}}));
        }
        socket->write(answer);
        socket->flush();
      }
    });
    library::Holder self;
    self.program = QStringLiteral("polyptych-core");
    self.version = QStringLiteral("1.0.0");
    self.socket = liar.fullServerName();
    const auto lock = library::Lock::acquire(m_location, self);
    QVERIFY(lock.isOk());
    RemoteBackend face(m_location, quickOptions());
    QSignalSpy lost(&face, &Backend::lost);
    QSignalSpy started(&face, &Backend::runStarted);
    WAIT_FOR(!lost.isEmpty());
    QCOMPARE(lost[0][0].value<Error>().code, ErrorCode::Protocol);
    QCOMPARE(connections, quickOptions().maxTries);
    QVERIFY(started.isEmpty());
  }

  void aLibraryInUseOnAnotherMachineIsToldAtOnce() {
    library::Holder self;
    self.program = QStringLiteral("polyptych-core");
    const auto lock = library::Lock::acquire(m_location, self);
    QVERIFY(lock.isOk());
    QFile file(m_location.lockFile());
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(R"({"host":"elsewhere","pid":7,"program":"polyptych-core","version":"1.0.0","socket":"/tmp/s","token":"x"})");
    file.close();
    RemoteBackend face(m_location, quickOptions());
    QSignalSpy lost(&face, &Backend::lost);
    WAIT_FOR(!lost.isEmpty());
    QCOMPARE(lost[0][0].value<Error>().code, ErrorCode::AlreadyExists);
    QVERIFY(has(lost[0][0].value<Error>(), "elsewhere"));
  }

  void aFaceMayGoInTheMiddleOfASignal() {
    Core core(m_location);
    QPointer<RemoteBackend> face = new RemoteBackend(m_location, quickOptions());
    WAIT_FOR(face->corePid());
    connect(face, &Backend::runFinished, this, [&] { delete face; });
    core.backend.finish(1);
    core.backend.finish(2);
    WAIT_FOR(!face);
    WAIT_FOR(core.server().faces() == 0);
    QSignalSpy changed(&core.server(), &FaceServer::facesChanged);
    auto* early = new RemoteBackend(m_location, quickOptions());
    connect(early, &RemoteBackend::joined, this, [early] { delete early; });
    WAIT_FOR(changed.size() == 2);
    QCOMPARE(core.server().faces(), 0);
  }

 private:
  QString script(const char* body) {
    const QString path = m_folder->filePath(QStringLiteral("core.sh"));
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly)) {
      return {};
    }
    file.write(QByteArray("#!/bin/sh\n") + body + '\n');
    file.close();
    file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    return path;
  }

  std::unique_ptr<QTemporaryDir> m_folder;
  library::Location m_location;
};

QTEST_GUILESS_MAIN(TestFaces)
#include "tst_faces.moc"
