#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace polyptych::checkpoint {

/// transformers' CLIPTextConfig (5.23): the keys that change what CLIPTextModel gives. A file of a whole CLIP model
/// (`model_type` "clip") is read through its `text_config`.
struct TextEncoderConfig {
  int vocabSize = 49408;
  int hiddenSize = 512;
  int intermediateSize = 2048;
  int projectionDim = 512;  ///< only CLIPTextModelWithProjection has the layer
  int numHiddenLayers = 12;
  int numAttentionHeads = 8;  ///< divides hiddenSize
  int maxPositionEmbeddings = 77;
  std::string hiddenAct = "quick_gelu";  ///< "quick_gelu" or "gelu" (exact, with erf)
  double layerNormEps = 1e-5;
  int padTokenId = 1;
  int bosTokenId = 49406;
  int eosTokenId = 49407;  ///< 2 stands for "the largest id of the row" when pooling, as in files older than transformers 4.30
  bool hasProjection = false;  ///< the class is CLIPTextModelWithProjection
};

/// diffusers' UNet2DConditionModel (0.42.1): the keys that change the result with the block types that are supported.
/// "Level": position in blockOutChannels, from the largest picture down; all per-level lists have that many entries.
/// Refused by name when not at their default: class_embed_type, num_class_embeds, class_embeddings_concat, encoder_hid_dim,
/// encoder_hid_dim_type, dual_cross_attention, attention_type, num_attention_heads, resnet_time_scale_shift, norm_num_groups
/// null, time_embedding_type, addition_embed_type other than "text_time". Keys without an effect on these blocks
/// (resnet_skip_time_act, resnet_out_scale_factor, cross_attention_norm, mid_block_only_cross_attention, dropout) and unknown
/// keys are passed over, as diffusers does.
struct UNetConfig {
  std::vector<int> sampleSize;  ///< latent {height, width}; empty if the file says none. After the pipeline's repair.
  bool isSampleSizeInt = false;
  int inChannels = 4;
  int outChannels = 4;
  bool centerInputSample = false;
  bool flipSinToCos = true;
  double freqShift = 0;
  std::vector<std::string> downBlockTypes = {"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D",
                                             "DownBlock2D"};  ///< these two only
  /// "UNetMidBlock2DCrossAttn" (resnet, transformer, resnet), "UNetMidBlock2D" (one resnet), or nothing: no mid block.
  std::optional<std::string> midBlockType = "UNetMidBlock2DCrossAttn";
  std::vector<std::string> upBlockTypes = {"UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D",
                                           "CrossAttnUpBlock2D"};       ///< up order; these two only
  std::vector<bool> onlyCrossAttention = {false, false, false, false};  ///< per level
  std::vector<int> blockOutChannels = {320, 640, 1280, 1280};
  std::vector<int> layersPerBlock = {2, 2, 2, 2};  ///< per level; up blocks have one more
  int downsamplePadding = 1;                       ///< 0: the input is padded right and below by one instead
  double midBlockScaleFactor = 1;                  ///< output_scale_factor of the mid block's resnets
  std::string actFn = "silu";                      ///< "silu" ("swish" is read as it), "mish", "gelu", "relu"
  int normNumGroups = 32;
  double normEps = 1e-5;
  std::vector<int> crossAttentionDim = {1280, 1280, 1280, 1280};  ///< per level
  /// Transformer layers of attention j of the down block at level i: [i][j], j < layersPerBlock[i].
  std::vector<std::vector<int>> transformerLayersPerBlock = {{1, 1}, {1, 1}, {1, 1}, {1, 1}};
  int midTransformerLayers = 1;
  /// The same for up blocks, in up order (entry 0 is the deepest level), layersPerBlock + 1 entries each.
  std::vector<std::vector<int>> upTransformerLayersPerBlock = {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}};
  /// diffusers' attention_head_dim per level, which is the NUMBER OF HEADS (its own naming mistake, kept by every file).
  std::vector<int> numAttentionHeads = {8, 8, 8, 8};
  bool useLinearProjection = false;
  bool upcastAttention = false;
  std::optional<std::string> additionEmbedType;  ///< "text_time" (SDXL) or nothing
  std::optional<int> additionTimeEmbedDim;
  std::optional<int> projectionClassEmbeddingsInputDim;
  std::optional<int> timeEmbeddingDim;            ///< nothing: 4 x blockOutChannels[0]
  std::optional<std::string> timeEmbeddingActFn;  ///< an activation name as actFn, applied to the finished time embedding
  std::optional<std::string> timestepPostAct;     ///< likewise, after the time embedding's second layer
  std::optional<int> timeCondProjDim;             ///< size of the guidance embedding of distilled models (LCM)
  int convInKernel = 3;
  int convOutKernel = 3;
};

/// diffusers' AutoencoderKL (0.42.1). Block types are DownEncoderBlock2D and UpDecoderBlock2D only.
struct VaeConfig {
  int inChannels = 3;
  int outChannels = 3;
  std::vector<int> blockOutChannels = {64};  ///< one entry a level; the picture is 2^(levels - 1) times the latent
  int layersPerBlock = 1;                    ///< decoder levels have one more
  std::string actFn = "silu";                ///< as UNetConfig::actFn
  int latentChannels = 4;
  int normNumGroups = 32;
  int sampleSize = 32;  ///< smallest tile side in pixels (height, if the file has a pair)
  double scalingFactor = 0.18215;
  std::optional<double> shiftFactor;  ///< StableDiffusionPipeline does not use it
  std::vector<double> latentsMean;    ///< empty or latentChannels entries; StableDiffusionPipeline does not use it
  std::vector<double> latentsStd;
  bool forceUpcast = true;
  bool useQuantConv = true;
  bool usePostQuantConv = true;
  bool midBlockAddAttention = true;

  int scaleFactor() const { return 1 << (blockOutChannels.size() - 1); }
};

/// scheduler_config.json as it stands after StableDiffusionPipeline's constructor.
struct SchedulerConfig {
  std::string className;  ///< the class in model_index.json, "PNDMScheduler"
  /// Key -> JSON text of the keys that the file itself has (no key that begins with "_"); steps_offset and clip_sample repaired.
  std::map<std::string, std::string> values;
  /// Keys the file leaves to its class's default, which the repair changed: {"steps_offset", "1"}, {"clip_sample", "false"}.
  /// diffusers uses these when the pipeline runs the model's own scheduler object, and drops them when another class (or the same
  /// one) is made by from_config.
  std::map<std::string, std::string> repairedDefaults;
};

/// Parse one component's config.json. `where` begins every message (a path). `text` is any bytes.
/// Errors: Corrupt (no JSON, wrong type, number out of range), Unsupported (a value this program does not do, named).
base::Result<TextEncoderConfig> parseTextEncoderConfig(std::string_view text, std::string_view where);
/// Applies the pipeline's sample_size repair (file written by diffusers before 0.9.0, integer sample_size below 64: 64).
base::Result<UNetConfig> parseUNetConfig(std::string_view text, std::string_view where);
base::Result<VaeConfig> parseVaeConfig(std::string_view text, std::string_view where);
/// @param className  the class model_index.json names; empty: the file's own _class_name
base::Result<SchedulerConfig> parseSchedulerConfig(std::string_view text, std::string_view className, std::string_view where);

}  // namespace polyptych::checkpoint
