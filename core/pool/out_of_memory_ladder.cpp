#include "core/pool/out_of_memory_ladder.h"

#include <algorithm>
#include <cmath>

namespace polyptych::pool {

using domain::Stage;

namespace {

constexpr int kSizeGrid = 64;
/// Steps of any unit end well below this: halvings of 64 pictures, two of the VAE, sizes from 8192 down.
constexpr int kMostSteps = 64;

std::string sizeOf(const Rung& rung) { return std::to_string(rung.width) + "x" + std::to_string(rung.height); }

/// Three quarters of the sides on the grid; nothing if a side would become smaller than allowed.
std::optional<Rung> smaller(const Rung& rung, int smallestSide) {
  const auto onGrid = [](double side) { return std::max(kSizeGrid, static_cast<int>(std::floor(side / kSizeGrid)) * kSizeGrid); };
  const double longer = std::max(rung.width, rung.height);
  const int newLonger = onGrid(longer * 0.75);
  const double scale = newLonger / longer;
  Rung next = rung;
  next.width = rung.width >= rung.height ? newLonger : onGrid(rung.width * scale + kSizeGrid / 2.0);
  next.height = rung.height >= rung.width ? newLonger : onGrid(rung.height * scale + kSizeGrid / 2.0);
  next.width = std::min(next.width, rung.width);
  next.height = std::min(next.height, rung.height);
  const bool isSmaller = next.width < rung.width || next.height < rung.height;
  return isSmaller && std::min(next.width, next.height) >= smallestSide ? std::optional(next) : std::nullopt;
}

}  // namespace

Rung rungOf(const domain::UnitOfWork& unit) {
  Rung rung;
  rung.pictures = static_cast<int>(unit.requests.size());
  if (!unit.requests.empty()) {
    rung.width = unit.requests.front().width;
    rung.height = unit.requests.front().height;
  }
  rung.vaeSlicing = unit.plan.vaeSlicing;
  rung.vaeTiling = unit.plan.vaeTiling;
  return rung;
}

bool isAtMost(const Rung& a, const Rung& b) {
  return a.pictures <= b.pictures && a.width <= b.width && a.height <= b.height && a.vaeSlicing >= b.vaeSlicing &&
         a.vaeTiling >= b.vaeTiling;
}

std::string_view nameOf(LadderStepKind kind) {
  switch (kind) {
    case LadderStepKind::SmallerBatch:
      return "smaller_batch";
    case LadderStepKind::VaeSlicing:
      return "vae_slicing";
    case LadderStepKind::VaeTiling:
      return "vae_tiling";
    case LadderStepKind::SmallerSize:
      return "smaller_size";
  }
  return "unknown";
}

std::optional<LadderStep> nextStep(const Rung& rung, Stage stage, int tileSide, const SupervisionLimits& limits) {
  const bool hasTiles = tileSide <= 0 || std::max(rung.width, rung.height) > tileSide;
  const bool canTile = !rung.vaeTiling && hasTiles;
  const bool isVaeFirst = stage == Stage::Decoding && rung.pictures > 1;
  LadderStep step;
  step.to = rung;
  if (isVaeFirst && !rung.vaeSlicing) {
    step.kind = LadderStepKind::VaeSlicing;
    step.to.vaeSlicing = true;
    step.sentence = "Memory was too small to decode " + std::to_string(rung.pictures) +
                    " pictures at once; they are decoded one after another (VAE slicing).";
  } else if (canTile && (isVaeFirst || rung.pictures <= 1)) {
    step.kind = LadderStepKind::VaeTiling;
    step.to.vaeTiling = true;
    step.sentence =
        "Memory was too small to decode a picture of " + sizeOf(rung) + " in one piece; it is decoded in tiles (VAE tiling).";
  } else if (rung.pictures > 1) {
    step.kind = LadderStepKind::SmallerBatch;
    step.to.pictures = (rung.pictures + 1) / 2;
    step.sentence = "Memory was too small for " + std::to_string(rung.pictures) + " pictures at once; the batch is now " +
                    std::to_string(step.to.pictures) + ".";
  } else if (const std::optional<Rung> next = limits.allowsSmallerSize ? smaller(rung, limits.smallestSide) : std::nullopt;
             next) {
    step.kind = LadderStepKind::SmallerSize;
    step.to = *next;
    step.sentence = "Memory was too small for a picture of " + sizeOf(rung) + "; it is now " + sizeOf(*next) + ".";
  } else {
    return std::nullopt;
  }
  return step;
}

std::vector<domain::UnitOfWork> splitToRung(const domain::UnitOfWork& unit, const Rung& rung) {
  std::vector<domain::UnitOfWork> units;
  const Rung own = rungOf(unit);
  const bool isOneOfItsSize = rung.pictures >= own.pictures && rung.width == own.width && rung.height == own.height;
  if (!unit.initialLatents.empty() && !isOneOfItsSize) {
    return units;
  }
  const auto pictures = static_cast<std::size_t>(std::max(rung.pictures, 1));
  for (std::size_t first = 0; first < unit.requests.size(); first += pictures) {
    domain::UnitOfWork part;
    part.id = unit.id;
    part.plan = unit.plan;
    part.wantsTrace = unit.wantsTrace;
    part.wantsPreviews = unit.wantsPreviews;
    part.plan.vaeSlicing = rung.vaeSlicing;
    part.plan.vaeTiling = rung.vaeTiling;
    // The plan's batch says how units were made; a last unit that was short anyway is not changed by that.
    part.plan.batch = pictures < unit.requests.size() ? static_cast<int>(pictures) : unit.plan.batch;
    for (std::size_t i = first; i < std::min(first + pictures, unit.requests.size()); ++i) {
      part.requests.push_back(unit.requests[i]);
      part.requests.back().width = rung.width;
      part.requests.back().height = rung.height;
    }
    units.push_back(std::move(part));
  }
  if (units.size() == 1) {
    units.front().initialLatents = unit.initialLatents;
  }
  return units;
}

void OutOfMemoryLadder::noteRefused(const DeviceKey& device, ShapeKey shape, const Rung& rung, Stage stage) {
  std::vector<Refusal>& refusals = m_refusals[{device, shape}];
  for (Refusal& refusal : refusals) {
    if (refusal.rung == rung) {
      refusal.stage = std::min(refusal.stage, stage);
      ++refusal.count;
      return;
    }
  }
  refusals.push_back({rung, stage, 1});
}

void OutOfMemoryLadder::noteMade(const DeviceKey& device, ShapeKey shape, const Rung& rung) {
  const auto found = m_refusals.find({device, shape});
  if (found == m_refusals.end()) {
    return;
  }
  std::erase_if(found->second, [&rung](const Refusal& refusal) { return isAtMost(refusal.rung, rung); });
  if (found->second.empty()) {
    m_refusals.erase(found);
  }
}

void OutOfMemoryLadder::forget(const DeviceKey& device) {
  std::erase_if(m_refusals, [&device](const auto& entry) { return entry.first.first == device; });
  m_ways.clear();
}

void OutOfMemoryLadder::forgetAll() {
  m_refusals.clear();
  m_ways.clear();
}

bool OutOfMemoryLadder::isTooMuch(const DeviceKey& device, ShapeKey shape, const Rung& rung) const {
  const auto found = m_refusals.find({device, shape});
  return found != m_refusals.end() && std::any_of(found->second.begin(), found->second.end(),
                                                  [&rung](const Refusal& refusal) { return isAtMost(refusal.rung, rung); });
}

bool OutOfMemoryLadder::isTooMuchForAll(ShapeKey shape, const Rung& rung, std::span<const DeviceKey> devices) const {
  int count = 0;
  for (const DeviceKey& device : devices) {
    const auto found = m_refusals.find({device, shape});
    int ofDevice = 0;
    if (found != m_refusals.end()) {
      for (const Refusal& refusal : found->second) {
        ofDevice += isAtMost(refusal.rung, rung) ? refusal.count : 0;
      }
    }
    if (ofDevice == 0) {
      return false;
    }
    count += ofDevice;
  }
  return !devices.empty() && count >= m_limits.maxOutOfMemoryPerUnit;
}

/// Where memory ran out on this rung; before decoding if it did so on any device.
Stage OutOfMemoryLadder::stageOf(ShapeKey shape, const Rung& rung, std::span<const DeviceKey> devices) const {
  for (const Way& way : m_ways) {
    if (way.shape == shape && way.rung == rung) {
      return way.stage;
    }
  }
  std::optional<Stage> earliest;
  for (const DeviceKey& device : devices) {
    if (const auto found = m_refusals.find({device, shape}); found != m_refusals.end()) {
      for (const Refusal& refusal : found->second) {
        if (isAtMost(refusal.rung, rung)) {
          earliest = std::min(earliest.value_or(Stage::Decoding), refusal.stage);
        }
      }
    }
  }
  return earliest.value_or(Stage::Denoising);
}

OutOfMemoryLadder::Decision OutOfMemoryLadder::decide(ShapeKey shape, const Rung& rung, int refusals,
                                                      std::span<const DeviceKey> devices, int tileSide) {
  Decision decision;
  const std::int64_t mostRefusals = static_cast<std::int64_t>(m_limits.maxOutOfMemoryPerUnit) *
                                    static_cast<std::int64_t>(std::max<std::size_t>(devices.size(), 1));
  if (refusals < mostRefusals && !isTooMuchForAll(shape, rung, devices)) {
    const bool hasRoomier =
        std::any_of(devices.begin(), devices.end(), [&](const DeviceKey& device) { return !isTooMuch(device, shape, rung); });
    decision.sentence = hasRoomier ? "Memory of the device was too small; another one tries it as it is."
                                   : "Memory of the device was too small; it is tried once more as it is, with a clean worker.";
    return decision;
  }
  const Stage stage = stageOf(shape, rung, devices);
  decision.step = nextStep(rung, stage, tileSide, m_limits);
  if (decision.step) {
    if (std::none_of(m_ways.begin(), m_ways.end(), [&](const Way& way) { return way.shape == shape && way.rung == rung; })) {
      m_ways.push_back({shape, rung, stage});
    }
    decision.kind = Decision::Kind::StepDown;
    decision.sentence = decision.step->sentence;
    return decision;
  }
  decision.kind = Decision::Kind::Park;
  decision.sentence =
      "No device has enough memory for a picture of " + sizeOf(rung) +
      (rung.vaeTiling ? ", even with a batch of one and VAE tiling." : ", even with a batch of one.") +
      (m_limits.allowsSmallerSize ? " Take a smaller model or compute type, or end other programs that use the memory."
                                  : " Ask for a smaller size, or allow smaller sizes in the settings.");
  return decision;
}

std::vector<LadderStep> OutOfMemoryLadder::startingSteps(ShapeKey shape, const Rung& rung, std::span<const DeviceKey> devices,
                                                         int tileSide) const {
  std::vector<LadderStep> steps;
  Rung at = rung;
  while (static_cast<int>(steps.size()) < kMostSteps && isTooMuchForAll(shape, at, devices)) {
    std::optional<LadderStep> step = nextStep(at, stageOf(shape, at, devices), tileSide, m_limits);
    if (!step) {
      break;  // its own attempt parks it, with the reason
    }
    at = step->to;
    steps.push_back(std::move(*step));
  }
  return steps;
}

}  // namespace polyptych::pool
