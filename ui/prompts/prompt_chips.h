#pragma once

#include <QList>
#include <QString>

#include "core/prompt/prompt_entry.h"

namespace polyptych::ui {

class PromptLengths;
class PromptModels;

/// A word or two at the right end of a prompt.
struct PromptChip {
  QString text;
  bool isProblem = false;
  QString tip;
};

/// What of a prompt differs from what all share, and what is wrong with it.
QList<PromptChip> chipsOf(const prompt::PromptEntry& entry, const PromptLengths& lengths, const PromptModels& models);
/// False: a prompt has no chips, as nearly all of a long list; costs less than to make them.
bool mayHaveChips(const prompt::PromptEntry& entry, const PromptLengths& lengths);

}  // namespace polyptych::ui
