#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/checkpoint/weight_set.h"
#include "core/domain/engine.h"

namespace polyptych::diffusion {

/// Hands one component's tensors to the network that is being built from them, and keeps account: every tensor has to be asked
/// for, be there and have the right shape. Faults are collected, so that the user sees all of them at once in finish().
class WeightReader {
 public:
  /// @param what   the component in messages: a folder name, "unet"
  /// @param type   compute type: kFloat, kHalf or kBFloat16
  /// @param doneBefore,total  bytes for the observer where several components make one load; total 0: this component's own bytes
  WeightReader(checkpoint::WeightSet set, std::string what, at::Device device, at::ScalarType type,
               domain::LoadObserver& observer, std::uint64_t doneBefore = 0, std::uint64_t total = 0);

  /// The tensor on the device in the compute type. A CPU tensor that is stored in that type is a view of the mapped file, which
  /// it keeps alive; it must not be written to. A tensor that is not there or cannot be taken gives a placeholder of the shape,
  /// and finish() fails. Throws EngineFailure(Cancelled) when the observer says so.
  at::Tensor take(const std::string& name, at::IntArrayRef shape);
  /// The same for a tensor that older programs wrote under another name: `oldName` is taken if `name` is not there.
  at::Tensor take(const std::string& name, const std::string& oldName, at::IntArrayRef shape);
  /// The name is known and not needed: no fault if the files have it.
  void ignore(const std::string& name);
  bool contains(const std::string& name) const { return m_set.find(name) != nullptr; }

  at::Device device() const { return m_device; }
  at::ScalarType type() const { return m_type; }
  /// `doneBefore` plus the bytes of the files that were taken so far.
  std::uint64_t bytesDone() const { return m_done; }

  /// To be called once, after the network took everything: ModelUnusable with the first ten faults and their number if a tensor
  /// is missing, left over, has another shape or numbers that are not floating point.
  base::Result<void> finish();

 private:
  at::Tensor convert(const checkpoint::TensorView& view, at::ScalarType stored) const;

  checkpoint::WeightSet m_set;
  std::string m_what;
  at::Device m_device;
  at::ScalarType m_type;
  domain::LoadObserver& m_observer;
  std::uint64_t m_done;
  std::uint64_t m_total;
  std::set<std::string> m_taken;
  std::vector<std::string> m_faults;
};

}  // namespace polyptych::diffusion
