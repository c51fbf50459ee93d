#include "ui/main_window.h"

#include <QAction>
#include <QApplication>
#include <QCloseEvent>
#include <QDateTime>
#include <QDesktopServices>
#include <QDragEnterEvent>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QLocale>
#include <QMenu>
#include <QMimeData>
#include <QSettings>
#include <QUrl>
#include <QVBoxLayout>
#include <algorithm>
#include <filesystem>
#include <utility>
#include <variant>

#include "core/domain/device_choice.h"
#include "ui/error_text.h"
#include "ui/gallery/filter_bar.h"
#include "ui/gallery/gallery_view.h"
#include "ui/shell/line_icon.h"
#include "ui/shell/retranslate.h"
#include "ui/shell/tab_order.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

/// Setting: true from the first time that the window is closed over its work until that is told, then false.
constexpr QLatin1String kWorksOn("notices/worksOn");

/// Setting: how many workers the CPU has.
constexpr QLatin1String kCpuWorkers("cpuWorkers");
/// Setting: how much of the centre the queue takes, pixels.
constexpr QLatin1String kQueueHeight("window/queueHeight");

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
  auto* panels = new SidePanels(m_form, makeCentre(), m_devices, this);

  auto* all = new QWidget(this);
  auto* layout = new QVBoxLayout(all);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  m_topBar = makeTopBar();
  layout->addWidget(m_topBar);
  layout->addWidget(panels, 1);
  layout->addWidget(m_messages);
  setCentralWidget(all);
  setAcceptDrops(true);
  resize(Metrics::kWindowWidth, Metrics::kWindowHeight);

  makeShell(panels);

  if (m_options.restoresSettings) {
    m_form->restore();
    m_queueHeight = QSettings().value(kQueueHeight).toInt();
    m_devices->setCpuWorkers(QSettings().value(kCpuWorkers, 1).toInt());
  }
  if (!m_options.model.isEmpty()) {
    m_form->settings().setModelReference(m_options.model);
  } else if (m_options.restoresSettings && QSettings().value(QStringLiteral("run/model")).toString().isEmpty() &&
             !m_preferences->values().defaultModel.isEmpty()) {
    m_form->settings().setModelReference(m_preferences->values().defaultModel);
  }
  connect(m_form, &RunForm::changed, this, &MainWindow::updateGenerate);
  connect(m_devices, &DevicePanel::tickChanged, this, [this] {
    updateGenerate();
    changeDevices();
    m_cost->update();
    m_shell->updateDevices();
  });
  connect(m_messages, &MessageBar::placeTriggered, this,
          [this] { QDesktopServices::openUrl(QUrl::fromLocalFile(m_lastFolder)); });
  connect(m_messages, &MessageBar::focusFreed, this, &MainWindow::focusCentre);
  connect(panels, &SidePanels::focusFreed, this, &MainWindow::focusCentre);
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
  m_threads.clear();
  m_threads.waitForDone();
}

