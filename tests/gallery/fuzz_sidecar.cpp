#include <cstdint>
#include <cstdlib>

#include "core/gallery/sidecar.h"

using namespace polyptych::gallery;

/// The input is a sidecar. What is read must be read the same from what is written of it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto marks = fromXmp(QByteArray(reinterpret_cast<const char*>(data), static_cast<qsizetype>(size)));
  if (marks) {
    const QByteArray written = toXmp(*marks);
    const auto again = written.size() <= kMaxSidecarBytes ? fromXmp(written) : polyptych::base::Result<PictureMarks>(*marks);
    if (!again || !(*again == *marks)) {
      std::abort();
    }
    // What others wrote around the marks must not change them.
    const QByteArray merged = mergeXmp(QByteArray(reinterpret_cast<const char*>(data), static_cast<qsizetype>(size)), *marks).xmp;
    const auto inside = merged.size() <= kMaxSidecarBytes ? fromXmp(merged) : polyptych::base::Result<PictureMarks>(*marks);
    if (!inside || !(*inside == *marks)) {
      std::abort();
    }
  }
  return 0;
}
