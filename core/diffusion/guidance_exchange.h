#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "core/base/result.h"
#include "core/domain/request.h"

namespace polyptych::diffusion {

/// Two engines that make one picture together: each predicts the noise for one half of the guidance, and both go on with both
/// halves. Everything else (prompts, noise, scheduler) each has by itself, so that nothing but predictions travels.
/// Implemented by core/distributed.
class GuidanceExchange {
 public:
  enum class Side {
    Unconditional,  ///< leads: it decodes and has the pictures
    Conditional     ///< helps: its outcome has no pictures
  };

  /// This side exchanges nothing more for the unit, whether it is done, cancelled or failed; the other side learns it.
  virtual ~GuidanceExchange() = default;
  virtual Side side() const = 0;
  /// Gives this side's prediction and takes the other's. @param own  [B, C, H/8, W/8], contiguous. @return a tensor of the same
  /// shape and type; Cancelled: the other side has left the unit; any other error: it is gone. It does not come back for this
  /// unit
  virtual base::Result<at::Tensor> exchange(const at::Tensor& own) = 0;
};

/// Where an engine gets its partner from.
class ExchangeSource {
 public:
  virtual ~ExchangeSource() = default;
  /// Called once a guided unit, on the engine's thread. @return nullptr: the unit is made alone; an error ends the unit with it
  virtual base::Result<std::unique_ptr<GuidanceExchange>> open(const domain::UnitOfWork& unit) = 0;
};

}  // namespace polyptych::diffusion
