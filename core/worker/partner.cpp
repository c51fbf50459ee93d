#include "core/worker/partner.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/worker/connection.h"

extern char** environ;

namespace polyptych::worker {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

/// Until the process says Hello: the CUDA runtime starts before it. Afterwards it gives a sign of life every second.
constexpr std::chrono::seconds kUntilHello{120};
constexpr std::chrono::seconds kSilence{30};
constexpr std::chrono::milliseconds kSendLimit{5000};
/// Between the end of the connection and the end of the process.
constexpr std::chrono::milliseconds kUntilKilled{500};
constexpr std::chrono::milliseconds kReapPause{5};

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : m_fd(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return m_fd; }
  int release() { return std::exchange(m_fd, -1); }
  void reset() {
    if (m_fd >= 0) {
      ::close(std::exchange(m_fd, -1));
    }
  }

 private:
  int m_fd;
};

std::string listOf(const std::vector<int>& numbers) {
  std::string text;
  for (const int number : numbers) {
    text += (text.empty() ? "" : ",") + std::to_string(number);
  }
  return text;
}

/// This process's environment with another device in sight.
std::vector<std::string> environmentWith(const std::string& uuid) {
  constexpr std::string_view kName = "CUDA_VISIBLE_DEVICES=";
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with(kName)) {
      entries.emplace_back(*entry);
    }
  }
  entries.push_back(std::string(kName) + uuid);
  return entries;
}

std::vector<char*> pointersTo(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Partner::Partner(const WorkerOptions& first)
    : m_kind(first.kind),
      m_threads(first.threads),
      m_options(first.partner.value_or(PartnerOptions{})),
      m_sharedMemoryFd(first.sharedMemoryFd) {}

Partner::~Partner() { end({}); }

Result<void> Partner::start(const std::string& token, std::function<void()> onGone) {
  end({});
  const auto problem = [](int number) {
    return Error{ErrorCode::Io, "The process for the second device cannot be started.", std::strerror(number)};
  };
  std::array<int, 2> sockets{};
  std::array<int, 2> pipe{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    return problem(errno);
  }
  Descriptor own(sockets[0]);
  const Descriptor theirs(sockets[1]);
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
    return problem(errno);
  }
  const Descriptor readEnd(pipe[0]);
  Descriptor writeEnd(pipe[1]);
  const std::string line = token + "\n";  // far below what a pipe holds
  if (::write(writeEnd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    return problem(errno);
  }
  writeEnd.reset();

  std::vector<std::string> arguments{"polyptych-worker",
                                     "--partner-of",
                                     std::to_string(theirs.get()),
                                     "--device",
                                     m_kind == domain::DeviceKind::Cuda ? "cuda" : "cpu",
                                     "--threads",
                                     std::to_string(m_threads)};
  if (!m_options.cores.empty()) {
    arguments.insert(arguments.end(), {"--cores", listOf(m_options.cores)});
  }
  if (m_sharedMemoryFd >= 0) {
    arguments.insert(arguments.end(), {"--shared-memory", std::to_string(m_sharedMemoryFd)});
  }
  std::vector<std::string> environment = environmentWith(m_options.uuid);
  posix_spawn_file_actions_t actions;
  if (const int failed = ::posix_spawn_file_actions_init(&actions); failed != 0) {
    return problem(failed);
  }
  ::posix_spawn_file_actions_adddup2(&actions, readEnd.get(), STDIN_FILENO);
  // Descriptors keep their numbers: "onto itself" is to leave it open. (A copy of the memory's, closed here, would end this
  // process's locks on it.)
  ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), theirs.get());
  if (m_sharedMemoryFd >= 0) {
    ::posix_spawn_file_actions_adddup2(&actions, m_sharedMemoryFd, m_sharedMemoryFd);
  }
  pid_t pid = 0;
  const int failed =
      ::posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, pointersTo(arguments).data(), pointersTo(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return problem(failed);
  }
  m_connection = std::make_unique<Connection>(own.release());
  m_connection->limitSilence(kUntilHello);
  {
    const std::lock_guard lock(m_mutex);
    m_pid = pid;
    m_isThere = true;
    m_trouble.clear();
    m_load = Load::None;
    m_unit.reset();
    m_unitError.reset();
  }
  m_reader = std::thread([this, gone = std::move(onGone)] { readLoop(gone); });
  return {};
}

bool Partner::isThere() const {
  const std::lock_guard lock(m_mutex);
  return m_isThere;
}

std::string Partner::trouble() const {
  const std::lock_guard lock(m_mutex);
  return m_trouble;
}

Partner::Load Partner::loadState() const {
  const std::lock_guard lock(m_mutex);
  return m_load;
}

void Partner::send(const protocol::Message& message) {
  if (!m_connection->sendWithin(message, kSendLimit)) {
    m_connection->shutDown();  // the reader does the rest
  }
}

void Partner::load(const domain::ModelSpec& model, domain::ComputeType type) {
  protocol::LoadModel message;
  {
    const std::lock_guard lock(m_mutex);
    message = {++m_loadId, model, type};
    m_model = message;
    m_load = Load::UnderWay;
  }
  send(message);
}

