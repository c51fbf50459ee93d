#include "ui/prompts/prompt_chips.h"

#include <QCoreApplication>

#include "ui/error_text.h"
#include "ui/prompts/prompt_lengths.h"
#include "ui/prompts/prompt_list_model.h"
#include "ui/prompts/prompt_models.h"

namespace polyptych::ui {
namespace {

constexpr int kMostChips = 3;

}  // namespace

bool mayHaveChips(const prompt::PromptEntry& entry, const PromptLengths& lengths) {
  if (!entry.isEnabled || entry.width || entry.images || entry.seed || entry.steps || entry.guidanceScale || entry.scheduler ||
      entry.negativePrompt || entry.model) {
    return true;
  }
  const PromptLength* length = lengths.find(entry.prompt);
  return length != nullptr && length->isOver();
}

QList<PromptChip> chipsOf(const prompt::PromptEntry& entry, const PromptLengths& lengths, const PromptModels& models) {
  QList<PromptChip> chips;
  if (!entry.isEnabled) {
    chips.push_back({QCoreApplication::translate("PromptChips", "off"), false, {}});
  }
  QStringList differences = differencesOf(entry);
  const base::Error* problem = models.problemOf(entry);
  if (problem != nullptr) {
    differences.removeOne(QString::fromStdString(*entry.model));
  }
  for (const QString& words : differences) {
    chips.push_back({words, false, {}});
  }
  if (chips.size() > kMostChips) {
    const qsizetype more = chips.size() - kMostChips + 1;
    chips.resize(kMostChips - 1);
    chips.push_back({QStringLiteral("+%1").arg(more), false, differences.join(u'\n')});
  }
  if (problem != nullptr) {
    const bool isMissing = problem->code == base::ErrorCode::NotFound || problem->code == base::ErrorCode::InvalidArgument;
    chips.push_back({QStringLiteral("▲ ") +
                         (isMissing ? QCoreApplication::translate("PromptChips", "model not found") : fewWords(problem->code)),
                     true, QString::fromStdString(*entry.model) + u'\n' + tipOf(textOf(*problem, Subject::Model))});
  }
  if (const PromptLength* length = lengths.find(entry.prompt); length != nullptr && length->isOver() && length->words > 0) {
    chips.push_back(
        {QCoreApplication::translate("PromptChips", "▲ %n word(s) over", nullptr, length->words), true,
         QCoreApplication::translate("PromptChips", "The model reads the first %1 tokens of a prompt; this one has %2.")
             .arg(length->limit)
             .arg(length->tokens)});
  }
  return chips;
}

}  // namespace polyptych::ui
