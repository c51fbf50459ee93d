#pragma once

#include <QObject>
#include <QPushButton>
#include <QStackedWidget>
#include <functional>
#include <vector>

#include "core/backend/backend.h"
#include "ui/about_page.h"
#include "ui/models_page.h"
#include "ui/shell/actions.h"
#include "ui/shell/closing.h"
#include "ui/shell/pages.h"
#include "ui/shell/preferences.h"
#include "ui/shell/side_panels.h"

namespace polyptych::ui {

class ActionList;
class MainMenu;
class SettingsPage;

/// What every window has around its work: actions, menu, pages, panels, its place on the screen, and how it closes.
class WindowShell : public QObject {
  Q_OBJECT
 public:
  struct Parts {
    SidePanels* panels = nullptr;
    QStackedWidget* centre = nullptr;
    QPushButton* name = nullptr;  ///< opens the menu
    QString library;              ///< the folder that is open; may be empty
    QStringList modelFolders;     ///< of the command line
    ModelsPage::ListModels listModels;
    ModelsPage::DescribeModel describeModel;
    std::function<Versions()> versions;
    std::function<std::vector<domain::DeviceInfo>()> tickedDevices;
    bool isStored = true;  ///< what is remembered outlives the program
  };

  /// All of them outlive it.
  WindowShell(QWidget& window, backend::Backend& backend, Preferences& preferences, Parts parts);

  Actions& actions() { return *m_actions; }
  Pages& pages() { return *m_pages; }
  SidePanels& panels() { return *m_parts.panels; }
  ModelsPage& models() { return *m_models; }
  Closing& closing() { return *m_closing; }
  Preferences& preferences() { return m_preferences; }
  void setEnabled(const QString& actionId, bool isEnabled);
  /// Ticks of devices, or the devices themselves, have changed.
  void updateDevices();

  /// Place, panels and page as they were. After every panel has its content.
  void restore();
  void save() const;

 Q_SIGNALS:
  /// Another library is to be opened; empty: the one that is used where nobody named one.
  void libraryWanted(const QString& folder);

 private:
  void addPages();
  void addActions();
  void openMenu();
  void openFolder();

  QWidget& m_window;
  backend::Backend& m_backend;
  Preferences& m_preferences;
  const Parts m_parts;
  Actions* m_actions;
  Pages* m_pages;
  ActionList* m_list;
  MainMenu* m_menu;
  ModelsPage* m_models;
  SettingsPage* m_settings;
  Closing* m_closing;
};

}  // namespace polyptych::ui
