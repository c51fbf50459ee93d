#pragma once

#include <stdexcept>
#include <string>

#include "core/base/result.h"

namespace polyptych::diffusion {

/// Thrown inside this folder only; the engine turns it into the value it carries.
class EngineFailure : public std::runtime_error {
 public:
  explicit EngineFailure(base::Error error) : std::runtime_error(error.message), m_error(std::move(error)) {}
  const base::Error& error() const { return m_error; }

 private:
  base::Error m_error;
};

/// The exception in flight as an Error: OutOfMemory (host or device), DeviceLost (the driver failed: leave the process), what
/// EngineFailure carries, else Internal. To be called in a catch block. @param doing  what was under way, for the sentence: "make
/// the picture"
base::Error errorOfCurrentException(const std::string& doing);

}  // namespace polyptych::diffusion
