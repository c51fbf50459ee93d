#include "core/backend/run.h"

#include <QSet>
#include <algorithm>
#include <set>

#include "core/devices/device_list.h"
#include "core/models/model_identity.h"

namespace polyptych::backend {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr int kMaxThreads = 1024;

Error invalid(std::string message) { return {ErrorCode::InvalidArgument, std::move(message), {}}; }

/// Cores of the CPU slots over their number.
int threadsFor(const std::vector<domain::DeviceSlot>& slots) {
  std::set<int> cores;
  int cpuSlots = 0;
  for (const domain::DeviceSlot& slot : slots) {
    if (slot.kind == domain::DeviceKind::Cpu) {
      ++cpuSlots;
      cores.insert(slot.cores.begin(), slot.cores.end());
    }
  }
  if (cpuSlots == 0) {
    return 1;
  }
  const auto count = static_cast<int>(cores.empty() ? devices::usableCores().size() : cores.size());
  return std::clamp(count / cpuSlots, 1, kMaxThreads);
}

}  // namespace

Result<void> checkSpec(const RunSpec& spec) {
  if (spec.requests.empty()) {
    return invalid("There are no prompts; give at least one.");
  }
  if (spec.slots.empty()) {
    return invalid("No device is chosen; choose at least one.");
  }
  QSet<QString> ids;
  for (const domain::DeviceSlot& slot : spec.slots) {
    const QString id = QString::fromStdString(slot.id);
    if (id.isEmpty() || ids.contains(id)) {
      return invalid("The device '" + slot.id + "' is chosen twice under one name.");
    }
    if (slot.kind == domain::DeviceKind::Cuda && slot.uuid.empty()) {
      return invalid("The GPU '" + slot.id + "' has no UUID, so no worker can be bound to it.");
    }
    ids.insert(id);
  }
  if (spec.plan.batch < 1 || spec.plan.batch > domain::kMaxBatch) {
    return invalid("The batch size is " + std::to_string(spec.plan.batch) + "; it must be between 1 and " +
                   std::to_string(domain::kMaxBatch) + ".");
  }
  if (spec.plan.threads < 0 || spec.plan.threads > kMaxThreads) {
    return invalid("Threads is " + std::to_string(spec.plan.threads) + "; it must be between 1 and " +
                   std::to_string(kMaxThreads) + ".");
  }
  const bool isOneUnit = spec.requests.size() <= static_cast<std::size_t>(spec.plan.batch);
  if (!isOneUnit && (spec.wantsTrace || !spec.initialLatents.empty())) {
    return invalid("A trace and initial latents are for one unit of work; ask for at most as many pictures as the batch size.");
  }
  for (std::size_t i = 0; i < spec.requests.size(); ++i) {
    if (spec.requests[i].index != static_cast<std::int64_t>(i)) {
      return invalid("The pictures of a run must be numbered from 0 in the order of their list.");
    }
  }
  return {};
}

Result<domain::RunPlan> fixPlan(const RunSpec& spec) {
  domain::RunPlan plan = spec.plan;
  if (plan.computeType == domain::ComputeType::Auto) {
    const bool isAllGpus =
        std::all_of(spec.slots.begin(), spec.slots.end(), [](const auto& slot) { return slot.kind == domain::DeviceKind::Cuda; });
    plan.computeType = isAllGpus ? domain::ComputeType::Fp16 : domain::ComputeType::Fp32;
  }
  if (plan.threads == 0) {
    plan.threads = threadsFor(spec.slots);
  }
  if (plan.model.hash.empty()) {
    Result<std::string> hash = models::hashOfModel(plan.model);
    if (!hash) {
      return hash.error();
    }
    plan.model.hash = std::move(*hash);
  }
  return plan;
}

std::vector<PlannedUnit> planUnits(std::size_t pictures, int batch) {
  std::vector<PlannedUnit> units;
  const auto size = static_cast<std::size_t>(batch);
  for (std::size_t first = 0; first < pictures; first += size) {
    units.push_back({first, std::min(size, pictures - first), 0});
  }
  return units;
}

domain::UnitOfWork workOf(const RunSpec& spec, const domain::RunPlan& plan, const PlannedUnit& unit) {
  domain::UnitOfWork work;
  work.id = unit.first;
  work.plan = plan;
  const auto first = spec.requests.begin() + static_cast<std::ptrdiff_t>(unit.first);
  work.requests.assign(first, first + static_cast<std::ptrdiff_t>(unit.count));
  work.wantsTrace = spec.wantsTrace;
  work.wantsPreviews = spec.wantsPreviews;
  work.initialLatents = spec.initialLatents;
  return work;
}

Result<PreparedRun> prepare(const RunSpec& spec) {
  domain::RunPlan checked = spec.plan;
  checked.computeType = checked.computeType == domain::ComputeType::Auto ? domain::ComputeType::Fp32 : checked.computeType;
  checked.threads = std::max(checked.threads, 1);
  const std::vector<PlannedUnit> units = planUnits(spec.requests.size(), spec.plan.batch);
  for (const PlannedUnit& unit : units) {
    if (const Result<void> valid = domain::validate(workOf(spec, checked, unit)); !valid) {
      return valid.error();
    }
  }
  Result<domain::RunPlan> plan = fixPlan(spec);
  if (!plan) {
    return plan.error();
  }
  gallery::FolderRun run;
  run.initialLatents =
      QByteArray(reinterpret_cast<const char*>(spec.initialLatents.data()), static_cast<qsizetype>(spec.initialLatents.size()));
  for (const PlannedUnit& unit : units) {
    const domain::UnitOfWork work = workOf(spec, *plan, unit);
    for (std::size_t i = 0; i < unit.count; ++i) {
      run.pictures.push_back(domain::metadataOf(work, i));
    }
  }
  auto folder = gallery::OutputFolder::open(spec.outputFolder, std::move(run));
  if (!folder) {
    return folder.error();
  }
  return PreparedRun{std::move(*plan), std::move(*folder)};
}

}  // namespace polyptych::backend
