#include "core/checkpoint/model_folder.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "core/checkpoint/json_check.h"
#include "core/checkpoint/small_file.h"
#include "core/checkpoint/weight_files.h"

namespace polyptych::checkpoint {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using nlohmann::json;

constexpr std::string_view kIndexName = "model_index.json";
constexpr std::string_view kPipelineClass = "StableDiffusionPipeline";
constexpr std::string_view kTextPrefix = "text_model.";
constexpr int kCellsIfUnknown = 64;
constexpr std::array kWeightComponents = {Component::TextEncoder, Component::UNet, Component::Vae};
constexpr std::array<std::string_view, 6> kTokenizerFiles = {
    "added_tokens.json", "merges.txt", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.json"};

bool isFile(const fs::path& path) {
  std::error_code failure;
  return fs::is_regular_file(path, failure);
}

std::string_view preferredStem(Component component) {
  return component == Component::TextEncoder ? "model" : "diffusion_pytorch_model";
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    text += (text.empty() ? "" : ", ") + part;
  }
  return text;
}

/// model_index.json as far as it matters here.
struct PipelineIndex {
  std::string pipelineClass;
  std::map<std::string, std::string> classes;  ///< component -> class; absent where the file says null or nothing
  bool requiresSafetyChecker = true;
  bool forceZerosForEmptyPrompt = false;
};

base::Result<PipelineIndex> readPipelineIndex(const fs::path& path) {
  const auto corrupt = [&](const std::string& sentence) { return Error{ErrorCode::Corrupt, path.string() + " " + sentence, {}}; };
  const auto text = readSmallFile(path, kMaxConfigBytes);
  if (!text) {
    return text.error();
  }
  if (auto checked = checkJson(*text, path.string()); !checked) {
    return checked.error();
  }
  const json file = json::parse(*text, nullptr, false);
  if (!file.is_object()) {
    return corrupt("is not a JSON object.");
  }
  PipelineIndex index;
  const auto className = file.find("_class_name");
  if (className == file.end() || !className->is_string()) {
    return corrupt("does not name its pipeline class (\"_class_name\").");
  }
  index.pipelineClass = className->get<std::string>();
  for (const auto& [key, value] : file.items()) {
    if (key.starts_with('_') || !value.is_array()) {
      continue;
    }
    const bool isPair = value.size() == 2;
    if (isPair && value[0].is_null() && value[1].is_null()) {
      continue;
    }
    if (!isPair || !value[0].is_string() || !value[1].is_string()) {
      return corrupt("has an entry for " + key + " that is not a pair of library and class.");
    }
    index.classes.emplace(key, value[1].get<std::string>());
  }
  for (const auto& [key, target] : {std::pair{"requires_safety_checker", &index.requiresSafetyChecker},
                                    std::pair{"force_zeros_for_empty_prompt", &index.forceZerosForEmptyPrompt}}) {
    if (const auto found = file.find(key); found != file.end() && !found->is_null()) {
      if (!found->is_boolean()) {
        return corrupt("has a " + std::string(key) + " that is neither true nor false.");
      }
      *target = found->get<bool>();
    }
  }
  return index;
}

base::Result<void> checkClasses(const PipelineIndex& index, const fs::path& path) {
  if (index.pipelineClass != kPipelineClass) {
    return Error{ErrorCode::Unsupported,
                 path.string() + " is a model for " + index.pipelineClass + "; this version runs models for " +
                     std::string(kPipelineClass) + " only (Stable Diffusion 1.x and 2.x).",
                 {}};
  }
  static const std::map<std::string, std::vector<std::string_view>> kSupported = {
      {"text_encoder", {"CLIPTextModel"}},
      {"tokenizer", {"CLIPTokenizer", "CLIPTokenizerFast"}},
      {"unet", {"UNet2DConditionModel"}},
      {"vae", {"AutoencoderKL"}},
  };
  for (const auto& [component, classes] : kSupported) {
    const auto found = index.classes.find(component);
    if (found != index.classes.end() && std::find(classes.begin(), classes.end(), found->second) == classes.end()) {
      return Error{ErrorCode::Unsupported,
                   path.string() + " has the class " + found->second + " as " + component + ", which is not supported (" +
                       std::string(classes.front()) + " is).",
                   {}};
    }
  }
  return {};
}

Error pickleError(const fs::path& where, const std::string& names) {
  return Error{
      ErrorCode::ModelUnusable,
      where.string() + " has its weights only as pickle files (" + names +
          "), which can run code when they are read and are never opened: take the model's safetensors version, or convert "
          "it with diffusers on a machine you can lose (from_pretrained(...), then "
          "save_pretrained(..., safe_serialization=True)).",
      {}};
}

Error notAFolderError(const fs::path& path) {
  const std::string ending = path.extension().string();
  for (const std::string_view pickle : {".bin", ".ckpt", ".pt", ".pth", ".pkl"}) {
    if (ending == pickle) {
      return pickleError(path, path.filename().string());
    }
  }
  if (ending == ".safetensors") {
    return Error{
        ErrorCode::Unsupported,
        path.string() +
            " is a model in a single file, which is not supported: give a folder in diffusers format (diffusers converts one "
            "with from_single_file(...), then save_pretrained(...)).",
        {}};
  }
  return Error{ErrorCode::NotFound, path.string() + " is not a model folder: it is a file.", {}};
}

/// The variant to take when nobody asked for one: plain files if every component has them, else the one that the components
/// without plain files share. Nothing if there is none.
std::optional<std::string> chooseVariant(const std::map<Component, WeightListing>& listings) {
  std::optional<std::set<std::string>> shared;
  for (const auto& [component, listing] : listings) {
    if (listing.variants.contains("")) {
      continue;
    }
    std::set<std::string> here;
    for (const auto& [variant, entry] : listing.variants) {
      if (!shared || shared->contains(variant)) {
        here.insert(variant);
      }
    }
    shared = std::move(here);
  }
  if (!shared) {
    return std::string();
  }
  for (const char* const preferred : {"fp16", "bf16", "fp32"}) {
    if (shared->contains(preferred)) {
      return std::string(preferred);
    }
  }
  return shared->empty() ? std::nullopt : std::optional<std::string>(*shared->begin());
}

/// The listing's entry for the variant, or its plain files. Null if there is neither.
const WeightListing::Entry* entryFor(const WeightListing& listing, const std::string& variant) {
  auto found = listing.variants.find(variant);
  if (found == listing.variants.end()) {
    found = listing.variants.find("");
  }
  return found == listing.variants.end() ? nullptr : &found->second;
}

std::string variantNames(const std::map<Component, WeightListing>& listings) {
  std::set<std::string> names;
  for (const auto& [component, listing] : listings) {
    for (const auto& [variant, entry] : listing.variants) {
      names.insert(variant.empty() ? "plain files" : variant);
    }
  }
  return joined({names.begin(), names.end()});
}

base::Result<void> findWeights(ModelFolder& model, std::string_view wantedVariant) {
  std::map<Component, WeightListing> listings;
  std::vector<std::string> missing;
  for (const Component component : kWeightComponents) {
    const fs::path folder = model.path / toString(component);
    WeightListing listing = listWeights(folder, preferredStem(component));
    if (listing.variants.empty()) {
      if (!listing.pickles.empty()) {
        return pickleError(folder, joined(listing.pickles));
      }
      missing.push_back(std::string(toString(component)) + "/" + std::string(preferredStem(component)) +
                        (listing.orphans.empty() ? ".safetensors" : ".safetensors.index.json"));
    }
    listings.emplace(component, std::move(listing));
  }
  if (!missing.empty()) {
    return Error{ErrorCode::ModelUnusable,
                 model.path.string() + " lacks weights: " + joined(missing) + ". Download or copy the whole model.",
                 {}};
  }
  if (wantedVariant.empty()) {
    const auto chosen = chooseVariant(listings);
    if (!chosen) {
      return Error{ErrorCode::ModelUnusable,
                   model.path.string() + " has no variant that all of its parts have (there are: " + variantNames(listings) +
                       "). Download or copy the whole model.",
                   {}};
    }
    model.variant = *chosen;
  } else {
    model.variant = wantedVariant;
    const bool isThere = std::any_of(listings.begin(), listings.end(),
                                     [&](const auto& entry) { return entry.second.variants.contains(model.variant); });
    if (!isThere) {
      return Error{ErrorCode::NotFound,
                   model.path.string() + " has no variant " + model.variant + " (there are: " + variantNames(listings) + ").",
                   {}};
    }
  }
  const auto blobs = blobsOfSnapshot(model.path);
  for (const Component component : kWeightComponents) {
    const fs::path folder = model.path / toString(component);
    const WeightListing& listing = listings.at(component);
    const WeightListing::Entry* const entry = entryFor(listing, model.variant);
    if (entry == nullptr) {
      return Error{
          ErrorCode::ModelUnusable, folder.string() + " has neither files of variant " + model.variant + " nor plain ones.", {}};
    }
    if (!model.variant.empty() && !listing.variants.contains(model.variant)) {
      model.warnings.push_back(std::string(toString(component)) + " has no files of variant " + model.variant +
                               "; its plain files are used.");
    }
    const bool prefersIndex = component != Component::TextEncoder;
    auto files = resolveWeights(folder, *entry, prefersIndex, blobs);
    if (!files) {
      return files.error();
    }
    if (files->size() != 1 || files->front().filename() != entry->single) {
      model.indexFiles.push_back(folder / entry->index);
    }
    (component == Component::TextEncoder ? model.textEncoderFiles
     : component == Component::UNet      ? model.unetFiles
                                         : model.vaeFiles) = std::move(*files);
  }
  return {};
}

base::Result<void> findParts(const ModelFolder& model, const PipelineIndex& index) {
  std::vector<std::string> missing;
  for (const char* const component : {"scheduler", "text_encoder", "tokenizer", "unet", "vae"}) {
    if (!index.classes.contains(component)) {
      missing.push_back(std::string(component) + " (model_index.json does not name it)");
    } else if (std::string_view(component) == "tokenizer") {
      const bool isThere = isFile(model.tokenizerFolder / "tokenizer.json") ||
                           (isFile(model.tokenizerFolder / "vocab.json") && isFile(model.tokenizerFolder / "merges.txt"));
      if (!isThere) {
        missing.emplace_back("tokenizer/vocab.json and tokenizer/merges.txt (or tokenizer/tokenizer.json)");
      }
    } else {
      const std::string config =
          std::string(component) + (std::string_view(component) == "scheduler" ? "/scheduler_config.json" : "/config.json");
      if (!isFile(model.path / config)) {
        missing.push_back(config);
      }
    }
  }
  if (missing.empty()) {
    return {};
  }
  return Error{ErrorCode::ModelUnusable,
               model.path.string() + " lacks parts: " + joined(missing) + ". Download or copy the whole model.",
               {}};
}

template <typename Config, typename Parse>
base::Result<void> readConfig(const fs::path& path, Config& config, Parse parse) {
  const auto text = readSmallFile(path, kMaxConfigBytes);
  if (!text) {
    return text.error();
  }
  auto parsed = parse(*text, path.string());
  if (!parsed) {
    return parsed.error();
  }
  config = std::move(*parsed);
  return {};
}

base::Result<void> readConfigs(ModelFolder& model, const PipelineIndex& index) {
  if (auto read = readConfig(model.path / "text_encoder" / "config.json", model.textEncoder, parseTextEncoderConfig); !read) {
    return read;
  }
  if (auto read = readConfig(model.path / "unet" / "config.json", model.unet, parseUNetConfig); !read) {
    return read;
  }
  if (auto read = readConfig(model.path / "vae" / "config.json", model.vae, parseVaeConfig); !read) {
    return read;
  }
  const std::string& schedulerClass = index.classes.at("scheduler");
  return readConfig(
      model.path / "scheduler" / "scheduler_config.json", model.scheduler,
      [&](std::string_view text, std::string_view where) { return parseSchedulerConfig(text, schedulerClass, where); });
}

base::Result<void> checkFit(const ModelFolder& model) {
  const auto refuse = [&](ErrorCode code, const std::string& sentence) {
    return Error{code, model.path.string() + " " + sentence, {}};
  };
  const UNetConfig& unet = model.unet;
  const VaeConfig& vae = model.vae;
  if (unet.inChannels != vae.latentChannels) {
    return refuse(ErrorCode::Unsupported, "has a UNet of " + std::to_string(unet.inChannels) + " input channels and a VAE of " +
                                              std::to_string(vae.latentChannels) +
                                              " latent channels; models for inpainting or editing are not supported.");
  }
  if (unet.outChannels != unet.inChannels) {
    return refuse(ErrorCode::Unsupported, "has a UNet with " + std::to_string(unet.outChannels) + " output channels for " +
                                              std::to_string(unet.inChannels) + " input channels, which is not supported.");
  }
  if (vae.inChannels != 3 || vae.outChannels != 3) {
    return refuse(ErrorCode::Unsupported, "has a VAE whose pictures do not have 3 channels, which is not supported.");
  }
  if (unet.additionEmbedType) {
    return refuse(ErrorCode::Unsupported, "has a UNet with addition_embed_type \"" + *unet.additionEmbedType + "\", which " +
                                              std::string(kPipelineClass) + " cannot feed.");
  }
  const std::size_t levels = unet.blockOutChannels.size();
  for (std::size_t level = 0; level < levels; ++level) {
    const bool hasAttention = unet.downBlockTypes[level] == "CrossAttnDownBlock2D" ||
                              unet.upBlockTypes[levels - 1 - level] == "CrossAttnUpBlock2D" ||
                              (level + 1 == levels && unet.midBlockType == "UNetMidBlock2DCrossAttn");
    if (hasAttention && unet.crossAttentionDim[level] != model.textEncoder.hiddenSize) {
      return refuse(ErrorCode::ModelUnusable, "has a UNet for texts of width " + std::to_string(unet.crossAttentionDim[level]) +
                                                  " (cross_attention_dim) and a text encoder of width " +
                                                  std::to_string(model.textEncoder.hiddenSize) +
                                                  " (hidden_size): its parts belong to different models.");
    }
  }
  return {};
}

base::Result<void> setDefaultSize(ModelFolder& model) {
  const std::vector<int> cells =
      model.unet.sampleSize.empty() ? std::vector<int>{kCellsIfUnknown, kCellsIfUnknown} : model.unet.sampleSize;
  const std::int64_t height = std::int64_t{cells[0]} * model.vae.scaleFactor();
  const std::int64_t width = std::int64_t{cells[1]} * model.vae.scaleFactor();
  if (std::max(height, width) > domain::kMaxSide) {
    return Error{ErrorCode::ModelUnusable,
                 model.path.string() + " says that its pictures have " + std::to_string(width) + " x " + std::to_string(height) +
                     " pixels; at most " + std::to_string(domain::kMaxSide) + " a side are possible.",
                 {}};
  }
  model.defaultHeight = static_cast<int>(height);
  model.defaultWidth = static_cast<int>(width);
  return {};
}

/// "mid_block.attentions.0.query.weight" -> "...to_q.weight" (diffusers before 0.12).
std::string modernVaeName(const std::string& name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kNames = {
      {{".query", ".to_q"}, {".key", ".to_k"}, {".value", ".to_v"}, {".proj_attn", ".to_out.0"}}};
  if (name.find(".attentions.") == std::string::npos) {
    return name;
  }
  const std::size_t dot = name.rfind('.');
  const std::string head = name.substr(0, dot);
  for (const auto& [old, modern] : kNames) {
    if (head.ends_with(old)) {
      return head.substr(0, head.size() - old.size()) + std::string(modern) + name.substr(dot);
    }
  }
  return name;
}

fs::path withHome(const std::string& reference) {
  const char* const home = std::getenv("HOME");
  if (home != nullptr && *home != '\0' && reference.starts_with("~/")) {
    return fs::path(home) / reference.substr(2);
  }
  return reference;
}

domain::ModelSpec specOf(const ModelFolder& model, std::string name) {
  domain::ModelSpec spec;
  spec.folder = model.path.string();
  spec.name = std::move(name);
  spec.variant = model.variant;
  return spec;
}

}  // namespace

