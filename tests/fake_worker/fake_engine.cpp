#include "tests/fake_worker/fake_engine.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "core/protocol/frame.h"

namespace polyptych::tests {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::uint64_t kFakeWeightBytes = 4'000'000;
constexpr int kLoadBeats = 4;
/// Where the misbehaviours inside a unit act.
constexpr int kBadStep = 2;
/// Memory of a device with `--memory`: decoding works on all pixels of a picture, or of a tile; denoising on a part of them.
constexpr std::int64_t kTilePixels = 32 * 32;
constexpr std::int64_t kDenoisingSaves = 8;

/// FNV-1a, 64 bits.
class Hash {
 public:
  void add(std::string_view text) {
    for (const char c : text) {
      m_value = (m_value ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    }
    m_value = (m_value ^ 0xFF) * 0x100000001b3ULL;
  }
  void add(std::uint64_t number) { add(std::to_string(number)); }
  std::uint64_t value() const { return m_value; }

 private:
  std::uint64_t m_value = 0xcbf29ce484222325ULL;
};

std::uint64_t hashOf(const domain::GenerationRequest& request) {
  Hash hash;
  hash.add(request.prompt);
  hash.add(request.negativePrompt.value_or(""));
  hash.add(request.seed);
  hash.add(static_cast<std::uint64_t>(request.steps));
  hash.add(std::to_string(request.guidanceScale));
  hash.add(std::to_string(request.guidanceRescale));
  hash.add(request.scheduler);
  hash.add(static_cast<std::uint64_t>(request.clipSkip.value_or(0)));
  return hash.value();
}

/// A gradient between two colours of the hash.
domain::Image gradient(std::uint64_t hash, int width, int height) {
  domain::Image image;
  image.width = width;
  image.height = height;
  image.pixels.resize(std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  std::size_t at = 0;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int channel = 0; channel < 3; ++channel) {
        const int from = static_cast<int>(hash >> (8 * channel) & 0xFF);
        const int to = static_cast<int>(hash >> (8 * channel + 24) & 0xFF);
        const int way = width + height - 1;
        image.pixels[at++] = static_cast<std::uint8_t>(from + (to - from) * (x + y) / way);
      }
    }
  }
  return image;
}

[[noreturn]] void sleepForEver() {
  for (;;) {
    std::this_thread::sleep_for(std::chrono::hours(1));
  }
}

class FakeEngine : public domain::Engine {
 public:
  FakeEngine(domain::DeviceKind kind, const FakeOptions& options) : m_kind(kind), m_options(options) {}

  Result<domain::DeviceReport> device() const override {
    if (m_options.behave == "no-device") {
      return base::Error{base::ErrorCode::DeviceLost, "The GPU is not there.", {}};
    }
    if (m_kind == domain::DeviceKind::Cpu) {
      return domain::DeviceReport{m_kind, "Fake CPU", {}, std::uint64_t(16) << 30};
    }
    const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
    return domain::DeviceReport{m_kind, "Fake GPU", visible == nullptr ? "" : visible, std::uint64_t(8) << 30};
  }

  Result<domain::LoadedModelReport> load(const domain::ModelSpec&, domain::ComputeType, domain::LoadObserver& observer) override {
    if (m_options.behave == "never-ready") {
      observer.onBytes(1, kFakeWeightBytes);
      sleepForEver();
    }
    for (int beat = 1; beat <= kLoadBeats; ++beat) {
      if (observer.isCancelled()) {
        return Error{ErrorCode::Cancelled, "The load was stopped.", {}};
      }
      std::this_thread::sleep_for(m_options.load / kLoadBeats);
      if (m_options.behave == "model-unusable" && beat == kLoadBeats / 2) {
        return Error{ErrorCode::ModelUnusable, "The model lacks 3 tensors that it needs; download it again.", "fake"};
      }
      if (m_options.behave == "load-out-of-memory") {
        return Error{ErrorCode::OutOfMemory, "The device has not enough memory for this model; use another device.", "fake"};
      }
      observer.onBytes(kFakeWeightBytes / kLoadBeats * static_cast<std::uint64_t>(beat), kFakeWeightBytes);
    }
    return domain::LoadedModelReport{kFakeWeightBytes, std::chrono::duration<double>(m_options.load).count(), {}};
  }

