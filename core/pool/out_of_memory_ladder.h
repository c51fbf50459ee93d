#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/domain/engine.h"
#include "core/domain/request.h"
#include "core/pool/supervision_limits.h"

namespace polyptych::pool {

/// The settings of a unit that decide how much memory it takes: a place on the ladder.
struct Rung {
  int pictures = 1;
  int width = 512;
  int height = 512;
  bool vaeSlicing = false;
  bool vaeTiling = false;

  friend bool operator==(const Rung&, const Rung&) = default;
};

Rung rungOf(const domain::UnitOfWork& unit);
/// True if `a` never takes more memory than `b`.
bool isAtMost(const Rung& a, const Rung& b);

enum class LadderStepKind { SmallerBatch, VaeSlicing, VaeTiling, SmallerSize };

/// "smaller_batch" and so on: what is recorded with a picture.
std::string_view nameOf(LadderStepKind kind);

struct LadderStep {
  LadderStepKind kind = LadderStepKind::SmallerBatch;
  Rung to;
  std::string sentence;  ///< what changed, for the history of the unit

  friend bool operator==(const LadderStep&, const LadderStep&) = default;
};

/// The next rung down; nothing at the foot. Batches are halved down to one picture, then the VAE works in tiles, then, only if
/// the user allows it, the picture gets smaller by a quarter a side (multiples of 64, proportions kept as near as they allow).
/// Where memory ran out in decoding with several pictures, denoising fits: there the VAE takes one picture at a time first, then
/// tiles, and only then is the batch halved. Steps that change nothing are left out: slicing with one picture, tiles larger than
/// it.
/// @param stage     where memory ran out
/// @param tileSide  pixels above which the model's VAE cuts tiles (VaeConfig::sampleSize); 0: not known, then tiles are tried
std::optional<LadderStep> nextStep(const Rung& rung, domain::Stage stage, int tileSide, const SupervisionLimits& limits);

/// A unit on a rung below its own, as units to be given one by one: requests in their order, `rung.pictures` at most in each.
/// Plan and requests say what changed, so that it is in the picture's own metadata too. Ids are the unit's; the caller gives new
/// ones.
/// @return nothing if the unit brings its own latents and would be split or resized: they cannot be, so it is parked
std::vector<domain::UnitOfWork> splitToRung(const domain::UnitOfWork& unit, const Rung& rung);

/// What devices could not do for lack of memory, and what follows.
///
/// A picture depends on its request and plan, never on the device that happens to make it. So what is known of a device decides
/// only where a unit goes. The plan changes when, and only when, every device that may take the unit has refused it as it is (and
/// at least SupervisionLimits::maxOutOfMemoryPerUnit refusals were counted, because another program may have had the memory for a
/// moment). As long as one device can make it unchanged the others leave it, idle or not. So equal units end on the same rung
/// whichever device comes to them first, in whatever order; and a unit whose settings all devices have refused may begin on the
/// rung where it would end anyway. Only a change of the machine (a device added, removed or told to forget) moves equal units
/// apart, and the steps recorded with each tell it.
class OutOfMemoryLadder {
 public:
  explicit OutOfMemoryLadder(const SupervisionLimits& limits) : m_limits(limits) {}

  /// Everything that decides over memory but is not in a Rung: model, compute type, whether guidance is active.
  using ShapeKey = std::uint64_t;
  using DeviceKey = std::string;

  void noteRefused(const DeviceKey& device, ShapeKey shape, const Rung& rung, domain::Stage stage);
  /// Takes back what it disproves: the device's refusals of rungs that take no more.
  void noteMade(const DeviceKey& device, ShapeKey shape, const Rung& rung);
  /// The device was removed, added or has other memory now.
  void forget(const DeviceKey& device);
  /// The user tries again.
  void forgetAll();

  /// True if the device refused this or less: the unit avoids it (queue::WaitingUnit::avoidedSlots) while another may take it.
  bool isTooMuch(const DeviceKey& device, ShapeKey shape, const Rung& rung) const;

  struct Decision {
    enum class Kind {
      Retry,     ///< as it is: on a device that is not too small by isTooMuch(), or on any if there is none
      StepDown,  ///< changed by `step`; startingSteps() of that rung may lead further down at once
      Park,
    };
    Kind kind = Kind::Retry;
    std::optional<LadderStep> step;
    std::string sentence;  ///< for the unit: what happens now and why
  };

  /// After noteRefused().
  /// @param refusals  of this unit on this rung, the last one included. A bound for a unit that is refused again and again while
  ///                  others of its shape are made: it steps down by itself
  /// @param devices   all that may take the unit: neither set aside nor barred from its model
  Decision decide(ShapeKey shape, const Rung& rung, int refusals, std::span<const DeviceKey> devices, int tileSide);

  /// Steps that a unit takes before its first attempt, because no device can make it as it is; to be recorded with it like those
  /// that it took itself. Empty for most.
  std::vector<LadderStep> startingSteps(ShapeKey shape, const Rung& rung, std::span<const DeviceKey> devices, int tileSide) const;

 private:
  struct Refusal {
    Rung rung;
    domain::Stage stage;
    int count = 0;
  };
  struct Way {
    ShapeKey shape;
    Rung rung;
    domain::Stage stage;
  };

  bool isTooMuchForAll(ShapeKey shape, const Rung& rung, std::span<const DeviceKey> devices) const;
  domain::Stage stageOf(ShapeKey shape, const Rung& rung, std::span<const DeviceKey> devices) const;

  SupervisionLimits m_limits;
  std::map<std::pair<DeviceKey, ShapeKey>, std::vector<Refusal>> m_refusals;
  /// By which stage a rung was left the first time: the next unit takes the same way down, whatever was refused since.
  std::vector<Way> m_ways;
};

}  // namespace polyptych::pool
