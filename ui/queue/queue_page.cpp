#include "ui/queue/queue_page.h"

#include <QDateTime>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLocale>
#include <QMenu>
#include <QScrollBar>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/error_text.h"
#include "ui/queue/time_line.h"
#include "ui/shell/actions.h"
#include "ui/shell/page.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

using queue::JobState;

constexpr int kTimeLineMs = 2000;
constexpr qint64 kHourMs = 3600 * 1000;
/// In the order of the list, behind "open".
constexpr JobState kStates[] = {JobState::Waiting, JobState::Leased, JobState::Failed,
                                JobState::Parked,  JobState::Done,   JobState::Cancelled};

}  // namespace

QueuePage::QueuePage(backend::Backend& backend, MessageBar& messages, std::optional<library::Location> location, QWidget* window,
                     const Preferences& preferences, QWidget* parent)
    : QWidget(parent), m_backend(backend), m_messages(messages), m_library(std::move(location)) {
  setObjectName(QStringLiteral("queuePage"));
  setAttribute(Qt::WA_StyledBackground);
  m_model = new QueueModel(m_library, this);
  m_table = new QTreeView(this);
  m_table->setObjectName(QStringLiteral("queue"));
  m_table->setProperty("role", QStringLiteral("table"));
  m_table->setModel(m_model);
  m_table->setRootIsDecorated(false);
  m_table->setUniformRowHeights(true);
  m_table->setAllColumnsShowFocus(true);
  m_table->setSelectionMode(QAbstractItemView::ExtendedSelection);
  m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
  m_table->setDragDropMode(QAbstractItemView::DragDrop);
  m_table->setDefaultDropAction(Qt::MoveAction);
  m_table->setContextMenuPolicy(Qt::CustomContextMenu);
  m_table->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  m_table->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_table->header()->setStretchLastSection(false);
  m_table->header()->setSectionsMovable(false);
  m_table->header()->setSectionResizeMode(QueueModel::Prompt, QHeaderView::Stretch);
  m_table->header()->setMinimumSectionSize(Metrics::kQueueColumns[QueueModel::Run]);
  for (int column = 0; column < QueueModel::ColumnCount; ++column) {
    m_table->setColumnWidth(column, Metrics::kQueueColumns[column]);
  }
  m_timeLine = new TimeLine(this);
  m_nothing = makeLabel("hint", this);
  m_nothing->setObjectName(QStringLiteral("queueNothing"));
  m_nothing->setAlignment(Qt::AlignCenter);
  m_nothing->setWordWrap(true);
  m_views = new QStackedWidget(this);
  m_views->addWidget(m_table);
  m_views->addWidget(m_timeLine);
  m_views->addWidget(m_nothing);
  m_sheet = new RequeueSheet(window, preferences);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(Metrics::kPad, Metrics::kGap, Metrics::kPad, 0);
  all->setSpacing(Metrics::kGap);
  all->addWidget(makeTools());
  all->addWidget(m_views, 1);
  m_timeTimer.setInterval(kTimeLineMs);

  connect(&m_timeTimer, &QTimer::timeout, this, &QueuePage::readAttempts);
  connect(m_model, &QueueModel::updated, this, &QueuePage::updateFilters);
  connect(m_model, &QueueModel::moveWanted, this, [this](const std::vector<qint64>& jobs, qint64 before) {
    if (before != 0) {
      command(Kind::MoveBefore, jobs, before);
    }
  });
  connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &QueuePage::updateTools);
  connect(m_table, &QWidget::customContextMenuRequested, this, &QueuePage::showMenu);
  connect(m_table->verticalScrollBar(), &QScrollBar::valueChanged, this, [this](int value) {
    const QScrollBar* bar = m_table->verticalScrollBar();
    if (value > bar->maximum() - 2 * bar->pageStep()) {
      m_model->readMore();
    }
  });
  connect(&m_library, &QueueLibrary::attemptsRead, this, [this](const std::vector<queue::AttemptRow>& attempts) {
    m_timeLine->setAttempts(attempts, QDateTime::currentMSecsSinceEpoch());
  });
  connect(&m_library, &QueueLibrary::failed, this,
          [this](const base::Error& error) { m_messages.show(MessageBar::Kind::Trouble, textOf(error)); });
  connect(m_timeLine, &TimeLine::earlierWanted, this, [this](qint64 since) {
    if (since < m_since) {
      m_since = since;
      readAttempts();
    }
  });
  connect(m_sheet, &RequeueSheet::accepted, this, &QueuePage::onRequeueAccepted);
  connectBackend();
  retranslated(this, [this] { retranslate(); });
  showTimeLine(false);
}

