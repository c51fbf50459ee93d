#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "core/checkpoint/safetensors.h"

using namespace polyptych::checkpoint;

namespace {

/// What was read must be written and read again as the same.
void checkRoundTrip(const SafetensorsFile& file) {
  std::vector<NamedTensor> tensors;
  std::uint64_t sum = 0;
  for (const auto& [name, view] : file.tensors()) {
    for (const std::byte byte : view.bytes) {
      sum += static_cast<std::uint64_t>(byte);
    }
    tensors.push_back({name, view});
  }
  const auto bytes = writeSafetensors(tensors, file.metadata());
  if (!bytes) {
    std::abort();
  }
  const auto again = SafetensorsFile::fromBytes(*bytes);
  if (!again || (*again)->metadata() != file.metadata() || (*again)->tensors().size() != tensors.size()) {
    std::abort();
  }
  for (const auto& [name, view] : (*again)->tensors()) {
    const TensorView& before = file.tensors().at(name);
    if (view.dtype != before.dtype || view.shape != before.shape || view.bytes.size() != before.bytes.size()) {
      std::abort();
    }
    for (const std::byte byte : view.bytes) {
      sum -= static_cast<std::uint64_t>(byte);
    }
  }
  if (sum != 0) {
    std::abort();
  }
}

void readOnce(std::vector<std::byte> bytes) {
  const auto file = SafetensorsFile::fromBytes(std::move(bytes));
  if (!file) {
    if (file.error().message.empty()) {
      std::abort();
    }
    return;
  }
  checkRoundTrip(**file);
}

}  // namespace

/// The input is read as a whole file, and as a header behind a length that fits it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* const begin = reinterpret_cast<const std::byte*>(data);
  readOnce({begin, begin + size});
  if (size < 2) {
    return 0;
  }
  // The first two bytes say where the header ends, so that the fuzzer can move the border.
  const std::size_t rest = size - 2;
  const std::size_t header = (static_cast<std::size_t>(data[0]) | static_cast<std::size_t>(data[1]) << 8) % (rest + 1);
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < 8; ++i) {
    bytes.push_back(static_cast<std::byte>((header >> (8 * i)) & 0xff));
  }
  bytes.insert(bytes.end(), begin + 2, begin + size);
  readOnce(std::move(bytes));
  return 0;
}
