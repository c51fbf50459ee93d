#include "app/polyptych/window_program.h"

#include "app/polyptych/versions.h"
#include "core/devices/device_list.h"

namespace polyptych {

WindowProgram::WindowProgram(QApplication& application, ui::Preferences& preferences, Options options)
    : m_preferences(preferences), m_options(std::move(options)), m_appearance(application) {
  m_language.apply(preferences.values().language);
  m_appearance.apply(preferences.values().theme);
  m_appearance.followDesktop();
  connect(&preferences, &ui::Preferences::changed, this, &WindowProgram::onPreferencesChanged);
}

WindowProgram::~WindowProgram() = default;

void WindowProgram::onPreferencesChanged(const ui::PreferenceValues& before) {
  const ui::PreferenceValues& now = m_preferences.values();
  if (now.language != before.language) {
    m_language.apply(now.language);
  }
  if (now.theme != before.theme) {
    m_appearance.apply(now.theme);
  }
}

void WindowProgram::open(const QString& folder) {
  const library::Location location =
      folder.isEmpty() ? library::defaultLocation() : library::locationAt(folder, library::Location::Layout::Dated);
  if (m_window) {
    m_window->shell().save();
  }
  m_window.reset();
  m_backend.reset();
  backend::RemoteBackendOptions remote;
  remote.faceKind = QStringLiteral("window");
  remote.coreArguments = m_options.coreArguments;
  m_backend = backend::connectToBackend(location, remote);
  ui::MainWindowOptions options;
  options.preferences = &m_preferences;
  options.library = location.root;
  options.location = location;
  options.versions = readVersions;
  options.model = m_options.model;
  options.modelFolders = m_options.modelFolders;
  options.cpuCores = devices::usableCores();
  m_window = std::make_unique<ui::MainWindow>(*m_backend, options);
  connect(m_backend.get(), &backend::RemoteBackend::joined, m_window.get(), &ui::MainWindow::onJoined);
  // Queued: the window goes, and this is said from inside it.
  connect(
      m_window.get(), &ui::MainWindow::libraryWanted, this,
      [this](const QString& wanted) {
        m_preferences.change([&](ui::PreferenceValues& values) { values.library = wanted; });
        open(wanted);
      },
      Qt::QueuedConnection);
  m_window->show();
}

}  // namespace polyptych