Partner::Load Partner::waitForLoad(std::chrono::milliseconds limit) {
  std::unique_lock lock(m_mutex);
  m_changed.wait_for(lock, limit, [this] { return m_load != Load::UnderWay; });
  return m_load;
}

void Partner::unload() {
  protocol::UnloadModel message;
  {
    const std::lock_guard lock(m_mutex);
    m_load = Load::None;
    m_model.reset();
    message = {++m_loadId};
    if (!m_isThere) {
      return;
    }
  }
  send(message);
}

bool Partner::begin(const domain::UnitOfWork& unit) {
  protocol::Generate message;
  {
    const std::lock_guard lock(m_mutex);
    if (!m_isThere || m_unit || m_load != Load::Done || m_model->model != unit.plan.model ||
        m_model->computeType != unit.plan.computeType) {
      return false;
    }
    message = {++m_lease, unit};
    m_unit = message.key();
    m_hasUnit = true;
    m_unitError.reset();
  }
  message.unit.wantsPreviews = message.unit.wantsTrace = false;
  send(message);
  return true;
}

Result<bool> Partner::finish(std::chrono::milliseconds limit) {
  std::unique_lock lock(m_mutex);
  if (!std::exchange(m_hasUnit, false)) {
    return false;
  }
  if (!m_changed.wait_for(lock, limit, [this] { return !m_unit || !m_isThere; })) {
    return Error{ErrorCode::Timeout, "it did not leave the picture", {}};
  }
  if (!m_isThere) {
    return Error{ErrorCode::WorkerDied, m_trouble, {}};
  }
  if (m_unitError) {
    return *std::exchange(m_unitError, std::nullopt);
  }
  return true;
}

void Partner::end(const std::string& why) {
  if (!m_reader.joinable()) {
    return;
  }
  note(why);
  {
    const std::lock_guard lock(m_mutex);
    if (m_pid != 0) {
      ::kill(m_pid, SIGKILL);
    }
  }
  m_connection->shutDown();
  m_reader.join();
  m_connection.reset();
}

/// The first trouble is the cause of the others.
void Partner::note(const std::string& trouble) {
  const std::lock_guard lock(m_mutex);
  if (m_trouble.empty()) {
    m_trouble = trouble;
  }
}

void Partner::readLoop(const std::function<void()>& onGone) {
  for (;;) {
    Result<std::optional<protocol::Message>> message = m_connection->receive();
    if (!message) {
      note(message.error().message);
      break;
    }
    if (!*message) {
      break;  // closed, or silent for too long
    }
    take(**message);
  }
  m_connection->shutDown();
  reap();
  {
    const std::lock_guard lock(m_mutex);
    m_isThere = false;
    m_load = m_load == Load::UnderWay ? Load::Failed : m_load;
    m_changed.notify_all();
  }
  onGone();
}

void Partner::reap() {
  const auto end = std::chrono::steady_clock::now() + kUntilKilled;
  for (;;) {
    std::unique_lock lock(m_mutex);
    int status = 0;
    const pid_t ended = ::waitpid(m_pid, &status, WNOHANG);
    if (ended != 0) {
      m_pid = 0;
      lock.unlock();
      note(WIFSIGNALED(status) ? "its process ended by signal " + std::to_string(WTERMSIG(status))
                               : "its process ended with code " + std::to_string(WEXITSTATUS(status)));
      return;
    }
    const bool isLate = std::chrono::steady_clock::now() >= end;
    if (isLate) {
      ::kill(m_pid, SIGKILL);
    }
    lock.unlock();
    if (isLate) {
      note("it gave no sign of life");
    }
    std::this_thread::sleep_for(kReapPause);
  }
}

void Partner::take(const protocol::Message& message) {
  const std::lock_guard lock(m_mutex);
  const auto answersLoad = [this](std::uint64_t id) { return m_load == Load::UnderWay && id == m_loadId; };
  const auto answersUnit = [this](const protocol::UnitKey& key) { return m_unit && *m_unit == key; };
  if (std::holds_alternative<protocol::Hello>(message)) {
    m_connection->limitSilence(kSilence);
  } else if (const auto* ready = std::get_if<protocol::Ready>(&message); ready != nullptr && answersLoad(ready->loadId)) {
    m_load = Load::Done;
  } else if (const auto* failed = std::get_if<protocol::LoadFailed>(&message); failed != nullptr && answersLoad(failed->loadId)) {
    m_load = Load::Failed;
    m_trouble = failed->error.message;
  } else if (const auto* done = std::get_if<protocol::UnitDone>(&message); done != nullptr && answersUnit(done->key)) {
    m_unit.reset();
  } else if (const auto* left = std::get_if<protocol::UnitCancelled>(&message); left != nullptr && answersUnit(left->key)) {
    m_unit.reset();
  } else if (const auto* bad = std::get_if<protocol::UnitFailed>(&message); bad != nullptr && answersUnit(bad->key)) {
    m_unit.reset();
    m_unitError = bad->error;
  } else if (const auto* fatal = std::get_if<protocol::Fatal>(&message)) {
    if (m_trouble.empty()) {
      m_trouble = fatal->error.message;
    }
  }
  m_changed.notify_all();
}

}  // namespace polyptych::worker
