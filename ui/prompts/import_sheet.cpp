#include "ui/prompts/import_sheet.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLocale>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/elided.h"
#include "ui/shell/page.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

using prompt::PromptColumn;

constexpr std::pair<PromptColumn, const char*> kMeanings[] = {
    {PromptColumn::Ignored, QT_TRANSLATE_NOOP("polyptych::ui::ImportSheet", "Leave out")},
    {PromptColumn::Prompt, QT_TRANSLATE_NOOP("polyptych::ui::ImportSheet", "Prompt")},
    {PromptColumn::Negative, QT_TRANSLATE_NOOP("polyptych::ui::ImportSheet", "Negative prompt")},
    {PromptColumn::Size, QT_TRANSLATE_NOOP("polyptych::ui::ImportSheet", "Size")},
    {PromptColumn::Width, QT_TRANSLATE_NOOP("polyptych::ui::ImportSheet", "Width")},
    {PromptColumn::Height, QT_TRANSLATE_NOOP("polyptych::ui::ImportSheet", "Height")},
    {PromptColumn::Seed, QT_TRANSLATE_NOOP("polyptych::ui::ImportSheet", "Seed")},
    {PromptColumn::Steps, QT_TRANSLATE_NOOP("polyptych::ui::ImportSheet", "Steps")},
    {PromptColumn::Guidance, QT_TRANSLATE_NOOP("polyptych::ui::ImportSheet", "Guidance")},
    {PromptColumn::Scheduler, QT_TRANSLATE_NOOP("polyptych::ui::ImportSheet", "Scheduler")},
    {PromptColumn::Images, QT_TRANSLATE_NOOP("polyptych::ui::ImportSheet", "Pictures per prompt")},
    {PromptColumn::Model, QT_TRANSLATE_NOOP("polyptych::ui::ImportSheet", "Model")},
    {PromptColumn::Enabled, QT_TRANSLATE_NOOP("polyptych::ui::ImportSheet", "On or off")},
};
/// Columns beyond these are of no table that people make by hand.
constexpr std::size_t kMostShown = 24;
constexpr int kMostShownText = 200;

}  // namespace

ImportSheet::ImportSheet(QWidget* window, const Preferences& preferences) : Overlay(window, preferences) {
  m_threads.setMaxThreadCount(1);
  m_title = makeLabel("title", card());
  m_hint = makeLabel("secondary", card());
  m_scroll = new QScrollArea(card());
  m_scroll->setWidgetResizable(true);
  m_scroll->setFocusPolicy(Qt::NoFocus);
  m_heading = new QCheckBox(card());
  m_heading->setObjectName(QStringLiteral("importHeading"));
  m_problem = makeLabel("warning", card());
  m_problem->setObjectName(QStringLiteral("importProblem"));
  m_problem->setWordWrap(true);
  m_add = new QPushButton(card());
  m_add->setObjectName(QStringLiteral("importAdd"));
  m_add->setProperty("role", QStringLiteral("primary"));
  m_replace = new QPushButton(card());
  m_replace->setObjectName(QStringLiteral("importReplace"));
  m_cancel = new QPushButton(card());
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(Metrics::kGap);
  buttons->addWidget(m_heading);
  buttons->addStretch();
  buttons->addWidget(m_cancel);
  buttons->addWidget(m_replace);
  buttons->addWidget(m_add);
  auto* all = new QVBoxLayout(card());
  all->setContentsMargins(Metrics::kWide, Metrics::kWide, Metrics::kWide, Metrics::kWide);
  all->setSpacing(Metrics::kGap);
  all->addWidget(m_title);
  all->addWidget(m_hint);
  all->addWidget(m_scroll, 1);
  all->addWidget(m_problem);
  all->addLayout(buttons);
  connect(m_heading, &QCheckBox::toggled, this, [this] {
    showPreview();
    updateCount();
  });
  connect(m_add, &QPushButton::clicked, this, [this] { accept(false); });
  connect(m_replace, &QPushButton::clicked, this, [this] { accept(true); });
  connect(m_cancel, &QPushButton::clicked, this, &ImportSheet::close);
  retranslated(this, [this] { retranslate(); });
}

ImportSheet::~ImportSheet() { m_threads.waitForDone(); }

void ImportSheet::retranslate() {
  m_title->setText(tr("Prompts from %1").arg(m_name));
  m_hint->setText(tr("What is in each column?"));
  m_heading->setText(tr("The first row names the columns"));
  m_heading->setAccessibleName(m_heading->text());
  m_replace->setText(tr("Replace the list"));
  m_cancel->setText(tr("Cancel"));
  for (QComboBox* column : m_columns) {
    for (int i = 0; i < column->count(); ++i) {
      column->setItemText(i, tr(kMeanings[i].second));
    }
  }
  updateCount();
}

