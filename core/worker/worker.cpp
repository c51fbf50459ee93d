#include "core/worker/worker.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <deque>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <utility>
#include <variant>

#include "core/picture/png.h"
#include "core/protocol/messages.h"
#include "core/worker/connection.h"

namespace polyptych::worker {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using protocol::UnitKey;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxWaitingCommands = 8;
/// Byte counts of a load are sent at most this often, and once at the end.
constexpr std::chrono::milliseconds kLoadProgressInterval{50};
constexpr std::size_t kMaxWireDetailBytes = 8u << 10;
constexpr std::size_t kMaxDeviceNameBytes = 256;

double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

Error wireError(const Error& error) {
  return {error.code, protocol::sentenceForWire(error.message), protocol::sentenceForWire(error.detail, kMaxWireDetailBytes)};
}

void log(const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); }
void log(const Error& error) {
  log(std::string(base::toString(error.code)) + ": " + error.message + (error.detail.empty() ? "" : " (" + error.detail + ")"));
}

/// @return a sentence if the process could not be pinned
std::optional<std::string> pinTo(const std::vector<int>& cores) {
  if (cores.empty()) {
    return std::nullopt;
  }
  const int highest = *std::max_element(cores.begin(), cores.end());
  const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(static_cast<std::size_t>(highest) + 1),
                                                             [](cpu_set_t* allocated) { CPU_FREE(allocated); });
  const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(highest) + 1);
  CPU_ZERO_S(bytes, set.get());
  for (const int core : cores) {
    CPU_SET_S(static_cast<std::size_t>(core), bytes, set.get());
  }
  if (::sched_setaffinity(0, bytes, set.get()) == 0) {
    return std::nullopt;
  }
  return "A worker could not be kept on its CPU cores and runs on any of them; it may be slower.";
}

/// Calls the engine; an exception that slips through becomes an error.
template <typename T, typename Call>
Result<T> guarded(Call call) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::OutOfMemory, "There is not enough memory for this; use a smaller size or batch.", "std::bad_alloc"};
  } catch (const std::exception& problem) {
    return Error{ErrorCode::Internal, "The engine failed in a way it should not; please report this.", problem.what()};
  }
}

struct WaitingUnit {
  protocol::Generate generate;
  bool isCancelled = false;
};
using Command = std::variant<protocol::LoadModel, protocol::UnloadModel, WaitingUnit>;

enum class Ending { None, Shutdown, SocketClosed, WireBroken };

