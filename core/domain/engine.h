#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/domain/image.h"
#include "core/domain/request.h"
#include "core/domain/warning.h"

namespace polyptych::domain {

/// What the engine runs on. A worker sees one device, so there is no index.
enum class DeviceKind { Cpu, Cuda };

/// What a worker says about the device it really got.
struct DeviceReport {
  DeviceKind kind = DeviceKind::Cpu;
  std::string name;              ///< "NVIDIA H100 80GB HBM3", "AMD EPYC"
  std::string uuid;              ///< "GPU-..." for a GPU; empty for a CPU
  std::uint64_t totalBytes = 0;  ///< memory of the device (host memory for a CPU)
};

enum class Stage { Encoding, Denoising, Decoding, Saving };
std::string toString(Stage stage);

/// One beat of work. Denoising: step 1..steps after each finished step. Decoding: tiles or pictures.
struct StepProgress {
  Stage stage = Stage::Encoding;
  int step = 0;
  int steps = 0;
};

/// Called by the engine on the thread that runs it, unless said otherwise.
class LoadObserver {
 public:
  virtual ~LoadObserver() = default;
  virtual void onBytes(std::uint64_t done, std::uint64_t total) = 0;
  /// Asked often, from any engine thread. True: load ends with ErrorCode::Cancelled.
  virtual bool isCancelled() const = 0;
};

class GenerateObserver {
 public:
  virtual ~GenerateObserver() = default;
  virtual void onStep(const StepProgress& progress) = 0;
  /// A small picture of request `requestInUnit` as it stands (latent to RGB, one pixel a latent cell). Only if the unit wants
  /// previews.
  virtual void onPreview(std::size_t requestInUnit, Image preview) = 0;
  /// Asked between steps, between VAE tiles and pictures.
  virtual bool isCancelled() const = 0;
};

enum class OutcomeKind { Done, Cancelled };

struct UnitOutcome {
  OutcomeKind kind = OutcomeKind::Done;
  std::vector<Image> images;      ///< one a request, in order; empty if cancelled
  std::vector<std::byte> trace;   ///< a safetensors file if the unit wanted one
  std::vector<Warning> warnings;  ///< e.g. words of a prompt that did not fit
};

struct LoadedModelReport {
  std::uint64_t weightBytes = 0;
  double seconds = 0;
  std::vector<Warning> warnings;  ///< e.g. where the weights of several processes came from
};

/// Makes pictures. Not thread-safe: one thread calls it; observers are called on that thread.
class Engine {
 public:
  virtual ~Engine() = default;
  /// Errors: DeviceLost where the device is not there; the process is of no use then.
  virtual base::Result<DeviceReport> device() const = 0;
  /// Replaces the loaded model. On failure no model is loaded.
  /// Errors: NotFound, Unsupported, Corrupt, ModelUnusable, OutOfMemory, DeviceLost, Cancelled.
  virtual base::Result<LoadedModelReport> load(const ModelSpec& model, ComputeType type, LoadObserver& observer) = 0;
  /// Precondition: the unit's model is loaded with the unit's compute type.
  /// Errors: InvalidArgument, OutOfMemory, DeviceLost, Internal.
  virtual base::Result<UnitOutcome> generate(const UnitOfWork& unit, GenerateObserver& observer) = 0;
  virtual void unload() = 0;
};

}  // namespace polyptych::domain
