#include "ui/main_window.h"

#include <QAction>
#include <QCloseEvent>
#include <QDateTime>
#include <QDesktopServices>
#include <QDir>
#include <QHBoxLayout>
#include <QLocale>
#include <QRandomGenerator>
#include <QSettings>
#include <QShortcut>
#include <QSplitter>
#include <QUrl>
#include <QVBoxLayout>
#include <variant>

#include "core/domain/device_choice.h"
#include "core/domain/scheduler_name.h"
#include "core/prompt/expand.h"
#include "core/prompt/prompt_list.h"
#include "ui/error_text.h"
#include "ui/gallery_delegate.h"
#include "ui/gallery_view.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

/// An error and what it is about.
struct Refusal {
  base::Error error;
  Subject subject = Subject::Settings;
};

/// What the backend is asked for. Reads the model's files and makes every request: not for the window's thread.
std::variant<backend::RunSpec, Refusal> specOf(const RunInput& input, std::vector<domain::DeviceSlot> slotList,
                                               const decltype(MainWindowOptions::describeModel)& describeModel) {
  const auto model = describeModel(input.modelReference);
  if (!model) {
    return Refusal{model.error(), Subject::Model};
  }
  const auto prompts = prompt::parsePromptList(input.promptText.toStdString(), "the prompt list");
  if (!prompts) {
    return Refusal{prompts.error()};
  }
  prompt::RunOptions run;
  run.prompts = *prompts;
  run.imagesPerPrompt = input.imagesPerPrompt;
  run.baseSeed = input.seed.value_or(QRandomGenerator::global()->generate64());
  if (!input.negative.isEmpty()) {
    run.settings.negativePrompt = input.negative.toStdString();
  }
  run.settings.width = input.width > 0 ? input.width : model->width;
  run.settings.height = input.height > 0 ? input.height : model->height;
  run.settings.steps = input.steps;
  run.settings.guidanceScale = input.guidance;
  run.settings.scheduler = input.scheduler.isEmpty() ? domain::defaultScheduler(model->schedulerClass.toStdString()).name
                                                     : input.scheduler.toStdString();
  auto requests = prompt::expandRun(run);
  if (!requests) {
    return Refusal{requests.error()};
  }
  backend::RunSpec spec;
  spec.requests = std::move(*requests);
  spec.plan.model.folder = model->summary.path.toStdString();
  spec.plan.model.name = model->summary.name.toStdString();
  spec.plan.model.variant = model->summary.variant.toStdString();
  spec.plan.computeType = domain::ComputeType::Auto;
  spec.plan.threads = 0;
  spec.slots = std::move(slotList);
  spec.wantsPreviews = true;
  const QString time = QDateTime::currentDateTime().toString(QStringLiteral("yyyy-MM-dd HH.mm.ss.zzz"));
  spec.outputFolder = QDir(QDir::fromNativeSeparators(input.folder)).absoluteFilePath(time);
  return spec;
}

}  // namespace

