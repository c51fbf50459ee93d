#include "core/checkpoint/weight_files.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "core/checkpoint/json_check.h"
#include "core/checkpoint/small_file.h"

namespace polyptych::checkpoint {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using nlohmann::json;

constexpr std::array<std::string_view, 2> kStems = {"diffusion_pytorch_model", "model"};
constexpr std::array<std::string_view, 5> kPickleEndings = {".bin", ".ckpt", ".pt", ".pth", ".pkl"};
constexpr std::string_view kEnding = ".safetensors";
constexpr std::string_view kShardPattern = "-00000-of-00000";
constexpr std::size_t kMaxShards = 10'000;

bool isVariant(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

bool isShardPart(std::string_view text) {
  if (text.size() != kShardPattern.size()) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool isDigit = text[i] >= '0' && text[i] <= '9';
    if (kShardPattern[i] == '0' ? !isDigit : text[i] != kShardPattern[i]) {
      return false;
    }
  }
  return true;
}

/// Takes ".<variant>" between `before` and `after` from `rest`.
std::optional<std::string> variantBetween(std::string_view rest, std::string_view before, std::string_view after) {
  if (rest.size() <= before.size() + after.size() || !rest.starts_with(before) || !rest.ends_with(after)) {
    return std::nullopt;
  }
  const std::string_view middle = rest.substr(before.size(), rest.size() - before.size() - after.size());
  if (middle.front() != '.' || !isVariant(middle.substr(1))) {
    return std::nullopt;
  }
  return std::string(middle.substr(1));
}

std::optional<WeightFileName> parseAfterStem(std::string_view stem, std::string_view rest) {
  using Kind = WeightFileName::Kind;
  WeightFileName out{std::string(stem), {}, Kind::Single};
  if (rest == kEnding) {
    return out;
  }
  out.kind = Kind::Index;
  if (rest == ".safetensors.index.json") {
    return out;
  }
  for (const auto& [before, after] : {std::pair{".safetensors.index", ".json"}, std::pair{".safetensors", ".index.json"},
                                      std::pair{"", ".safetensors.index.json"}}) {
    if (auto variant = variantBetween(rest, before, after)) {
      out.variant = std::move(*variant);
      return out;
    }
  }
  if (!rest.ends_with(kEnding)) {
    return std::nullopt;
  }
  rest.remove_suffix(kEnding.size());
  out.kind = Kind::Shard;
  if (rest.size() >= kShardPattern.size() && isShardPart(rest.substr(0, kShardPattern.size()))) {
    rest.remove_prefix(kShardPattern.size());
    if (rest.empty()) {
      return out;
    }
  } else if (rest.size() >= kShardPattern.size() && isShardPart(rest.substr(rest.size() - kShardPattern.size()))) {
    rest.remove_suffix(kShardPattern.size());
  } else {
    out.kind = Kind::Single;
  }
  if (rest.empty() || rest.front() != '.' || !isVariant(rest.substr(1))) {
    return std::nullopt;
  }
  out.variant = rest.substr(1);
  return out;
}

bool isPickle(std::string_view name) {
  return std::any_of(kPickleEndings.begin(), kPickleEndings.end(), [&](std::string_view end) { return name.ends_with(end); });
}

bool isPlainName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         name.find('\\') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

}  // namespace

std::optional<WeightFileName> parseWeightFileName(std::string_view name) {
  for (const std::string_view stem : kStems) {
    if (name.starts_with(stem)) {
      if (auto parsed = parseAfterStem(stem, name.substr(stem.size()))) {
        return parsed;
      }
    }
  }
  return std::nullopt;
}

