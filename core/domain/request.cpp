#include "core/domain/request.h"

#include <cmath>

#include "core/base/utf8.h"
#include "core/domain/engine.h"
#include "core/domain/scheduler_name.h"

namespace polyptych::domain {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

Error invalid(std::string message) { return Error{ErrorCode::InvalidArgument, std::move(message), {}}; }

Result<void> validateText(const std::string& text, const char* field) {
  if (text.size() > kMaxPromptBytes) {
    return invalid(std::string(field) + " is " + std::to_string(text.size()) + " bytes long; at most " +
                   std::to_string(kMaxPromptBytes) + " are taken.");
  }
  if (const auto at = base::firstInvalidUtf8(text)) {
    return invalid(std::string(field) + " is not valid UTF-8 (byte " + std::to_string(*at + 1) + "); save the text as UTF-8.");
  }
  return {};
}

Result<void> validateSide(int side, const char* field) {
  if (side < kMinSide || side > kMaxSide || side % 8 != 0) {
    const int below = std::max(kMinSide, std::min(kMaxSide, side) / 8 * 8);
    return invalid(std::string(field) + " is " + std::to_string(side) + "; it must be a multiple of 8 between " +
                   std::to_string(kMinSide) + " and " + std::to_string(kMaxSide) + ", for example " + std::to_string(below) +
                   ".");
  }
  return {};
}

}  // namespace

Result<void> validate(const GenerationRequest& request) {
  if (auto ok = validateText(request.prompt, "The prompt"); !ok) {
    return ok;
  }
  if (request.negativePrompt) {
    if (auto ok = validateText(*request.negativePrompt, "The negative prompt"); !ok) {
      return ok;
    }
  }
  if (request.index < 0 || request.promptIndex < 0) {
    return invalid("The index of a picture must not be negative.");
  }
  if (auto ok = validateSide(request.width, "The width"); !ok) {
    return ok;
  }
  if (auto ok = validateSide(request.height, "The height"); !ok) {
    return ok;
  }
  if (request.steps < 1 || request.steps > kMaxSteps) {
    return invalid("Steps is " + std::to_string(request.steps) + "; it must be between 1 and " + std::to_string(kMaxSteps) + ".");
  }
  if (!std::isfinite(request.guidanceScale) || request.guidanceScale < 0 || request.guidanceScale > 1000) {
    return invalid("The guidance scale must be a number between 0 and 1000.");
  }
  if (!std::isfinite(request.guidanceRescale) || request.guidanceRescale < 0 || request.guidanceRescale > 1) {
    return invalid("The guidance rescale must be a number between 0 and 1.");
  }
  if (request.clipSkip && (*request.clipSkip < 0 || *request.clipSkip > 64)) {
    return invalid("Clip skip is " + std::to_string(*request.clipSkip) +
                   "; it must be between 0 and the number of layers of the text encoder.");
  }
  if (auto choice = resolveScheduler(request.scheduler); !choice) {
    return choice.error();
  }
  return {};
}

Result<void> validate(const UnitOfWork& unit) {
  if (unit.requests.empty() || unit.requests.size() > static_cast<std::size_t>(kMaxBatch)) {
    return invalid("A unit of work holds 1 to " + std::to_string(kMaxBatch) + " pictures, not " +
                   std::to_string(unit.requests.size()) + ".");
  }
  if (unit.plan.computeType == ComputeType::Auto) {
    return invalid("The run plan has no compute type; choose fp32, fp16 or bf16.");
  }
  if (unit.plan.threads < 1 || unit.plan.threads > 1024) {
    return invalid("Threads is " + std::to_string(unit.plan.threads) + "; it must be between 1 and 1024.");
  }
  const GenerationRequest& first = unit.requests.front();
  for (const GenerationRequest& request : unit.requests) {
    if (auto ok = validate(request); !ok) {
      return ok;
    }
    if (request.width != first.width || request.height != first.height || request.steps != first.steps ||
        request.guidanceScale != first.guidanceScale || request.guidanceRescale != first.guidanceRescale ||
        request.scheduler != first.scheduler || request.clipSkip != first.clipSkip) {
      return invalid("Pictures of one batch must share size, steps, guidance, scheduler and clip skip.");
    }
  }
  return {};
}

std::string toString(ComputeType type) {
  switch (type) {
    case ComputeType::Auto:
      return "auto";
    case ComputeType::Fp32:
      return "fp32";
    case ComputeType::Fp16:
      return "fp16";
    case ComputeType::Bf16:
      return "bf16";
  }
  return "auto";
}

Result<ComputeType> computeTypeFromString(const std::string& name) {
  for (const ComputeType type : {ComputeType::Auto, ComputeType::Fp32, ComputeType::Fp16, ComputeType::Bf16}) {
    if (toString(type) == name) {
      return type;
    }
  }
  return invalid("'" + name + "' is no compute type; use auto, fp32, fp16 or bf16.");
}

std::string toString(NoiseKind kind) { return kind == NoiseKind::Float ? "float" : "model"; }

Result<NoiseKind> noiseKindFromString(const std::string& name) {
  if (name == "float") {
    return NoiseKind::Float;
  }
  if (name == "model") {
    return NoiseKind::Model;
  }
  return invalid("'" + name + "' is no kind of noise; use float or model.");
}

std::string toString(Stage stage) {
  switch (stage) {
    case Stage::Encoding:
      return "encoding";
    case Stage::Denoising:
      return "denoising";
    case Stage::Decoding:
      return "decoding";
    case Stage::Saving:
      return "saving";
  }
  return "encoding";
}

PictureMetadata metadataOf(const UnitOfWork& unit, std::size_t requestInUnit) {
  PictureMetadata metadata;
  metadata.request = unit.requests.at(requestInUnit);
  metadata.modelName = unit.plan.model.name;
  metadata.modelHash = unit.plan.model.hash;
  metadata.computeType = unit.plan.computeType;
  metadata.noise = unit.plan.noise;
  metadata.threads = unit.plan.threads;
  metadata.batch = unit.plan.batch;
  metadata.vaeSlicing = unit.plan.vaeSlicing;
  metadata.vaeTiling = unit.plan.vaeTiling;
  metadata.programVersion = POLYPTYCH_VERSION;
  return metadata;
}

}  // namespace polyptych::domain
