#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/checkpoint/tensor_view.h"

namespace polyptych::checkpoint {

/// Largest JSON header that the format's reference reader takes, in bytes.
inline constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

/// A safetensors file, read only. The tensors' bytes are pages of the mapped file (or the given bytes): nothing is copied, and
/// they live as long as this object. A file that is cut short by somebody while it is mapped ends the process with SIGBUS.
///
/// The file is 8 bytes header length (little-endian), a JSON object, then the tensors' bytes without holes, overlaps or a tail.
/// Stricter than the reference reader (safetensors 0.8): names and keys given twice, unknown keys of a tensor, and data that is
/// not aligned to its element type are refused. Every tensor's `bytes` begin at an address that is a multiple of
/// alignmentOf(dtype).
class SafetensorsFile {
 public:
  /// Errors: NotFound, Io, Corrupt (message begins with the file's path and says which rule is broken), Unsupported (unknown
  /// dtype).
  static base::Result<std::shared_ptr<const SafetensorsFile>> open(const std::filesystem::path& path);
  /// The same from memory; messages begin with "safetensors data".
  static base::Result<std::shared_ptr<const SafetensorsFile>> fromBytes(std::vector<std::byte> bytes);

  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;
  ~SafetensorsFile();

  const std::map<std::string, TensorView>& tensors() const { return m_tensors; }
  /// The header's "__metadata__"; empty if there is none.
  const std::map<std::string, std::string>& metadata() const { return m_metadata; }
  /// Bytes of the whole file.
  std::uint64_t sizeBytes() const { return m_bytes.size(); }

 private:
  SafetensorsFile() = default;

  std::vector<std::byte> m_owned;
  void* m_map = nullptr;
  std::span<const std::byte> m_bytes;
  std::map<std::string, TensorView> m_tensors;
  std::map<std::string, std::string> m_metadata;
};

struct NamedTensor {
  std::string name;
  TensorView view;
};

/// Makes the bytes of a file that SafetensorsFile takes; tensors stand by falling alignment, then by name, as the reference
/// writer puts them. Equal input gives equal bytes. Errors: InvalidArgument for a name twice or "__metadata__", a name that is
/// not UTF-8, or bytes that do not fit dtype and shape.
base::Result<std::vector<std::byte>> writeSafetensors(std::span<const NamedTensor> tensors,
                                                      const std::map<std::string, std::string>& metadata = {});

}  // namespace polyptych::checkpoint