std::string_view toString(Component component) {
  switch (component) {
    case Component::TextEncoder:
      return "text_encoder";
    case Component::UNet:
      return "unet";
    case Component::Vae:
      return "vae";
  }
  return "";
}

const std::vector<fs::path>& ModelFolder::filesOf(Component component) const {
  switch (component) {
    case Component::TextEncoder:
      return textEncoderFiles;
    case Component::UNet:
      return unetFiles;
    case Component::Vae:
      break;
  }
  return vaeFiles;
}

base::Result<WeightSet> ModelFolder::openWeights(Component component) const {
  auto weights = WeightSet::open(filesOf(component));
  if (!weights || component == Component::UNet) {
    return weights;
  }
  if (component == Component::Vae) {
    return weights->renamed([](const std::string& name) { return std::optional(modernVaeName(name)); });
  }
  return weights->renamed([](const std::string& name) -> std::optional<std::string> {
    if (name.ends_with(".position_ids")) {
      return std::nullopt;
    }
    return name.starts_with(kTextPrefix) || name == "text_projection.weight" ? name : std::string(kTextPrefix) + name;
  });
}

base::Result<ModelFolder> openModelFolder(const fs::path& path, std::string_view variant) {
  std::error_code failure;
  ModelFolder model;
  model.path = fs::absolute(path, failure).lexically_normal();
  if (!model.path.has_filename()) {
    model.path = model.path.parent_path();
  }
  const fs::file_status status = fs::status(model.path, failure);
  if (fs::is_regular_file(status)) {
    return notAFolderError(model.path);
  }
  if (!fs::is_directory(status)) {
    return Error{ErrorCode::NotFound, "There is no model folder " + model.path.string() + ".", {}};
  }
  if (!isFile(model.path / kIndexName)) {
    return Error{ErrorCode::NotFound,
                 model.path.string() +
                     " is not a model in diffusers format: it has no model_index.json. Give the folder that holds "
                     "model_index.json, unet, vae and the other parts.",
                 {}};
  }
  const auto index = readPipelineIndex(model.path / kIndexName);
  if (!index) {
    return index.error();
  }
  if (auto checked = checkClasses(*index, model.path); !checked) {
    return checked.error();
  }
  model.pipelineClass = index->pipelineClass;
  model.hasSafetyChecker = index->classes.contains("safety_checker");
  model.requiresSafetyChecker = index->requiresSafetyChecker;
  model.forceZerosForEmptyPrompt = index->forceZerosForEmptyPrompt;
  model.tokenizerFolder = model.path / "tokenizer";
  if (auto found = findParts(model, *index); !found) {
    return found.error();
  }
  if (auto found = findWeights(model, variant); !found) {
    return found.error();
  }
  if (auto read = readConfigs(model, *index); !read) {
    return read.error();
  }
  if (auto fits = checkFit(model); !fits) {
    return fits.error();
  }
  if (auto set = setDefaultSize(model); !set) {
    return set.error();
  }
  return model;
}

