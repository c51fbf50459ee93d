#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace polyptych::domain {

/// Arithmetic of the engine. Auto is resolved before a run plan is fixed: fp16 if every chosen device is a GPU, else fp32.
enum class ComputeType { Auto, Fp32, Fp16, Bf16 };
/// Where the starting noise is drawn: Float, in fp32 and then cast (as A1111 and ComfyUI do), or Model, in the compute type (as
/// diffusers does).
enum class NoiseKind { Float, Model };

/// Everything that says how one picture looks. Nothing about a picture depends on which device, rank or worker makes it.
struct GenerationRequest {
  std::int64_t index = 0;        ///< global index in the run: prompt index x pictures per prompt + picture
  std::int64_t promptIndex = 0;  ///< position of the prompt in the run's list
  std::string prompt;            ///< UTF-8; may be empty
  std::optional<std::string> negativePrompt;
  std::uint64_t seed = 0;  ///< of this picture's own CPU generator
  int width = 512;         ///< pixels, a multiple of 8
  int height = 512;
  int steps = 25;
  double guidanceScale = 7.5;    ///< guidance is active iff > 1
  double guidanceRescale = 0.0;  ///< 0 to 1 (arXiv 2305.08891, section 3.4)
  std::string scheduler;         ///< a name that resolveScheduler() knows, in its canonical spelling
  std::optional<int> clipSkip;   ///< diffusers' numbering: 1 = last layer but one; absent = last layer

  friend bool operator==(const GenerationRequest&, const GenerationRequest&) = default;
};

/// Limits of a request that the program accepts anywhere (window, command line, wire).
inline constexpr int kMinSide = 8;
inline constexpr int kMaxSide = 8192;
inline constexpr int kMaxSteps = 1000;
inline constexpr std::size_t kMaxPromptBytes = 4u << 20;
inline constexpr int kMaxBatch = 64;

/// Checks every field (ranges, NaN, UTF-8, divisibility by 8, scheduler's name). @return InvalidArgument with the field and what
/// is allowed.
base::Result<void> validate(const GenerationRequest& request);

/// The weights a run uses. The backend resolves a user's reference to this before a run starts.
struct ModelSpec {
  std::string folder;   ///< absolute path of a diffusers folder (or HF cache snapshot); never part of a picture's bytes
  std::string name;     ///< what people call it: "org/name", or the folder's name
  std::string hash;     ///< SHA-256 over sorted relative paths and file hashes, lower-case hex; may be empty if not computed
  std::string variant;  ///< "" or "fp16": which weight files

  friend bool operator==(const ModelSpec&, const ModelSpec&) = default;
};

/// Fixed at submit, given to every worker: same plan, same kind of hardware, same program version = same bytes.
struct RunPlan {
  ModelSpec model;
  ComputeType computeType = ComputeType::Fp32;  ///< never Auto in a plan that was fixed
  NoiseKind noise = NoiseKind::Float;
  int threads = 1;  ///< a CPU worker; the number changes the order of sums, so it belongs to the plan
  int batch = 1;    ///< units are this many consecutive indices
  bool vaeSlicing = false;
  bool vaeTiling = false;

  friend bool operator==(const RunPlan&, const RunPlan&) = default;
};

/// What one worker makes in one go, and makes again whole if it has to. All requests share size, steps, guidance, scheduler and
/// clip skip.
struct UnitOfWork {
  std::uint64_t id = 0;
  RunPlan plan;
  std::vector<GenerationRequest> requests;
  bool wantsTrace = false;
  bool wantsPreviews = false;
  /// Bytes of a safetensors file with tensor `latents` [B, C, H/8, W/8], in place of noise; empty otherwise.
  std::vector<std::byte> initialLatents;
};

/// Checks each request, that they can share a batch, and the plan's numbers. @return InvalidArgument
base::Result<void> validate(const UnitOfWork& unit);

/// "fp32" and so on; "auto" only before a plan is fixed.
std::string toString(ComputeType type);
base::Result<ComputeType> computeTypeFromString(const std::string& name);
std::string toString(NoiseKind kind);
base::Result<NoiseKind> noiseKindFromString(const std::string& name);

/// Everything that picture bytes tell about themselves. No time, device or worker: those vary between equal pictures.
struct PictureMetadata {
  GenerationRequest request;
  std::string modelName;
  std::string modelHash;
  ComputeType computeType = ComputeType::Fp32;
  NoiseKind noise = NoiseKind::Float;
  int threads = 1;
  int batch = 1;
  bool vaeSlicing = false;
  bool vaeTiling = false;
  std::string programVersion;

  friend bool operator==(const PictureMetadata&, const PictureMetadata&) = default;
};

PictureMetadata metadataOf(const UnitOfWork& unit, std::size_t requestInUnit);

}  // namespace polyptych::domain
