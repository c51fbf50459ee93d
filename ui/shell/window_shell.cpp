#include "ui/shell/window_shell.h"

#include <QDesktopServices>
#include <QSettings>
#include <QUrl>
#include <utility>

#include "ui/settings_page.h"
#include "ui/shell/action_list.h"
#include "ui/shell/line_icon.h"
#include "ui/shell/main_menu.h"
#include "ui/shell/retranslate.h"
#include "ui/shell/session.h"
#include "ui/shell/shortcut_page.h"

namespace polyptych::ui {
namespace {

const QString& panelsSetting() {
  static const QString key = QStringLiteral("window/panels");
  return key;
}
const QString& pageSetting() {
  static const QString key = QStringLiteral("window/page");
  return key;
}

}  // namespace

WindowShell::WindowShell(QWidget& window, backend::Backend& backend, Preferences& preferences, Parts parts)
    : QObject(&window), m_window(window), m_backend(backend), m_preferences(preferences), m_parts(std::move(parts)) {
  m_actions = new Actions(&window, m_parts.isStored, this);
  m_pages = new Pages(m_parts.centre);
  m_list = new ActionList(*m_actions, &window, preferences);
  m_closing = new Closing(window, backend, preferences);
  addPages();
  addActions();
  m_menu = new MainMenu(*m_actions, preferences, &window);
  // The sign stands behind the word.
  m_parts.name->setIcon(lineIcon(QStringLiteral("chevron")));
  m_parts.name->setIconSize({Metrics::kIcon, Metrics::kIcon});
  m_parts.name->setLayoutDirection(Qt::RightToLeft);
  connect(m_parts.name, &QPushButton::clicked, this, &WindowShell::openMenu);
  retranslated(&window, [this] {
    m_parts.name->setAccessibleName(tr("Polyptych menu"));
    m_parts.name->setToolTip(tipWithKeys(tr("Menu"), *m_actions, QStringLiteral("program.menu")));
  });
}

void WindowShell::addPages() {
  m_models = new ModelsPage(m_preferences, m_parts.modelFolders, m_parts.listModels, m_parts.describeModel, m_parts.centre);
  m_settings = new SettingsPage(m_preferences, m_parts.library, m_parts.centre);
  m_pages->add(QStringLiteral("models"), m_models);
  m_pages->add(QStringLiteral("settings"), m_settings);
  m_pages->add(QStringLiteral("shortcuts"), new ShortcutPage(*m_actions, m_parts.centre));
  m_pages->add(QStringLiteral("about"), new AboutPage(m_parts.versions, m_parts.centre));
  connect(m_pages, &Pages::opened, this, &WindowShell::updateDevices);
  connect(m_settings, &SettingsPage::limitsWanted, this, [this](const pool::SupervisionLimits& limits) {
    backend::Command command;
    command.kind = backend::Command::Kind::SetLimits;
    command.limits = limits;
    m_backend.control(std::move(command));
  });
  connect(m_settings, &SettingsPage::libraryWanted, this, &WindowShell::libraryWanted);
  connect(m_settings, &SettingsPage::modelsWanted, this, [this] { m_pages->open(QStringLiteral("models")); });
  connect(&m_backend, &backend::Backend::limitsChanged, m_settings, &SettingsPage::setLimits);
}

void WindowShell::addActions() {
  using Category = ActionCategory;
  const auto open = [this](const char* page) {
    return [this, name = QString::fromLatin1(page)] { m_pages->current() == name ? m_pages->leave() : m_pages->open(name); };
  };
  const auto add = [this](const char* id, const char* text, Category category, const QList<QKeySequence>& keys,
                          std::function<void()> handler) {
    return m_actions->add(QLatin1String(id), text, category, keys, std::move(handler));
  };
  add("program.actionList", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Find an action…"), Category::Program,
      {Qt::CTRL | Qt::Key_K}, [this] { m_list->open(); });
  add("program.menu", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Open the menu"), Category::Program, {Qt::Key_F10},
      [this] { openMenu(); });
  add("library.openFolder", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Show the library in the file manager"),
      Category::Program, {}, [this] { openFolder(); })
      ->setEnabled(!m_parts.library.isEmpty());
  add("library.openOther", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Open another library…"), Category::Program,
      {Qt::CTRL | Qt::SHIFT | Qt::Key_O}, [this] { m_settings->chooseLibrary(); });
  add("program.models", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Models"), Category::Program, {Qt::CTRL | Qt::Key_M},
      open("models"));
  add("program.settings", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Settings"), Category::Program, {Qt::CTRL | Qt::Key_Comma},
      open("settings"));
  add("program.shortcuts", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Keyboard shortcuts"), Category::Program,
      {Qt::Key_F1, Qt::Key_Question}, open("shortcuts"));
  add("program.about", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "About Polyptych"), Category::Program, {}, open("about"));
  add("program.quit", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Quit"), Category::Program, {Qt::CTRL | Qt::Key_Q},
      [this] { m_window.close(); });

