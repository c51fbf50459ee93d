#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "core/distributed/group_backend.h"

namespace polyptych::distributed {

c10::intrusive_ptr<c10d::Backend> makeGloo(const c10::intrusive_ptr<c10d::Store>& store, const GroupOptions& options) {
  const auto settings = c10d::ProcessGroupGloo::Options::create(options.callTimeout);
  settings->devices.push_back(options.hostAddress.empty()
                                  ? c10d::ProcessGroupGloo::createDefaultDevice(false)
                                  : c10d::ProcessGroupGloo::createDeviceForHostname(options.hostAddress, false));
  settings->threads = 1;  // calls are made one after another
  return c10::make_intrusive<c10d::ProcessGroupGloo>(store, options.rank, options.size, settings);
}

}  // namespace polyptych::distributed
