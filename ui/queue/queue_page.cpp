#include "ui/queue/queue_page.h"

#include <QDateTime>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLocale>
#include <QMenu>
#include <QScrollBar>
#include <QStyledItemDelegate>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/error_text.h"
#include "ui/queue/queue_table.h"
#include "ui/queue/time_line.h"
#include "ui/shell/actions.h"
#include "ui/shell/page.h"
#include "ui/shell/pop_up.h"
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

/// Keeps the colour of a state on a selected row, too.
class JobDelegate : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;

 protected:
  void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override {
    QStyledItemDelegate::initStyleOption(option, index);
    option->palette.setColor(QPalette::HighlightedText, index.data(Qt::ForegroundRole).value<QColor>());
  }
};

}  // namespace

QueuePage::QueuePage(backend::Backend& backend, MessageBar& messages, std::optional<library::Location> location, QWidget* window,
                     const Preferences& preferences, QWidget* parent)
    : QWidget(parent), m_backend(backend), m_messages(messages), m_library(std::move(location)) {
  setObjectName(QStringLiteral("queuePage"));
  setAttribute(Qt::WA_StyledBackground);
  m_model = new QueueModel(m_library, this);
  m_commands = new QueueCommands(m_backend, m_messages, this);
  m_table = new QueueTable(this);
  m_table->setObjectName(QStringLiteral("queue"));
  m_table->setProperty("role", QStringLiteral("table"));
  m_table->setModel(m_model);
  m_table->setItemDelegate(new JobDelegate(m_table));
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
  connect(m_model, &QueueModel::moveWanted, this,
          [this](const std::vector<qint64>& jobs, qint64 before) { m_commands->send(Kind::MoveBefore, jobs, before); });
  connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &QueuePage::onSelectionChanged);
  connect(m_model, &QAbstractItemModel::rowsInserted, this, [this](const QModelIndex&, int first, int last) {
    if (m_isAllSelected) {
      m_table->selectionModel()->select(QItemSelection(m_model->index(first, 0), m_model->index(last, 0)),
                                        QItemSelectionModel::Select | QItemSelectionModel::Rows);
    }
  });
  connect(m_model, &QAbstractItemModel::modelReset, this, [this] {
    if (m_isAllSelected) {
      m_table->selectAll();
    }
  });
  connect(m_table, &QueueTable::allSelected, this, [this] {
    m_isAllSelected = true;
    updateTools();
  });
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
  m_selected = makeLabel("hint", tools);
  m_selected->setObjectName(QStringLiteral("queueSelected"));
  layout->addWidget(m_selected);
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
  add("queue.end", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Move the jobs to the end"), {Qt::CTRL | Qt::Key_End},
      [this] { commandSelected(Kind::MoveBefore); });
  add("queue.undo", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Undo the last change of the queue"), {Qt::CTRL | Qt::Key_Z},
      [this] { undo(); });
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
  m_isAllSelected = false;
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
  m_run->setItemText(0, tr("All runs"));
  std::vector<std::pair<QString, quint64>> runs;
  for (const queue::RunRow& run : m_model->runs()) {
    runs.emplace_back((run.isPaused ? QStringLiteral("‖ ") : QString()) + locale.toString(run.number) + u' ' + run.title, run.id);
  }
  // Whoever has the list open is not to lose it.
  if (runs != m_shownRuns) {
    m_shownRuns = runs;
    const quint64 chosen = m_run->currentData().toULongLong();
    while (m_run->count() > 1) {
      m_run->removeItem(1);
    }
    for (const auto& [words, id] : runs) {
      m_run->addItem(words, id);
    }
    m_run->setCurrentIndex(std::max(0, m_run->findData(chosen)));
  }
  if (m_views->currentWidget() != m_timeLine) {
    const bool isEmpty = m_model->rowCount() == 0;
    m_nothing->setText(m_state->currentIndex() == 0 ? tr("Nothing waits. What you generate stands here until it is made.")
                                                    : tr("There is no such job."));
    QWidget* wanted = isEmpty ? static_cast<QWidget*>(m_nothing) : m_table;
    if (m_views->currentWidget() != wanted) {
      // Whoever was at the jobs stays near them: the label that there are none takes no keys.
      const bool hadKeyboard = isEmpty ? m_table->hasFocus() : m_waitsForJobs && m_state->hasFocus();
      m_views->setCurrentWidget(wanted);
      m_waitsForJobs = hadKeyboard && isEmpty;
      if (hadKeyboard) {
        takeFocus();
      }
    }
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

/// Rows that came by scrolling belong to all of them.
void QueuePage::onSelectionChanged() {
  if (m_isAllSelected && !m_model->isTaking()) {
    m_isAllSelected = m_table->selectionModel()->selectedRows().size() == m_model->rowCount();
  }
  updateTools();
}

queue::JobCounts QueuePage::selectedCounts() const {
  queue::JobCounts counts;
  const auto of = [](queue::JobCounts& all, JobState state) -> qint64& {
    switch (state) {
      case JobState::Waiting:
        return all.waiting;
      case JobState::Leased:
        return all.leased;
      case JobState::Done:
        return all.done;
      case JobState::Failed:
        return all.failed;
      case JobState::Parked:
        return all.parked;
      case JobState::Cancelled:
        break;
    }
    return all.cancelled;
  };
  if (m_isAllSelected) {
    const auto& chosen = m_model->filter().state;
    queue::JobCounts all = m_model->counts();
    for (const JobState state : chosen ? std::vector{*chosen} : queue::openStates()) {
      of(counts, state) = of(all, state);
    }
    return counts;
  }
  for (const QItemSelectionRange& range : m_table->selectionModel()->selection()) {
    for (int row = range.top(); row <= range.bottom(); ++row) {
      ++of(counts, m_model->at(row).state);
    }
  }
  return counts;
}

void QueuePage::updateTools() {
  const queue::JobCounts counts = selectedCounts();
  const bool isTable = m_views->currentWidget() == m_table;
  const bool canRetry = counts.failed + counts.parked + counts.cancelled > 0;
  const auto allow = [isTable](QWidget* tool, bool isAllowed) { tool->setVisible(isTable && isAllowed); };
  const bool isRoomy = width() >= Metrics::kQueueToolsRoom;
  allow(m_front, isRoomy && counts.waiting > 0);
  allow(m_retry, canRetry);
  allow(m_requeue, canRetry || counts.waiting > 0);
  allow(m_cancel, counts.waiting + counts.leased > 0);
  const qint64 selected = counts.waiting + counts.leased + counts.failed + counts.parked + counts.done + counts.cancelled;
  m_selected->setText(tr("%L1 selected").arg(selected));
  allow(m_selected, isRoomy && selected > 1);
}

void QueuePage::withSelected(std::function<void(std::vector<qint64>)> then) {
  if (!m_isAllSelected || m_model->isWhole()) {
    then(selectedJobs());
    return;
  }
  m_library.readJobIds(m_model->filter(), [this, then = std::move(then)](const base::Result<std::vector<qint64>>& jobs) {
    if (jobs) {
      then(*jobs);
    } else {
      m_messages.show(MessageBar::Kind::Trouble, textOf(jobs.error()));
    }
  });
}

void QueuePage::commandSelected(Kind kind) {
  withSelected([this, kind](std::vector<qint64> jobs) { m_commands->send(kind, std::move(jobs)); });
}

void QueuePage::undo() {
  if (!m_commands->undo()) {
    m_messages.show(MessageBar::Kind::Notice, tr("There is nothing to undo in the queue."));
  }
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
    m_commands->send(Kind::MoveBefore, {m_model->at(rows.back().row() + 1).id},
                     rows.front().data(QueueModel::IdRole).toLongLong());
  } else if (place < m_model->rowCount() && m_model->at(place).state == JobState::Waiting) {
    m_commands->send(Kind::MoveBefore, selectedJobs(), m_model->at(place).id);
  }
}

