#include <QCryptographicHash>
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "core/library/run_file.h"

using namespace polyptych::library;

namespace {

/// What a writer would put behind these lines.
QByteArray lastLine(const QByteArray& lines) {
  const auto requests = std::max<qsizetype>(lines.count('\n') - 1, 0);
  return "{\"requests\":" + QByteArray::number(requests) + ",\"sha256\":\"" +
         QCryptographicHash::hash(lines, QCryptographicHash::Sha256).toHex() + "\"}\n";
}

}  // namespace

/// The first byte says whether the rest is a file ('f'), or lines to which the last one is added so that they are looked at. What
/// is read must be read the same from what is written of it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  QByteArray bytes(reinterpret_cast<const char*>(data) + 1, static_cast<qsizetype>(size) - 1);
  if (data[0] != 'f') {
    bytes += lastLine(bytes);
  }
  const auto record = fromRunFile(bytes);
  if (!record) {
    return 0;
  }
  const QByteArray written = toRunFile(*record);
  const auto again = fromRunFile(written);
  if (!again || again->requests != record->requests || !(again->plan == record->plan) || toRunFile(*again) != written) {
    std::abort();
  }
  return 0;
}