MainWindow::MainWindow(backend::Backend& backend, MainWindowOptions options, QWidget* parent)
    : QMainWindow(parent), m_backend(backend), m_options(std::move(options)) {
  setWindowTitle(QStringLiteral("Polyptych"));
  m_threads.setMaxThreadCount(2);
  m_form = new RunForm(this);
  m_devices = new DevicePanel(this);
  m_messages = new MessageBar(this);
  auto* split = new QSplitter(this);
  split->setHandleWidth(1);
  split->setChildrenCollapsible(false);
  QWidget* centre = makeCentre();
  split->addWidget(m_form);
  split->addWidget(centre);
  split->addWidget(m_devices);
  split->setStretchFactor(1, 1);
  split->setSizes({Metrics::kLeft, Metrics::kWindowWidth - Metrics::kLeft - Metrics::kRight, Metrics::kRight});
  m_form->setMinimumWidth(Metrics::kLeftLeast);
  m_devices->setMinimumWidth(Metrics::kRightLeast);
  centre->setMinimumWidth(2 * (Metrics::kTile + Metrics::kTileGap + Metrics::kPad));

  auto* all = new QWidget(this);
  auto* layout = new QVBoxLayout(all);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  layout->addWidget(makeTopBar());
  layout->addWidget(split, 1);
  layout->addWidget(m_messages);
  setCentralWidget(all);
  resize(Metrics::kWindowWidth, Metrics::kWindowHeight);

  for (const auto key : {Qt::CTRL | Qt::Key_Return, Qt::CTRL | Qt::Key_Enter}) {
    auto* shortcut = new QShortcut(QKeySequence(key), this);
    connect(shortcut, &QShortcut::activated, m_generate, &QPushButton::click);
  }
  setTabOrder(m_form, m_grid);
  setTabOrder(m_grid, m_devices);

  if (m_options.restoresSettings) {
    m_form->restore();
    const QByteArray geometry = QSettings().value(QStringLiteral("window/geometry")).toByteArray();
    if (!geometry.isEmpty()) {
      restoreGeometry(geometry);
    }
  }
  if (!m_options.folder.isEmpty()) {
    m_form->setFolder(m_options.folder);
  }
  if (!m_options.model.isEmpty()) {
    m_form->setModelReference(m_options.model);
  }
  connect(m_form, &RunForm::changed, this, &MainWindow::updateGenerate);
  connect(m_devices, &DevicePanel::tickChanged, this, &MainWindow::updateGenerate);
  connect(m_messages, &MessageBar::placeTriggered, this,
          [this] { QDesktopServices::openUrl(QUrl::fromLocalFile(m_lastFolder)); });
  connectBackend();
  updateGenerate();
  updateProgress();
  m_backend.listDevices();
  lookForModels();
  m_form->promptEditor()->setFocus();
}

MainWindow::~MainWindow() {
  m_threads.clear();
  m_threads.waitForDone();
}

QWidget* MainWindow::makeTopBar() {
  auto* bar = new QWidget(this);
  bar->setObjectName(QStringLiteral("topBar"));
  bar->setAttribute(Qt::WA_StyledBackground);
  bar->setFixedHeight(Metrics::kTopBar);
  auto* name = new QLabel(QStringLiteral("Polyptych"), bar);
  name->setObjectName(QStringLiteral("appName"));
  m_generate = new QPushButton(bar);
  m_generate->setObjectName(QStringLiteral("generate"));
  m_generate->setToolTip(tr("Ctrl+Enter"));
  m_stop = new QPushButton(tr("Stop"), bar);
  m_stop->setObjectName(QStringLiteral("stop"));
  m_stop->setEnabled(false);
  m_progressText = new QLabel(bar);
  m_progressText->setObjectName(QStringLiteral("progress"));
  m_progressText->setProperty("role", QStringLiteral("secondary"));
  m_progressBar = new QProgressBar(bar);
  m_progressBar->setTextVisible(false);
  m_progressBar->setAccessibleName(tr("Progress of all pictures"));
  auto* progress = new QVBoxLayout;
  progress->setSpacing(Metrics::kTight);
  progress->addStretch();
  progress->addWidget(m_progressText);
  progress->addWidget(m_progressBar);
  progress->addStretch();
  auto* layout = new QHBoxLayout(bar);
  layout->setContentsMargins(Metrics::kPad, 0, Metrics::kPad, 0);
  layout->setSpacing(Metrics::kPad);
  layout->addWidget(name);
  layout->addSpacing(Metrics::kTight);
  layout->addWidget(m_generate);
  layout->addWidget(m_stop);
  layout->addLayout(progress, 2);
  layout->addStretch(1);
  connect(m_generate, &QPushButton::clicked, this, &MainWindow::generate);
  connect(m_stop, &QPushButton::clicked, this, &MainWindow::stop);
  return bar;
}