WeightListing listWeights(const fs::path& componentFolder, std::string_view preferredStem) {
  WeightListing listing;
  std::map<std::string, std::map<std::string, WeightListing::Entry>> byVariant;
  std::error_code failure;
  for (fs::directory_iterator it(componentFolder, failure), end; !failure && it != end; it.increment(failure)) {
    const std::string name = it->path().filename().string();
    std::error_code ignored;
    if (!it->is_regular_file(ignored)) {
      continue;
    }
    if (isPickle(name)) {
      listing.pickles.push_back(name);
      continue;
    }
    const auto parsed = parseWeightFileName(name);
    if (!parsed) {
      continue;
    }
    WeightListing::Entry& entry = byVariant[parsed->variant][parsed->stem];
    entry.stem = parsed->stem;
    switch (parsed->kind) {
      case WeightFileName::Kind::Single:
        entry.single = name;
        break;
      case WeightFileName::Kind::Index:
        // Several spellings of one index: the first by name, so that the choice does not hang on the folder's order.
        entry.index = entry.index.empty() ? name : std::min(entry.index, name);
        break;
      case WeightFileName::Kind::Shard:
        entry.hasShards = true;
        break;
    }
  }
  for (auto& [variant, stems] : byVariant) {
    auto chosen = stems.end();
    for (auto it = stems.begin(); it != stems.end(); ++it) {
      const bool isComplete = !it->second.single.empty() || !it->second.index.empty();
      if (isComplete && (chosen == stems.end() || it->first == preferredStem)) {
        chosen = it;
      }
    }
    if (chosen != stems.end()) {
      listing.variants.emplace(variant, chosen->second);
    } else {
      listing.orphans.push_back(variant);
    }
  }
  std::sort(listing.pickles.begin(), listing.pickles.end());
  return listing;
}

base::Result<std::vector<fs::path>> resolveWeights(const fs::path& componentFolder, const WeightListing::Entry& entry,
                                                   bool prefersIndex, const std::optional<fs::path>& blobs) {
  if (entry.index.empty() || (!prefersIndex && !entry.single.empty())) {
    return std::vector<fs::path>{componentFolder / entry.single};
  }
  const fs::path indexPath = componentFolder / entry.index;
  const auto corrupt = [&](const std::string& sentence) {
    return Error{ErrorCode::Corrupt, indexPath.string() + " " + sentence, {}};
  };
  const auto text = readSmallFile(indexPath, kMaxIndexBytes);
  if (!text) {
    return text.error();
  }
  if (auto checked = checkJson(*text, indexPath.string()); !checked) {
    return checked.error();
  }
  const json index = json::parse(*text, nullptr, false);
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object() || index["weight_map"].empty()) {
    return corrupt("has no \"weight_map\" that says which file has which tensor.");
  }
  std::set<std::string> names;
  for (const auto& [tensor, file] : index["weight_map"].items()) {
    if (!file.is_string()) {
      return corrupt("has something that is no file name in its \"weight_map\".");
    }
    names.insert(file.get<std::string>());
    if (names.size() > kMaxShards) {
      return corrupt("names more than " + std::to_string(kMaxShards) + " files.");
    }
  }
  std::error_code failure;
  const fs::path home = fs::canonical(componentFolder, failure);
  const fs::path blobHome = blobs ? fs::canonical(*blobs, failure) : fs::path();
  std::vector<fs::path> files;
  std::string missing;
  for (const std::string& name : names) {
    if (!isPlainName(name)) {
      return corrupt("names the file \"" + name + "\", which is not a plain file name in this folder; it is not opened.");
    }
    if (isPickle(name)) {
      return Error{ErrorCode::ModelUnusable,
                   indexPath.string() + " names the pickle file \"" + name +
                       "\", which could run code and is never opened: take the model's safetensors version.",
                   {}};
    }
    const fs::path path = componentFolder / name;
    const fs::path real = fs::canonical(path, failure);
    if (failure || !fs::is_regular_file(real, failure)) {
      missing += (missing.empty() ? "" : ", ") + name;
      continue;
    }
    if (real.parent_path() != home && (blobHome.empty() || real.parent_path() != blobHome)) {
      return corrupt("names the file \"" + name + "\", which is a link out of the model's folder; it is not opened.");
    }
    files.push_back(path);
  }
  if (!missing.empty()) {
    return Error{ErrorCode::ModelUnusable,
                 componentFolder.string() + " lacks files that " + entry.index + " names: " + missing +
                     ". Download or copy the model again.",
                 {}};
  }
  return files;
}

}  // namespace polyptych::checkpoint
