#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/checkpoint/hugging_face_cache.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/weight_set.h"
#include "core/domain/request.h"

namespace polyptych::checkpoint {

enum class Component { TextEncoder, UNet, Vae };
/// The component's folder: "text_encoder", "unet", "vae". @return static storage
std::string_view toString(Component component);

/// A model in diffusers format whose configs were read, checked and repaired. Weights stay closed until openWeights().
struct ModelFolder {
  std::filesystem::path path;
  std::string pipelineClass;  ///< "StableDiffusionPipeline"
  std::string variant;        ///< as asked for, or the only one that the folder has; "" for plain files
  TextEncoderConfig textEncoder;
  UNetConfig unet;
  VaeConfig vae;
  SchedulerConfig scheduler;
  std::filesystem::path tokenizerFolder;
  bool hasSafetyChecker = false;  ///< named in model_index.json; this program does not run it
  bool requiresSafetyChecker = true;
  bool forceZerosForEmptyPrompt = false;  ///< SDXL's key; false for StableDiffusionPipeline
  int defaultWidth = 512;                 ///< pixels: UNet sample_size x VAE scale factor; 64 cells if the file says none
  int defaultHeight = 512;

  /// Lists of shards that were read to find the files below.
  std::vector<std::filesystem::path> indexFiles;
  /// Weight files of a component in reading order, found by openModelFolder().
  std::vector<std::filesystem::path> textEncoderFiles;
  std::vector<std::filesystem::path> unetFiles;
  std::vector<std::filesystem::path> vaeFiles;
  /// Sentences for the user: a component without the variant's files, whose plain files are taken.
  std::vector<std::string> warnings;

  const std::vector<std::filesystem::path>& filesOf(Component component) const;
  /// Maps the component's files. Names are as in the files, but a text encoder's are always "text_model." + name (transformers
  /// writes both spellings); `text_projection.weight` stays as it is, the buffer `position_ids` is left out. A VAE's attention is
  /// `to_q`, `to_k`, `to_v`, `to_out.0` also where an old file says `query`, `key`, `value`, `proj_attn`.
  base::Result<WeightSet> openWeights(Component component) const;
};

/// Reads model_index.json and every component's config, and finds the weight files.
/// @param variant  "" takes plain files, or the variant if every weight component has that variant alone; "fp16" takes
///        x.fp16.safetensors, x.fp16-00001-of-00002.safetensors or x-00001-of-00002.fp16.safetensors (index file in either
///        spelling), and a component's plain files, with a warning, if only that one lacks the variant
/// Errors: NotFound (no folder, no model_index.json), ModelUnusable (missing parts, all of them listed; only pickle files; parts
/// that do not fit together), Unsupported (another pipeline class, a config value that is not done), Corrupt.
base::Result<ModelFolder> openModelFolder(const std::filesystem::path& path, std::string_view variant = {});

/// Turns what a user typed into a model: a folder, or "org/name", "org/name@revision" in the Hugging Face cache
/// (HF_HUB_CACHE, else HF_HOME/hub, else XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub). An existing folder wins.
/// Nothing is downloaded. The hash is left empty; the variant is filled in as openModelFolder("") chooses it.
/// Errors: NotFound with the places looked at, and those of openModelFolder().
base::Result<domain::ModelSpec> resolveModelReference(const std::string& reference);

/// Files that a model is made of for this program: model_index.json, the configs, tokenizer files and weight files of its
/// variant.
/// @return paths relative to the folder, '/' between parts, sorted by bytes
std::vector<std::string> modelFiles(const ModelFolder& model);

/// Identity of a model's content: SHA-256 over the lines "<sha256 of the file>  <relative path>\n" of modelFiles(), lower-case
/// hex. Hashes of files are kept in `cacheFile` (by path, size, time of change and inode); empty path: no cache. A cache that
/// cannot be read or written is no error.
base::Result<std::string> modelHash(const domain::ModelSpec& model, const std::filesystem::path& cacheFile);

}  // namespace polyptych::checkpoint