QWidget* MainWindow::makeCentre() {
  m_gallery = new GalleryModel(this);
  m_grid = new GalleryView(this);
  m_grid->setObjectName(QStringLiteral("gallery"));
  m_grid->setAccessibleName(tr("Gallery"));
  m_grid->setModel(m_gallery);
  m_grid->setItemDelegate(new GalleryDelegate(m_grid));
  m_empty = new QLabel(tr("Your pictures appear here, each in its place while it is being made.\nType one prompt a line on the "
                          "left and press Ctrl+Enter."),
                       m_grid);
  m_empty->setObjectName(QStringLiteral("empty"));
  m_empty->setProperty("role", QStringLiteral("hint"));
  m_empty->setAlignment(Qt::AlignCenter);
  m_empty->setWordWrap(true);
  auto* over = new QVBoxLayout(m_grid);
  over->addWidget(m_empty);
  m_loupe = new Loupe(this);
  m_centre = new QStackedWidget(this);
  m_centre->addWidget(m_grid);
  m_centre->addWidget(m_loupe);
  connect(m_gallery, &QAbstractItemModel::rowsInserted, m_empty, [this] { m_empty->hide(); });
  connect(m_gallery, &QAbstractItemModel::rowsRemoved, m_empty, [this] { m_empty->setVisible(m_gallery->rowCount() == 0); });
  connect(m_grid, &QListView::activated, this, [this](const QModelIndex& index) { openLoupe(index.row()); });
  connect(m_loupe, &Loupe::left, this, [this] {
    m_centre->setCurrentWidget(m_grid);
    if (m_inLoupe.isValid()) {
      m_grid->setCurrentIndex(m_inLoupe);
    }
    m_grid->setFocus();
  });
  connect(m_loupe, &Loupe::neighbourWanted, this,
          [this](int direction) { openLoupe(m_gallery->nextDone(m_inLoupe.row() + direction, direction)); });
  return m_centre;
}

void MainWindow::connectBackend() {
  using backend::Backend;
  connect(&m_backend, &Backend::devicesListed, this, [this](const std::vector<domain::DeviceInfo>& devices) {
    m_devices->setDevices(
        devices, m_options.restoresSettings ? QSettings().value(QStringLiteral("devices")).toStringList() : QStringList());
  });
  connect(&m_backend, &Backend::runStarted, this, [this](quint64 runId, qint64 total, qint64 alreadyThere) {
    m_currentRun = runId;
    // Only now there is a folder to be shown.
    m_lastFolder = m_runs.value(runId).folder;
    m_messages->setPlace(m_lastFolder);
    m_progress.add(total, alreadyThere);
    updateProgress();
  });
  connect(&m_backend, &Backend::slotChanged, this, &MainWindow::onSlotChanged);
  connect(&m_backend, &Backend::stepFinished, this, &MainWindow::onStepFinished);
  connect(&m_backend, &Backend::previewMade, this,
          [this](quint64 runId, qint64 index, const QString& slotId, const domain::Image& preview) {
            m_gallery->setPreview(runId, index, preview);
            if (DeviceCard* card = m_devices->cardOf(slotId)) {
              card->setPreview(preview);
            }
          });
  connect(&m_backend, &Backend::pictureFinished, this, [this](const backend::PictureEvent& picture) {
    m_gallery->setDone(picture.runId, picture.index, picture.path);
    if (!picture.wasAlreadyThere) {
      m_progress.pictureDone(RunProgress::Clock::now());
      updateProgress();
    }
  });
  connect(&m_backend, &Backend::pictureFailed, this, [this](const backend::FailureEvent& failure) {
    const ErrorText text = textOf(failure.error);
    m_gallery->setFailed(failure.runId, failure.index, text);
    m_lastFailure = text;
    m_progress.pictureFailed();
    updateProgress();
    m_messages->show(MessageBar::Kind::Trouble, text);
  });
  connect(&m_backend, &Backend::warned, this,
          [this](quint64, const domain::Warning& warning) { m_messages->show(MessageBar::Kind::Notice, textOf(warning)); });
  connect(&m_backend, &Backend::runFinished, this, &MainWindow::onRunFinished);
}

