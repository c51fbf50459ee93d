#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/shared_pages.h"
#include "core/checkpoint/weight_set.h"
#include "core/domain/engine.h"

namespace polyptych::diffusion {

/// Tensors of one component by their names, on the device in the compute type.
using FilledWeights = std::map<std::string, at::Tensor>;

/// A tensor of the files that take() copies: whatever is not a CPU's view of the mapped file.
struct CopiedWeight {
  std::string name;
  at::Tensor mapped;  ///< as stored; keeps the files open
};
/// Those of one component, sorted by name; what is no floating-point number is left out.
std::vector<CopiedWeight> copiedWeights(const checkpoint::WeightSet& set, at::Device device, at::ScalarType type);

/// Hands one component's tensors to the network that is being built from them, and keeps account: every tensor has to be asked
/// for, be there and have the right shape. Faults are collected, so that the user sees all of them at once in finish().
class WeightReader {
 public:
  /// @param what   the component in messages: a folder name, "unet"
  /// @param type   compute type: kFloat, kHalf or kBFloat16
  /// @param doneBefore,total  bytes for the observer where several components make one load; total 0: this component's own bytes
  WeightReader(checkpoint::WeightSet set, std::string what, at::Device device, at::ScalarType type,
               domain::LoadObserver& observer, std::uint64_t doneBefore = 0, std::uint64_t total = 0,
               std::shared_ptr<base::SharedPages> shared = nullptr, FilledWeights filled = {});

  /// The tensor on the device in the compute type. A CPU tensor that is stored in that type is a view of the mapped file, which
  /// it keeps alive; it must not be written to. One of `filled` is that one. A tensor that is not there or cannot be taken gives
  /// a placeholder of the shape, and finish() fails. Throws EngineFailure(Cancelled) when the observer says so.
  at::Tensor take(const std::string& name, at::IntArrayRef shape);
  /// The name is known and not needed: no fault if the files have it.
  void ignore(const std::string& name);
  bool contains(const std::string& name) const { return m_set.find(name) != nullptr; }

  /// A tensor that take() gave is a view of the mapped file.
  bool isMapped(const at::Tensor& tensor) const { return m_mapped.contains(tensor.const_data_ptr()); }

  /// For the layouts that the CPU's kernels want; may be nullptr.
  const std::shared_ptr<base::SharedPages>& sharedPages() const { return m_shared; }

  at::Device device() const { return m_device; }
  at::ScalarType type() const { return m_type; }
  /// `doneBefore` plus the bytes of the files that were taken so far.
  std::uint64_t bytesDone() const { return m_done; }

  /// To be called once, after the network took everything: ModelUnusable with the first ten faults and their number if a tensor
  /// is missing, left over, has another shape or numbers that are not floating point.
  base::Result<void> finish();

 private:
  at::Tensor convert(const std::string& name, const checkpoint::TensorView& view, at::ScalarType stored);

  checkpoint::WeightSet m_set;
  std::string m_what;
  at::Device m_device;
  at::ScalarType m_type;
  domain::LoadObserver& m_observer;
  std::uint64_t m_done;
  std::uint64_t m_total;
  std::set<std::string> m_taken;
  std::set<const void*> m_mapped;
  std::vector<std::string> m_faults;
  std::shared_ptr<base::SharedPages> m_shared;
  FilledWeights m_filled;
};

/// Takes the whole pages below a view of a mapped file out of this process's memory; they come back from the file when they are
/// read again.
void releasePages(const at::Tensor& mapped);

}  // namespace polyptych::diffusion