/// What the threads of one worker share.
class Session {
 public:
  Session(const WorkerOptions& options, int fd) : m_options(options), m_connection(fd) {}
  ~Session() { end(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  int run(const EngineFactory& makeEngine);

  Result<void> send(const protocol::Message& message) { return m_connection.send(message); }
  bool isCancelled() const { return m_isUnitCancelled.load() || m_ending.load() != Ending::None; }

 private:
  void readLoop();
  void heartbeatLoop();
  void take(protocol::Message message);
  void cancel(const UnitKey& key);
  void enqueue(Command command);
  void beginEnding(Ending ending);
  void breakWire(const Error& error);
  void waitForMainThread(int exitCode);
  void end();

  void sayHello(const domain::DeviceReport& device);
  std::optional<Command> nextCommand();
  bool carryOut(const Command& command, domain::Engine& engine);
  bool load(const protocol::LoadModel& command, domain::Engine& engine);
  void unload(const protocol::UnloadModel& command, domain::Engine& engine);
  bool generate(const WaitingUnit& command, domain::Engine& engine);
  Result<void> checkUnit(const domain::UnitOfWork& unit) const;
  void sendPictures(const protocol::Generate& command, domain::UnitOutcome outcome, Clock::time_point start);
  bool answerFailure(const UnitKey& key, const Error& error);
  void leaveFatally(const Error& error);

  const WorkerOptions& m_options;
  Connection m_connection;

  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::deque<Command> m_commands;
  std::optional<UnitKey> m_currentUnit;
  bool m_isMainDone = false;
  std::atomic<bool> m_isUnitCancelled = false;
  std::atomic<Ending> m_ending = Ending::None;

  std::optional<protocol::LoadModel> m_loaded;  // main thread only
  std::thread m_reader;
  std::thread m_heartbeat;
};

class LoadReporter : public domain::LoadObserver {
 public:
  LoadReporter(Session& session, std::uint64_t loadId) : m_session(session), m_loadId(loadId) {}

  void onBytes(std::uint64_t done, std::uint64_t total) override {
    const auto now = Clock::now();
    if (done < total && m_last && now - *m_last < kLoadProgressInterval) {
      return;
    }
    m_last = now;
    (void)m_session.send(protocol::LoadProgress{m_loadId, done, total});
  }
  bool isCancelled() const override { return m_session.isCancelled(); }

 private:
  Session& m_session;
  const std::uint64_t m_loadId;
  std::optional<Clock::time_point> m_last;
};

class UnitReporter : public domain::GenerateObserver {
 public:
  UnitReporter(Session& session, UnitKey key, Clock::time_point start) : m_session(session), m_key(key), m_start(start) {}

  void onStep(const domain::StepProgress& progress) override {
    (void)m_session.send(protocol::Progress{m_key, progress, secondsSince(m_start)});
  }
  void onPreview(std::size_t requestInUnit, domain::Image preview) override {
    if (preview.width < 1 || preview.height < 1 || preview.width > protocol::kMaxPreviewSide ||
        preview.height > protocol::kMaxPreviewSide) {
      return;  // pictures above 8192 pixels do not exist, so that a latent preview always fits
    }
    (void)m_session.send(protocol::Preview{m_key, static_cast<std::uint32_t>(requestInUnit), std::move(preview)});
  }
  bool isCancelled() const override { return m_session.isCancelled(); }

 private:
  Session& m_session;
  const UnitKey m_key;
  const Clock::time_point m_start;
};

int Session::run(const EngineFactory& makeEngine) {
  const std::optional<std::string> pinProblem = pinTo(m_options.cores);
  m_reader = std::thread([this] { readLoop(); });
  Result<std::unique_ptr<domain::Engine>> engine =
      guarded<std::unique_ptr<domain::Engine>>([&] { return makeEngine(m_options); });
  const Result<domain::DeviceReport> device = guarded<domain::DeviceReport>(
      [&]() -> Result<domain::DeviceReport> { return engine ? (*engine)->device() : engine.error(); });
  sayHello(device ? *device : domain::DeviceReport{m_options.kind, {}, {}, 0});
  if (!device) {
    leaveFatally(device.error());
    return kExitFatal;
  }
  m_heartbeat = std::thread([this] { heartbeatLoop(); });
  if (pinProblem) {
    log(*pinProblem);
    (void)send(protocol::Warning{{domain::WarningCode::CoresNotPinned, *pinProblem}});
  }
  while (const std::optional<Command> command = nextCommand()) {
    if (!carryOut(*command, **engine)) {
      return kExitFatal;
    }
  }
  switch (m_ending.load()) {
    case Ending::SocketClosed:
      return kExitSocketClosed;
    case Ending::WireBroken:
      return kExitFatal;
    case Ending::Shutdown:
    case Ending::None:
      break;
  }
  return kExitOk;
}

void Session::readLoop() {
  for (;;) {
    Result<std::optional<protocol::Message>> message =
        guarded<std::optional<protocol::Message>>([&] { return m_connection.receive(); });
    if (!message) {
      breakWire(message.error());
      break;
    }
    if (!*message) {
      beginEnding(Ending::SocketClosed);
      waitForMainThread(kExitSocketClosed);
      return;
    }
    take(std::move(**message));
    if (m_ending.load() == Ending::WireBroken) {
      break;
    }
  }
  waitForMainThread(kExitFatal);
}

void Session::take(protocol::Message message) {
  if (auto* loading = std::get_if<protocol::LoadModel>(&message)) {
    enqueue(std::move(*loading));
  } else if (const auto* unloading = std::get_if<protocol::UnloadModel>(&message)) {
    enqueue(*unloading);
  } else if (auto* unit = std::get_if<protocol::Generate>(&message)) {
    enqueue(WaitingUnit{std::move(*unit), false});
  } else if (const auto* cancelled = std::get_if<protocol::Cancel>(&message)) {
    cancel(cancelled->key);
  } else if (std::holds_alternative<protocol::Shutdown>(message)) {
    beginEnding(Ending::Shutdown);
  } else {
    breakWire({ErrorCode::Protocol,
               std::string("A worker does not take messages of type ") + protocol::nameOf(protocol::typeOf(message)) + ".",
               {}});
  }
}

void Session::cancel(const UnitKey& key) {
  const std::lock_guard lock(m_mutex);
  if (m_currentUnit == key) {
    m_isUnitCancelled = true;
    return;
  }
  for (Command& command : m_commands) {
    auto* waiting = std::get_if<WaitingUnit>(&command);
    if (waiting != nullptr && waiting->generate.key() == key) {
      waiting->isCancelled = true;
    }
  }
}

void Session::enqueue(Command command) {
  {
    const std::lock_guard lock(m_mutex);
    if (m_commands.size() < kMaxWaitingCommands) {
      m_commands.push_back(std::move(command));
      m_changed.notify_all();
      return;
    }
  }
  breakWire({ErrorCode::Protocol, "More than " + std::to_string(kMaxWaitingCommands) + " commands wait for a worker.", {}});
}

void Session::beginEnding(Ending ending) {
  const std::lock_guard lock(m_mutex);
  if (m_ending.load() == Ending::None || ending == Ending::WireBroken) {
    m_ending = ending;
  }
  m_changed.notify_all();
}

void Session::breakWire(const Error& error) {
  log(error);
  // A peer that sends garbage may not read either, and the end must not wait for it.
  (void)m_connection.sendWithin(protocol::Fatal{wireError(error)}, m_options.closeGrace);
  beginEnding(Ending::WireBroken);
}

/// The reader's last act: the engine gets a moment to notice that it was cancelled, then the process ends without it.
void Session::waitForMainThread(int exitCode) {
  std::unique_lock lock(m_mutex);
  if (!m_changed.wait_for(lock, m_options.closeGrace, [this] { return m_isMainDone; })) {
    log("The connection is closed and the work does not stop; ending the process.");
    ::_exit(exitCode);
  }
}

void Session::heartbeatLoop() {
  std::uint64_t sequence = 0;
  std::unique_lock lock(m_mutex);
  while (!m_changed.wait_for(lock, m_options.heartbeatInterval, [this] { return m_isMainDone; })) {
    lock.unlock();
    (void)send(protocol::Heartbeat{++sequence});
    lock.lock();
  }
}

void Session::end() {
  {
    const std::lock_guard lock(m_mutex);
    m_isMainDone = true;
    m_changed.notify_all();
  }
  m_connection.shutDown();
  for (std::thread* thread : {&m_reader, &m_heartbeat}) {
    if (thread->joinable()) {
      thread->join();
    }
  }
}

void Session::sayHello(const domain::DeviceReport& device) {
  protocol::Hello hello;
  hello.token = m_options.token;
  hello.pid = ::getpid();
  hello.programVersion = POLYPTYCH_VERSION;
  hello.device = device;
  hello.device.name = protocol::sentenceForWire(device.name, kMaxDeviceNameBytes);
  hello.device.uuid = protocol::sentenceForWire(device.uuid, kMaxDeviceNameBytes);
  (void)send(hello);
}

/// The next command; nothing once the session ends and every waiting unit was answered.
std::optional<Command> Session::nextCommand() {
  for (;;) {
    std::unique_lock lock(m_mutex);
    m_currentUnit.reset();
    m_changed.wait(lock, [this] { return !m_commands.empty() || m_ending.load() != Ending::None; });
    if (m_commands.empty()) {
      return std::nullopt;
    }
    Command command = std::move(m_commands.front());
    m_commands.pop_front();
    m_isUnitCancelled = false;
    if (const auto* unit = std::get_if<WaitingUnit>(&command)) {
      m_currentUnit = unit->generate.key();
    }
    if (m_ending.load() == Ending::None) {
      return command;
    }
    lock.unlock();
    if (const auto* unit = std::get_if<WaitingUnit>(&command)) {
      (void)send(protocol::UnitCancelled{unit->generate.key()});
    } else if (const auto* loading = std::get_if<protocol::LoadModel>(&command)) {
      (void)send(protocol::LoadFailed{loading->loadId, {ErrorCode::Cancelled, "The worker is ending; no model was loaded.", {}}});
    }
  }
}

/// @return false if the process is of no more use
bool Session::carryOut(const Command& command, domain::Engine& engine) {
  if (const auto* loading = std::get_if<protocol::LoadModel>(&command)) {
    return load(*loading, engine);
  }
  if (const auto* unloading = std::get_if<protocol::UnloadModel>(&command)) {
    unload(*unloading, engine);
    return true;
  }
  return generate(std::get<WaitingUnit>(command), engine);
}

void Session::unload(const protocol::UnloadModel& command, domain::Engine& engine) {
  m_loaded.reset();
  engine.unload();
  (void)send(protocol::Unloaded{command.loadId});
}

bool Session::load(const protocol::LoadModel& command, domain::Engine& engine) {
  m_loaded.reset();
  LoadReporter reporter(*this, command.loadId);
  const auto start = Clock::now();
  const Result<domain::LoadedModelReport> report =
      guarded<domain::LoadedModelReport>([&] { return engine.load(command.model, command.computeType, reporter); });
  if (report) {
    m_loaded = command;
    for (const domain::Warning& warning : report->warnings) {
      log(warning.sentence);
      (void)send(protocol::Warning{{warning.code, protocol::sentenceForWire(warning.sentence)}});
    }
    (void)send(protocol::Ready{command.loadId, report->weightBytes, secondsSince(start)});
    return true;
  }
  if (report.error().code == ErrorCode::DeviceLost) {
    leaveFatally(report.error());
    return false;
  }
  log(report.error());
  (void)send(protocol::LoadFailed{command.loadId, wireError(report.error())});
  return true;
}

bool Session::generate(const WaitingUnit& command, domain::Engine& engine) {
  const UnitKey key = command.generate.key();
  if (command.isCancelled) {
    (void)send(protocol::UnitCancelled{key});
    return true;
  }
  const domain::UnitOfWork& unit = command.generate.unit;
  if (const Result<void> checked = checkUnit(unit); !checked) {
    return answerFailure(key, checked.error());
  }
  const auto start = Clock::now();
  UnitReporter reporter(*this, key, start);
  Result<domain::UnitOutcome> outcome = guarded<domain::UnitOutcome>([&] { return engine.generate(unit, reporter); });
  if (!outcome) {
    return answerFailure(key, outcome.error());
  }
  if (outcome->kind == domain::OutcomeKind::Cancelled) {
    (void)send(protocol::UnitCancelled{key});
    return true;
  }
  const Result<bool> sent = guarded<bool>([&] {
    sendPictures(command.generate, std::move(*outcome), start);
    return true;
  });
  return sent ? true : answerFailure(key, sent.error());
}

Result<void> Session::checkUnit(const domain::UnitOfWork& unit) const {
  if (auto valid = domain::validate(unit); !valid) {
    return valid;
  }
  const auto refuse = [](std::string message) { return Error{ErrorCode::InvalidArgument, std::move(message), {}}; };
  if (!m_loaded || m_loaded->model != unit.plan.model || m_loaded->computeType != unit.plan.computeType) {
    return refuse("The worker was given a unit of work for a model that it has not loaded.");
  }
  if (m_options.kind == domain::DeviceKind::Cpu && unit.plan.threads != m_options.threads) {
    return refuse("The worker was started with " + std::to_string(m_options.threads) + " threads and the unit of work asks for " +
                  std::to_string(unit.plan.threads) + ".");
  }
  return {};
}

void Session::sendPictures(const protocol::Generate& command, domain::UnitOutcome outcome, Clock::time_point start) {
  const UnitKey key = command.key();
  const std::size_t count = m_options.isPartner ? 0 : command.unit.requests.size();
  if (outcome.images.size() != count) {
    answerFailure(
        key, {ErrorCode::Internal, "The engine made another number of pictures than it was asked for; please report this.", {}});
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (isCancelled()) {
      (void)send(protocol::UnitCancelled{key});
      return;
    }
    const domain::Image image = std::move(outcome.images[i]);
    Result<std::vector<std::byte>> png = picture::encodePng(image, domain::metadataOf(command.unit, i));
    if (!png) {
      answerFailure(key, png.error());
      return;
    }
    protocol::PictureMade made{key,          static_cast<std::uint32_t>(i), image.width,
                               image.height, secondsSince(start),           std::move(*png)};
    if (const Result<void> sent = send(made); !sent) {
      answerFailure(key, sent.error());
      return;
    }
    const domain::StepProgress saved{domain::Stage::Saving, static_cast<int>(i) + 1, static_cast<int>(count)};
    (void)send(protocol::Progress{key, saved, secondsSince(start)});
  }
  protocol::UnitDone done{key, secondsSince(start), {}, std::move(outcome.trace)};
  for (std::size_t i = 0; i < std::min(outcome.warnings.size(), protocol::kMaxWarnings); ++i) {
    done.warnings.push_back({outcome.warnings[i].code, protocol::sentenceForWire(outcome.warnings[i].sentence)});
  }
  if (const Result<void> sent = send(done); !sent) {
    answerFailure(key, sent.error());
  }
}

/// @return false if the process is of no more use
bool Session::answerFailure(const UnitKey& key, const Error& error) {
  if (error.code == ErrorCode::DeviceLost) {
    leaveFatally(error);
    return false;
  }
  if (error.code == ErrorCode::Cancelled) {
    (void)send(protocol::UnitCancelled{key});
    return true;
  }
  log(error);
  (void)send(protocol::UnitFailed{key, wireError(error)});
  return true;
}

void Session::leaveFatally(const Error& error) {
  log(error);
  (void)send(protocol::Fatal{wireError(error)});
}

}  // namespace

int runWorker(const WorkerOptions& options, const EngineFactory& makeEngine) {
  int fd = options.socketFd;
  if (fd < 0) {
    const Result<int> connected = Connection::connectTo(options.socketPath);
    if (!connected) {
      log(connected.error());
      return kExitUsage;
    }
    fd = *connected;
  }
  Session session(options, fd);
  return session.run(makeEngine);
}

int workerMain(int argc, char** argv, const EngineFactory& makeEngine) {
  // A closed log or socket is an error value, and a Ctrl-C in the terminal is the starting program's to answer.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGINT, SIG_IGN);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  Result<WorkerOptions> options = parseArguments(arguments);
  if (!options) {
    log(options.error().message);
    return kExitUsage;
  }
  if (options->isPartner) {
    // If the first process is gone by now, its end of the socket is closed, which the reader sees.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::fcntl(options->socketFd, F_SETFD, FD_CLOEXEC);
  }
  Result<std::string> token = readToken(STDIN_FILENO);
  if (!token) {
    log(token.error().message);
    return kExitUsage;
  }
  options->token = std::move(*token);
  const int exitCode = runWorker(*options, makeEngine);
  // The engine is gone; what the libraries behind it would still tidy up at exit takes longer than the time there is.
  std::fflush(nullptr);
  ::_exit(exitCode);
}

}  // namespace polyptych::worker