/// As the eye goes: prompts, settings, pictures, queue, devices, message, and the bar above all of it.
bool MainWindow::focusNextPrevChild(bool isNext) {
  const SidePanels& panels = m_shell->panels();
  return focusNext({panels.strip(SidePanels::Left), m_form, m_centre, m_queuePage, panels.strip(SidePanels::Right), m_devices,
                    m_messages, m_name, m_generate, m_pause, m_stop, m_stopMenu, m_gallery->searchField()},
                   isNext);
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
  const Part parts[] = {
      {m_form, [this] { m_form->prompts().takeFocus(); }}, {m_centre, [this] { focusCentre(); }},
      {m_queuePage, [this] { m_queuePage->takeFocus(); }}, {m_devices, [this] { m_devices->takeFocus(); }},
      {m_messages, [this] { m_messages->takeFocus(); }},   {m_topBar, [this] { m_generate->setFocus(Qt::ShortcutFocusReason); }}};
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

QWidget* MainWindow::makeTopBar() {
  auto* bar = new QWidget(this);
  bar->setObjectName(QStringLiteral("topBar"));
  bar->setAttribute(Qt::WA_StyledBackground);
  bar->setFixedHeight(Metrics::kTopBar);
  m_name = new QPushButton(QStringLiteral("Polyptych"), bar);
  m_name->setObjectName(QStringLiteral("appName"));
  m_generate = new QPushButton(bar);
  m_generate->setObjectName(QStringLiteral("generate"));
  m_stop = new QPushButton(bar);
  m_stop->setObjectName(QStringLiteral("stop"));
  m_stop->setEnabled(false);
  m_stopMenu = new QPushButton(lineIcon(QStringLiteral("chevron")), QString(), bar);
  m_stopMenu->setObjectName(QStringLiteral("stopMenu"));
  m_stopMenu->setProperty("role", QStringLiteral("icon"));
  m_stopMenu->setEnabled(false);
  m_pause = new QPushButton(bar);
  m_pause->setObjectName(QStringLiteral("pause"));
  m_pause->setEnabled(false);
  m_progressText = new QLabel(bar);
  m_progressText->setObjectName(QStringLiteral("progress"));
  m_progressText->setProperty("role", QStringLiteral("secondary"));
  m_progressBar = new QProgressBar(bar);
  m_progressBar->setTextVisible(false);
  m_percent = new QLabel(bar);
  m_percent->setProperty("role", QStringLiteral("secondary"));
  auto* progress = new QVBoxLayout;
  progress->setSpacing(Metrics::kTight);
  progress->addStretch();
  auto* progressWords = new QHBoxLayout;
  progressWords->addWidget(m_progressText, 1);
  progressWords->addWidget(m_percent);
  progress->addLayout(progressWords);
  progress->addWidget(m_progressBar);
  progress->addStretch();
  auto* layout = new QHBoxLayout(bar);
  // The name begins where the panel below it does; what is around it shows only under the pointer.
  layout->setContentsMargins(Metrics::kPad - Metrics::kNameInset, 0, Metrics::kPad, 0);
  layout->setSpacing(Metrics::kPad);
  layout->addWidget(m_name);
  layout->addSpacing(Metrics::kTight);
  layout->addWidget(m_generate);
  layout->addWidget(m_pause);
  auto* stopping = new QHBoxLayout;
  stopping->setSpacing(Metrics::kTight / 2);
  stopping->addWidget(m_stop);
  stopping->addWidget(m_stopMenu);
  layout->addLayout(stopping);
  layout->addLayout(progress, 2);
  layout->addStretch(1);
  layout->addWidget(m_gallery->searchField(), 1);
  connect(m_generate, &QPushButton::clicked, this, [this] { generate(); });
  connect(m_pause, &QPushButton::clicked, this, &MainWindow::togglePause);
  connect(m_stop, &QPushButton::clicked, this, &MainWindow::stop);
  connect(m_stopMenu, &QPushButton::clicked, this, &MainWindow::showStopMenu);
  return bar;
}

void MainWindow::showStopMenu() {
  QMenu menu(m_stopMenu);
  for (const char* const id : {"run.stopPictures", "run.stopRun", "run.stopWaiting", "run.stopAll"}) {
    m_shell->actions().addTo(menu, QLatin1String(id));
  }
  menu.exec(m_stop->mapToGlobal(m_stop->rect().bottomLeft()));
}

void MainWindow::makeShell(SidePanels* panels) {
  WindowShell::Parts parts;
  parts.panels = panels;
  parts.centre = m_centre;
  parts.name = m_name;
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
        const auto slotList = chosenDevices();
        return slotList && !m_devices->tickedList().isEmpty() ? *slotList : std::vector<domain::DeviceSlot>();
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
              {Qt::CTRL | Qt::Key_Return, Qt::CTRL | Qt::Key_Enter}, [this] { m_generate->click(); });
  actions.add(QStringLiteral("run.startInFront"),
              QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Generate at the front of the queue"), Category::Run,
              {Qt::CTRL | Qt::SHIFT | Qt::Key_Return, Qt::CTRL | Qt::SHIFT | Qt::Key_Enter}, [this] { generate(true); });
  actions.add(QStringLiteral("run.pause"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Pause or resume"), Category::Run,
              {Qt::CTRL | Qt::Key_P}, [this] { m_pause->click(); });
  actions.add(QStringLiteral("run.stopPictures"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Stop the pictures in work"),
              Category::Run, {Qt::SHIFT | Qt::Key_X, Qt::CTRL | Qt::ALT | Qt::Key_Return},
              [this] { m_stopCommands->stop(Kind::CancelInWork); });
  actions.add(QStringLiteral("run.stopRun"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Stop this run"), Category::Run, {},
              [this] { m_stopCommands->stop(Kind::CancelAll, m_currentRun); });
  actions.add(QStringLiteral("run.stopWaiting"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Stop everything that waits"),
              Category::Run, {Qt::CTRL | Qt::SHIFT | Qt::Key_X}, [this] { m_stopCommands->stop(Kind::CancelWaiting); });
  actions.add(QStringLiteral("run.stopAll"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Stop everything"), Category::Run, {},
              [this] { stop(); });
  m_gallery->addActions(actions);
  m_queuePage->addActions(actions);
  actions.add(QStringLiteral("queue.toggle"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Show or hide the queue"),
              Category::Queue, {Qt::Key_Q, Qt::ALT | Qt::Key_Q}, [this] { showQueue(!m_queuePage->isVisible()); });
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
  m_generate->setToolTip(tipWithKeys(tr("Generate"), m_shell->actions(), QStringLiteral("run.start")));
  m_stop->setText(tr("Stop"));
  m_stopMenu->setAccessibleName(tr("What to stop"));
  m_stopMenu->setToolTip(tr("What to stop"));
  // Wide enough for both of its words: what stands beside it stays where it is.
  int width = 0;
  for (const QString& word : {tr("Resume"), tr("Pause")}) {
    m_pause->setText(word);
    m_pause->ensurePolished();
    width = std::max(width, m_pause->sizeHint().width());
  }
  m_pause->setMinimumWidth(width);
  m_progressBar->setAccessibleName(tr("Progress of all pictures"));
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
  connect(m_gallery, &GalleryPage::useSettingsRequested, m_form, &RunForm::useSettings);
  connect(m_gallery, &GalleryPage::useSeedRequested, &m_form->settings(), &RunSettings::useSeed);
  connect(m_gallery, &GalleryPage::fullScreenWanted, this, &MainWindow::setFullScreen);
  m_queuePage = new QueuePage(m_backend, *m_messages, m_options.location, this, *m_preferences, this);
  m_queuePage->hide();
  connect(m_queuePage, &QueuePage::closed, this, [this] { showQueue(false); });
  connect(m_queuePage, &QueuePage::runsWanted, this, [this](const std::vector<backend::RunSpec>& specs) {
    for (const backend::RunSpec& spec : specs) {
      submit(spec, false);
    }
  });
  connect(&m_queuePage->commands(), &QueueCommands::runTakenBack, this, [this](quint64 runId) { m_takenBack << runId; });
  connect(m_messages, &MessageBar::queueTriggered, this, [this] { showQueue(!m_queuePage->isVisible()); });
  m_middle = new QSplitter(Qt::Vertical, this);
  m_middle->setObjectName(QStringLiteral("middle"));
  m_middle->setChildrenCollapsible(false);
  m_middle->addWidget(m_centre);
  m_middle->addWidget(m_queuePage);
  m_middle->setStretchFactor(0, 1);
  return m_middle;
}

/// Over the lower half of the gallery.
void MainWindow::showQueue(bool isShown) {
  if (isShown == m_queuePage->isVisible()) {
    if (isShown) {
      m_queuePage->takeFocus();
    }
    return;
  }
  if (isShown) {
    const int height = m_middle->height();
    const int wanted =
        std::clamp(m_queueHeight > 0 ? m_queueHeight : height / 2, std::min(height / 3, Metrics::kQueueHeight), height * 2 / 3);
    m_queuePage->show();
    m_middle->setSizes({height - wanted, wanted});
    m_queuePage->takeFocus();
  } else {
    m_queueHeight = m_queuePage->height();
    const bool hadFocus = m_queuePage->isAncestorOf(QApplication::focusWidget());
    m_queuePage->hide();
    if (hadFocus) {
      focusCentre();
    }
  }
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
  m_runs = new OpenRuns(m_backend, *m_gallery->model(), this);
  connect(m_runs, &OpenRuns::changed, this, &MainWindow::updateProgress);
  connect(m_runs, &OpenRuns::began, this, [this](quint64 runId, const QString& folder) {
    m_currentRun = runId;
    m_lastFolder = folder;
    m_messages->setPlace(folder);
  });
  connect(m_runs, &OpenRuns::ended, this, &MainWindow::onRunEnded);
  connect(m_runs, &OpenRuns::troubled, this,
          [this](const base::Error& error) { m_messages->show(MessageBar::Kind::Trouble, textOf(error)); });
  connect(&m_backend, &Backend::runStarted, this, [this](quint64 runId) {
    if (m_inFront.remove(runId)) {
      backend::Command command;
      command.kind = backend::Command::Kind::MoveToFront;
      command.jobs.runId = runId;
      m_backend.control(std::move(command));
    }
  });
  connect(&m_backend, &Backend::devicesListed, this, &MainWindow::onDevicesListed);
  connect(&m_backend, &Backend::queueChanged, this, &MainWindow::onQueueChanged);
  connect(&m_backend, &Backend::commandDone, this, &MainWindow::onCommandDone);
  connect(&m_backend, &Backend::slotChanged, this, &MainWindow::onSlotChanged);
  connect(&m_backend, &Backend::stepFinished, this, &MainWindow::onStepFinished);
  connect(&m_backend, &Backend::previewMade, this, [this](quint64, qint64, const QString& slotId, const domain::Image& preview) {
    DeviceCard* card = m_devices->cardOf(slotId);
    if (card != nullptr && m_previewGate.lets(slotId, m_preferences->values())) {
      card->setPreview(preview);
    }
  });
  connect(&m_backend, &Backend::devicesMeasured, m_devices, &DevicePanel::setReadings);
  connect(&m_backend, &Backend::pictureFinished, m_devices, &DevicePanel::notePicture);
  connect(&m_backend, &Backend::pictureFailed, m_devices, &DevicePanel::noteFailure);
  connect(m_devices, &DevicePanel::watched, this, &MainWindow::watchDevices);
  connect(m_devices, &DevicePanel::restartWanted, this, [this](const QString& slotId) {
    backend::Command command;
    command.kind = backend::Command::Kind::RestartDevice;
    command.slotId = slotId;
    m_backend.control(std::move(command));
  });
  connect(&m_backend, &Backend::pictureFailed, this, [this](const backend::FailureEvent& failure) {
    m_lastFailure = textOf(failure.error);
    m_messages->show(MessageBar::Kind::Trouble, m_lastFailure);
  });
  connect(&m_backend, &Backend::warned, this,
          [this](quint64, const domain::Warning& warning) { m_messages->show(MessageBar::Kind::Notice, textOf(warning)); });
  connect(&m_backend, &Backend::lost, this, &MainWindow::onLost);
}

/// A window that nobody sees wants no readings.
void MainWindow::watchDevices() { m_backend.watchDevices(m_devices->isVisible() && !isMinimized()); }

void MainWindow::changeEvent(QEvent* event) {
  QMainWindow::changeEvent(event);
  if (event->type() == QEvent::WindowStateChange) {
    watchDevices();
  }
}

void MainWindow::onJoined() {
  watchDevices();
  if (!std::exchange(m_wasJoined, true)) {
    return;
  }
  m_slots.clear();
  m_stopping.reset();
  m_runs->rejoin();
  m_backend.refresh();
  m_backend.listDevices();
}

void MainWindow::onDevicesListed(const std::vector<domain::DeviceInfo>& devices) {
  // Made anew only where there are others: the cards have the person's ticks.
  if (!std::ranges::equal(devices, m_devices->devices(), {}, &domain::DeviceInfo::id, &domain::DeviceInfo::id)) {
    const bool isFirst = m_devices->devices().empty();
    m_devices->setDevices(devices, !isFirst                     ? m_devices->tickedNames()
                                   : m_options.restoresSettings ? QSettings().value(QStringLiteral("devices")).toStringList()
                                                                : QStringList());
  }
  for (const backend::SlotStatus& status : std::as_const(m_slots)) {
    showSlot(status, m_currentRun);
  }
  m_runs->settle();
  giveDevices();
}

/// A tick counts at once, for the work that goes on: what is ticked starts, what is not finishes its picture and ends.
void MainWindow::changeDevices() {
  if (m_isLost || m_runs->isEmpty()) {
    return;
  }
  backend::Command command;
  command.kind = backend::Command::Kind::SetDevices;
  if (!m_devices->tickedList().isEmpty()) {
    auto slotList = chosenDevices();
    if (!slotList) {
      return;
    }
    command.slots = std::move(*slotList);
  }
  m_backend.control(std::move(command));
}

/// A backend that was started anew has the work of the one before it and no device to do it on.
void MainWindow::giveDevices() {
  if (m_isLost || m_runs->isEmpty() || !m_slots.isEmpty() || m_devices->tickedList().isEmpty()) {
    return;
  }
  if (auto slotList = chosenDevices()) {
    backend::Command command;
    command.kind = backend::Command::Kind::SetDevices;
    command.slots = std::move(*slotList);
    m_backend.control(std::move(command));
  }
}

base::Result<std::vector<domain::DeviceSlot>> MainWindow::chosenDevices() const {
  return domain::chooseDevices(m_devices->tickedList().toStdString(), m_devices->devices(), m_options.cpuCores);
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

void MainWindow::updateGenerate() {
  // It stays enabled while it checks: a button that is disabled gives the focus to whatever comes next.
  const qint64 pictures = m_form->pictureCount();
  m_generate->setText(m_isChecking ? tr("Checking the model") : pictures > 0 ? tr("Generate %L1").arg(pictures) : tr("Generate"));
}

void MainWindow::updateProgress() {
  const bool isGoing = !m_runs->isEmpty();
  const RunProgress& progress = m_runs->progress();
  setEnabled(m_stop, isGoing && !m_stopping);
  setEnabled(m_stopMenu, isGoing && !m_stopping);
  setEnabled(m_pause, !m_isLost && (isGoing || isHeld()));
  m_pause->setText(isHeld() ? tr("Resume") : tr("Pause"));
  m_shell->setEnabled(QStringLiteral("run.pause"), m_pause->isEnabled());
  m_shell->setEnabled(QStringLiteral("run.stopAll"), m_stop->isEnabled());
  for (const char* const id : {"run.stopPictures", "run.stopRun", "run.stopWaiting"}) {
    m_shell->setEnabled(QLatin1String(id), isGoing);
  }
  m_progressBar->setVisible(isGoing && progress.total() > 0);
  const QLocale locale;
  QStringList parts;
  if (isGoing && progress.total() > 0) {
    parts << tr("%1 of %2").arg(locale.toString(progress.done()), locale.toString(progress.total()));
    m_progressBar->setRange(0, static_cast<int>(progress.total()));
    m_progressBar->setValue(static_cast<int>(progress.done() + progress.failed()));
    if (progress.failed() > 0) {
      parts << tr("%n failed", nullptr, static_cast<int>(progress.failed()));
    }
    const auto rate = progress.ratePerMinute();
    const auto left = progress.remaining();
    if (isPaused()) {
      parts << tr("paused");
    } else if (rate && left) {
      parts << tr("%1 a minute").arg(locale.toString(*rate, 'f', *rate < 10 ? 1 : 0));
      parts << tr("done at %1")
                   .arg(locale.toString(QDateTime::currentDateTime().addSecs(left->count()).time(), QLocale::ShortFormat));
    } else {
      parts << tr("estimating");
    }
  }
  m_progressText->setText(parts.join(QStringLiteral(" · ")));
  const bool isCounted = isGoing && progress.total() > 0;
  const double share =
      isCounted ? static_cast<double>(progress.done() + progress.failed()) / static_cast<double>(progress.total()) : -1;
  const QString percent = isCounted ? tr("%1 %").arg(static_cast<int>(100 * share)) : QString();
  m_percent->setText(percent);
  setWindowTitle(isCounted ? tr("%1 – Polyptych").arg(percent) : QStringLiteral("Polyptych"));
  m_notifier->showProgress(share, m_queue.waiting);
}

void MainWindow::generate(bool isInFront) {
  if (m_isChecking) {
    return;
  }
  const auto input = m_form->input();
  if (!input) {
    m_messages->show(MessageBar::Kind::Trouble, QString::fromStdString(input.error().message));
    return;
  }
  if (m_devices->tickedList().isEmpty()) {
    tellNoDevice();
    return;
  }
  const auto slotList = chosenDevices();
  if (!slotList) {
    m_messages->show(MessageBar::Kind::Trouble, textOf(slotList.error(), Subject::Settings));
    return;
  }
  m_isChecking = true;
  updateGenerate();
  m_threads.start([this, input = *input, slotList = *slotList, isInFront] {
    auto specs = specsOf(input, slotList, m_options.describeModel);
    // The window waits for its threads before it goes.
    QMetaObject::invokeMethod(
        this,
        [this, isInFront, specs = std::move(specs)]() mutable {
          m_isChecking = false;
          updateGenerate();
          if (m_isLost) {
            return;
          }
          if (auto* ready = std::get_if<std::vector<backend::RunSpec>>(&specs)) {
            // What goes to the front last stands there first.
            if (isInFront) {
              std::ranges::reverse(*ready);
            }
            for (backend::RunSpec& spec : *ready) {
              submit(std::move(spec), isInFront);
            }
          } else {
            const auto& refusal = std::get<Refusal>(specs);
            m_messages->show(MessageBar::Kind::Trouble, textOf(refusal.error, refusal.subject));
          }
        },
        Qt::QueuedConnection);
  });
}

void MainWindow::submit(backend::RunSpec spec, bool isInFront) {
  m_messages->clear();
  spec.wantsPreviews = m_preferences->values().showsPreviews;
  auto requests = spec.requests;
  const int batch = spec.plan.batch;
  const quint64 runId = m_backend.submit(std::move(spec));
  if (isInFront) {
    m_inFront.insert(runId);
  }
  m_runs->add(runId, std::move(requests), batch);
  // The run's beginning: that is where its pictures come first.
  m_gallery->showRun(runId);
}

quint64 MainWindow::control(backend::Command::Kind kind, qint64 undoId) {
  backend::Command command;
  command.kind = kind;
  command.undoId = undoId;
  return m_backend.control(std::move(command));
}

void MainWindow::stop() {
  m_messages->clear();
  m_stopping = Stopping();
  m_stopping->runs = m_runs->ids();
  // One command for all, so that one undo takes it back. Runs that the backend has not stored yet it does not reach.
  m_stopping->command = control(backend::Command::Kind::CancelAll);
  for (const quint64 runId : m_runs->unborn()) {
    m_backend.cancelRun(runId);
  }
  updateProgress();
}

/// Once the command is answered and everything has ended, whichever comes first.
void MainWindow::tellStopped() {
  if (!m_stopping || !m_stopping->isAnswered || !m_stopping->runs.isEmpty()) {
    return;
  }
  const Stopping done = *std::exchange(m_stopping, std::nullopt);
  MessageBar::Action undo;
  if (done.undoId != 0) {
    undo = {tr("Undo"), [this, done] { control(backend::Command::Kind::Undo, done.undoId); }};
  }
  m_messages->show(MessageBar::Kind::Notice, tr("Stopped. %n picture(s) kept.", nullptr, static_cast<int>(done.kept)), undo);
  updateProgress();
}

void MainWindow::togglePause() {
  if (isHeld()) {
    goOn();
  } else {
    control(backend::Command::Kind::PauseQueue);
  }
}

void MainWindow::goOn() {
  if (m_slots.isEmpty() && m_devices->tickedList().isEmpty()) {
    tellNoDevice();
    return;
  }
  giveDevices();
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

void MainWindow::onCommandDone(const backend::CommandResult& result) {
  if (m_stopping && m_stopping->command == result.commandId) {
    m_stopping->isAnswered = true;
    m_stopping->undoId = result.undoId;
    if (result.error) {
      m_stopping.reset();
      updateProgress();
    }
    tellStopped();
  }
  if (result.error && !m_gallery->isOwn(result.commandId)) {
    m_messages->show(MessageBar::Kind::Trouble, textOf(*result.error));
  }
}

/// A button that is disabled gives the focus to whatever comes next, which the next Space would then press.
void MainWindow::setEnabled(QPushButton* button, bool isEnabled) {
  if (!isEnabled && button->hasFocus()) {
    focusCentre();
  }
  button->setEnabled(isEnabled);
}

void MainWindow::showSlot(const backend::SlotStatus& status, quint64 runId) {
  m_devices->show(status, m_runs->promptOf(runId, status.index));
}

void MainWindow::onSlotChanged(const backend::SlotStatus& status) {
  m_slots.insert(status.slotId, status);
  showSlot(status, m_currentRun);
}

void MainWindow::onStepFinished(quint64 runId, const backend::SlotStatus& status) {
  m_currentRun = runId;
  showSlot(status, runId);
}

void MainWindow::onLost(const base::Error& error) {
  m_isLost = true;
  m_stopping.reset();
  m_queue = {};
  m_runs->lose();
  m_devices->stop();
  setEnabled(m_generate, false);
  m_messages->setState(MessageBar::Kind::Trouble, textOf(error, Subject::Backend));
  updateProgress();
}

void MainWindow::onRunEnded(const backend::RunSummary& summary) {
  m_cost->read();
  if (m_runs->isEmpty()) {
    m_devices->endRuns();
  }
  const auto there = summary.made + summary.alreadyThere;
  m_ended.made += there;
  m_ended.failed += summary.failed;
  if (m_runs->isEmpty()) {
    notifyEnd(std::exchange(m_ended, {}));
  }
  const bool wasStopped = m_stopping && m_stopping->runs.remove(summary.runId);
  if (wasStopped) {
    m_stopping->kept += there;
  }
  if (summary.error) {
    m_messages->show(MessageBar::Kind::Trouble, textOf(*summary.error));
  } else if (summary.wasCancelled) {
    if (!wasStopped && !m_takenBack.remove(summary.runId)) {
      m_messages->show(MessageBar::Kind::Notice, tr("Stopped. %n picture(s) kept.", nullptr, static_cast<int>(there)));
    }
  } else if (summary.failed > 0) {
    const auto failed = static_cast<int>(summary.failed);
    ErrorText text = m_lastFailure;
    text.sentence.prepend(u' ').prepend(there > 0 ? tr("%n picture(s) failed; the others are there.", nullptr, failed)
                                                  : tr("%n picture(s) failed.", nullptr, failed));
    m_messages->show(MessageBar::Kind::Trouble, text);
  } else {
    m_messages->show(MessageBar::Kind::Notice, tr("All %n picture(s) are there.", nullptr, static_cast<int>(summary.total)));
  }
  tellStopped();
}

void MainWindow::comeToFront() {
  setWindowState(windowState() & ~Qt::WindowMinimized);
  show();
  raise();
  activateWindow();
}

/// To somebody who looks elsewhere.
void MainWindow::notifyEnd(const Ended& ended) {
  if (isActiveWindow() || !m_preferences->values().notifiesAtEnd || ended.made + ended.failed == 0) {
    return;
  }
  QApplication::alert(this);
  const QString made = tr("%n picture(s)", nullptr, static_cast<int>(ended.made));
  m_notifier->notify(
      ended.failed == 0 ? tr("All pictures are there") : tr("The work has ended"),
      ended.failed == 0 ? made : made + QStringLiteral(", ") + tr("%n failed", nullptr, static_cast<int>(ended.failed)));
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
    QSettings settings;
    settings.setValue(QStringLiteral("devices"), m_devices->tickedNames());
    settings.setValue(kCpuWorkers, m_devices->cpuWorkers());
    settings.setValue(kQueueHeight, m_queuePage->isVisible() ? m_queuePage->height() : m_queueHeight);
    if (!m_runs->isEmpty() && !settings.contains(kWorksOn)) {
      settings.setValue(kWorksOn, true);
    }
  }
  event->accept();
}

}  // namespace polyptych::ui