  const auto language = [&](const char* id, const char* text, LanguageChoice choice) {
    add(id, text, Category::Program, {},
        [this, choice] { m_preferences.change([=](PreferenceValues& values) { values.language = choice; }); });
  };
  language("language.system", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Language: system"), LanguageChoice::System);
  language("language.english", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Language: English"), LanguageChoice::English);
  language("language.korean", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Language: Korean"), LanguageChoice::Korean);
  const auto theme = [&](const char* id, const char* text, ThemeKind kind) {
    add(id, text, Category::View, {},
        [this, kind] { m_preferences.change([=](PreferenceValues& values) { values.theme = kind; }); });
  };
  theme("theme.system", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Theme: system"), ThemeKind::System);
  theme("theme.light", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Theme: light"), ThemeKind::Light);
  theme("theme.dark", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Theme: dark"), ThemeKind::Dark);

  add("view.panels", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Show or hide the side panels"), Category::View,
      {Qt::CTRL | Qt::Key_B}, [this] { m_parts.panels->toggleBoth(); });
  add("view.left", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Show or hide prompts and settings"), Category::View,
      {Qt::CTRL | Qt::Key_BracketLeft}, [this] { m_parts.panels->toggle(SidePanels::Left); });
  add("view.right", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Show or hide the devices"), Category::View,
      {Qt::CTRL | Qt::Key_BracketRight}, [this] { m_parts.panels->toggle(SidePanels::Right); });
  add("view.fullScreen", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Full screen"), Category::View, {Qt::Key_F11},
      [this] { m_window.setWindowState(m_window.windowState() ^ Qt::WindowFullScreen); });
}

void WindowShell::openMenu() { m_menu->popup(m_parts.name->mapToGlobal(m_parts.name->rect().bottomLeft())); }

void WindowShell::openFolder() { QDesktopServices::openUrl(QUrl::fromLocalFile(m_parts.library)); }

void WindowShell::setEnabled(const QString& actionId, bool isEnabled) {
  if (QAction* action = m_actions->action(actionId); action != nullptr && action->isEnabled() != isEnabled) {
    action->setEnabled(isEnabled);
  }
}

void WindowShell::updateDevices() {
  if (m_parts.tickedDevices && m_pages->current() == QLatin1String("models")) {
    m_models->setDevices(m_parts.tickedDevices());
  }
}

void WindowShell::restore() {
  if (!m_parts.isStored) {
    return;
  }
  restorePlace(m_window);
  QSettings settings;
  m_parts.panels->restore(settings.value(panelsSetting()).toMap());
  m_pages->open(settings.value(pageSetting()).toString());
}

void WindowShell::save() const {
  if (!m_parts.isStored) {
    return;
  }
  savePlace(m_window);
  QSettings settings;
  settings.setValue(panelsSetting(), m_parts.panels->save());
  settings.setValue(pageSetting(), m_pages->current());
}

}  // namespace polyptych::ui
