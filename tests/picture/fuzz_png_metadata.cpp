#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "core/picture/metadata_text.h"
#include "core/picture/png.h"

using namespace polyptych;

/// The input is read as the JSON text and as a file. What is read must survive another round.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto metadata = picture::metadataFromJson(std::string_view(reinterpret_cast<const char*>(data), size));
  if (metadata) {
    const auto again = picture::metadataFromJson(picture::metadataJson(*metadata));
    if (!again || !(*again == *metadata)) {
      std::abort();
    }
    const domain::Image pixel{1, 1, {1, 2, 3}};
    const auto file = picture::encodePng(pixel, *metadata);
    if (!file || !picture::checkPng(*file, 1, 1)) {
      std::abort();
    }
    const auto back = picture::readPngMetadata(*file);
    if (!back || !(*back == *metadata)) {
      std::abort();
    }
  }
  (void)picture::readPngMetadata(bytes);
  if (const auto text = picture::readPngText(bytes, "parameters"); text && text->size() > 2 * picture::kMaxMetadataBytes) {
    std::abort();
  }
  (void)picture::decodePng(bytes);
  return 0;
}
