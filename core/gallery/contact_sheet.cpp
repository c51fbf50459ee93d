#include "core/gallery/contact_sheet.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <algorithm>
#include <cmath>
#include <map>

#include "core/domain/request.h"
#include "core/gallery/manifest_row.h"
#include "core/picture/png.h"

namespace polyptych::gallery {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr qint64 kMaxLineBytes = 64 << 20;
constexpr int kMinCell = 16;
constexpr int kMaxCell = 1024;
constexpr int kMaxGap = 256;
/// Behind the pictures: the surface of the dark theme.
constexpr std::uint8_t kBackground[] = {0x15, 0x17, 0x1a};

/// Index and file of every finished picture that the manifest tells of.
Result<std::map<std::int64_t, QString>> finishedPictures(const QDir& folder) {
  QFile manifest(folder.filePath(QLatin1String(kManifestName)));
  if (!manifest.open(QIODevice::ReadOnly)) {
    return Error{ErrorCode::NotFound,
                 "There is no manifest in '" + folder.path().toStdString() + "'; name the folder of a run (generate --out).",
                 manifest.errorString().toStdString()};
  }
  std::map<std::int64_t, QString> files;
  while (!manifest.atEnd()) {
    const auto row = rowFromLine(manifest.readLine(kMaxLineBytes));
    if (row && !row->error) {
      files.insert_or_assign(row->metadata.request.index, row->file);
    }
  }
  if (files.empty()) {
    return Error{ErrorCode::NotFound, "No picture of the run in '" + folder.path().toStdString() + "' is finished yet.", {}};
  }
  return files;
}

Result<domain::Image> readPicture(const QString& path) {
  QFile file(path);
  const QString name = QFileInfo(path).fileName();
  if (!file.open(QIODevice::ReadOnly)) {
    return Error{ErrorCode::Io, "The picture '" + name.toStdString() + "' cannot be read; is it still in the folder?",
                 file.errorString().toStdString()};
  }
  if (file.size() > static_cast<qint64>(picture::kMaxPngBytes)) {
    return Error{ErrorCode::Corrupt, "The picture '" + name.toStdString() + "' is larger than any that this program makes.", {}};
  }
  const QByteArray bytes = file.readAll();
  auto image = picture::decodePng(std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size()))));
  if (!image) {
    return Error{image.error().code, "'" + name.toStdString() + "': " + image.error().message, image.error().detail};
  }
  return image;
}

/// Mean of the source pixels under each target pixel, weighted by how much of them it covers.
domain::Image shrunk(const domain::Image& image, int width, int height) {
  struct Part {
    int source;
    float share;
  };
  const auto partsOf = [](int from, int to) {
    std::vector<std::vector<Part>> parts(static_cast<std::size_t>(to));
    const double step = static_cast<double>(from) / to;
    for (int i = 0; i < to; ++i) {
      const double begin = i * step;
      const double end = begin + step;
      for (int s = static_cast<int>(begin); s < from && s < end; ++s) {
        const double share = (std::min(end, s + 1.0) - std::max(begin, static_cast<double>(s))) / step;
        parts[static_cast<std::size_t>(i)].push_back({s, static_cast<float>(share)});
      }
    }
    return parts;
  };
  const auto columns = partsOf(image.width, width);
  const auto rows = partsOf(image.height, height);
  domain::Image out{width, height, {}};
  out.pixels.resize(std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  std::size_t at = 0;
  for (const auto& row : rows) {
    for (const auto& column : columns) {
      float sum[3] = {};
      for (const Part& y : row) {
        for (const Part& x : column) {
          const std::size_t from =
              (static_cast<std::size_t>(y.source) * static_cast<std::size_t>(image.width) + static_cast<std::size_t>(x.source)) *
              3;
          for (std::size_t c = 0; c < 3; ++c) {
            sum[c] += y.share * x.share * static_cast<float>(image.pixels[from + c]);
          }
        }
      }
      for (const float value : sum) {
        out.pixels[at++] = static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
      }
    }
  }
  return out;
}

domain::Image fitted(domain::Image image, int cell) {
  const int longer = std::max(image.width, image.height);
  if (longer <= cell) {
    return image;
  }
  const auto scaled = [&](int side) {
    return std::max(1, static_cast<int>(std::lround(static_cast<double>(side) * cell / longer)));
  };
  return shrunk(image, scaled(image.width), scaled(image.height));
}

void paste(domain::Image& sheet, const domain::Image& picture, int left, int top) {
  const auto bytes = static_cast<std::size_t>(picture.width) * 3;
  for (int y = 0; y < picture.height; ++y) {
    const auto* from = picture.pixels.data() + static_cast<std::size_t>(y) * bytes;
    const auto to =
        (static_cast<std::size_t>(top + y) * static_cast<std::size_t>(sheet.width) + static_cast<std::size_t>(left)) * 3;
    std::copy(from, from + bytes, sheet.pixels.begin() + static_cast<std::ptrdiff_t>(to));
  }
}

Result<void> check(const ContactSheetOptions& options) {
  if (options.cell < kMinCell || options.cell > kMaxCell || options.gap < 0 || options.gap > kMaxGap || options.columns < 0) {
    return Error{ErrorCode::InvalidArgument, "A contact sheet has cells of 16 to 1024 pixels and gaps of 0 to 256.", {}};
  }
  return {};
}

}  // namespace

