// c10d asks the name service for the name of every address that it connects with or that connects to it, to print it if need be;
// the thread that keeps a store does so for one process after another. Even the loopback is asked for, under an address
// (::ffff:127.0.0.1) that no list of hosts has. Where the name service is slow, 32 processes of one machine met after 10 s
// instead of 0.1 s. This definition stands before the C library's for c10d, too, and gives numbers in place of names.
#include <dlfcn.h>
#include <netdb.h>

extern "C" int getnameinfo(const sockaddr* address, socklen_t addressLength, char* host, socklen_t hostLength, char* service,
                           socklen_t serviceLength, int flags) {
  using Function = int (*)(const sockaddr*, socklen_t, char*, socklen_t, char*, socklen_t, int);
  static const auto kNext = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getnameinfo"));
  return kNext == nullptr
             ? EAI_FAIL
             : kNext(address, addressLength, host, hostLength, service, serviceLength, flags | NI_NUMERICHOST | NI_NUMERICSERV);
}
