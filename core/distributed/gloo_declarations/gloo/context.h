#pragma once

#include <chrono>

namespace gloo {

/// Lives inside LibTorch; here it is only pointed at.
class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};

}  // namespace gloo
