#pragma once

#include <vector>

#include "core/protocol/messages.h"

namespace polyptych::tests {

/// One message of each type and of each shape that a type has, with every field away from its default.
inline std::vector<protocol::Message> sampleMessages() {
  using namespace polyptych::protocol;
  const base::Error error{base::ErrorCode::OutOfMemory, "Not enough memory.", "cudaMalloc"};
  const UnitKey key{0xFFFFFFFFFFFFFFFFULL, 7};
  const domain::ModelSpec model{"/models/\xED\x95\x9C", "org/name", "0123abcd", "fp16"};
  domain::GenerationRequest request;
  request.index = 5;
  request.promptIndex = 2;
  request.prompt = std::string("a cat\0, \xED\x95\x9C", 11);
  request.negativePrompt = "";
  request.seed = 0xFEDCBA9876543210ULL;
  request.width = 64;
  request.height = 72;
  request.steps = 3;
  request.guidanceScale = 7.1;
  request.guidanceRescale = 0.3;
  request.scheduler = "Euler a";
  request.clipSkip = 1;
  domain::GenerationRequest plain = request;
  plain.negativePrompt.reset();
  plain.clipSkip.reset();
  Generate generate;
  generate.lease = 7;
  generate.unit.id = key.unitId;
  generate.unit.plan.model = model;
  generate.unit.plan.computeType = domain::ComputeType::Bf16;
  generate.unit.plan.noise = domain::NoiseKind::Model;
  generate.unit.plan.threads = 3;
  generate.unit.plan.batch = 2;
  generate.unit.plan.vaeSlicing = true;
  generate.unit.plan.vaeTiling = true;
  generate.unit.requests = {request, plain};
  generate.unit.wantsTrace = true;
  generate.unit.wantsPreviews = true;
  Generate withLatents = generate;
  withLatents.unit.initialLatents = {std::byte{1}, std::byte{2}};
  return {
      Hello{"token-1", 4321, "0.1.0", {domain::DeviceKind::Cuda, "NVIDIA L4", "GPU-1", 24ULL << 30}},
      LoadModel{9, model, domain::ComputeType::Fp16},
      LoadProgress{9, 10, 20},
      Ready{9, 1234, 0.5},
      LoadFailed{9, error},
      generate,
      withLatents,
      Progress{key, {domain::Stage::Denoising, 2, 3}, 1.25},
      Progress{key, {domain::Stage::Saving, 1, 1}, 2},
      Preview{key, 1, {2, 1, {1, 2, 3, 4, 5, 6}}},
      PictureMade{key, 1, 64, 72, 3.5, {std::byte{0x89}, std::byte{'P'}}},
      UnitDone{key, 4.5, {{domain::WarningCode::PromptCut, "The words 'x' were left out."}, {}}, {std::byte{9}}},
      UnitDone{key, 0, {}, {}},
      UnitCancelled{key},
      UnitFailed{key, error},
      Cancel{key},
      Heartbeat{77},
      Shutdown{},
      Fatal{error},
      Warning{{domain::WarningCode::CoresNotPinned, "Careful."}},
      UnloadModel{12},
      Unloaded{12},
  };
}

}  // namespace polyptych::tests
