#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/domain/engine.h"

namespace polyptych::tests {

struct FakeOptions {
  std::string behave = "good";
  std::string when = "hello";
  std::string stateFile;
  std::optional<std::int64_t> onlyIndex;
  std::optional<std::int64_t> memory;  ///< pixels that it can work on at once
  std::chrono::milliseconds step{5};
  std::chrono::milliseconds start{2000};
  std::chrono::milliseconds load{20};
  int socketFd = -1;  ///< for bytes that no worker would send
};

/// Raw bytes of a misbehaviour: "garbage", "half-frame" or "oversize"; empty for another name.
std::vector<std::byte> brokenBytes(const std::string& behave);

/// Writes all of them to a socket.
void writeRaw(int fd, const std::vector<std::byte>& bytes);

/// Ends the process as a crash does, without a core file.
[[noreturn]] void crash();

/// Pictures are gradients computed from prompt, seed and settings.
std::unique_ptr<domain::Engine> makeFakeEngine(domain::DeviceKind kind, const FakeOptions& options);

}  // namespace polyptych::tests
