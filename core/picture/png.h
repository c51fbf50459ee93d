#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/domain/image.h"
#include "core/domain/request.h"

namespace polyptych::picture {

/// Limits of a file that is read: its bytes, and one text chunk with metadata, unpacked.
inline constexpr std::size_t kMaxPngBytes = std::size_t(512) << 20;
inline constexpr std::size_t kMaxMetadataBytes = std::size_t(32) << 20;

/// An 8-bit RGB PNG whose bytes depend on picture and metadata alone (fixed compression, no time). Text chunks stand before the
/// picture data: `parameters` (A1111's text; tEXt if it is ASCII, else iTXt) and `polyptych` (iTXt, the JSON of metadataJson()).
/// @return InvalidArgument if the image is empty, over domain::kMaxSide or its pixels do not fit its size; OutOfMemory; Internal
base::Result<std::vector<std::byte>> encodePng(const domain::Image& image, const domain::PictureMetadata& metadata);

/// The same without any text: for pictures that no request stands for, as a sheet of pictures. Errors as above.
base::Result<std::vector<std::byte>> encodePng(const domain::Image& image);

/// What encodePng() put into the `polyptych` chunk. Reads no picture data.
/// @return Corrupt for bytes that are no PNG or a damaged one, NotFound for a PNG without the chunk, Unsupported for a newer
/// format of the JSON
base::Result<domain::PictureMetadata> readPngMetadata(std::span<const std::byte> bytes);

/// The first text with this keyword in front of the picture data, as UTF-8: of a chunk tEXt, zTXt or iTXt, compressed or not.
/// Reads no picture data. @return Corrupt for bytes that are no PNG, a damaged one or a text over kMaxMetadataBytes; NotFound
base::Result<std::string> readPngText(std::span<const std::byte> bytes, std::string_view keyword);

/// Every chunk complete, every checksum right, nothing behind the end; says nothing about the picture data itself. @return
/// Corrupt
base::Result<void> checkPngChunks(std::span<const std::byte> bytes);

/// Decodes an 8-bit RGB PNG such as encodePng() makes. @return Corrupt (cut, damaged, trailing bytes), Unsupported (another kind
/// of PNG)
base::Result<domain::Image> decodePng(std::span<const std::byte> bytes);

/// Complete, every checksum right, decodable, of this size, nothing behind its end. @return Corrupt or Unsupported with what is
/// wrong
base::Result<void> checkPng(std::span<const std::byte> bytes, int width, int height);

}  // namespace polyptych::picture