void QueuePage::pauseRun(bool isPaused) {
  const QModelIndex current = m_table->currentIndex();
  const quint64 runId = current.isValid() ? current.data(QueueModel::RunRole).toULongLong() : m_run->currentData().toULongLong();
  if (runId != 0) {
    m_commands->pauseRun(runId, isPaused);
  }
}

void QueuePage::requeue() {
  withSelected([this](std::vector<qint64> jobs) {
    m_requeued = std::move(jobs);
    if (!m_requeued.empty()) {
      const QModelIndexList rows = m_table->selectionModel()->selectedRows();
      m_sheet->ask(static_cast<int>(m_requeued.size()), m_requeued.size() == 1 && !rows.isEmpty()
                                                            ? rows.front().siblingAtColumn(QueueModel::Prompt).data().toString()
                                                            : QString());
    }
  });
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
    QSet<quint64> runs;
    qint64 pictures = 0;
    for (const backend::RunSpec& spec : specs) {
      runs << spec.id;
      pictures += static_cast<qint64>(spec.requests.size());
    }
    m_commands->replace(jobs, runs, pictures);
    Q_EMIT runsWanted(specs);
  });
}

void QueuePage::showMenu(const QPoint& at) {
  auto* menu = new QMenu(this);
  const auto add = [&](const char* id, bool isEnabled) { m_actions->addTo(*menu, QLatin1String(id), isEnabled); };
  const bool isAny = m_table->selectionModel()->hasSelection();
  const bool isAnyWaiting = selectedCounts().waiting > 0;
  for (const char* id : {"queue.front", "queue.up", "queue.down", "queue.end"}) {
    add(id, isAnyWaiting);
  }
  menu->addSeparator();
  add("queue.retry", !m_retry->isHidden());
  add("queue.requeue", !m_requeue->isHidden());
  add("queue.dismiss", !m_retry->isHidden());
  add("queue.cancel", !m_cancel->isHidden());
  menu->addSeparator();
  add("queue.pauseRun", isAny);
  add("queue.resumeRun", isAny);
  popUp(menu, m_table->viewport()->mapToGlobal(at));
}

void QueuePage::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  m_model->setActive(true);
  if (m_views->currentWidget() == m_timeLine) {
    readAttempts();
  }
}

void QueuePage::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  updateTools();
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
