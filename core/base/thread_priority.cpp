#include "core/base/thread_priority.h"

#ifdef __linux__
#include <sys/resource.h>
#include <unistd.h>
#endif

namespace polyptych::base {
namespace {

/// About a third of what a thread that does not give way gets.
constexpr int kNice = 5;

}  // namespace

void giveWay() {
#ifdef __linux__
  static thread_local bool hasGivenWay = false;
  if (!hasGivenWay) {
    // Linux keeps this number of each thread, other than POSIX says.
    hasGivenWay = ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), ::getpriority(PRIO_PROCESS, 0) + kNice) == 0;
  }
#endif
}

}  // namespace polyptych::base
