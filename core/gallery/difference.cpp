#include "core/gallery/difference.h"

namespace polyptych::gallery {

bool isLowerRung(const domain::PictureMetadata& there, const domain::PictureMetadata& asked) {
  const domain::GenerationRequest& request = there.request;
  if (there.batch > asked.batch || (asked.vaeSlicing && !there.vaeSlicing) || (asked.vaeTiling && !there.vaeTiling) ||
      request.width > asked.request.width || request.height > asked.request.height) {
    return false;
  }
  domain::PictureMetadata raised = there;
  raised.batch = asked.batch;
  raised.vaeSlicing = asked.vaeSlicing;
  raised.vaeTiling = asked.vaeTiling;
  raised.request.width = asked.request.width;
  raised.request.height = asked.request.height;
  return raised == asked;
}

const char* differenceOf(const domain::PictureMetadata& there, const domain::PictureMetadata& asked) {
  const domain::GenerationRequest& a = there.request;
  const domain::GenerationRequest& b = asked.request;
  if (a.prompt != b.prompt) {
    return "prompt";
  }
  if (a.negativePrompt != b.negativePrompt) {
    return "negative prompt";
  }
  if (a.seed != b.seed) {
    return "seed";
  }
  if (a.width != b.width || a.height != b.height) {
    return "size";
  }
  if (a.steps != b.steps) {
    return "number of steps";
  }
  if (a.guidanceScale != b.guidanceScale || a.guidanceRescale != b.guidanceRescale) {
    return "guidance";
  }
  if (a.scheduler != b.scheduler) {
    return "scheduler";
  }
  if (a.clipSkip != b.clipSkip) {
    return "clip skip";
  }
  if (there.modelName != asked.modelName || there.modelHash != asked.modelHash) {
    return "model";
  }
  if (there.computeType != asked.computeType || there.noise != asked.noise) {
    return "precision";
  }
  if (there.threads != asked.threads) {
    return "number of threads of a worker";
  }
  if (there.batch != asked.batch) {
    return "batch size";
  }
  if (there.vaeSlicing != asked.vaeSlicing || there.vaeTiling != asked.vaeTiling) {
    return "way of decoding";
  }
  if (there.programVersion != asked.programVersion) {
    return "version of the program";
  }
  return "place in its list";
}

}  // namespace polyptych::gallery
