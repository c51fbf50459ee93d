#include <cstdint>
#include <cstdlib>

#include "core/gallery/manifest_row.h"
#include "core/gallery/upkeep/manifest_lines.h"

using namespace polyptych::gallery;

/// The input is a manifest, read as the upkeep does and line by line. What is read of a line must be read the same from what is
/// written of it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const QByteArray manifest(reinterpret_cast<const char*>(data), static_cast<qsizetype>(size));
  for (const ManifestLine& line : readManifestLines(manifest, 1)) {
    const auto row = rowFromLine(line.text);
    if (!row) {
      continue;
    }
    const QByteArray written = toLine(*row);
    const auto again = rowFromLine(written);
    if (!again || toLine(*again) != written || !(again->metadata == row->metadata) || again->file != row->file ||
        again->run != row->run || again->error.has_value() != row->error.has_value()) {
      std::abort();
    }
    if (line.isReadable && (line.file != row->file || line.isDone == row->error.has_value())) {
      std::abort();
    }
  }
  return 0;
}