QSize ImportSheet::cardSize() const {
  return {Metrics::kImportWidth, (Metrics::kImportRows + 5) * Metrics::kListRow + 4 * Metrics::kWide};
}

QWidget* ImportSheet::first() const { return m_columns.empty() ? static_cast<QWidget*>(m_add) : m_columns.front(); }

void ImportSheet::ask(const QString& name, prompt::CsvTable table) {
  m_name = name;
  m_table = std::move(table);
  m_problem->clear();
  const auto guesses = prompt::guessColumns(m_table);
  m_columns.clear();
  auto* inside = new QWidget;
  auto* grid = new QGridLayout(inside);
  grid->setContentsMargins(0, 0, 0, 0);
  grid->setHorizontalSpacing(Metrics::kGap);
  grid->setVerticalSpacing(Metrics::kTight);
  for (std::size_t i = 0; i < std::min(guesses.size(), kMostShown); ++i) {
    auto* column = new QComboBox(inside);
    column->setObjectName(QStringLiteral("importColumn%1").arg(i));
    column->setAccessibleName(tr("Column %1").arg(i + 1));
    column->setMaxVisibleItems(static_cast<int>(std::size(kMeanings)));
    column->setMinimumWidth(Metrics::kImportColumn);
    for (const auto& [meaning, words] : kMeanings) {
      column->addItem(tr(words));
      if (meaning == guesses[i]) {
        column->setCurrentIndex(column->count() - 1);
      }
    }
    connect(column, &QComboBox::activated, this, [this] { m_problem->clear(); });
    grid->addWidget(column, 0, static_cast<int>(i));
    m_columns.push_back(column);
  }
  grid->setRowStretch(Metrics::kImportRows + 1, 1);
  m_scroll->setWidget(inside);
  {
    const QSignalBlocker blocker(m_heading);
    m_heading->setChecked(prompt::hasHeading(m_table));
  }
  showPreview();
  retranslate();
  open();
}

void ImportSheet::showPreview() {
  auto* grid = qobject_cast<QGridLayout*>(m_scroll->widget() != nullptr ? m_scroll->widget()->layout() : nullptr);
  if (grid == nullptr) {
    return;
  }
  for (QLabel* old : m_scroll->widget()->findChildren<QLabel*>()) {
    delete old;
  }
  const std::size_t first = m_heading->isChecked() ? 1 : 0;
  for (std::size_t r = first; r < std::min(m_table.rows.size(), first + Metrics::kImportRows); ++r) {
    for (std::size_t i = 0; i < std::min(m_table.rows[r].size(), m_columns.size()); ++i) {
      auto* cell = new ElidedLabel(m_scroll->widget());
      cell->setProperty("role", QStringLiteral("secondary"));
      cell->setFixedHeight(Metrics::kListRow - Metrics::kGap);
      cell->setText(QString::fromStdString(m_table.rows[r][i]).left(kMostShownText).simplified());
      grid->addWidget(cell, static_cast<int>(r - first) + 1, static_cast<int>(i));
    }
  }
}

void ImportSheet::updateCount() {
  const auto rows = static_cast<int>(m_table.rows.size()) - (m_heading->isChecked() ? 1 : 0);
  m_add->setText(tr("Add %n prompt(s)", nullptr, std::max(0, rows)));
}

void ImportSheet::accept(bool replaces) {
  if (m_isReading) {
    return;
  }
  std::vector<PromptColumn> columns;
  for (const QComboBox* column : m_columns) {
    columns.push_back(kMeanings[column->currentIndex()].first);
  }
  m_isReading = true;
  m_threads.start([this, replaces, columns, table = m_table, hasHeading = m_heading->isChecked(), name = m_name] {
    auto entries = prompt::entriesOf(table, columns, hasHeading, name.toStdString());
    QMetaObject::invokeMethod(
        this,
        [this, replaces, name, entries = std::move(entries)] {
          m_isReading = false;
          if (!entries) {
            m_problem->setText(QStringLiteral("▲ ") + QString::fromStdString(entries.error().message));
            return;
          }
          close();
          m_table = {};
          Q_EMIT chosen(name, *entries, replaces);
        },
        Qt::QueuedConnection);
  });
}

void ImportSheet::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
    accept(false);
    event->accept();
    return;
  }
  Overlay::keyPressEvent(event);
}

}  // namespace polyptych::ui
