#pragma once

#include <string>

#include "core/base/result.h"

namespace polyptych::domain {

/// Where two processes meet that make one picture, as the worker of the first one sees it. Implemented by core/distributed; the
/// worker knows no tensors.
class PairLink {
 public:
  virtual ~PairLink() = default;
  /// A new place for a new partner; the one before is given up. On the engine's thread.
  /// @return what the partner must be told, and nobody else: printable ASCII without spaces. Errors: Io, Timeout
  virtual base::Result<std::string> open() = 0;
  /// From any thread: whatever waits for the partner ends soon, and units are made alone until the next open().
  virtual void close() = 0;
  /// From any thread: false when closed, and once anything between the two has failed.
  virtual bool isWell() const = 0;
};

}  // namespace polyptych::domain