Result<domain::Image> contactSheet(const QString& folder, const ContactSheetOptions& options) {
  if (auto checked = check(options); !checked) {
    return checked.error();
  }
  const QDir place(folder);
  const auto files = finishedPictures(place);
  if (!files) {
    return files.error();
  }
  QStringList pictures;
  for (const auto& [index, name] : *files) {
    if (name.contains(QLatin1Char('/'))) {
      return Error{ErrorCode::Io, "The picture '" + name.toStdString() + "' cannot be read; is it still in the folder?", {}};
    }
    pictures << place.filePath(name);
  }
  return contactSheetOf(pictures, options, [](qint64) { return true; });
}

Result<domain::Image> contactSheetOf(const QStringList& pictures, const ContactSheetOptions& options,
                                     const std::function<bool(qint64)>& progress) {
  if (auto checked = check(options); !checked) {
    return checked.error();
  }
  if (pictures.isEmpty()) {
    return Error{ErrorCode::NotFound, "There is no picture for the sheet.", {}};
  }
  const auto count = static_cast<std::int64_t>(pictures.size());
  const auto wide = static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(count) * 4 / 3)));
  const std::int64_t columns = std::min<std::int64_t>(options.columns > 0 ? options.columns : wide, count);
  const std::int64_t rows = (count + columns - 1) / columns;
  const std::int64_t pitch = options.cell + options.gap;
  const std::int64_t width = columns * pitch + options.gap;
  const std::int64_t height = rows * pitch + options.gap;
  if (width > domain::kMaxSide || height > domain::kMaxSide) {
    return Error{ErrorCode::InvalidArgument,
                 "A sheet of " + std::to_string(count) + " pictures would be " + std::to_string(width) + "x" +
                     std::to_string(height) + " pixels, more than " + std::to_string(domain::kMaxSide) +
                     " a side. Take smaller cells or other columns.",
                 {}};
  }
  domain::Image sheet{static_cast<int>(width), static_cast<int>(height), {}};
  sheet.pixels.resize(std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  for (std::size_t i = 0; i < sheet.pixels.size(); ++i) {
    sheet.pixels[i] = kBackground[i % 3];
  }
  std::int64_t number = 0;
  for (const QString& path : pictures) {
    auto picture = readPicture(path);
    if (!picture) {
      return picture.error();
    }
    const domain::Image small = fitted(std::move(*picture), options.cell);
    const std::int64_t left = options.gap + number % columns * pitch + (options.cell - small.width) / 2;
    const std::int64_t top = options.gap + number / columns * pitch + (options.cell - small.height) / 2;
    paste(sheet, small, static_cast<int>(left), static_cast<int>(top));
    ++number;
    if (!progress(number)) {
      return Error{ErrorCode::Cancelled, "The sheet was stopped.", {}};
    }
  }
  return sheet;
}

}  // namespace polyptych::gallery
