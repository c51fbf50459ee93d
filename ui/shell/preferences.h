#pragma once

#include <QObject>
#include <QString>
#include <QStringList>
#include <functional>

#include "ui/theme.h"

namespace polyptych::ui {

enum class LanguageChoice { System, English, Korean };

/// What becomes of work when the window is closed over it.
enum class ClosingChoice {
  Ask,
  GoOn,           ///< without the window
  FinishCurrent,  ///< what is being made is finished; the rest stays in the queue
  Stop,           ///< at once; all of it stays in the queue
};

/// What somebody chose on the settings page; of this window, not of a library.
struct PreferenceValues {
  LanguageChoice language = LanguageChoice::System;
  ThemeKind theme = ThemeKind::System;
  bool reducesMotion = false;
  bool showsPreviews = true;
  int previewsPerSecond = 4;  ///< of each device, at most
  bool notifiesAtEnd = true;
  ClosingChoice closing = ClosingChoice::Ask;
  QString library;           ///< folder; empty: the one that is used where nobody named one
  QStringList modelFolders;  ///< looked through beside the Hugging Face cache
  QString defaultModel;      ///< a reference; empty: the one that comes with the program

  friend bool operator==(const PreferenceValues&, const PreferenceValues&) = default;
};

/// Keeps them. One object a program, made where it is put together.
class Preferences : public QObject {
  Q_OBJECT
 public:
  /// @param isStored  false: begins with the defaults and forgets
  explicit Preferences(bool isStored, QObject* parent = nullptr);

  const PreferenceValues& values() const { return m_values; }
  /// Stores what `change` made different, and tells it.
  void change(const std::function<void(PreferenceValues&)>& change);
  /// For this session alone: as the command line has it. Not stored, unless somebody chooses it.
  void override(const std::function<void(PreferenceValues&)>& change);

 Q_SIGNALS:
  void changed(const polyptych::ui::PreferenceValues& before);

 private:
  const bool m_isStored;
  PreferenceValues m_values;
};

}  // namespace polyptych::ui