void MainWindow::lookForModels() {
  m_threads.start([this, folders = m_options.modelFolders] {
    const auto models = m_options.listModels(folders);
    QMetaObject::invokeMethod(
        this, [this, models] { m_form->setModels(models); }, Qt::QueuedConnection);
  });
}

void MainWindow::updateGenerate() {
  // It stays enabled while it checks: a button that is disabled gives the focus to whatever comes next.
  const qint64 pictures = m_form->pictureCount();
  m_generate->setText(m_isChecking ? tr("Checking the model") : pictures > 0 ? tr("Generate %L1").arg(pictures) : tr("Generate"));
}

void MainWindow::updateProgress() {
  const bool isGoing = !m_runs.isEmpty();
  setStopEnabled(isGoing);
  m_progressBar->setVisible(isGoing);
  const QLocale locale;
  QStringList parts;
  if (m_progress.total() > 0) {
    parts << tr("%1 of %2").arg(locale.toString(m_progress.done()), locale.toString(m_progress.total()));
    m_progressBar->setRange(0, static_cast<int>(m_progress.total()));
    m_progressBar->setValue(static_cast<int>(m_progress.done() + m_progress.failed()));
  }
  if (m_progress.failed() > 0) {
    parts << tr("%n failed", nullptr, static_cast<int>(m_progress.failed()));
  }
  if (isGoing && m_progress.total() > 0) {
    const auto rate = m_progress.ratePerMinute();
    const auto left = m_progress.remaining();
    if (rate && left) {
      parts << tr("%1 a minute").arg(locale.toString(*rate, 'f', *rate < 10 ? 1 : 0));
      parts << tr("done at %1")
                   .arg(locale.toString(QDateTime::currentDateTime().addSecs(left->count()).time(), QLocale::ShortFormat));
    } else {
      parts << tr("estimating");
    }
  }
  m_progressText->setText(parts.join(QStringLiteral(" · ")));
}

void MainWindow::generate() {
  if (m_isChecking) {
    return;
  }
  const auto input = m_form->input();
  if (!input) {
    m_messages->show(MessageBar::Kind::Trouble, QString::fromStdString(input.error().message));
    return;
  }
  if (m_devices->tickedList().isEmpty()) {
    m_messages->show(MessageBar::Kind::Trouble, tr("No device is ticked. Tick one on the right."));
    return;
  }
  const auto slotList = domain::chooseDevices(m_devices->tickedList().toStdString(), m_devices->devices(), m_options.cpuCores);
  if (!slotList) {
    m_messages->show(MessageBar::Kind::Trouble, textOf(slotList.error(), Subject::Settings));
    return;
  }
  m_isChecking = true;
  updateGenerate();
  m_threads.start([this, input = *input, slotList = *slotList] {
    auto spec = specOf(input, slotList, m_options.describeModel);
    // The window waits for its threads before it goes.
    QMetaObject::invokeMethod(
        this,
        [this, spec = std::move(spec)]() mutable {
          m_isChecking = false;
          updateGenerate();
          if (auto* ready = std::get_if<backend::RunSpec>(&spec)) {
            submit(std::move(*ready));
          } else {
            const auto& refusal = std::get<Refusal>(spec);
            m_messages->show(MessageBar::Kind::Trouble, textOf(refusal.error, refusal.subject));
          }
        },
        Qt::QueuedConnection);
  });
}

void MainWindow::submit(backend::RunSpec spec) {
  m_messages->clear();
  if (m_runs.isEmpty()) {
    m_progress.reset();
  }
  Going run{spec.requests, spec.plan.batch, spec.outputFolder};
  const quint64 runId = m_backend.submit(std::move(spec));
  const int first = m_gallery->rowCount();
  m_gallery->addRun(runId, run.requests);
  m_runs.insert(runId, std::move(run));
  // The run's beginning: that is where its pictures come first.
  m_grid->scrollTo(m_gallery->index(first), QAbstractItemView::PositionAtTop);
  updateProgress();
}

