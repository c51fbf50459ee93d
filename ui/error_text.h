#pragma once

#include <QString>

#include "core/backend/backend.h"
#include "core/base/result.h"

namespace polyptych::ui {

/// A sentence in the window's language, and what the part that failed said itself.
struct ErrorText {
  QString sentence;
  QString detail;  ///< for the tool tip; empty if the sentence says it all
};

/// What was being done: the same code means another thing for a model than for a run.
enum class Subject { Model, Settings, Run, Backend };

/// What happened and what to do. English keeps the error's own sentence, which knows more; any other language has one for each
/// code, and the error's own as detail. Subject::Backend: the window's own sentence in every language.
ErrorText textOf(const base::Error& error, Subject subject = Subject::Run);
/// The same for a warning of a run.
ErrorText textOf(const domain::Warning& warning);
/// Why the queue is paused, by its reason; empty if it is not.
ErrorText textOf(const backend::QueueStatus& status);
/// Why a slot failed, in a few words: "out of memory".
QString fewWords(base::ErrorCode code);
/// The error as a tool tip: sentence, then detail.
QString tipOf(const ErrorText& text);

}  // namespace polyptych::ui
