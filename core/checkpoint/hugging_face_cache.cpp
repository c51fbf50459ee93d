#include "core/checkpoint/hugging_face_cache.h"

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "core/checkpoint/small_file.h"

namespace polyptych::checkpoint {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;

constexpr std::string_view kRepositoryPrefix = "models--";
constexpr std::size_t kMaxRefBytes = 4096;

fs::path fromEnvironment(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr || *value == '\0') {
    return {};
  }
  const std::string_view text(value);
  const char* const home = std::getenv("HOME");
  if (home != nullptr && (text == "~" || text.starts_with("~/"))) {
    return fs::path(home) / text.substr(std::min<std::size_t>(2, text.size()));
  }
  return text;
}

bool isWordOfName(std::string_view word) {
  if (word.empty() || word.front() == '.' || word.front() == '-' || word.back() == '.' || word.back() == '-') {
    return false;
  }
  return std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

/// A relative path that cannot leave the folder it is put under.
bool isRevision(std::string_view text) {
  const fs::path path(text);
  if (text.empty() || path.is_absolute() || text.find('\0') != std::string_view::npos) {
    return false;
  }
  return std::none_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".." || part == "." || part.empty(); });
}

bool isCommit(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string folderNameOf(const std::string& repository) {
  std::string name(kRepositoryPrefix);
  for (const char c : repository) {
    name += c == '/' ? std::string("--") : std::string(1, c);
  }
  return name;
}

std::optional<std::string> repositoryOf(const std::string& folderName) {
  if (!folderName.starts_with(kRepositoryPrefix)) {
    return std::nullopt;
  }
  std::string name = folderName.substr(kRepositoryPrefix.size());
  if (const std::size_t at = name.find("--"); at != std::string::npos) {
    name.replace(at, 2, "/");
  }
  return name;
}

base::Result<std::string> readRef(const fs::path& path) {
  auto text = readSmallFile(path, kMaxRefBytes);
  if (!text) {
    return text.error();
  }
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r' || text->back() == ' ')) {
    text->pop_back();
  }
  if (!isCommit(*text)) {
    return Error{ErrorCode::Corrupt, path.string() + " does not hold a commit: download the model again.", {}};
  }
  return text;
}

std::vector<std::string> refsOf(const fs::path& repositoryFolder) {
  std::vector<std::string> refs;
  std::error_code failure;
  const fs::path folder = repositoryFolder / "refs";
  for (fs::recursive_directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) {
    if (it->is_regular_file(failure)) {
      refs.push_back(it->path().lexically_relative(folder).generic_string());
    }
  }
  std::sort(refs.begin(), refs.end());
  return refs;
}

}  // namespace

fs::path huggingFaceCache() {
  for (const char* const name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    if (fs::path path = fromEnvironment(name); !path.empty()) {
      return path;
    }
  }
  if (const fs::path home = fromEnvironment("HF_HOME"); !home.empty()) {
    return home / "hub";
  }
  if (const fs::path cache = fromEnvironment("XDG_CACHE_HOME"); !cache.empty()) {
    return cache / "huggingface" / "hub";
  }
  if (const fs::path home = fromEnvironment("HOME"); !home.empty()) {
    return home / ".cache" / "huggingface" / "hub";
  }
  return {};
}

std::optional<HubName> parseHubName(std::string_view text) {
  HubName name;
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    name.revision = text.substr(at + 1);
    if (!isRevision(name.revision)) {
      return std::nullopt;
    }
    text = text.substr(0, at);
  }
  const std::size_t slash = text.find('/');
  const bool isName = slash == std::string_view::npos
                          ? isWordOfName(text)
                          : isWordOfName(text.substr(0, slash)) && isWordOfName(text.substr(slash + 1));
  if (!isName || text.find("--") != std::string_view::npos) {
    return std::nullopt;
  }
  name.repository = text;
  return name;
}

base::Result<fs::path> findSnapshot(const fs::path& cache, const HubName& name) {
  std::error_code failure;
  const fs::path folder = cache / folderNameOf(name.repository);
  const std::string download = "hf download " + name.repository;
  if (cache.empty() || !fs::is_directory(folder, failure)) {
    return Error{ErrorCode::NotFound,
                 "The Hugging Face cache (" + cache.string() + ") has no model " + name.repository + ": download it (" +
                     download + ") or give a model folder.",
                 {}};
  }
  const std::string revision = name.revision.empty() ? "main" : name.revision;
  const fs::path ref = folder / "refs" / revision;
  std::string commit = revision;
  if (fs::is_regular_file(ref, failure)) {
    auto found = readRef(ref);
    if (!found) {
      return found.error();
    }
    commit = *found;
  } else if (!isCommit(revision)) {
    std::string there;
    for (const std::string& entry : refsOf(folder)) {
      there += (there.empty() ? "" : ", ") + entry;
    }
    return Error{ErrorCode::NotFound,
                 "The Hugging Face cache has " + name.repository + ", but not its revision " + revision +
                     (there.empty() ? std::string(".") : " (there are: " + there + ")."),
                 {}};
  }
  const fs::path snapshot = folder / "snapshots" / commit;
  if (!fs::is_directory(snapshot, failure)) {
    return Error{ErrorCode::NotFound,
                 "The Hugging Face cache does not hold the files of " + name.repository + " at " + commit +
                     ": download it again (" + download + ").",
                 {}};
  }
  return snapshot;
}

std::vector<CachedModel> listCachedModels(const fs::path& cache) {
  std::vector<CachedModel> models;
  std::error_code failure;
  for (fs::directory_iterator it(cache, failure), end; !failure && it != end; it.increment(failure)) {
    const auto repository = repositoryOf(it->path().filename().string());
    if (!repository) {
      continue;
    }
    for (const std::string& ref : refsOf(it->path())) {
      const auto snapshot = findSnapshot(cache, {*repository, ref});
      if (snapshot) {
        models.push_back({ref == "main" ? *repository : *repository + "@" + ref, *snapshot});
      }
    }
  }
  std::sort(models.begin(), models.end(), [](const CachedModel& a, const CachedModel& b) { return a.name < b.name; });
  return models;
}

std::optional<std::string> repositoryOfSnapshot(const fs::path& snapshot) {
  const fs::path snapshots = snapshot.parent_path();
  if (snapshots.filename() != "snapshots") {
    return std::nullopt;
  }
  return repositoryOf(snapshots.parent_path().filename().string());
}

std::optional<fs::path> blobsOfSnapshot(const fs::path& snapshot) {
  if (!repositoryOfSnapshot(snapshot)) {
    return std::nullopt;
  }
  return snapshot.parent_path().parent_path() / "blobs";
}

}  // namespace polyptych::checkpoint
