#include "ui/error_text.h"

#include <QCoreApplication>

namespace polyptych::ui {
namespace {

using base::ErrorCode;

const char* sentenceOf(ErrorCode code, Subject subject) {
  if (subject == Subject::Model && (code == ErrorCode::NotFound || code == ErrorCode::InvalidArgument)) {
    return QT_TRANSLATE_NOOP("ErrorText", "The model was not found. Choose another one on the left.");
  }
  if (subject == Subject::Model && code == ErrorCode::Corrupt) {
    return QT_TRANSLATE_NOOP("ErrorText", "The model cannot be used. Choose another one on the left, or fetch its files again.");
  }
  switch (code) {
    case ErrorCode::InvalidArgument:
      return QT_TRANSLATE_NOOP("ErrorText", "A prompt or a setting cannot be used as it is. Change it and generate again.");
    case ErrorCode::NotFound:
      return QT_TRANSLATE_NOOP("ErrorText",
                               "Something that the run needs is not there. Check the folders, or install the program again.");
    case ErrorCode::Unsupported:
      return QT_TRANSLATE_NOOP("ErrorText",
                               "The program cannot do that with this model. Choose another model or other settings.");
    case ErrorCode::Corrupt:
      return QT_TRANSLATE_NOOP("ErrorText",
                               "A file or an answer is damaged. Generate again; if it comes back, fetch the model again.");
    case ErrorCode::ModelUnusable:
      return QT_TRANSLATE_NOOP("ErrorText",
                               "The model cannot be used. Choose another one on the left, or fetch its files again.");
    case ErrorCode::OutOfMemory:
      return QT_TRANSLATE_NOOP("ErrorText", "There was not enough memory. Choose a smaller size or another device.");
    case ErrorCode::DeviceLost:
      return QT_TRANSLATE_NOOP("ErrorText", "A device stopped answering. Generate again, or untick it on the right.");
    case ErrorCode::WorkerDied:
      return QT_TRANSLATE_NOOP("ErrorText",
                               "A worker ended in the middle of its work. Generate again, or choose another device.");
    case ErrorCode::Io:
      return QT_TRANSLATE_NOOP("ErrorText", "A file could not be read or written. Check the folder that the pictures go to.");
    case ErrorCode::DiskFull:
      return QT_TRANSLATE_NOOP("ErrorText", "The disk is full. Free some space, or choose another folder for the pictures.");
    case ErrorCode::AlreadyExists:
      return QT_TRANSLATE_NOOP("ErrorText", "Other files are in the way. Choose another folder for the pictures.");
    case ErrorCode::Protocol:
    case ErrorCode::VersionMismatch:
      return QT_TRANSLATE_NOOP("ErrorText", "A worker does not fit this program. Install the program again.");
    case ErrorCode::Timeout:
      return QT_TRANSLATE_NOOP("ErrorText", "A worker did not answer in time. Generate again, or choose another device.");
    case ErrorCode::Cancelled:
      return QT_TRANSLATE_NOOP("ErrorText", "It was stopped.");
    case ErrorCode::Internal:
      break;
  }
  return QT_TRANSLATE_NOOP("ErrorText", "Something went wrong inside the program. Generate again.");
}

const char* wordsOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidArgument:
    case ErrorCode::Unsupported:
      return QT_TRANSLATE_NOOP("ErrorText", "settings not possible");
    case ErrorCode::NotFound:
      return QT_TRANSLATE_NOOP("ErrorText", "a file is not there");
    case ErrorCode::Corrupt:
      return QT_TRANSLATE_NOOP("ErrorText", "damaged data");
    case ErrorCode::ModelUnusable:
      return QT_TRANSLATE_NOOP("ErrorText", "the model cannot be used");
    case ErrorCode::OutOfMemory:
      return QT_TRANSLATE_NOOP("ErrorText", "out of memory");
    case ErrorCode::DeviceLost:
      return QT_TRANSLATE_NOOP("ErrorText", "the device stopped answering");
    case ErrorCode::WorkerDied:
      return QT_TRANSLATE_NOOP("ErrorText", "its worker ended too often");
    case ErrorCode::Io:
    case ErrorCode::AlreadyExists:
      return QT_TRANSLATE_NOOP("ErrorText", "a file could not be read or written");
    case ErrorCode::DiskFull:
      return QT_TRANSLATE_NOOP("ErrorText", "the disk is full");
    case ErrorCode::Protocol:
    case ErrorCode::VersionMismatch:
      return QT_TRANSLATE_NOOP("ErrorText", "its worker does not fit this program");
    case ErrorCode::Timeout:
      return QT_TRANSLATE_NOOP("ErrorText", "its worker did not answer");
    case ErrorCode::Cancelled:
      return QT_TRANSLATE_NOOP("ErrorText", "stopped");
    case ErrorCode::Internal:
      break;
  }
  return QT_TRANSLATE_NOOP("ErrorText", "an error in the program");
}

/// A warning carries no code: these are told by words of theirs, and whatever is none of them gets the last sentence.
const char* sentenceOfWarning(const QString& warning) {
  if (warning.contains(QLatin1String("is left out"))) {
    return QT_TRANSLATE_NOOP("ErrorText", "A prompt is longer than the model reads. Its end is left out.");
  }
  if (warning.contains(QLatin1String("left the range of this arithmetic"))) {
    return QT_TRANSLATE_NOOP("ErrorText", "Parts of a picture are black: its numbers became too large.");
  }
  if (warning.contains(QLatin1String("differs from what was made now"))) {
    return QT_TRANSLATE_NOOP("ErrorText", "A file that was there already differs from what was made now. It was left as it is.");
  }
  return QT_TRANSLATE_NOOP("ErrorText", "The run goes on, but there is a notice about it.");
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
  return translatedOr(QString::fromStdString(error.message), sentenceOf(error.code, subject));
}

ErrorText textOfWarning(const QString& sentence) { return translatedOr(sentence, sentenceOfWarning(sentence)); }

QString fewWords(base::ErrorCode code) { return QCoreApplication::translate("ErrorText", wordsOf(code)); }

QString tipOf(const ErrorText& text) { return text.detail.isEmpty() ? text.sentence : text.sentence + u'\n' + text.detail; }

}  // namespace polyptych::ui
