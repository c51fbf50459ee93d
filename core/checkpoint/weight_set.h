#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/checkpoint/safetensors.h"

namespace polyptych::checkpoint {

/// All tensors of one component, over its shards. Cheap to copy: copies share the mapped files.
class WeightSet {
 public:
  WeightSet() = default;
  /// Errors: those of SafetensorsFile::open(), Corrupt for a tensor that two shards have.
  static base::Result<WeightSet> open(const std::vector<std::filesystem::path>& shards);
  /// The same tensors under other names; those for which `rename` gives nothing are left out.
  /// Errors: Corrupt for a name that two tensors would have.
  base::Result<WeightSet> renamed(const std::function<std::optional<std::string>(const std::string&)>& rename) const;

  /// @return null if there is no such tensor. Valid while keepAlive() or a copy of this set is held.
  const TensorView* find(const std::string& name) const;
  /// Sorted.
  std::vector<std::string> names() const;
  /// Sum of the tensors' bytes.
  std::uint64_t totalBytes() const;
  /// Owner of the mapped bytes, for tensors that point into them.
  std::shared_ptr<const void> keepAlive() const { return m_state; }

 private:
  struct State {
    std::vector<std::shared_ptr<const SafetensorsFile>> files;
    std::map<std::string, TensorView> tensors;
    std::uint64_t totalBytes = 0;
  };
  std::shared_ptr<const State> m_state;
};

}  // namespace polyptych::checkpoint
