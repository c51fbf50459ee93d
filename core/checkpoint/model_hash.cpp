#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/checkpoint/json_check.h"
#include "core/checkpoint/model_folder.h"
#include "core/checkpoint/sha256.h"
#include "core/checkpoint/small_file.h"

namespace polyptych::checkpoint {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using nlohmann::json;

constexpr std::size_t kReadBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxCacheBytes = std::size_t{16} << 20;
constexpr int kCacheVersion = 1;

/// What a file looked like when it was hashed: equal stamps mean equal content.
json stampOf(const struct stat& status) {
  return json{{"size", static_cast<std::int64_t>(status.st_size)},
              {"inode", static_cast<std::uint64_t>(status.st_ino)},
              {"seconds", static_cast<std::int64_t>(status.st_mtim.tv_sec)},
              {"nanoseconds", static_cast<std::int64_t>(status.st_mtim.tv_nsec)}};
}

bool isHash(const json& value) {
  if (!value.is_string()) {
    return false;
  }
  const auto& text = value.get_ref<const std::string&>();
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

json readCache(const fs::path& path) {
  json empty = {{"version", kCacheVersion}, {"files", json::object()}};
  if (path.empty()) {
    return empty;
  }
  const auto text = readSmallFile(path, kMaxCacheBytes);
  if (!text || !checkJson(*text, "cache")) {
    return empty;
  }
  json cache = json::parse(*text, nullptr, false);
  const bool isOurs = cache.is_object() && cache.value("version", json()) == kCacheVersion && cache.contains("files") &&
                      cache["files"].is_object();
  return isOurs ? cache : empty;
}

void writeCache(const fs::path& path, const json& cache) {
  std::error_code failure;
  if (path.has_parent_path()) {
    fs::create_directories(path.parent_path(), failure);
  }
  const fs::path temporary = path.string() + "." + std::to_string(::getpid()) + ".tmp";
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return;
  }
  const std::string text = cache.dump(1, ' ', true, json::error_handler_t::replace) + "\n";
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::write(descriptor, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      break;
    }
    done += static_cast<std::size_t>(count);
  }
  ::close(descriptor);
  if (done == text.size()) {
    fs::rename(temporary, path, failure);
  }
  fs::remove(temporary, failure);
}

base::Result<std::string> hashFile(int descriptor, const fs::path& path) {
  const auto buffer = std::make_unique<std::byte[]>(kReadBytes);
  Sha256 hash;
  for (;;) {
    const ssize_t count = ::read(descriptor, buffer.get(), kReadBytes);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return Error{ErrorCode::Io, path.string() + " cannot be read: " + std::strerror(errno) + ".", {}};
    }
    if (count == 0) {
      return hash.finish();
    }
    hash.add({buffer.get(), static_cast<std::size_t>(count)});
  }
}

base::Result<std::string> hashThroughCache(const fs::path& path, json& files, bool& isChanged) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status {};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    const int code = errno;
    if (descriptor >= 0) {
      ::close(descriptor);
    }
    return Error{ErrorCode::Io, path.string() + " cannot be read as a file.", std::strerror(code)};
  }
  const json stamp = stampOf(status);
  const std::string key = path.lexically_normal().string();
  if (const auto found = files.find(key); found != files.end() && found->is_object()) {
    if (found->value("stamp", json()) == stamp && isHash(found->value("sha256", json()))) {
      ::close(descriptor);
      return (*found)["sha256"].get<std::string>();
    }
  }
  auto hash = hashFile(descriptor, path);
  struct stat after {};
  const bool isStill = ::fstat(descriptor, &after) == 0 && stampOf(after) == stamp;
  ::close(descriptor);
  if (hash && isStill) {
    files[key] = {{"stamp", stamp}, {"sha256", *hash}};
    isChanged = true;
  }
  return hash;
}

}  // namespace

base::Result<std::string> modelHash(const domain::ModelSpec& model, const fs::path& cacheFile) {
  const auto folder = openModelFolder(model.folder, model.variant);
  if (!folder) {
    return folder.error();
  }
  json cache = readCache(cacheFile);
  bool isChanged = false;
  Sha256 total;
  for (const std::string& name : modelFiles(*folder)) {
    const auto hash = hashThroughCache(folder->path / name, cache["files"], isChanged);
    if (!hash) {
      return hash.error();
    }
    const std::string line = *hash + "  " + name + "\n";
    total.add(std::as_bytes(std::span<const char>(line)));
  }
  if (isChanged && !cacheFile.empty()) {
    writeCache(cacheFile, cache);
  }
  return total.finish();
}

}  // namespace polyptych::checkpoint