QWidget* QueuePage::makeTools() {
  auto* tools = new QWidget(this);
  auto* layout = new QHBoxLayout(tools);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(Metrics::kTight);
  const auto button = [&](const char* name, const char* role) {
    auto* made = new QPushButton(tools);
    made->setObjectName(QLatin1String(name));
    made->setProperty("role", QLatin1String(role));
    return made;
  };
  m_jobs = button("queueJobs", "segment");
  m_time = button("queueTime", "segment");
  for (QPushButton* segment : {m_jobs, m_time}) {
    segment->setCheckable(true);
    layout->addWidget(segment);
  }
  m_state = new QComboBox(tools);
  m_state->setObjectName(QStringLiteral("queueState"));
  m_state->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  m_state->addItems(QStringList(static_cast<qsizetype>(std::size(kStates)) + 1, QString()));
  m_run = new QComboBox(tools);
  m_run->setObjectName(QStringLiteral("queueRun"));
  m_run->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_run->setMinimumContentsLength(12);
  m_run->addItem(QString(), quint64(0));
  layout->addSpacing(Metrics::kGap);
  layout->addWidget(m_state);
  layout->addWidget(m_run, 1);
  layout->addStretch();
  m_front = button("queueFront", "link");
  m_retry = button("queueRetry", "link");
  m_requeue = button("queueRequeue", "link");
  m_cancel = button("queueCancel", "link");
  m_close = button("queueClose", "link");
  for (QPushButton* link : {m_front, m_retry, m_requeue, m_cancel, m_close}) {
    link->setCursor(Qt::PointingHandCursor);
    layout->addWidget(link);
  }
  connect(m_jobs, &QPushButton::clicked, this, [this] { showTimeLine(false); });
  connect(m_time, &QPushButton::clicked, this, [this] { showTimeLine(true); });
  connect(m_state, &QComboBox::activated, this, &QueuePage::applyFilter);
  connect(m_run, &QComboBox::activated, this, &QueuePage::applyFilter);
  connect(m_front, &QPushButton::clicked, this, [this] { commandSelected(Kind::MoveToFront); });
  connect(m_retry, &QPushButton::clicked, this, [this] { commandSelected(Kind::Retry); });
  connect(m_requeue, &QPushButton::clicked, this, &QueuePage::requeue);
  connect(m_cancel, &QPushButton::clicked, this, [this] { commandSelected(Kind::CancelAll); });
  connect(m_close, &QPushButton::clicked, this, &QueuePage::closed);
  return tools;
}

void QueuePage::connectBackend() {
  using backend::Backend;
  connect(&m_backend, &Backend::runChanged, m_model, &QueueModel::refresh);
  connect(&m_backend, &Backend::queueChanged, m_model, &QueueModel::refresh);
  connect(&m_backend, &Backend::pictureFinished, m_model, &QueueModel::refresh);
  connect(&m_backend, &Backend::pictureFailed, m_model, &QueueModel::refresh);
  connect(&m_backend, &Backend::commandDone, m_model, &QueueModel::refresh);
  connect(&m_backend, &Backend::stepFinished, m_model, &QueueModel::noteStep);
  connect(&m_backend, &Backend::commandDone, this, &QueuePage::onCommandDone);
  connect(&m_backend, &Backend::runStarted, this, [this](quint64 runId) {
    // What was asked for in another way counts no more, now that the other way is stored: all of it.
    for (auto one = m_replacing.begin(); one != m_replacing.end(); ++one) {
      if (one->runs.remove(runId) && one->runs.isEmpty()) {
        command(Kind::CancelWaiting, one->jobs);
        command(Kind::Dismiss, one->jobs);
        m_replacing.erase(one);
        break;
      }
    }
  });
  connect(&m_backend, &Backend::runFinished, this, [this](const backend::RunSummary& summary) {
    // One that was refused replaces nothing: the old jobs stay.
    if (summary.error) {
      std::erase_if(m_replacing, [&](const Replacing& one) { return one.runs.contains(summary.runId); });
    }
  });
}

