#pragma once

#include <QHash>
#include <QListView>
#include <QMainWindow>
#include <QPersistentModelIndex>
#include <QPushButton>
#include <QStackedWidget>
#include <QThreadPool>
#include <functional>

#include "core/backend/backend.h"
#include "core/models/model_description.h"
#include "ui/device_panel.h"
#include "ui/error_text.h"
#include "ui/gallery_model.h"
#include "ui/loupe.h"
#include "ui/message_bar.h"
#include "ui/run_form.h"
#include "ui/run_progress.h"

namespace polyptych::ui {

struct MainWindowOptions {
  QStringList modelFolders;  ///< looked through for models beside the Hugging Face cache
  QString model;             ///< given on the command line: over the remembered one
  QString folder;
  std::vector<int> cpuCores{0};  ///< that CPU workers may use
  bool restoresSettings = true;
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

 protected:
  void closeEvent(QCloseEvent* event) override;

 private:
  struct Going {
    std::vector<domain::GenerationRequest> requests;
    int batch = 1;
    QString folder;
  };

  QWidget* makeTopBar();
  QWidget* makeCentre();
  void connectBackend();
  void updateGenerate();
  void updateProgress();
  void generate();
  void submit(backend::RunSpec spec);
  void stop();
  void setStopEnabled(bool isEnabled);
  void openLoupe(int row);
  void lookForModels();
  QString promptOf(quint64 runId, qint64 index) const;

  void onRunFinished(const backend::RunSummary& summary);
  void onSlotChanged(const backend::SlotStatus& status);
  void onStepFinished(quint64 runId, const backend::SlotStatus& status);

  backend::Backend& m_backend;
  MainWindowOptions m_options;
  RunForm* m_form;
  DevicePanel* m_devices;
  GalleryModel* m_gallery;
  QListView* m_grid;
  QStackedWidget* m_centre;
  QLabel* m_empty;
  Loupe* m_loupe;
  MessageBar* m_messages;
  QPushButton* m_generate;
  QPushButton* m_stop;
  QLabel* m_progressText;
  QProgressBar* m_progressBar;
  QHash<quint64, Going> m_runs;
  quint64 m_currentRun = 0;
  QString m_lastFolder;     ///< of the last run that began
  ErrorText m_lastFailure;  ///< of a picture
  RunProgress m_progress;
  QPersistentModelIndex m_inLoupe;
  bool m_isChecking = false;
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
