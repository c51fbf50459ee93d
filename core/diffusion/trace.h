#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <string>
#include <vector>

namespace polyptych::diffusion {

/// Collects the tensors of one unit of work, for comparison with other programs, and writes them as a safetensors file.
class Trace {
 public:
  explicit Trace(bool isWanted) : m_isWanted(isWanted) {}

  bool isWanted() const { return m_isWanted; }
  /// Keeps a CPU copy in the tensor's own type. Does nothing if no trace is wanted.
  void add(const std::string& name, const at::Tensor& tensor);
  /// "noise_pred" and 7 make "noise_pred.007".
  void add(const std::string& name, int call, const at::Tensor& tensor);
  /// The file's bytes; empty if no trace is wanted. Throws EngineFailure.
  std::vector<std::byte> bytes() const;

 private:
  bool m_isWanted;
  std::vector<std::pair<std::string, at::Tensor>> m_tensors;
};

}  // namespace polyptych::diffusion
