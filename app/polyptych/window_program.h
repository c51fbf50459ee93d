#pragma once

#include <QObject>
#include <QString>
#include <memory>

#include "core/backend/remote_backend.h"
#include "core/library/location.h"
#include "ui/main_window.h"
#include "ui/shell/appearance.h"
#include "ui/shell/language.h"
#include "ui/shell/preferences.h"

namespace polyptych {

/// Puts the program together: preferences, language, theme, and for one library at a time its backend and its window.
class WindowProgram : public QObject {
  Q_OBJECT
 public:
  struct Options {
    QString model;
    QStringList modelFolders;
    QStringList coreArguments;
  };
  /// `preferences` outlive it.
  WindowProgram(QApplication& application, ui::Preferences& preferences, Options options);
  ~WindowProgram() override;

  /// Leaves the library that is open, which goes on with its work, and opens another one. An empty folder means the one that is
  /// used where nobody named one.
  void open(const QString& folder);

 private:
  void onPreferencesChanged(const ui::PreferenceValues& before);

  ui::Preferences& m_preferences;
  const Options m_options;
  ui::Language m_language;
  ui::Appearance m_appearance;
  std::unique_ptr<backend::RemoteBackend> m_backend;
  std::unique_ptr<ui::MainWindow> m_window;
};

}  // namespace polyptych