void MainWindow::stop() {
  const auto ids = m_runs.keys();
  for (const quint64 runId : ids) {
    m_backend.cancelRun(runId);
  }
  setStopEnabled(false);
}

/// A button that is disabled gives the focus to whatever comes next, which the next Space would then press.
void MainWindow::setStopEnabled(bool isEnabled) {
  if (!isEnabled && m_stop->hasFocus()) {
    m_grid->setFocus();
  }
  m_stop->setEnabled(isEnabled);
}

QString MainWindow::promptOf(quint64 runId, qint64 index) const {
  const auto run = m_runs.constFind(runId);
  if (run == m_runs.constEnd() || index < 0 || static_cast<std::size_t>(index) >= run->requests.size()) {
    return {};
  }
  return QString::fromStdString(run->requests[static_cast<std::size_t>(index)].prompt);
}

void MainWindow::onSlotChanged(const backend::SlotStatus& status) {
  if (DeviceCard* card = m_devices->cardOf(status.slotId)) {
    card->setStatus(status, promptOf(m_currentRun, status.index));
  }
}

void MainWindow::onStepFinished(quint64 runId, const backend::SlotStatus& status) {
  m_progress.workBegan(RunProgress::Clock::now());
  if (DeviceCard* card = m_devices->cardOf(status.slotId)) {
    card->setStatus(status, promptOf(runId, status.index));
  }
  const auto run = m_runs.constFind(runId);
  if (run != m_runs.constEnd() && status.progress.steps > 0) {
    m_gallery->setProgress(runId, status.index, run->batch, static_cast<double>(status.progress.step) / status.progress.steps);
  }
}

void MainWindow::onRunFinished(const backend::RunSummary& summary) {
  m_runs.remove(summary.runId);
  m_gallery->dropUnfinished(summary.runId);
  updateProgress();
  if (m_runs.isEmpty()) {
    m_devices->endRuns();
  }
  if (summary.error) {
    m_messages->show(MessageBar::Kind::Trouble, textOf(*summary.error));
  } else if (summary.wasCancelled) {
    m_messages->show(MessageBar::Kind::Notice,
                     tr("Stopped. %n picture(s) kept.", nullptr, static_cast<int>(summary.made + summary.alreadyThere)));
  } else if (summary.failed > 0) {
    const auto failed = static_cast<int>(summary.failed);
    ErrorText text = m_lastFailure;
    text.sentence.prepend(u' ').prepend(summary.made + summary.alreadyThere > 0
                                            ? tr("%n picture(s) failed; the others are there.", nullptr, failed)
                                            : tr("%n picture(s) failed.", nullptr, failed));
    m_messages->show(MessageBar::Kind::Trouble, text);
  } else {
    m_messages->show(MessageBar::Kind::Notice, tr("All %n picture(s) are there.", nullptr, static_cast<int>(summary.total)));
  }
}

void MainWindow::openLoupe(int row) {
  const QModelIndex index = m_gallery->index(row);
  if (!index.isValid() || index.data(GalleryModel::StateRole).value<GalleryModel::State>() != GalleryModel::State::Done) {
    return;
  }
  m_inLoupe = index;
  m_loupe->show(index.data(GalleryModel::PathRole).toString(), index.data(Qt::DecorationRole).value<QPixmap>(),
                index.data(GalleryModel::PromptRole).toString().simplified(),
                QStringLiteral(" · ") + tr("seed %1").arg(index.data(GalleryModel::SeedRole).toULongLong()));
  m_centre->setCurrentWidget(m_loupe);
  m_loupe->setFocus();
}

void MainWindow::closeEvent(QCloseEvent* event) {
  if (m_options.restoresSettings) {
    m_form->save();
    QSettings settings;
    settings.setValue(QStringLiteral("devices"), m_devices->tickedNames());
    settings.setValue(QStringLiteral("window/geometry"), saveGeometry());
  }
  event->accept();
}

}  // namespace polyptych::ui
