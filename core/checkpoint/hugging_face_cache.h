#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace polyptych::checkpoint {

/// The Hugging Face cache: HF_HUB_CACHE, else HUGGINGFACE_HUB_CACHE (its old name), else HF_HOME/hub, else
/// XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub. Empty if there is no home folder either.
std::filesystem::path huggingFaceCache();

/// A model repository's name as people write it, with an optional revision.
struct HubName {
  std::string repository;  ///< "org/name" or "name"
  std::string revision;    ///< "" if none was given
};

/// @return nothing if `text` cannot be such a name
std::optional<HubName> parseHubName(std::string_view text);

/// The snapshot folder of a revision (default "main"): a branch or tag through refs/, or a commit hash.
/// Errors: NotFound (message says what is there), Corrupt (a ref file that does not hold a commit).
base::Result<std::filesystem::path> findSnapshot(const std::filesystem::path& cache, const HubName& name);

/// One downloaded model repository.
struct CachedModel {
  std::string name;  ///< "org/name", "org/name@revision" for other revisions than main
  std::filesystem::path snapshot;
};

/// Every ref of every model repository in the cache, sorted by name. A cache that is not there is empty.
std::vector<CachedModel> listCachedModels(const std::filesystem::path& cache);

/// "org/name" if the folder is a snapshot inside such a cache (".../models--org--name/snapshots/<commit>").
std::optional<std::string> repositoryOfSnapshot(const std::filesystem::path& snapshot);

/// The folder that a snapshot's files are links into; nothing if `folder` is no snapshot.
std::optional<std::filesystem::path> blobsOfSnapshot(const std::filesystem::path& snapshot);

}  // namespace polyptych::checkpoint
