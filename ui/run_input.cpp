#include "ui/run_input.h"

#include <QHash>
#include <QRandomGenerator>

#include "core/domain/scheduler_name.h"

namespace polyptych::ui {
namespace {

backend::RunSpec specOf(std::vector<domain::GenerationRequest> requests, const models::ModelSummary& model,
                        const std::vector<domain::DeviceSlot>& slotList) {
  backend::RunSpec spec;
  spec.requests = std::move(requests);
  spec.plan.model.folder = model.path.toStdString();
  spec.plan.model.name = model.name.toStdString();
  spec.plan.model.variant = model.variant.toStdString();
  spec.plan.computeType = domain::ComputeType::Auto;
  spec.plan.threads = 0;
  spec.slots = slotList;
  spec.wantsPreviews = true;
  return spec;
}

}  // namespace

std::variant<std::vector<backend::RunSpec>, Refusal> specsOf(const RunInput& input,
                                                             const std::vector<domain::DeviceSlot>& slotList,
                                                             const DescribeModel& describeModel) {
  QStringList references;
  QHash<QString, std::vector<prompt::PromptEntry>> byModel;
  for (const prompt::PromptEntry& entry : input.entries) {
    if (entry.isEnabled) {
      const QString reference = entry.model ? QString::fromStdString(*entry.model) : input.modelReference;
      if (!byModel.contains(reference)) {
        references << reference;
      }
      byModel[reference].push_back(entry);
    }
  }
  std::vector<backend::RunSpec> specs;
  std::uint64_t baseSeed = input.seed.value_or(QRandomGenerator::global()->generate64());
  for (const QString& reference : references) {
    const auto model = describeModel(reference);
    if (!model) {
      return Refusal{model.error(), Subject::Model};
    }
    prompt::EntryRunOptions run;
    run.entries = std::move(byModel[reference]);
    run.imagesPerPrompt = input.imagesPerPrompt;
    run.baseSeed = baseSeed;
    run.seedRule = input.seedRule;
    if (!input.negative.isEmpty()) {
      run.settings.negativePrompt = input.negative.toStdString();
    }
    run.settings.width = input.width > 0 ? input.width : model->width;
    run.settings.height = input.height > 0 ? input.height : model->height;
    run.settings.steps = input.steps;
    run.settings.guidanceScale = input.guidance;
    run.settings.scheduler = input.scheduler.isEmpty() ? domain::defaultScheduler(model->schedulerClass.toStdString()).name
                                                       : input.scheduler.toStdString();
    auto requests = prompt::expandEntries(run);
    if (!requests) {
      return Refusal{requests.error()};
    }
    if (run.seedRule == prompt::SeedRule::Continue) {
      baseSeed += requests->size();
    }
    specs.push_back(specOf(std::move(*requests), model->summary, slotList));
  }
  return specs;
}

}  // namespace polyptych::ui
