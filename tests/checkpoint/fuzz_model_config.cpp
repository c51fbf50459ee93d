#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/checkpoint/model_config.h"
#include "core/checkpoint/weight_files.h"

using namespace polyptych;
using namespace polyptych::checkpoint;

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

template <typename T>
void checkError(const base::Result<T>& result) {
  require(result.isOk() ||
          (result.error().message.starts_with("config ") &&
           (result.error().code == base::ErrorCode::Corrupt || result.error().code == base::ErrorCode::Unsupported)));
}

/// What the engine relies on without asking again.
void checkUNet(const UNetConfig& config) {
  const std::size_t levels = config.blockOutChannels.size();
  require(levels > 0 && config.downBlockTypes.size() == levels && config.upBlockTypes.size() == levels);
  require(config.layersPerBlock.size() == levels && config.crossAttentionDim.size() == levels);
  require(config.numAttentionHeads.size() == levels && config.onlyCrossAttention.size() == levels);
  require(config.transformerLayersPerBlock.size() == levels && config.upTransformerLayersPerBlock.size() == levels);
  require(config.sampleSize.empty() || config.sampleSize.size() == 2);
  require(config.normNumGroups > 0);
  for (std::size_t level = 0; level < levels; ++level) {
    const auto layers = static_cast<std::size_t>(config.layersPerBlock[level]);
    require(config.transformerLayersPerBlock[level].size() == layers);
    require(config.upTransformerLayersPerBlock[levels - 1 - level].size() == layers + 1);
    require(config.blockOutChannels[level] % config.normNumGroups == 0);
    require(config.downBlockTypes[level] == "DownBlock2D" ||
            config.blockOutChannels[level] % config.numAttentionHeads[level] == 0);
  }
}

}  // namespace

/// The first byte chooses the parser, the rest is the file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0: {
      const auto config = parseUNetConfig(text, "config");
      checkError(config);
      if (config) {
        checkUNet(*config);
      }
      break;
    }
    case 1: {
      const auto config = parseVaeConfig(text, "config");
      checkError(config);
      if (config) {
        require(!config->blockOutChannels.empty() && config->scaleFactor() >= 1 && config->scalingFactor != 0);
      }
      break;
    }
    case 2: {
      const auto config = parseTextEncoderConfig(text, "config");
      checkError(config);
      if (config) {
        require(config->hiddenSize % config->numAttentionHeads == 0);
      }
      break;
    }
    case 3: {
      const auto config = parseSchedulerConfig(text, {}, "config");
      checkError(config);
      if (config) {
        require(!config->values.contains("steps_offset") || config->values.at("steps_offset") == "1");
      }
      break;
    }
    default: {
      const auto name = parseWeightFileName(text);
      require(!name || (name->variant.find('/') == std::string::npos && !name->stem.empty()));
      break;
    }
  }
  return 0;
}
