#pragma once

#include <QString>
#include <optional>
#include <variant>
#include <vector>

#include "core/backend/backend.h"
#include "core/models/model_description.h"
#include "core/prompt/prompt_entry.h"
#include "ui/error_text.h"

namespace polyptych::ui {

/// What the person asked for, before the models are known in detail.
struct RunInput {
  std::vector<prompt::PromptEntry> entries;
  QString negative;
  QString modelReference;
  QString scheduler;  ///< empty: the model's best
  int width = 0;      ///< 0: the model's own size
  int height = 0;
  int steps = 25;
  double guidance = 7.5;
  std::optional<quint64> seed;  ///< nothing: drawn
  prompt::SeedRule seedRule = prompt::SeedRule::Continue;
  int imagesPerPrompt = 1;
};

/// An error and what it is about.
struct Refusal {
  base::Error error;
  Subject subject = Subject::Settings;
};

using DescribeModel = std::function<base::Result<models::ModelDescription>(const QString&)>;

/// What the backend is asked for: a run for each model that the prompts name, in the order in which they do. Reads the models'
/// files and makes every request: not for the window's thread.
std::variant<std::vector<backend::RunSpec>, Refusal> specsOf(const RunInput& input,
                                                             const std::vector<domain::DeviceSlot>& slotList,
                                                             const DescribeModel& describeModel);

}  // namespace polyptych::ui
