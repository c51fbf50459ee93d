#include "app/polyptych-cli/inputs.h"

#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QTemporaryFile>
#include <QThread>
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <random>
#include <span>

#include "core/checkpoint/safetensors.h"
#include "core/gallery/join_parts.h"
#include "core/gallery/manifest_row.h"
#include "core/picture/png.h"
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

std::string shapeText(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t size : shape) {
    text += (text.empty() ? "" : ", ") + std::to_string(size);
  }
  return "[" + text + "]";
}

/// An IEEE number is infinite or none if its exponent's bits are all set.
template <typename Bits>
bool areFinite(std::span<const std::byte> bytes, Bits exponent) {
  for (std::size_t at = 0; at + sizeof(Bits) <= bytes.size(); at += sizeof(Bits)) {
    Bits bits;
    std::memcpy(&bits, bytes.data() + at, sizeof bits);
    if ((bits & exponent) == exponent) {
      return false;
    }
  }
  return true;
}

/// @return nothing for a type that latents cannot have
std::optional<bool> areFinite(const checkpoint::TensorView& tensor) {
  switch (tensor.dtype) {
    case checkpoint::Dtype::F32:
      return areFinite<std::uint32_t>(tensor.bytes, 0x7F800000);
    case checkpoint::Dtype::F16:
      return areFinite<std::uint16_t>(tensor.bytes, 0x7C00);
    case checkpoint::Dtype::BF16:
      return areFinite<std::uint16_t>(tensor.bytes, 0x7F80);
    default:
      return std::nullopt;
  }
}

/// The path without links, as far as it exists.
QString realPath(const QString& path) {
  const QFileInfo info(path);
  if (info.exists()) {
    return info.canonicalFilePath();
  }
  const QString above = info.absolutePath();
  return above == info.absoluteFilePath() ? above : QDir::cleanPath(realPath(above) + QLatin1Char('/') + info.fileName());
}

std::uint64_t baseSeedOf(const domain::GenerationRequest& request) {
  return request.seed - static_cast<std::uint64_t>(request.index);
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

Result<std::vector<std::byte>> readInitialLatents(const std::string& path, const std::vector<std::int64_t>& shape) {
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
  const std::string what = "--initial-latents: the tensor latents of '" + path + "' ";
  if (latents->second.shape != shape) {
    return wrong(what + "is " + shapeText(latents->second.shape) + "; for this run it must be " + shapeText(shape) + ".");
  }
  const auto finite = areFinite(latents->second);
  if (!finite) {
    return wrong(what + "is " + std::string(checkpoint::toString(latents->second.dtype)) + "; it must be F32, F16 or BF16.");
  }
  if (!*finite) {
    return wrong(what + "has numbers that are not finite.");
  }
  return data;
}

Result<QString> prepareFolder(const std::string& path) {
  const QFileInfo info(pathOf(path));
  if (info.exists() && !info.isDir()) {
    return wrong("--out: '" + path + "' is a file. Name a folder.");
  }
  const QString folder = QDir::cleanPath(info.absoluteFilePath());
  if (!QDir().mkpath(folder)) {
    return wrong("--out: pictures cannot be written to '" + path + "'. Check its permissions, or name another folder.");
  }
  return folder;
}

library::Location libraryOf(const Arguments& arguments) {
  using Layout = library::Location::Layout;
  for (const auto& flat : {arguments.generate.out, arguments.flatFolder}) {
    if (flat) {
      return library::locationAt(pathOf(*flat), Layout::Flat);
    }
  }
  return arguments.library ? library::locationAt(pathOf(*arguments.library), Layout::Dated) : library::defaultLocation();
}

Result<void> checkTraceFile(const std::string& path, const std::string& outputFolder) {
  const QFileInfo info(QDir::cleanPath(QFileInfo(pathOf(path)).absoluteFilePath()));
  if (info.isDir()) {
    return wrong("--trace: '" + path + "' is a folder. Name a file.");
  }
  if (info.exists() || info.isSymLink()) {
    return wrong("--trace: '" + path + "' is there already and is not overwritten. Name a new file.");
  }
  const QString folder = realPath(QDir::cleanPath(QFileInfo(pathOf(outputFolder)).absoluteFilePath()));
  const QString real = realPath(info.filePath());
  if (real == folder || real.startsWith(folder.endsWith(QLatin1Char('/')) ? folder : folder + QLatin1Char('/'))) {
    return wrong("--trace: '" + path + "' lies in the folder of the pictures. Name a file outside of it.");
  }
  QTemporaryFile trial(info.absolutePath() + QStringLiteral("/.polyptych-trial-XXXXXX"));
  if (!trial.open()) {
    return wrong("--trace: '" + path + "' cannot be written. Name a file in a folder that can.");
  }
  return {};
}

std::optional<std::uint64_t> baseSeedOfFolder(const QString& folder) {
  constexpr qint64 kMaxLineBytes = 64 << 20;
  QFile manifest(folder + QLatin1Char('/') + QLatin1String(gallery::kManifestName));
  // Opening a pipe would wait for its writer.
  if (QFileInfo(manifest).isFile() && manifest.open(QIODevice::ReadOnly)) {
    while (!manifest.atEnd()) {
      if (const auto row = gallery::rowFromLine(manifest.readLine(kMaxLineBytes))) {
        return baseSeedOf(row->metadata.request);
      }
    }
  }
  const auto pictures = QDir(folder).entryList({QStringLiteral("[0-9][0-9][0-9][0-9][0-9]*-*.png")}, QDir::Files, QDir::Name);
  for (const QString& name : pictures) {
    QFile file(folder + QLatin1Char('/') + name);
    if (!QFileInfo(file).isFile() || !file.open(QIODevice::ReadOnly)) {
      continue;
    }
    const QByteArray bytes = file.read(static_cast<qint64>(picture::kMaxPngBytes));
    const auto metadata =
        picture::readPngMetadata(std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size()))));
    if (metadata) {
      return baseSeedOf(metadata->request);
    }
  }
  if (gallery::hasPartPictures(folder)) {
    if (const auto run = gallery::wholeRunOf(folder); run && !run->pictures.empty()) {
      return baseSeedOf(run->pictures.front().request);
    }
  }
  return std::nullopt;
}

Result<void> joinLeftParts(const QString& folder, const std::vector<domain::GenerationRequest>& requests,
                           const std::string& modelHash) {
  if (!gallery::hasPartPictures(folder)) {
    return {};
  }
  const auto run = gallery::wholeRunOf(folder);
  const bool isSame = run && std::ranges::equal(run->pictures, requests, [&](const auto& picture, const auto& request) {
                        return picture.request == request && picture.modelHash == modelHash;
                      });
  if (!isSame) {
    return base::Error{base::ErrorCode::AlreadyExists,
                       "The folder '" + folder.toStdString() +
                           "' has parts of another run of several processes. Repeat that run with the same settings to finish "
                           "it, join it with 'polyptych-cli merge', or choose another folder.",
                       {}};
  }
  if (auto free = waitForParts(folder); !free) {
    return free;
  }
  const auto joined = gallery::joinParts(folder, *run);
  return joined ? Result<void>() : joined.error();
}

Result<void> waitForParts(const QString& folder) {
  constexpr int kLooks = 100;
  constexpr int kBetweenLooksMs = 100;
  for (int look = 0; gallery::arePartsAtWork(folder); ++look) {
    if (look == kLooks) {
      return gallery::partsAtWorkError(folder);
    }
    QThread::msleep(kBetweenLooksMs);
  }
  return {};
}

std::uint64_t drawSeed() { return std::random_device()(); }

}  // namespace polyptych::cli
