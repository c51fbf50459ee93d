#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace polyptych::checkpoint {

/// Weight files of one component folder, by variant ("" for plain files).
struct WeightListing {
  struct Entry {
    std::string stem;    ///< "model" or "diffusion_pytorch_model"
    std::string single;  ///< file name; empty if there is none
    std::string index;   ///< file name of the list of shards; empty if there is none
    bool hasShards = false;
  };
  std::map<std::string, Entry> variants;  ///< only those that have a single file or an index
  std::vector<std::string> pickles;       ///< names of files that are never opened
  std::vector<std::string> orphans;       ///< variants that have shards but no index
};

/// What a file name says. @return nothing if it is not a safetensors weight file or index of one of the two stems.
struct WeightFileName {
  enum class Kind { Single, Shard, Index };
  std::string stem;
  std::string variant;
  Kind kind = Kind::Single;
};
std::optional<WeightFileName> parseWeightFileName(std::string_view name);

/// @param preferredStem  wins over the other stem where a variant has both
WeightListing listWeights(const std::filesystem::path& componentFolder, std::string_view preferredStem);

/// The files of one entry in reading order. Names in an index must be plain names of files that stand in the component's folder,
/// or links into `blobs`. Errors: Corrupt, ModelUnusable, NotFound, Io.
base::Result<std::vector<std::filesystem::path>> resolveWeights(const std::filesystem::path& componentFolder,
                                                                const WeightListing::Entry& entry, bool prefersIndex,
                                                                const std::optional<std::filesystem::path>& blobs);

}  // namespace polyptych::checkpoint
