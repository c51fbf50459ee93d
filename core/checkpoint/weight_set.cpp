#include "core/checkpoint/weight_set.h"

#include <utility>

namespace polyptych::checkpoint {

base::Result<WeightSet> WeightSet::open(const std::vector<std::filesystem::path>& shards) {
  auto state = std::make_shared<State>();
  for (const std::filesystem::path& path : shards) {
    auto file = SafetensorsFile::open(path);
    if (!file) {
      return file.error();
    }
    for (const auto& [name, view] : (*file)->tensors()) {
      if (!state->tensors.emplace(name, view).second) {
        return base::Error{base::ErrorCode::Corrupt,
                           path.string() + " has the tensor \"" + name + "\", which another file of this component has too.",
                           {}};
      }
      state->totalBytes += view.bytes.size();
    }
    state->files.push_back(std::move(*file));
  }
  WeightSet set;
  set.m_state = std::move(state);
  return set;
}

base::Result<WeightSet> WeightSet::renamed(const std::function<std::optional<std::string>(const std::string&)>& rename) const {
  auto state = std::make_shared<State>();
  if (m_state) {
    state->files = m_state->files;
    for (const auto& [name, view] : m_state->tensors) {
      const std::optional<std::string> next = rename(name);
      if (!next) {
        continue;
      }
      if (!state->tensors.emplace(*next, view).second) {
        return base::Error{
            base::ErrorCode::Corrupt, "The weights have the tensor \"" + *next + "\" twice, under an old and a new name.", {}};
      }
      state->totalBytes += view.bytes.size();
    }
  }
  WeightSet set;
  set.m_state = std::move(state);
  return set;
}

const TensorView* WeightSet::find(const std::string& name) const {
  if (!m_state) {
    return nullptr;
  }
  const auto found = m_state->tensors.find(name);
  return found == m_state->tensors.end() ? nullptr : &found->second;
}

std::vector<std::string> WeightSet::names() const {
  std::vector<std::string> out;
  if (m_state) {
    out.reserve(m_state->tensors.size());
    for (const auto& [name, view] : m_state->tensors) {
      out.push_back(name);
    }
  }
  return out;
}

std::uint64_t WeightSet::totalBytes() const { return m_state ? m_state->totalBytes : 0; }

}  // namespace polyptych::checkpoint
