#include "app/polyptych-core/termination.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace polyptych::core {
namespace {

constexpr int kExitAtOnce = 130;
std::atomic<int> pipeEnd{-1};
std::atomic<bool> wasAsked{false};

void onSignal(int) {
  if (wasAsked.exchange(true)) {
    _exit(kExitAtOnce);
  }
  const int savedError = errno;
  const char byte = 1;
  [[maybe_unused]] const ssize_t written = ::write(pipeEnd, &byte, 1);
  errno = savedError;
}

}  // namespace

Termination::Termination(QObject* parent) : QObject(parent) {
  if (::pipe2(m_ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    return;
  }
  pipeEnd = m_ends[1];
  m_notifier = new QSocketNotifier(m_ends[0], QSocketNotifier::Read, this);
  connect(m_notifier, &QSocketNotifier::activated, this, [this] {
    char byte = 0;
    if (::read(m_ends[0], &byte, 1) == 1) {
      Q_EMIT asked();
    }
  });
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    ::sigaction(number, nullptr, &action);
    if (action.sa_handler == SIG_IGN) {
      continue;
    }
    action = {};
    action.sa_handler = onSignal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    ::sigaction(number, &action, nullptr);
  }
}

}  // namespace polyptych::core
