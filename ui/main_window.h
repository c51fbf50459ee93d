#pragma once

#include <QMainWindow>
#include <QSet>
#include <QStackedWidget>
#include <QThreadPool>
#include <functional>
#include <optional>

#include "core/backend/backend.h"
#include "core/models/model_description.h"
#include "ui/devices/device_control.h"
#include "ui/devices/device_log_page.h"
#include "ui/devices/device_panel.h"
#include "ui/error_text.h"
#include "ui/gallery/gallery_page.h"
#include "ui/message_bar.h"
#include "ui/open_runs.h"
#include "ui/prompts/prompt_tools.h"
#include "ui/queue/queue_drawer.h"
#include "ui/queue/queue_page.h"
#include "ui/queue/work_notifier.h"
#include "ui/run_cost.h"
#include "ui/run_endings.h"
#include "ui/run_form.h"
#include "ui/run_starter.h"
#include "ui/shell/stop_commands.h"
#include "ui/shell/window_shell.h"

namespace polyptych::ui {

class TopBar;

struct MainWindowOptions {
  QStringList modelFolders;      ///< looked through for models beside the Hugging Face cache
  QString model;                 ///< given on the command line: over the remembered one
  std::vector<int> cpuCores{0};  ///< that CPU workers may use
  bool restoresSettings = true;
  Preferences* preferences = nullptr;         ///< outlive the window; nothing: its own
  QString library;                            ///< the folder that is open, to be shown
  std::optional<library::Location> location;  ///< whose pictures are shown; nothing: those of open runs alone
  std::function<Versions()> versions;         ///< for the about page; called on a thread of its own
  /// How models are looked up; both are called on threads of their own and may block.
  std::function<base::Result<models::ModelDescription>(const QString&)> describeModel = models::describeModel;
  std::function<QVector<models::ModelSummary>(const QStringList&)> listModels = models::listModels;
};

/// The whole window: prompts and settings left, gallery in the middle, devices right. Talks to a Backend; no call of it waits.
class MainWindow : public QMainWindow {
  Q_OBJECT
 public:
  /// `backend` outlives the window.
  MainWindow(backend::Backend& backend, MainWindowOptions options, QWidget* parent = nullptr);
  ~MainWindow() override;

  /// The connection to the backend stands, or stands again.
  void onJoined();
  WorkNotifier& notifier() { return *m_notifier; }
  /// Actions, pages, panels: where other parts of the window add theirs.
  WindowShell& shell() { return *m_shell; }

 Q_SIGNALS:
  /// Another library is to be opened, by whoever made the window; empty: the one that is used where nobody named one.
  void libraryWanted(const QString& folder);

 protected:
  void closeEvent(QCloseEvent* event) override;
  bool focusNextPrevChild(bool isNext) override;
  void keyPressEvent(QKeyEvent* event) override;
  void changeEvent(QEvent* event) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  void focusCentre();
  void focusPart(int distance);
  void tellNoDevice();
  void notifyEnd(qint64 pictures, qint64 failed);
  void comeToFront();
  void makeShell(SidePanels* panels);
  void addActions();
  void retranslate();
  void showPause();
  QWidget* makeCentre();
  void connectTopBar();
  void connectBackend();
  void updateGenerate();
  void updateProgress();
  void togglePause();
  void goOn();
  QVariantMap session() const;
  void keepSession();
  quint64 control(backend::Command::Kind kind, qint64 undoId = 0);
  void setFullScreen(bool isFull);
  void lookForModels();
  void tellOfEarlierWork();
  /// Nothing is begun.
  bool isPaused() const { return m_queue.pause != backend::PauseReason::None; }
  /// And nothing will be until somebody says so.
  bool isHeld() const { return isPaused() && m_queue.pause != backend::PauseReason::Storage; }

  void onQueueChanged(const backend::QueueStatus& status);
  void onLost(const base::Error& error);

  backend::Backend& m_backend;
  MainWindowOptions m_options;
  RunForm* m_form;
  DevicePanel* m_devices;
  GalleryPage* m_gallery;
  QStackedWidget* m_centre;
  Preferences* m_preferences;
  WindowShell* m_shell = nullptr;
  StopCommands* m_stopCommands;
  PromptTools* m_promptTools;
  RunCost* m_cost;
  MessageBar* m_messages;
  QueuePage* m_queuePage;
  QueueDrawer* m_drawer;
  DeviceControl* m_deviceControl;
  RunStarter* m_starter;
  RunEndings* m_endings;
  TopBar* m_topBar;
  WorkNotifier* m_notifier;
  OpenRuns* m_runs;
  backend::QueueStatus m_queue;
  QString m_lastFolder;  ///< of the last run that began
  bool m_wasJoined = false;
  bool m_isLost = false;
  bool m_wereSidesShown[2] = {};  ///< before a picture filled the screen
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
