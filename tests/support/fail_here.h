#pragma once

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "core/base/fail_point.h"

namespace polyptych::tests {

/// The fail points of core/, in the order in which a submit and then a picture pass them.
inline constexpr const char* kFailPoints[] = {
    "recovery-commit", "run-file",      "make-temporary", "write-temporary", "sync-temporary", "rename",   "sync-folder",
    "begin",           "run-rows",      "run-inserted",   "commit",          "committed",      "tell-run", "picture-row",
    "manifest-row",    "open-manifest", "write-manifest", "sync-manifest",   "tell-picture"};

namespace detail {
inline std::string failStep;
inline std::atomic<int> failsIn{0};
inline std::string failLog;
}  // namespace detail

/// This process ends as by SIGKILL at the n-th time that it comes to a step, as `wanted` says: "step:n". Empty: it goes on.
/// @param log  a file that gets the step as a line before the end; may be empty
inline void failAt(const std::string& wanted, const std::string& log = {}) {
  const std::size_t colon = wanted.find(':');
  if (colon == std::string::npos) {
    return;
  }
  detail::failStep = wanted.substr(0, colon);
  detail::failsIn = std::atoi(wanted.c_str() + colon + 1);
  detail::failLog = log;
  base::setFailPoint([](const char* step) {
    if (detail::failStep != step || --detail::failsIn != 0) {
      return;
    }
    if (!detail::failLog.empty()) {
      const int fd = ::open(detail::failLog.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
      const std::string line = detail::failStep + '\n';
      [[maybe_unused]] const ssize_t written = ::write(fd, line.data(), line.size());
    }
    ::kill(::getpid(), SIGKILL);
    ::pause();
  });
}

/// The same as the variable POLYPTYCH_FAIL_POINT says.
inline void failAsTheEnvironmentSays() {
  const char* wanted = std::getenv("POLYPTYCH_FAIL_POINT");
  failAt(wanted == nullptr ? "" : wanted);
}

}  // namespace polyptych::tests
