#include "ui/shell/main_menu.h"

#include <QActionGroup>

#include "ui/shell/actions.h"

namespace polyptych::ui {

MainMenu::MainMenu(Actions& actions, Preferences& preferences, QWidget* parent)
    : QMenu(parent), m_actions(actions), m_preferences(preferences) {
  setObjectName(QStringLiteral("mainMenu"));
  setToolTipsVisible(false);
  // Every time anew: language, choices and what is registered may have changed.
  connect(this, &QMenu::aboutToShow, this, &MainMenu::fill);
}

QMenu* MainMenu::addChoices(const QString& title, const std::vector<std::pair<QString, bool>>& words, const QStringList& ids) {
  QMenu* menu = addMenu(title);
  auto* group = new QActionGroup(menu);
  for (std::size_t i = 0; i < words.size(); ++i) {
    QAction* choice = menu->addAction(words[i].first);
    choice->setCheckable(true);
    choice->setChecked(words[i].second);
    group->addAction(choice);
    connect(choice, &QAction::triggered, this, [this, id = ids[static_cast<int>(i)]] { m_actions.trigger(id); });
  }
  return menu;
}

void MainMenu::fill() {
  for (QMenu* menu : findChildren<QMenu*>()) {
    menu->deleteLater();
  }
  clear();
  const auto add = [this](const char* id) {
    if (QAction* action = m_actions.action(QLatin1String(id))) {
      addAction(action);
    }
  };
  const PreferenceValues& values = m_preferences.values();
  add("program.actionList");
  addSeparator();
  add("library.openFolder");
  add("library.openOther");
  add("program.models");
  add("queue.toggle");
  add("program.settings");
  addSeparator();
  addChoices(tr("Language"),
             {{tr("System"), values.language == LanguageChoice::System},
              {QStringLiteral("English"), values.language == LanguageChoice::English},
              {QStringLiteral("한국어"), values.language == LanguageChoice::Korean}},
             {QStringLiteral("language.system"), QStringLiteral("language.english"), QStringLiteral("language.korean")});
  addChoices(tr("Theme"),
             {{tr("System"), values.theme == ThemeKind::System},
              {tr("Light"), values.theme == ThemeKind::Light},
              {tr("Dark"), values.theme == ThemeKind::Dark}},
             {QStringLiteral("theme.system"), QStringLiteral("theme.light"), QStringLiteral("theme.dark")});
  add("view.panels");
  add("view.fullScreen");
  addSeparator();
  add("program.shortcuts");
  add("program.about");
  addSeparator();
  add("program.quit");
}

}  // namespace polyptych::ui