base::Result<domain::ModelSpec> resolveModelReference(const std::string& reference) {
  if (reference.empty() || reference.find('\0') != std::string::npos) {
    return Error{ErrorCode::InvalidArgument, "The model's name is empty: give a folder or a name like org/model.", {}};
  }
  std::error_code failure;
  const fs::path path = withHome(reference);
  if (fs::exists(path, failure)) {
    const auto model = openModelFolder(path);
    if (!model) {
      return model.error();
    }
    const auto repository = repositoryOfSnapshot(model->path);
    return specOf(*model, repository ? *repository : model->path.filename().string());
  }
  const auto name = parseHubName(reference);
  if (!name) {
    return Error{ErrorCode::NotFound,
                 "There is no model folder " + reference +
                     ", and that is no name of the Hugging Face cache either (org/name or org/name@revision).",
                 {}};
  }
  const auto snapshot = findSnapshot(huggingFaceCache(), *name);
  if (!snapshot) {
    return Error{snapshot.error().code, "There is no model folder " + reference + ". " + snapshot.error().message,
                 snapshot.error().detail};
  }
  const auto model = openModelFolder(*snapshot);
  if (!model) {
    return model.error();
  }
  return specOf(*model, reference);
}

std::vector<std::string> modelFiles(const ModelFolder& model) {
  std::vector<std::string> names = {std::string(kIndexName), "scheduler/scheduler_config.json", "text_encoder/config.json",
                                    "unet/config.json", "vae/config.json"};
  for (const std::string_view name : kTokenizerFiles) {
    if (isFile(model.tokenizerFolder / name)) {
      names.push_back("tokenizer/" + std::string(name));
    }
  }
  for (const auto* const list : {&model.indexFiles, &model.textEncoderFiles, &model.unetFiles, &model.vaeFiles}) {
    for (const fs::path& file : *list) {
      names.push_back(file.lexically_relative(model.path).generic_string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace polyptych::checkpoint