void QueuePage::retranslate() {
  m_jobs->setText(tr("Jobs"));
  m_time->setText(tr("Time line"));
  m_state->setAccessibleName(tr("State"));
  m_run->setAccessibleName(tr("Run"));
  m_front->setText(tr("To the front"));
  m_retry->setText(tr("Retry"));
  m_requeue->setText(tr("Change…"));
  m_requeue->setToolTip(tr("Put it into the queue again with other settings"));
  m_cancel->setText(tr("Cancel"));
  m_close->setText(tr("Close"));
  m_close->setAccessibleName(tr("Close the queue"));
  m_table->setAccessibleName(tr("Queue"));
  updateFilters();
}

void QueuePage::addActions(Actions& actions) {
  m_actions = &actions;
  const auto add = [&](const char* id, const char* text, const QList<QKeySequence>& keys, std::function<void()> run) {
    actions.add(QLatin1String(id), text, ActionCategory::Queue, keys, std::move(run), m_table);
  };
  add("queue.front", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Move the jobs to the front"), {Qt::CTRL | Qt::Key_Home},
      [this] { commandSelected(Kind::MoveToFront); });
  add("queue.up", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Move the jobs up"), {Qt::ALT | Qt::Key_Up},
      [this] { moveBy(-1); });
  add("queue.down", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Move the jobs down"), {Qt::ALT | Qt::Key_Down},
      [this] { moveBy(1); });
  add("queue.cancel", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Cancel the jobs"), {Qt::Key_Delete},
      [this] { commandSelected(Kind::CancelAll); });
  add("queue.retry", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Retry the jobs"), {Qt::Key_R},
      [this] { commandSelected(Kind::Retry); });
  add("queue.requeue", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Make the jobs again, changed"), {Qt::Key_E},
      [this] { requeue(); });
  add("queue.dismiss", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Dismiss failed jobs"), {},
      [this] { commandSelected(Kind::Dismiss); });
  add("queue.pauseRun", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Pause the run"), {}, [this] { pauseRun(true); });
  add("queue.resumeRun", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Resume the run"), {}, [this] { pauseRun(false); });
}

void QueuePage::takeFocus() {
  m_views->currentWidget() == m_nothing ? m_state->setFocus() : m_views->currentWidget()->setFocus();
}

void QueuePage::showTimeLine(bool isTimeLine) {
  m_jobs->setChecked(!isTimeLine);
  m_time->setChecked(isTimeLine);
  for (QWidget* tool : {static_cast<QWidget*>(m_state), static_cast<QWidget*>(m_run)}) {
    tool->setVisible(!isTimeLine);
  }
  if (isTimeLine) {
    m_since = m_timeLine->begin() - kHourMs;
    m_views->setCurrentWidget(m_timeLine);
    readAttempts();
    m_timeTimer.start();
  } else {
    m_timeTimer.stop();
    m_views->setCurrentWidget(m_table);
  }
  updateTools();
}

void QueuePage::readAttempts() {
  if (isVisible()) {
    m_library.readAttempts(m_since);
  }
}

void QueuePage::applyFilter() {
  queue::JobFilter filter;
  filter.runId = m_run->currentData().toULongLong();
  if (const int chosen = m_state->currentIndex(); chosen > 0) {
    filter.state = kStates[chosen - 1];
  }
  m_model->setFilter(filter);
}

void QueuePage::updateFilters() {
  const queue::JobCounts& counts = m_model->counts();
  const qint64 open = counts.waiting + counts.leased + counts.failed + counts.parked;
  const qint64 numbers[] = {counts.waiting, counts.leased, counts.failed, counts.parked, counts.done, counts.cancelled};
  const QLocale locale;
  m_state->setItemText(0, tr("Open") + u' ' + locale.toString(open));
  for (std::size_t i = 0; i < std::size(kStates); ++i) {
    m_state->setItemText(static_cast<int>(i) + 1, stateWords(kStates[i]) + u' ' + locale.toString(numbers[i]));
  }
  const quint64 chosen = m_run->currentData().toULongLong();
  while (m_run->count() > 1) {
    m_run->removeItem(1);
  }
  m_run->setItemText(0, tr("All runs"));
  for (const queue::RunRow& run : m_model->runs()) {
    m_run->addItem((run.isPaused ? QStringLiteral("‖ ") : QString()) + locale.toString(run.number) + u' ' + run.title, run.id);
  }
  m_run->setCurrentIndex(std::max(0, m_run->findData(chosen)));
  if (m_views->currentWidget() != m_timeLine) {
    const bool isEmpty = m_model->rowCount() == 0;
    m_nothing->setText(m_state->currentIndex() == 0 ? tr("Nothing waits. What you generate stands here until it is made.")
                                                    : tr("There is no such job."));
    m_views->setCurrentWidget(isEmpty ? static_cast<QWidget*>(m_nothing) : m_table);
  }
  updateTools();
}

std::vector<qint64> QueuePage::selectedJobs() const {
  QModelIndexList rows = m_table->selectionModel()->selectedRows();
  std::ranges::sort(rows, {}, &QModelIndex::row);
  std::vector<qint64> jobs;
  for (const QModelIndex& row : rows) {
    jobs.push_back(row.data(QueueModel::IdRole).toLongLong());
  }
  return jobs;
}

void QueuePage::updateTools() {
  bool isAny[6] = {};
  for (const QItemSelectionRange& range : m_table->selectionModel()->selection()) {
    for (int row = range.top(); row <= range.bottom(); ++row) {
      isAny[static_cast<int>(m_model->at(row).state)] = true;
    }
  }
  const auto has = [&isAny](JobState state) { return isAny[static_cast<int>(state)]; };
  const bool isTable = m_views->currentWidget() == m_table;
  const bool canRetry = has(JobState::Failed) || has(JobState::Parked) || has(JobState::Cancelled);
  const auto allow = [isTable](QPushButton* button, bool isAllowed) { button->setVisible(isTable && isAllowed); };
  allow(m_front, has(JobState::Waiting));
  allow(m_retry, canRetry);
  allow(m_requeue, canRetry || has(JobState::Waiting));
  allow(m_cancel, has(JobState::Waiting) || has(JobState::Leased));
}

void QueuePage::command(Kind kind, std::vector<qint64> jobs, qint64 before) {
  if (jobs.empty()) {
    return;
  }
  backend::Command asked;
  asked.kind = kind;
  asked.jobs.jobIds = std::move(jobs);
  asked.before = before;
  m_asked.insert(m_backend.control(std::move(asked)), kind);
}

/// One place for all of them together, among those that wait.
void QueuePage::moveBy(int distance) {
  QModelIndexList rows = m_table->selectionModel()->selectedRows();
  if (rows.isEmpty()) {
    return;
  }
  std::ranges::sort(rows, {}, &QModelIndex::row);
  int place = distance < 0 ? rows.front().row() - 1 : rows.back().row() + 2;
  if (place < 0 || (distance < 0 && m_model->at(place).state != JobState::Waiting)) {
    return;
  }
  if (place >= m_model->rowCount() && rows.back().row() + 1 < m_model->rowCount()) {
    // Behind the last one: that one goes before them.
    command(Kind::MoveBefore, {m_model->at(rows.back().row() + 1).id}, rows.front().data(QueueModel::IdRole).toLongLong());
  } else if (place < m_model->rowCount() && m_model->at(place).state == JobState::Waiting) {
    command(Kind::MoveBefore, selectedJobs(), m_model->at(place).id);
  }
}

void QueuePage::pauseRun(bool isPaused) {
  const QModelIndex current = m_table->currentIndex();
  const quint64 runId = current.isValid() ? current.data(QueueModel::RunRole).toULongLong() : m_run->currentData().toULongLong();
  if (runId != 0) {
    backend::Command asked;
    asked.kind = isPaused ? Kind::PauseRun : Kind::ResumeRun;
    asked.jobs.runId = runId;
    const Kind kind = asked.kind;
    m_asked.insert(m_backend.control(std::move(asked)), kind);
  }
}

void QueuePage::requeue() {
  m_requeued = selectedJobs();
  if (!m_requeued.empty()) {
    m_sheet->ask(static_cast<int>(m_requeued.size()),
                 m_requeued.size() == 1
                     ? m_table->selectionModel()->selectedRows().front().siblingAtColumn(QueueModel::Prompt).data().toString()
                     : QString());
  }
}

void QueuePage::onRequeueAccepted(const RequeueEdits& edits) {
  m_library.readRequests(m_requeued, [this, edits, jobs = m_requeued](base::Result<QueueLibrary::Requests> found) {
    if (!found) {
      m_messages.show(MessageBar::Kind::Trouble, textOf(found.error()));
      return;
    }
    std::vector<backend::RunSpec> specs;
    for (auto& [run, requests] : *found) {
      backend::RunSpec spec;
      spec.id = backend::newRunId();
      spec.plan = run.plan;
      spec.plan.batch = 0;  // chosen anew: another size may need another one
      spec.wantsPreviews = run.wantsPreviews;
      for (domain::GenerationRequest& request : requests) {
        const auto number = static_cast<quint64>(spec.requests.size());
        request.index = request.promptIndex = static_cast<std::int64_t>(number);
        edits.apply(request, number);
        spec.requests.push_back(std::move(request));
      }
      specs.push_back(std::move(spec));
    }
    if (specs.empty()) {
      m_messages.show(MessageBar::Kind::Notice, tr("Every picture of these jobs is there already."));
      return;
    }
    Replacing replacing;
    for (const backend::RunSpec& spec : specs) {
      replacing.runs << spec.id;
    }
    replacing.jobs = jobs;
    m_replacing.push_back(std::move(replacing));
    Q_EMIT runsWanted(specs);
  });
}

QString QueuePage::wordsOf(Kind kind, qint64 pictures) const {
  const auto number = static_cast<int>(pictures);
  switch (kind) {
    case Kind::CancelAll:
      return tr("%n picture(s) cancelled.", nullptr, number);
    case Kind::Retry:
      return tr("%n picture(s) wait again.", nullptr, number);
    case Kind::MoveToFront:
      return tr("%n picture(s) moved to the front.", nullptr, number);
    case Kind::Dismiss:
      return tr("%n picture(s) dismissed.", nullptr, number);
    default:
      return {};
  }
}

void QueuePage::onCommandDone(const backend::CommandResult& result) {
  const auto asked = m_asked.constFind(result.commandId);
  if (asked == m_asked.constEnd()) {
    return;
  }
  const Kind kind = *asked;
  m_asked.erase(asked);
  const QString words = result.error ? QString() : wordsOf(kind, result.changed);
  if (words.isEmpty()) {
    return;  // errors are told by whoever listens to every answer
  }
  MessageBar::Action undo;
  if (result.undoId != 0) {
    undo = {tr("Undo"), [this, undoId = result.undoId] {
              backend::Command taken;
              taken.kind = Kind::Undo;
              taken.undoId = undoId;
              m_backend.control(std::move(taken));
            }};
  }
  m_messages.show(MessageBar::Kind::Notice, words, undo);
}

void QueuePage::showMenu(const QPoint& at) {
  QMenu menu(this);
  const auto add = [&](const char* id, bool isEnabled) { m_actions->addTo(menu, QLatin1String(id), isEnabled); };
  const bool isAny = m_table->selectionModel()->hasSelection();
  add("queue.front", !m_front->isHidden());
  add("queue.up", !m_front->isHidden());
  add("queue.down", !m_front->isHidden());
  menu.addSeparator();
  add("queue.retry", !m_retry->isHidden());
  add("queue.requeue", !m_requeue->isHidden());
  add("queue.dismiss", !m_retry->isHidden());
  add("queue.cancel", !m_cancel->isHidden());
  menu.addSeparator();
  add("queue.pauseRun", isAny);
  add("queue.resumeRun", isAny);
  menu.exec(m_table->viewport()->mapToGlobal(at));
}

void QueuePage::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  m_model->setActive(true);
  if (m_views->currentWidget() == m_timeLine) {
    readAttempts();
  }
}

void QueuePage::hideEvent(QHideEvent* event) {
  QWidget::hideEvent(event);
  m_model->setActive(false);
}

void QueuePage::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape) {
    Q_EMIT closed();
    return;
  }
  QWidget::keyPressEvent(event);
}

}  // namespace polyptych::ui
