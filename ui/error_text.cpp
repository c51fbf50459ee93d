#include "ui/error_text.h"

#include <QCoreApplication>
#include <algorithm>
#include <iterator>

namespace polyptych::ui {
namespace {

using base::ErrorCode;

struct CodeText {
  ErrorCode code;
  const char* sentence;  ///< what happened and what to do
  const char* words;     ///< the same in a few words
};

constexpr CodeText kCodeTexts[] = {
    {ErrorCode::InvalidArgument,
     QT_TRANSLATE_NOOP("ErrorText", "A prompt or a setting cannot be used as it is. Change it and generate again."),
     QT_TRANSLATE_NOOP("ErrorText", "settings not possible")},
    {ErrorCode::NotFound,
     QT_TRANSLATE_NOOP("ErrorText",
                       "Something that the run needs is not there. Check the folders, or install the program again."),
     QT_TRANSLATE_NOOP("ErrorText", "a file is not there")},
    {ErrorCode::Unsupported,
     QT_TRANSLATE_NOOP("ErrorText", "The program cannot do that with this model. Choose another model or other settings."),
     QT_TRANSLATE_NOOP("ErrorText", "settings not possible")},
    {ErrorCode::Corrupt,
     QT_TRANSLATE_NOOP("ErrorText", "A file or an answer is damaged. Generate again; if it comes back, fetch the model again."),
     QT_TRANSLATE_NOOP("ErrorText", "damaged data")},
    {ErrorCode::ModelUnusable,
     QT_TRANSLATE_NOOP("ErrorText", "The model cannot be used. Choose another one on the left, or fetch its files again."),
     QT_TRANSLATE_NOOP("ErrorText", "the model cannot be used")},
    {ErrorCode::OutOfMemory,
     QT_TRANSLATE_NOOP("ErrorText", "There was not enough memory. Choose a smaller size or another device."),
     QT_TRANSLATE_NOOP("ErrorText", "out of memory")},
    {ErrorCode::DeviceLost,
     QT_TRANSLATE_NOOP("ErrorText", "A device stopped answering. Generate again, or untick it on the right."),
     QT_TRANSLATE_NOOP("ErrorText", "the device stopped answering")},
    {ErrorCode::WorkerDied,
     QT_TRANSLATE_NOOP("ErrorText", "A worker ended in the middle of its work. Generate again, or choose another device."),
     QT_TRANSLATE_NOOP("ErrorText", "its worker ended too often")},
    {ErrorCode::Io, QT_TRANSLATE_NOOP("ErrorText", "A file could not be read or written. Check the library's folder."),
     QT_TRANSLATE_NOOP("ErrorText", "a file could not be read or written")},
    {ErrorCode::DiskFull, QT_TRANSLATE_NOOP("ErrorText", "The disk is full. Free some space and generate again."),
     QT_TRANSLATE_NOOP("ErrorText", "the disk is full")},
    {ErrorCode::AlreadyExists,
     QT_TRANSLATE_NOOP("ErrorText", "Other files are in the way. Move them out of the library's folder."),
     QT_TRANSLATE_NOOP("ErrorText", "a file could not be read or written")},
    {ErrorCode::Protocol, QT_TRANSLATE_NOOP("ErrorText", "A worker does not fit this program. Install the program again."),
     QT_TRANSLATE_NOOP("ErrorText", "its worker does not fit this program")},
    {ErrorCode::VersionMismatch, QT_TRANSLATE_NOOP("ErrorText", "A worker does not fit this program. Install the program again."),
     QT_TRANSLATE_NOOP("ErrorText", "its worker does not fit this program")},
    {ErrorCode::Timeout,
     QT_TRANSLATE_NOOP("ErrorText", "A worker did not answer in time. Generate again, or choose another device."),
     QT_TRANSLATE_NOOP("ErrorText", "its worker did not answer")},
    {ErrorCode::Cancelled, QT_TRANSLATE_NOOP("ErrorText", "It was stopped."), QT_TRANSLATE_NOOP("ErrorText", "stopped")},
    {ErrorCode::Internal, QT_TRANSLATE_NOOP("ErrorText", "Something went wrong inside the program. Generate again."),
     QT_TRANSLATE_NOOP("ErrorText", "an error in the program")},
};

static_assert(std::size(kCodeTexts) == static_cast<std::size_t>(ErrorCode::Internal) + 1,
              "every code has its texts, Internal last");

const CodeText& textOfCode(ErrorCode code) {
  const auto* found = std::ranges::find(kCodeTexts, code, &CodeText::code);
  return found == std::end(kCodeTexts) ? *std::prev(found) : *found;
}

const char* sentenceOf(ErrorCode code, Subject subject) {
  if (subject == Subject::Model && (code == ErrorCode::NotFound || code == ErrorCode::InvalidArgument)) {
    return QT_TRANSLATE_NOOP("ErrorText", "The model was not found. Choose another one on the left.");
  }
  if (subject == Subject::Model && code == ErrorCode::Corrupt) {
    return textOfCode(ErrorCode::ModelUnusable).sentence;
  }
  return textOfCode(code).sentence;
}

const char* sentenceOf(domain::WarningCode code) {
  switch (code) {
    case domain::WarningCode::PromptCut:
      return QT_TRANSLATE_NOOP("ErrorText", "A prompt is longer than the model reads. Its end is left out.");
    case domain::WarningCode::OutOfRange:
      return QT_TRANSLATE_NOOP("ErrorText", "Parts of a picture are black: its numbers became too large.");
    case domain::WarningCode::FileDiffers:
      return QT_TRANSLATE_NOOP("ErrorText",
                               "A file that was there already differs from what was made now. It was left as it is.");
    case domain::WarningCode::CoresNotPinned:
      return QT_TRANSLATE_NOOP("ErrorText", "A worker shares its cores with others, so it may be slower.");
    case domain::WarningCode::PartnerLost:
      return QT_TRANSLATE_NOOP("ErrorText", "One of two devices that work together was lost. The other goes on by itself.");
    case domain::WarningCode::Other:
      break;
  }
  return QT_TRANSLATE_NOOP("ErrorText", "The run goes on, but there is a notice about it.");
}

/// The backend process is gone for good.
const char* sentenceOfLoss(ErrorCode code) {
  switch (code) {
    case ErrorCode::NotFound:
      return QT_TRANSLATE_NOOP("ErrorText", "A part of Polyptych is missing. Install it again, then start it again.");
    case ErrorCode::AlreadyExists:
      return QT_TRANSLATE_NOOP("ErrorText",
                               "The library is in use on another machine. Close Polyptych there, then start it again.");
    case ErrorCode::VersionMismatch:
      return QT_TRANSLATE_NOOP("ErrorText",
                               "Another version of Polyptych is using the library. Close it there, then start Polyptych again.");
    default:
      return QT_TRANSLATE_NOOP(
          "ErrorText", "The part of Polyptych that makes the pictures has ended. Nothing is lost; start Polyptych again.");
  }
}

const char* sentenceOf(backend::PauseReason reason) {
  switch (reason) {
    case backend::PauseReason::None:
      break;
    case backend::PauseReason::User:
      return QT_TRANSLATE_NOOP("ErrorText", "The queue is paused.");
    case backend::PauseReason::UncleanEnd:
      return QT_TRANSLATE_NOOP("ErrorText", "Polyptych or the machine ended in the middle of its work. Nothing is lost.");
    case backend::PauseReason::Storage:
      return QT_TRANSLATE_NOOP("ErrorText", "The library cannot be written. Work goes on by itself once it can.");
    case backend::PauseReason::Breaker:
      return QT_TRANSLATE_NOOP("ErrorText", "Work failed again and again on every device. Look for the cause, then go on.");
  }
  return "";
}

/// `source` in the window's language with `own` as detail; where there is no translation, that is in English, `own` itself.
ErrorText translatedOr(const QString& own, const char* source) {
  const QString translated = QCoreApplication::translate("ErrorText", source);
  if (own.isEmpty() || translated != QLatin1String(source)) {
    return {translated, own};
  }
  return {own, {}};
}

}  // namespace

ErrorText textOf(const base::Error& error, Subject subject) {
  if (subject == Subject::Backend) {
    return {QCoreApplication::translate("ErrorText", sentenceOfLoss(error.code)), QString::fromStdString(error.message)};
  }
  return translatedOr(QString::fromStdString(error.message), sentenceOf(error.code, subject));
}

ErrorText textOf(const domain::Warning& warning) {
  return translatedOr(QString::fromStdString(warning.sentence), sentenceOf(warning.code));
}

ErrorText textOf(const backend::QueueStatus& status) {
  using backend::PauseReason;
  if (status.pause == PauseReason::None) {
    return {};
  }
  const char* sentence = sentenceOf(status.pause);
  if (status.pause == PauseReason::Storage || status.pause == PauseReason::Breaker) {
    return translatedOr(status.sentence, sentence);
  }
  return {QCoreApplication::translate("ErrorText", sentence), {}};
}

QString fewWords(base::ErrorCode code) { return QCoreApplication::translate("ErrorText", textOfCode(code).words); }

QString tipOf(const ErrorText& text) { return text.detail.isEmpty() ? text.sentence : text.sentence + u'\n' + text.detail; }

}  // namespace polyptych::ui
