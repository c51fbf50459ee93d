#include "app/polyptych-cli/inputs.h"

#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QTemporaryFile>
#include <cstdio>
#include <cstring>
#include <random>

#include "core/checkpoint/safetensors.h"
#include "core/gallery/manifest_row.h"
#include "core/prompt/prompt_list.h"

namespace polyptych::cli {
namespace {

using base::Result;

base::Error wrong(std::string message) { return {base::ErrorCode::InvalidArgument, std::move(message), {}}; }

QString pathOf(const std::string& typed) { return QFile::decodeName(QByteArray::fromStdString(typed)); }

Result<QByteArray> readAll(QFile& file, const std::string& name, qint64 limit) {
  QByteArray bytes;
  while (bytes.size() <= limit) {
    const QByteArray part = file.read(qMin<qint64>(limit + 1 - bytes.size(), 1 << 20));
    if (part.isEmpty()) {
      break;
    }
    bytes += part;
  }
  if (file.error() != QFileDevice::NoError) {
    return wrong(name + " cannot be read: " + file.errorString().toStdString() + ".");
  }
  if (bytes.size() > limit) {
    return wrong(name + " is larger than " + std::to_string(limit >> 20) + " MiB, the most it may be.");
  }
  return bytes;
}

Result<QByteArray> readFile(const std::string& option, const std::string& path, qint64 limit) {
  const QFileInfo info(pathOf(path));
  if (!info.exists()) {
    return wrong(option + ": there is no file '" + path + "'.");
  }
  if (info.isDir()) {
    return wrong(option + ": '" + path + "' is a folder, not a file.");
  }
  QFile file(info.filePath());
  if (!file.open(QIODevice::ReadOnly)) {
    return wrong(option + ": '" + path + "' cannot be opened: " + file.errorString().toStdString() + ".");
  }
  return readAll(file, "'" + path + "'", limit);
}

}  // namespace

Result<std::vector<std::string>> readPrompts(const GenerateArguments& arguments) {
  std::vector<std::string> prompts = arguments.prompts;
  if (!arguments.promptsFile) {
    return prompts;
  }
  const bool isInput = *arguments.promptsFile == "-";
  const auto limit = static_cast<qint64>(prompt::kMaxListBytes);
  Result<QByteArray> bytes = QByteArray();
  if (isInput) {
    QFile input;
    if (!input.open(stdin, QIODevice::ReadOnly)) {
      return wrong("Standard input cannot be read.");
    }
    bytes = readAll(input, "Standard input", limit);
  } else {
    bytes = readFile("--prompts", *arguments.promptsFile, limit);
  }
  if (!bytes) {
    return bytes.error();
  }
  const std::string_view text(bytes->constData(), static_cast<std::size_t>(bytes->size()));
  auto listed = prompt::parsePromptList(text, isInput ? "standard input" : "'" + *arguments.promptsFile + "'");
  if (!listed) {
    return listed.error();
  }
  prompts.insert(prompts.end(), listed->begin(), listed->end());
  return prompts;
}

Result<std::vector<std::byte>> readInitialLatents(const std::string& path, std::size_t pictures, int width, int height) {
  constexpr qint64 kMaxBytes = 1 << 30;
  const auto bytes = readFile("--initial-latents", path, kMaxBytes);
  if (!bytes) {
    return bytes.error();
  }
  std::vector<std::byte> data(static_cast<std::size_t>(bytes->size()));
  std::memcpy(data.data(), bytes->constData(), data.size());
  const auto file = checkpoint::SafetensorsFile::fromBytes(data);
  if (!file) {
    return wrong("--initial-latents: '" + path + "' is not a safetensors file that can be read: " + file.error().message);
  }
  const auto latents = (*file)->tensors().find("latents");
  if (latents == (*file)->tensors().end()) {
    return wrong("--initial-latents: '" + path + "' has no tensor named latents.");
  }
  const auto& shape = latents->second.shape;
  if (shape.size() != 4 || shape[0] != static_cast<std::int64_t>(pictures) || shape[2] != height / 8 || shape[3] != width / 8) {
    std::string text;
    for (const std::int64_t size : shape) {
      text += (text.empty() ? "" : ", ") + std::to_string(size);
    }
    return wrong("--initial-latents: the tensor latents of '" + path + "' is [" + text + "]; for this run it must be [" +
                 std::to_string(pictures) + ", channels, " + std::to_string(height / 8) + ", " + std::to_string(width / 8) +
                 "].");
  }
  return data;
}

Result<QString> prepareFolder(const std::string& path) {
  const QFileInfo info(pathOf(path));
  if (info.exists() && !info.isDir()) {
    return wrong("--out: '" + path + "' is a file. Name a folder.");
  }
  const QString folder = QDir::cleanPath(info.absoluteFilePath());
  QTemporaryFile trial(folder + QStringLiteral("/.polyptych-trial-XXXXXX"));
  if (!QDir().mkpath(folder) || !trial.open()) {
    return wrong("--out: pictures cannot be written to '" + path + "'. Check its permissions, or name another folder.");
  }
  return folder;
}

std::string freshFolder() {
  const QString name = QStringLiteral("polyptych-") + QDateTime::currentDateTime().toString(QStringLiteral("yyyyMMdd-HHmmss"));
  QString free = name;
  for (int i = 2; QFileInfo::exists(free); ++i) {
    free = name + QLatin1Char('-') + QString::number(i);
  }
  return free.toStdString();
}

Result<void> checkTraceFile(const std::string& path) {
  const QFileInfo info(pathOf(path));
  QTemporaryFile trial(info.absolutePath() + QStringLiteral("/.polyptych-trial-XXXXXX"));
  if (info.isDir() || (info.exists() && !info.isWritable()) || !trial.open()) {
    return wrong("--trace: '" + path + "' cannot be written. Name a file in a folder that can.");
  }
  return {};
}

std::optional<std::uint64_t> baseSeedOfFolder(const QString& folder) {
  constexpr qint64 kMaxLineBytes = 64 << 20;
  QFile manifest(folder + QLatin1Char('/') + QLatin1String(gallery::kManifestName));
  if (!manifest.open(QIODevice::ReadOnly)) {
    return std::nullopt;
  }
  while (!manifest.atEnd()) {
    if (const auto row = gallery::rowFromLine(manifest.readLine(kMaxLineBytes))) {
      const auto& request = row->metadata.request;
      return request.seed - static_cast<std::uint64_t>(request.index);
    }
  }
  return std::nullopt;
}

std::uint64_t drawSeed() { return std::random_device()(); }

}  // namespace polyptych::cli
