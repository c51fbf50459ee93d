#pragma once

#include <QMenu>
#include <functional>
#include <vector>

#include "ui/shell/preferences.h"

namespace polyptych::ui {

class Actions;

/// The menu behind the program's name. Made of actions of the registry; those that are not there are left out.
class MainMenu : public QMenu {
  Q_OBJECT
 public:
  MainMenu(Actions& actions, Preferences& preferences, QWidget* parent = nullptr);

 private:
  void fill();
  QMenu* addChoices(const QString& title, const std::vector<std::pair<QString, bool>>& words, const QStringList& ids);

  Actions& m_actions;
  Preferences& m_preferences;
};

}  // namespace polyptych::ui