  Result<domain::UnitOutcome> generate(const domain::UnitOfWork& unit, domain::GenerateObserver& observer) override {
    const int steps = unit.requests.front().steps;
    const bool isCancellable = m_options.behave != "ignore-cancel";
    domain::UnitOutcome outcome;
    const auto stop = [&] { return isCancellable && observer.isCancelled(); };
    observer.onStep({domain::Stage::Encoding, 1, 1});
    if (m_options.behave == "hang-early" && isMeant(unit)) {
      sleepForEver();
    }
    const domain::GenerationRequest& first = unit.requests.front();
    const std::int64_t pixels = std::int64_t{1} * first.width * first.height;
    const auto pictures = static_cast<std::int64_t>(unit.requests.size());
    if (m_options.memory && pictures * pixels / kDenoisingSaves > *m_options.memory) {
      observer.onStep({domain::Stage::Denoising, 1, steps});
      return outOfMemory();
    }
    for (int step = 1; step <= steps; ++step) {
      if (stop()) {
        outcome.kind = domain::OutcomeKind::Cancelled;
        return outcome;
      }
      std::this_thread::sleep_for(m_options.step);
      if (step == std::min(kBadStep, steps) && isMeant(unit)) {
        if (auto error = misbehave()) {
          return *error;
        }
      }
      observer.onStep({domain::Stage::Denoising, step, steps});
      for (std::size_t i = 0; unit.wantsPreviews && i < unit.requests.size(); ++i) {
        observer.onPreview(i, gradient(hashOf(unit.requests[i]), unit.requests[i].width / 8, unit.requests[i].height / 8));
      }
    }
    const std::int64_t decoded = unit.plan.vaeTiling ? std::min<std::int64_t>(pixels, kTilePixels) : pixels;
    if (m_options.memory && (unit.plan.vaeSlicing ? 1 : pictures) * decoded > *m_options.memory) {
      observer.onStep({domain::Stage::Decoding, 0, static_cast<int>(pictures)});
      return outOfMemory();
    }
    for (std::size_t i = 0; i < unit.requests.size(); ++i) {
      if (stop()) {
        return domain::UnitOutcome{domain::OutcomeKind::Cancelled, {}, {}, {}};
      }
      const domain::GenerationRequest& request = unit.requests[i];
      outcome.images.push_back(gradient(hashOf(request), request.width, request.height));
      observer.onStep({domain::Stage::Decoding, static_cast<int>(i) + 1, static_cast<int>(unit.requests.size())});
    }
    if (unit.wantsTrace) {
      outcome.trace = emptySafetensors();
    }
    return outcome;
  }

  void unload() override {}

 private:
  bool isMeant(const domain::UnitOfWork& unit) const {
    return !m_options.onlyIndex || std::any_of(unit.requests.begin(), unit.requests.end(),
                                               [this](const auto& request) { return request.index == *m_options.onlyIndex; });
  }

  std::optional<Error> misbehave() {
    const std::string& behave = m_options.behave;
    if (behave == "crash") {
      crash();
    }
    if (behave == "crash-once") {
      const int fd = ::open(m_options.stateFile.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
      if (fd >= 0) {
        crash();
      }
    }
    if (behave == "hang") {
      sleepForEver();
    }
    if (behave == "out-of-memory") {
      return outOfMemory();
    }
    if (behave == "device-lost") {
      return Error{ErrorCode::DeviceLost, "The device stopped working; the worker is started again.", "fake"};
    }
    if (behave == "refuse-settings") {
      return Error{ErrorCode::InvalidArgument, "This model cannot do so many steps; ask for fewer.", "fake"};
    }
    if (behave == "fail-unit") {
      return Error{ErrorCode::Internal, "The picture could not be made; please report this.", "fake"};
    }
    if (const std::vector<std::byte> bytes = brokenBytes(behave); !bytes.empty() && m_options.when == "unit") {
      writeRaw(m_options.socketFd, bytes);
      if (behave == "half-frame") {
        ::_exit(0);
      }
      sleepForEver();
    }
    return std::nullopt;
  }

  static Error outOfMemory() {
    return {ErrorCode::OutOfMemory, "The device has not enough memory for this picture; use a smaller size or batch.", "fake"};
  }

  /// A safetensors file without tensors: an eight-byte header length and "{}" padded to eight bytes.
  static std::vector<std::byte> emptySafetensors() {
    std::vector<std::byte> file(16, std::byte{' '});
    std::fill(file.begin(), file.begin() + 8, std::byte{0});
    file[0] = std::byte{8};
    file[8] = std::byte{'{'};
    file[9] = std::byte{'}'};
    return file;
  }

  const domain::DeviceKind m_kind;
  const FakeOptions m_options;
};

}  // namespace

std::vector<std::byte> brokenBytes(const std::string& behave) {
  if (behave == "garbage") {
    return std::vector<std::byte>(4096, std::byte{0xA7});
  }
  if (behave != "oversize" && behave != "half-frame") {
    return {};
  }
  protocol::Frame frame;
  frame.type = 1;
  frame.map.assign(64, std::byte{0});
  std::vector<std::byte> bytes = std::move(protocol::encodeFrame(frame)).value();
  if (behave == "half-frame") {
    bytes.resize(bytes.size() / 2);
    return bytes;
  }
  std::fill(bytes.begin() + 8, bytes.begin() + 12, std::byte{0xFF});  // the length of the map
  return bytes;
}

void writeRaw(int fd, const std::vector<std::byte>& bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t count = ::send(fd, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (count <= 0) {
      return;
    }
    at += static_cast<std::size_t>(count);
  }
}

void crash() {
  ::kill(::getpid(), SIGKILL);
  sleepForEver();
}

std::unique_ptr<domain::Engine> makeFakeEngine(domain::DeviceKind kind, const FakeOptions& options) {
  return std::make_unique<FakeEngine>(kind, options);
}

}  // namespace polyptych::tests
