#include "ui/main_window.h"

#include <QAction>
#include <QApplication>
#include <QCloseEvent>
#include <QDesktopServices>
#include <QDragEnterEvent>
#include <QKeyEvent>
#include <QLineEdit>
#include <QMenu>
#include <QMimeData>
#include <QSettings>
#include <QUrl>
#include <QVBoxLayout>
#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "ui/error_text.h"
#include "ui/gallery/filter_bar.h"
#include "ui/gallery/gallery_view.h"
#include "ui/shell/pop_up.h"
#include "ui/shell/retranslate.h"
#include "ui/shell/tab_order.h"
#include "ui/theme.h"
#include "ui/top_bar.h"

namespace polyptych::ui {
namespace {

/// Setting: true from the first time that the window is closed over its work until that is told, then false.
constexpr QLatin1String kWorksOn("notices/worksOn");

/// Setting: how much of the centre the queue takes, pixels.
constexpr QLatin1String kQueueHeight("window/queueHeight");

/// Waits for the disk.
void writeSettings(const QVariantMap& values) {
  QSettings settings;
  for (auto value = values.cbegin(); value != values.cend(); ++value) {
    settings.setValue(value.key(), value.value());
  }
}

/// A file that may be dropped on the window.
bool isWanted(const QString& path) {
  return PromptFiles::isList(path) || path.endsWith(QLatin1String(".png"), Qt::CaseInsensitive);
}

}  // namespace

MainWindow::MainWindow(backend::Backend& backend, MainWindowOptions options, QWidget* parent)
    : QMainWindow(parent), m_backend(backend), m_options(std::move(options)) {
  setWindowTitle(QStringLiteral("Polyptych"));
  m_threads.setMaxThreadCount(2);
  // In the order of Tab.
  m_form = new RunForm(
      [describe = m_options.describeModel](const QString& reference) -> base::Result<tokenizer::ClipTokenizer> {
        const auto model = describe(reference);
        if (!model) {
          return model.error();
        }
        return tokenizer::ClipTokenizer::open(std::filesystem::path(model->summary.path.toStdString()) / "tokenizer");
      },
      [describe = m_options.describeModel](const QString& reference) -> std::optional<base::Error> {
        const auto model = describe(reference);
        return model ? std::nullopt : std::optional(model.error());
      },
      this);
  m_gallery = new GalleryPage(m_backend, {m_options.location, m_options.restoresSettings}, this);
  m_devices = new DevicePanel(this);
  m_messages = new MessageBar(this);
  m_preferences = m_options.preferences != nullptr ? m_options.preferences : new Preferences(m_options.restoresSettings, this);
  m_notifier = new WorkNotifier(this);
  connect(m_notifier, &WorkNotifier::clicked, this, &MainWindow::comeToFront);
  // In this order: what a signal of the backend says of runs is known before anybody asks for it.
  m_runs = new OpenRuns(m_backend, *m_gallery->model(), this);
  m_endings = new RunEndings(m_backend, *m_runs, *m_messages, this);
  m_deviceControl =
      new DeviceControl(m_backend, *m_devices, *m_runs, *m_preferences, m_options.cpuCores, m_options.restoresSettings, this);
  m_starter =
      new RunStarter(m_backend, {*m_form, *m_deviceControl, *m_runs, *m_messages, *m_preferences}, m_options.describeModel, this);
  auto* panels = new SidePanels(m_form, makeCentre(), m_devices, this);

  auto* all = new QWidget(this);
  auto* layout = new QVBoxLayout(all);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  m_topBar = new TopBar(m_gallery->searchField(), this);
  layout->addWidget(m_topBar);
  layout->addWidget(panels, 1);
  layout->addWidget(m_messages);
  setCentralWidget(all);
  setAcceptDrops(true);
  resize(Metrics::kWindowWidth, Metrics::kWindowHeight);

  makeShell(panels);

  m_deviceControl->restore();
  if (m_options.restoresSettings) {
    m_form->restore();
    m_drawer->setQueueHeight(QSettings().value(kQueueHeight).toInt());
  }
  if (!m_options.model.isEmpty()) {
    m_form->settings().setModelReference(m_options.model);
  } else if (m_options.restoresSettings && QSettings().value(QStringLiteral("run/model")).toString().isEmpty() &&
             !m_preferences->values().defaultModel.isEmpty()) {
    m_form->settings().setModelReference(m_preferences->values().defaultModel);
  }
  connect(m_form, &RunForm::changed, this, &MainWindow::updateGenerate);
  connect(m_starter, &RunStarter::checkingChanged, this, &MainWindow::updateGenerate);
  // The run's beginning: that is where its pictures come first.
  connect(m_starter, &RunStarter::submitted, m_gallery, &GalleryPage::showRun);
  connect(m_starter, &RunStarter::submitted, this, &MainWindow::keepSession);
  connect(m_starter, &RunStarter::devicesMissing, this, &MainWindow::tellNoDevice);
  connect(m_deviceControl, &DeviceControl::tickChanged, this, [this] {
    updateGenerate();
    m_cost->update();
    m_shell->updateDevices();
    m_shell->setEnabled(QStringLiteral("devices.together"), m_devices->canBeTogether());
  });
  connect(m_messages, &MessageBar::placeTriggered, this,
          [this] { QDesktopServices::openUrl(QUrl::fromLocalFile(m_lastFolder)); });
  connect(m_messages, &MessageBar::focusFreed, this, &MainWindow::focusCentre);
  connect(panels, &SidePanels::focusFreed, this, &MainWindow::focusCentre);
  connect(m_drawer, &QueueDrawer::focusFreed, this, &MainWindow::focusCentre);
  connectTopBar();
  connectBackend();
  retranslated(this, [this] { retranslate(); });
  // In this order: once the devices are listed, everything else has been told.
  m_backend.refresh();
  m_backend.listDevices();
  lookForModels();
  tellOfEarlierWork();
  m_form->prompts().takeFocus();
  m_shell->restore();
}

MainWindow::~MainWindow() {
  // Parts that go tell that they are hidden; by then this is only what is left of a window.
  for (QObject* part : findChildren<QObject*>()) {
    part->disconnect(this);
  }
  delete m_starter;
  delete m_deviceControl;
  m_threads.clear();
  m_threads.waitForDone();
}

/// As the eye goes: prompts, settings, pictures, queue, devices, message, and the bar above all of it.
bool MainWindow::focusNextPrevChild(bool isNext) {
  const SidePanels& panels = m_shell->panels();
  std::vector<QWidget*> parts{panels.strip(SidePanels::Left),  m_form,    m_centre,  m_queuePage,
                              panels.strip(SidePanels::Right), m_devices, m_messages};
  std::ranges::copy(m_topBar->tabs(), std::back_inserter(parts));
  return focusNext(parts, isNext);
}

/// Whoever had the keyboard is gone.
void MainWindow::focusCentre() {
  if (m_centre->currentWidget() == m_gallery) {
    m_gallery->takeFocus();
  } else if (!focusFirstOf(m_centre->currentWidget())) {
    m_centre->currentWidget()->setFocus();
  }
}

void MainWindow::tellNoDevice() {
  m_messages->show(MessageBar::Kind::Trouble, tr("No device is ticked. Tick one on the right."),
                   {tr("Go to the devices"), [this] { m_shell->actions().trigger(QStringLiteral("devices.focus")); }});
}

/// The parts of the window that F6 goes through, in the order of Tab.
void MainWindow::focusPart(int distance) {
  struct Part {
    QWidget* widget;
    std::function<void()> focus;
  };
  const Part parts[] = {{m_form, [this] { m_form->prompts().takeFocus(); }},
                        {m_centre, [this] { focusCentre(); }},
                        {m_queuePage, [this] { m_queuePage->takeFocus(); }},
                        {m_devices, [this] { m_devices->takeFocus(); }},
                        {m_messages, [this] { m_messages->takeFocus(); }},
                        {m_topBar, [this] { m_topBar->generate()->setFocus(Qt::ShortcutFocusReason); }}};
  const auto count = static_cast<int>(std::size(parts));
  const QWidget* now = QApplication::focusWidget();
  const auto* found = std::ranges::find_if(parts, [now](const Part& part) { return part.widget->isAncestorOf(now); });
  const int from = found == std::end(parts) ? (distance > 0 ? count - 1 : 0) : static_cast<int>(found - parts);
  for (int step = 1; step < count; ++step) {
    const Part& next = parts[(from + step * (count + distance)) % count];
    if (next.widget->isVisible()) {
      next.focus();
      return;
    }
  }
}

void MainWindow::connectTopBar() {
  connect(m_topBar->generate(), &QPushButton::clicked, this, [this] { m_starter->start(false); });
  connect(m_topBar->pause(), &QPushButton::clicked, this, &MainWindow::togglePause);
  connect(m_topBar->stop(), &QPushButton::clicked, m_endings, &RunEndings::stopAll);
  connect(m_topBar, &TopBar::focusFreed, this, &MainWindow::focusCentre);
  connect(m_topBar, &TopBar::stopMenuWanted, this, [this](const QPoint& at) {
    auto* menu = new QMenu(this);
    for (const char* const id : {"run.stopPictures", "run.stopRun", "run.stopWaiting", "run.stopAll"}) {
      m_shell->actions().addTo(*menu, QLatin1String(id));
    }
    popUp(menu, at);
  });
  const auto showKeys = [this] { m_topBar->setKeys(keyText(m_shell->actions().keys(QStringLiteral("run.start")).value(0))); };
  connect(&m_shell->actions(), &Actions::changed, m_topBar, showKeys);
  showKeys();
}

void MainWindow::makeShell(SidePanels* panels) {
  WindowShell::Parts parts;
  parts.panels = panels;
  parts.centre = m_centre;
  parts.name = m_topBar->name();
  parts.library = m_options.library;
  parts.modelFolders = m_options.modelFolders;
  parts.listModels = m_options.listModels;
  parts.describeModel = m_options.describeModel;
  parts.versions = m_options.versions;
  parts.isStored = m_options.restoresSettings;
  parts.tickedDevices = [this] {
    std::vector<domain::DeviceInfo> ticked;
    for (const DeviceCard* card : m_devices->cards()) {
      if (card->isTicked()) {
        ticked.push_back(card->device());
      }
    }
    return ticked;
  };
  m_shell = new WindowShell(*this, m_backend, *m_preferences, std::move(parts));
  m_stopCommands = new StopCommands(m_backend, *m_messages, this);
  addActions();
  m_promptTools = new PromptTools(*m_form, *m_messages, m_shell->actions(), *this, *m_preferences, m_options.restoresSettings);
  m_cost = new RunCost(
      *m_form, m_options.describeModel, m_options.location,
      [this] {
        const auto slotList = m_deviceControl->chosen();
        return slotList && m_deviceControl->isAnyTicked() ? *slotList : std::vector<domain::DeviceSlot>();
      },
      this);
  connect(m_shell, &WindowShell::libraryWanted, this, &MainWindow::libraryWanted);
  connect(&m_shell->models(), &ModelsPage::listed, &m_form->settings(), &RunSettings::setModels);
  connect(&m_shell->models(), &ModelsPage::listed, &m_form->prompts().models(), &PromptModels::checkAgain);
  connect(&m_shell->models(), &ModelsPage::defaultChosen, &m_form->settings(), &RunSettings::setModelReference);
}

void MainWindow::addActions() {
  using Category = ActionCategory;
  using Kind = backend::Command::Kind;
  Actions& actions = m_shell->actions();
  actions.add(QStringLiteral("run.start"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Generate"), Category::Run,
              {Qt::CTRL | Qt::Key_Return, Qt::CTRL | Qt::Key_Enter}, [this] { m_topBar->generate()->click(); });
  actions.add(QStringLiteral("run.startInFront"),
              QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Generate at the front of the queue"), Category::Run,
              {Qt::CTRL | Qt::SHIFT | Qt::Key_Return, Qt::CTRL | Qt::SHIFT | Qt::Key_Enter}, [this] { m_starter->start(true); });
  actions.add(QStringLiteral("run.pause"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Pause or resume"), Category::Run,
              {Qt::CTRL | Qt::Key_P}, [this] { m_topBar->pause()->click(); });
  actions.add(QStringLiteral("run.stopPictures"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Stop the pictures in work"),
              Category::Run, {Qt::SHIFT | Qt::Key_X, Qt::CTRL | Qt::ALT | Qt::Key_Return},
              [this] { m_stopCommands->stop(Kind::CancelInWork); });
  actions.add(QStringLiteral("run.stopRun"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Stop this run"), Category::Run, {},
              [this] { m_stopCommands->stop(Kind::CancelAll, m_deviceControl->currentRun()); });
  actions.add(QStringLiteral("run.stopWaiting"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Stop everything that waits"),
              Category::Run, {Qt::CTRL | Qt::SHIFT | Qt::Key_X}, [this] { m_stopCommands->stop(Kind::CancelWaiting); });
  actions.add(QStringLiteral("run.stopAll"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Stop everything"), Category::Run, {},
              [this] { m_endings->stopAll(); });
  m_gallery->addActions(actions);
  m_queuePage->addActions(actions);
  actions.add(QStringLiteral("queue.toggle"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Show or hide the queue"),
              Category::Queue, {Qt::Key_Q, Qt::ALT | Qt::Key_Q}, [this] { m_drawer->toggle(); });
  actions.add(QStringLiteral("gallery.focus"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Go to the pictures"),
              Category::Gallery, {Qt::ALT | Qt::Key_G}, [this] {
                m_shell->pages().leave();
                m_gallery->takeFocus();
              });
  actions.add(QStringLiteral("messages.focus"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Go to the message"), Category::View,
              {Qt::ALT | Qt::Key_M}, [this] { m_messages->takeFocus(); });
  actions.add(QStringLiteral("view.nextPart"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Go to the next part of the window"),
              Category::View, {Qt::Key_F6}, [this] { focusPart(1); });
  actions.add(QStringLiteral("view.previousPart"),
              QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Go to the previous part of the window"), Category::View,
              {Qt::SHIFT | Qt::Key_F6}, [this] { focusPart(-1); });
  auto* log = new DeviceLogPage(m_devices->log(), this);
  m_shell->pages().add(QStringLiteral("log"), log);
  const auto openLog = [this, log](const QString& device) {
    QStringList names;
    for (const DeviceCard* card : m_devices->cards()) {
      names << card->shortName();
    }
    log->setDevices(names);
    log->choose(device);
    m_shell->pages().open(QStringLiteral("log"));
  };
  connect(m_devices, &DevicePanel::logWanted, this, openLog);
  actions.add(QStringLiteral("devices.focus"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Go to the devices"),
              Category::Devices, {Qt::ALT | Qt::Key_D}, [this] {
                m_shell->panels().setShown(SidePanels::Right, true);
                m_devices->takeFocus();
              });
  actions.add(QStringLiteral("devices.tickAll"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Tick every GPU"), Category::Devices,
              {}, [this] { m_devices->tickAll(); });
  actions.add(QStringLiteral("devices.together"),
              QT_TRANSLATE_NOOP("polyptych::ui::Actions", "GPUs make each picture together, or each its own"), Category::Devices,
              {}, [this] { m_devices->setTogether(!m_devices->areTogether()); });
  actions.add(QStringLiteral("devices.moreWorkers"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "One more worker for the CPU"),
              Category::Devices, {}, [this] { m_devices->setCpuWorkers(m_devices->cpuWorkers() + 1); });
  actions.add(QStringLiteral("devices.fewerWorkers"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "One worker fewer for the CPU"),
              Category::Devices, {}, [this] { m_devices->setCpuWorkers(m_devices->cpuWorkers() - 1); });
  actions.add(QStringLiteral("devices.restart"),
              QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Restart devices that were set aside"), Category::Devices, {}, [this] {
                for (const DeviceCard* card : m_devices->cards()) {
                  for (const QString& slotId : card->failedSlots()) {
                    Q_EMIT m_devices->restartWanted(slotId);
                  }
                }
              });
  actions.add(QStringLiteral("devices.log"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Log of the devices"), Category::Devices,
              {Qt::CTRL | Qt::Key_L}, [openLog] { openLog({}); });
  actions.add(QStringLiteral("prompts.focus"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Go to the prompts"),
              Category::Prompts, {Qt::ALT | Qt::Key_A}, [this] {
                m_shell->panels().setShown(SidePanels::Left, true);
                m_form->prompts().takeFocus();
              });
}

void MainWindow::retranslate() {
  updateGenerate();
  updateProgress();
  showPause();
}

QWidget* MainWindow::makeCentre() {
  m_centre = new QStackedWidget(this);
  m_centre->addWidget(m_gallery);
  connect(m_gallery, &GalleryPage::told, m_messages,
          [this](MessageBar::Kind kind, const ErrorText& text, const MessageBar::Action& action) {
            m_messages->show(kind, text, action);
          });
  // What is found is to be seen.
  connect(m_gallery->searchField(), &QLineEdit::textEdited, this, [this] {
    m_shell->pages().leave();
    m_gallery->leave(false);
  });
  connect(m_gallery, &GalleryPage::useSettingsRequested, this,
          [this](const domain::PictureMetadata& metadata, const QString& file) {
            m_messages->show(
                MessageBar::Kind::Notice,
                file.isEmpty() ? tr("The picture's settings are taken over.") : tr("Settings taken over from %1.").arg(file),
                {tr("Undo"), m_form->useSettings(metadata)});
          });
  connect(m_gallery, &GalleryPage::useSeedRequested, &m_form->settings(), &RunSettings::useSeed);
  connect(m_gallery, &GalleryPage::fullScreenWanted, this, &MainWindow::setFullScreen);
  m_queuePage = new QueuePage(m_backend, *m_messages, m_options.location, this, *m_preferences, this);
  connect(m_queuePage, &QueuePage::runsWanted, this, [this](const std::vector<backend::RunSpec>& specs) {
    for (const backend::RunSpec& spec : specs) {
      m_starter->submit(spec);
    }
  });
  connect(&m_queuePage->commands(), &QueueCommands::runTakenBack, this, [this](quint64 runId) { m_endings->leaveOut(runId); });
  m_drawer = new QueueDrawer(m_centre, m_queuePage, this);
  connect(m_messages, &MessageBar::queueTriggered, m_drawer, &QueueDrawer::toggle);
  return m_drawer;
}

/// A picture alone: nothing of the window beside it.
void MainWindow::setFullScreen(bool isFull) {
  SidePanels& panels = m_shell->panels();
  const SidePanels::Side sides[] = {SidePanels::Left, SidePanels::Right};
  for (int i = 0; i < 2; ++i) {
    if (isFull) {
      m_wereSidesShown[i] = panels.isShown(sides[i]);
    }
    panels.setShown(sides[i], !isFull && m_wereSidesShown[i]);
  }
  m_queuePage->setVisible(m_queuePage->isVisible() && !isFull);
  m_topBar->setVisible(!isFull);
  m_messages->setVisible(!isFull);
  setWindowState(isFull ? windowState() | Qt::WindowFullScreen : windowState() & ~Qt::WindowFullScreen);
}

void MainWindow::connectBackend() {
  using backend::Backend;
  connect(m_runs, &OpenRuns::changed, this, &MainWindow::updateProgress);
  connect(m_runs, &OpenRuns::began, this, [this](quint64 runId, const QString& folder) {
    m_deviceControl->setCurrentRun(runId);
    m_lastFolder = folder;
    m_messages->setPlace(folder);
  });
  connect(m_runs, &OpenRuns::ended, this, [this] {
    m_cost->read();
    if (m_runs->isEmpty()) {
      m_devices->endRuns();
    }
  });
  connect(m_endings, &RunEndings::stoppingChanged, this, &MainWindow::updateProgress);
  connect(m_endings, &RunEndings::workEnded, this, &MainWindow::notifyEnd);
  connect(&m_backend, &Backend::queueChanged, this, &MainWindow::onQueueChanged);
  connect(&m_backend, &Backend::commandDone, this, [this](const backend::CommandResult& result) {
    if (result.error && !m_gallery->isOwn(result.commandId)) {
      m_messages->show(MessageBar::Kind::Trouble, textOf(*result.error));
    }
  });
  connect(&m_backend, &Backend::lost, this, &MainWindow::onLost);
}

void MainWindow::changeEvent(QEvent* event) {
  QMainWindow::changeEvent(event);
  if (event->type() == QEvent::WindowStateChange) {
    m_deviceControl->watch();
  }
}

void MainWindow::onJoined() {
  m_deviceControl->watch();
  if (!std::exchange(m_wasJoined, true)) {
    return;
  }
  m_deviceControl->forget();
  m_endings->forgetStopping();
  m_runs->rejoin();
  m_backend.refresh();
  m_backend.listDevices();
}

/// Once, to somebody who has closed the window over its work for the first time.
void MainWindow::tellOfEarlierWork() {
  if (m_options.restoresSettings && QSettings().value(kWorksOn).toBool()) {
    QSettings().setValue(kWorksOn, false);
    m_messages->show(MessageBar::Kind::Notice, tr("Polyptych went on with its work while its window was closed."));
  }
}

void MainWindow::lookForModels() {
  m_threads.start([this, folders = m_shell->models().folders()] {
    const auto models = m_options.listModels(folders);
    QMetaObject::invokeMethod(
        this, [this, models] { m_form->settings().setModels(models); }, Qt::QueuedConnection);
  });
}

void MainWindow::updateGenerate() { m_topBar->setPictures(m_form->pictureCount(), m_starter->isChecking()); }

void MainWindow::updateProgress() {
  const bool isGoing = !m_runs->isEmpty();
  const RunProgress& progress = m_runs->progress();
  m_topBar->showWork({isGoing ? &progress : nullptr, isPaused(), isHeld(), m_endings->isStopping(), m_isLost});
  m_shell->setEnabled(QStringLiteral("run.pause"), m_topBar->pause()->isEnabled());
  m_shell->setEnabled(QStringLiteral("run.stopAll"), m_topBar->stop()->isEnabled());
  for (const char* const id : {"run.stopPictures", "run.stopRun", "run.stopWaiting"}) {
    m_shell->setEnabled(QLatin1String(id), isGoing);
  }
  const QString percent = m_topBar->percent();
  setWindowTitle(percent.isEmpty() ? QStringLiteral("Polyptych") : tr("%1 – Polyptych").arg(percent));
  m_notifier->showProgress(percent.isEmpty() ? -1 : progress.share(), m_queue.waiting);
}

quint64 MainWindow::control(backend::Command::Kind kind, qint64 undoId) {
  backend::Command command;
  command.kind = kind;
  command.undoId = undoId;
  return m_backend.control(std::move(command));
}

void MainWindow::togglePause() {
  if (isHeld()) {
    goOn();
  } else {
    control(backend::Command::Kind::PauseQueue);
  }
}

void MainWindow::goOn() {
  if (!m_deviceControl->hasWorkers() && !m_deviceControl->isAnyTicked()) {
    tellNoDevice();
    return;
  }
  m_deviceControl->give();
  control(backend::Command::Kind::ResumeQueue);
}

void MainWindow::onQueueChanged(const backend::QueueStatus& status) {
  const backend::QueueStatus before = std::exchange(m_queue, status);
  m_messages->setWaiting(status.waiting);
  if (m_isLost || (before.pause == status.pause && before.sentence == status.sentence)) {
    return;
  }
  m_devices->setPaused(isPaused());
  showPause();
  if (!isPaused()) {
    m_runs->progress().forgetRate();
  }
  updateProgress();
}

/// Why nothing is begun, as long as it is so.
void MainWindow::showPause() {
  using backend::PauseReason;
  if (m_isLost) {
    return;
  }
  const backend::QueueStatus& status = m_queue;
  if (isPaused()) {
    const bool isTrouble = status.pause == PauseReason::Storage || status.pause == PauseReason::Breaker;
    m_messages->setState(isTrouble ? MessageBar::Kind::Trouble : MessageBar::Kind::Notice, textOf(status),
                         isHeld() ? MessageBar::Action{tr("Go on"), [this] { goOn(); }} : MessageBar::Action());
  } else {
    m_messages->clearState();
  }
}

void MainWindow::onLost(const base::Error& error) {
  m_isLost = true;
  m_endings->forgetStopping();
  m_queue = {};
  m_runs->lose();
  m_starter->lose();
  m_deviceControl->lose();
  m_messages->setState(MessageBar::Kind::Trouble, textOf(error, Subject::Backend));
  updateProgress();
}

/// Esc that nobody has used leaves what stands in the place of the pictures, wherever the keyboard is.
void MainWindow::keyPressEvent(QKeyEvent* event) {
  if (event->key() != Qt::Key_Escape) {
    QMainWindow::keyPressEvent(event);
  } else if (!m_shell->pages().current().isEmpty()) {
    m_shell->pages().leave();
  } else {
    m_gallery->leave();
  }
}

void MainWindow::comeToFront() {
  setWindowState(windowState() & ~Qt::WindowMinimized);
  show();
  raise();
  activateWindow();
}

/// To somebody who looks elsewhere.
void MainWindow::notifyEnd(qint64 pictures, qint64 failed) {
  if (isActiveWindow() || !m_preferences->values().notifiesAtEnd || pictures + failed == 0) {
    return;
  }
  QApplication::alert(this);
  const QString made = tr("%n picture(s)", nullptr, static_cast<int>(pictures));
  m_notifier->notify(failed == 0 ? tr("All pictures are there") : tr("The work has ended"),
                     failed == 0 ? made : made + QStringLiteral(", ") + tr("%n failed", nullptr, static_cast<int>(failed)));
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  const QList<QUrl> urls = event->source() == nullptr ? event->mimeData()->urls() : QList<QUrl>();
  if (std::ranges::any_of(urls, [](const QUrl& url) { return url.isLocalFile() && isWanted(url.toLocalFile()); })) {
    event->acceptProposedAction();
  }
}

/// Lists of prompts go into the list; a picture gives its settings.
void MainWindow::dropEvent(QDropEvent* event) {
  QStringList lists;
  for (const QUrl& url : event->mimeData()->urls()) {
    const QString path = url.toLocalFile();
    if (PromptFiles::isList(path)) {
      lists << path;
    } else if (isWanted(path)) {
      m_gallery->readSettingsOf(path);
    }
  }
  m_promptTools->open(lists);
  event->acceptProposedAction();
}

void MainWindow::closeEvent(QCloseEvent* event) {
  const RunProgress& progress = m_runs->progress();
  const bool isWorking = !m_runs->isEmpty() && !isHeld() && !m_isLost;
  if (!m_shell->closing().mayClose(isWorking ? progress.total() - progress.done() - progress.failed() : 0)) {
    event->ignore();
    return;
  }
  m_shell->save();
  m_gallery->save();
  if (m_options.restoresSettings) {
    m_form->save();
    writeSettings(session());
    QSettings settings;
    settings.setValue(kQueueHeight, m_drawer->queueHeight());
    if (!m_runs->isEmpty() && !settings.contains(kWorksOn)) {
      settings.setValue(kWorksOn, true);
    }
  }
  event->accept();
}

/// Settings of runs and devices, by their keys.
QVariantMap MainWindow::session() const {
  QVariantMap values = m_form->session();
  values.insert(m_deviceControl->session());
  return values;
}

/// Whatever ends this program without closing its window: what the last run was begun with is there again.
void MainWindow::keepSession() {
  if (m_options.restoresSettings) {
    m_threads.start([values = session()] { writeSettings(values); });
  }
}

}  // namespace polyptych::ui
