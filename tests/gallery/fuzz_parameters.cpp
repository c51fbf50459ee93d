#include <cstdint>
#include <cstdlib>

#include "core/gallery/picture_settings.h"

using namespace polyptych;

/// The input is the text that AUTOMATIC1111's program puts into a picture.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = QString::fromUtf8(reinterpret_cast<const char*>(data), static_cast<qsizetype>(size));
  const auto settings = gallery::settingsFromParameters(text);
  if (settings && (settings->request.width < domain::kMinSide || settings->request.height < domain::kMinSide ||
                   settings->request.width > domain::kMaxSide || settings->request.height > domain::kMaxSide ||
                   settings->request.steps < 1 || settings->request.steps > domain::kMaxSteps)) {
    std::abort();
  }
  return 0;
}
