#include "app/polyptych-cli/interrupts.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>

#include "app/polyptych-cli/exit_code.h"

namespace polyptych::cli {
namespace {

constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGHUP};
std::atomic<int> pipeEnd{-1};
std::atomic<bool> isExpected{false};
std::array<struct sigaction, kSignals.size()> oldActions;

void onSignal(int) {
  if (!isExpected.exchange(false)) {
    _exit(static_cast<int>(ExitCode::Interrupted));
  }
  const int savedError = errno;
  const char byte = 1;
  [[maybe_unused]] const ssize_t written = write(pipeEnd, &byte, 1);
  errno = savedError;
}

}  // namespace

Interrupts::Interrupts(QObject* parent) : QObject(parent) {
  if (pipe2(m_ends, O_CLOEXEC | O_NONBLOCK) == 0) {
    pipeEnd = m_ends[1];
    m_notifier = new QSocketNotifier(m_ends[0], QSocketNotifier::Read, this);
    connect(m_notifier, &QSocketNotifier::activated, this, [this] {
      char byte = 0;
      if (read(m_ends[0], &byte, 1) == 1) {
        Q_EMIT interrupted();
      }
    });
  }
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], nullptr, &oldActions[i]);
    if (oldActions[i].sa_handler == SIG_IGN) {  // as nohup and background shells want it
      continue;
    }
    struct sigaction action {};
    action.sa_handler = onSignal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(kSignals[i], &action, nullptr);
  }
}

Interrupts::~Interrupts() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], &oldActions[i], nullptr);
  }
  isExpected = false;
  pipeEnd = -1;
  delete m_notifier;
  for (const int end : m_ends) {
    if (end >= 0) {
      close(end);
    }
  }
}

void Interrupts::expect() { isExpected = m_notifier != nullptr; }

}  // namespace polyptych::cli
