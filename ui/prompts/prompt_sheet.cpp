#include "ui/prompts/prompt_sheet.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLocale>
#include <QSyntaxHighlighter>
#include <QVBoxLayout>
#include <algorithm>

#include "core/domain/scheduler_name.h"
#include "ui/elided.h"
#include "ui/picture_lines.h"
#include "ui/shell/labelled_field.h"
#include "ui/shell/page.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

/// The value that all of the rows have, or nothing; several that differ are told apart from none.
template <typename Value>
std::optional<Value> common(const PromptListModel& list, const QList<int>& rows, std::optional<Value> prompt::PromptEntry::*field,
                            bool& differs) {
  const auto& first = list.at(rows.front()).*field;
  differs = std::ranges::any_of(rows, [&](int row) { return list.at(row).*field != first; });
  return differs ? std::nullopt : first;
}

}  // namespace

/// Underlines what the model does not read.
class PromptSheet::Marker : public QSyntaxHighlighter {
 public:
  explicit Marker(QTextDocument* document) : QSyntaxHighlighter(document) {}
  void setKept(int kept) {
    if (kept != m_kept) {
      m_kept = kept;
      rehighlight();
    }
  }

 protected:
  void highlightBlock(const QString& text) override {
    const int from = std::max(0, m_kept - currentBlock().position());
    if (m_kept >= 0 && from < text.size()) {
      QTextCharFormat format;
      format.setForeground(currentTokens().warning);
      format.setFontUnderline(true);
      format.setUnderlineStyle(QTextCharFormat::WaveUnderline);
      format.setUnderlineColor(currentTokens().warning);
      setFormat(from, static_cast<int>(text.size()) - from, format);
    }
  }

 private:
  int m_kept = -1;
};

PromptSheet::PromptSheet(PromptListModel& list, const PromptLengths& lengths, QWidget* window, const Preferences& preferences)
    : Overlay(window, preferences), m_list(list), m_lengths(lengths) {
  // Fields are made in the order in which Tab goes through them.
  m_title = makeLabel("title", card());
  m_text = new QPlainTextEdit(card());
  m_text->setObjectName(QStringLiteral("sheetPrompt"));
  m_text->setTabChangesFocus(true);
  m_text->document()->setDocumentMargin(Metrics::kTextInset);
  m_text->installEventFilter(this);
  m_marker = new Marker(m_text->document());
  m_length = makeLabel("hint", card());
  m_length->setObjectName(QStringLiteral("sheetLength"));
  const auto line = [this](const char* name) {
    auto* field = new QLineEdit(card());
    field->setObjectName(QLatin1String(name));
    return field;
  };
  m_negative = line("sheetNegative");
  m_size = line("sheetSize");
  m_steps = line("sheetSteps");
  m_guidance = line("sheetGuidance");
  m_images = line("sheetImages");
  m_seed = line("sheetSeed");
  m_scheduler = new ElidedComboBox(card());
  m_scheduler->setObjectName(QStringLiteral("sheetScheduler"));
  m_scheduler->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_model = new QComboBox(card());
  m_model->setObjectName(QStringLiteral("sheetModel"));
  m_model->setEditable(true);
  m_model->setInsertPolicy(QComboBox::NoInsert);
  m_model->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_problem = makeLabel("warning", card());
  m_problem->setObjectName(QStringLiteral("sheetProblem"));
  m_problem->setWordWrap(true);
  m_cancel = new QPushButton(card());
  m_accept = new QPushButton(card());
  m_accept->setObjectName(QStringLiteral("sheetAccept"));
  m_accept->setProperty("role", QStringLiteral("primary"));

  const auto labelled = [this](int number, QWidget* field) { return labelledField(m_labels[number], field, card()); };
  auto* grid = new QGridLayout;
  grid->setHorizontalSpacing(Metrics::kGap);
  grid->setVerticalSpacing(Metrics::kGap);
  grid->addWidget(labelled(0, m_negative), 0, 0, 1, 6);
  grid->addWidget(labelled(1, m_size), 1, 0, 1, 2);
  grid->addWidget(labelled(2, m_steps), 1, 2, 1, 2);
  grid->addWidget(labelled(3, m_guidance), 1, 4, 1, 2);
  grid->addWidget(labelled(4, m_images), 2, 0, 1, 2);
  grid->addWidget(labelled(5, m_seed), 2, 2, 1, 4);
  grid->addWidget(labelled(6, m_scheduler), 3, 0, 1, 3);
  grid->addWidget(labelled(7, m_model), 3, 3, 1, 3);
  for (int column = 0; column < 6; ++column) {
    grid->setColumnStretch(column, 1);
  }
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(Metrics::kGap);
  buttons->addWidget(m_problem, 1);
  buttons->addWidget(m_cancel);
  buttons->addWidget(m_accept);
  auto* all = new QVBoxLayout(card());
  all->setContentsMargins(Metrics::kWide, Metrics::kWide, Metrics::kWide, Metrics::kWide);
  all->setSpacing(Metrics::kGap);
  all->addWidget(m_title);
  all->addWidget(m_text, 1);
  all->addWidget(m_length);
  all->addLayout(grid);
  all->addLayout(buttons);

  connect(m_text, &QPlainTextEdit::textChanged, this, &PromptSheet::showLength);
  connect(&lengths, &PromptLengths::changed, this, &PromptSheet::showLength);
  connect(m_accept, &QPushButton::clicked, this, &PromptSheet::accept);
  connect(m_cancel, &QPushButton::clicked, this, &PromptSheet::close);
  retranslated(this, [this] {
    const QString names[] = {tr("Negative prompt"),     tr("Size"), tr("Steps"),     tr("Guidance"),
                             tr("Pictures per prompt"), tr("Seed"), tr("Scheduler"), tr("Model")};
    for (int i = 0; i < 8; ++i) {
      m_labels[i]->setText(names[i]);
      m_labels[i]->buddy()->setAccessibleName(names[i]);
    }
    m_text->setAccessibleName(tr("Prompt"));
    m_accept->setText(tr("Apply"));
    m_cancel->setText(tr("Cancel"));
  });
}

QSize PromptSheet::cardSize() const {
  const int height = heightOf(Metrics::kSheetWidth);
  return {Metrics::kSheetWidth, m_text->isHidden() ? height : height + Metrics::kPromptText - m_text->sizeHint().height()};
}

QWidget* PromptSheet::first() const { return m_text->isHidden() ? static_cast<QWidget*>(m_negative) : m_text; }

void PromptSheet::edit(const QList<int>& rows, const SharedValues& shared) {
  m_rows = rows;
  m_problem->clear();
  const bool isOne = rows.size() == 1;
  m_title->setText(isOne ? tr("Prompt %1").arg(rows.front() + 1) : tr("%n prompt(s)", nullptr, static_cast<int>(rows.size())));
  m_text->setVisible(isOne);
  m_length->setVisible(isOne);
  if (isOne) {
    m_text->setPlainText(QString::fromStdString(m_list.at(rows.front()).prompt));
    m_text->moveCursor(QTextCursor::End);
  }
  fill(shared);
  showLength();
  open();
}

void PromptSheet::fill(const SharedValues& shared) {
  const auto put = [this](QLineEdit* field, const QString& text, bool differs, const QString& common) {
    field->setText(text);
    field->setModified(false);
    field->setPlaceholderText(differs ? tr("Various") : common.isEmpty() ? tr("As all") : common);
  };
  bool differs = false;
  const auto negative = common(m_list, m_rows, &Entry::negativePrompt, differs);
  put(m_negative, QString::fromStdString(negative.value_or("")), differs, shared.negative);
  const auto width = common(m_list, m_rows, &Entry::width, differs);
  bool differsInHeight = false;
  const auto height = common(m_list, m_rows, &Entry::height, differsInHeight);
  differs |= differsInHeight;
  put(m_size, !differs && width ? QStringLiteral("%1 × %2").arg(*width).arg(*height) : QString(), differs, shared.size);
  const auto number = [](const auto& value) { return value ? QString::number(*value) : QString(); };
  const auto seed = common(m_list, m_rows, &Entry::seed, differs);
  put(m_seed, number(seed), differs, shared.seed);
  const auto steps = common(m_list, m_rows, &Entry::steps, differs);
  put(m_steps, number(steps), differs, shared.steps);
  const auto guidance = common(m_list, m_rows, &Entry::guidanceScale, differs);
  put(m_guidance, guidance ? QLocale().toString(*guidance, 'g', 6) : QString(), differs, shared.guidance);
  const auto images = common(m_list, m_rows, &Entry::images, differs);
  put(m_images, number(images), differs, shared.images);

  // The first entry of both lists: as all; nothing chosen: the rows differ.
  const auto scheduler = common(m_list, m_rows, &Entry::scheduler, differs);
  m_scheduler->clear();
  m_scheduler->addItem(shared.scheduler.isEmpty() ? tr("As all") : tr("As all: %1").arg(shared.scheduler), QString());
  for (const auto& choice : domain::schedulerCatalogue()) {
    const QString name = QString::fromStdString(choice.name);
    m_scheduler->addItem(name, name);
  }
  if (scheduler && m_scheduler->findData(QString::fromStdString(*scheduler)) < 0) {
    m_scheduler->addItem(QString::fromStdString(*scheduler), QString::fromStdString(*scheduler));
  }
  m_scheduler->setPlaceholderText(tr("Various"));
  m_scheduler->setCurrentIndex(differs ? -1 : m_scheduler->findData(QString::fromStdString(scheduler.value_or(""))));
  const auto model = common(m_list, m_rows, &Entry::model, differs);
  m_model->clear();
  m_model->addItems(shared.models);
  m_model->setCurrentIndex(-1);
  m_model->setEditText(QString::fromStdString(model.value_or("")));
  m_model->lineEdit()->setModified(false);
  m_model->lineEdit()->setPlaceholderText(differs ? tr("Various") : tr("As all: %1").arg(shared.model));
}

void PromptSheet::showLength() {
  const auto tokenizer = m_lengths.tokenizer();
  if (m_text->isHidden()) {
    return;
  }
  if (!tokenizer) {
    m_marker->setKept(-1);
    m_length->setText({});
    return;
  }
  // One prompt: a fraction of a millisecond. A text that nobody types is counted by its beginning.
  const PromptLength length = lengthOf(*tokenizer, m_text->toPlainText());
  m_marker->setKept(length.isOver() ? length.kept : -1);
  const QString count = tr("%1 of %2 tokens").arg(length.tokens).arg(length.limit);
  m_length->setText(length.isOver() ? QStringLiteral("▲ ") + count + QStringLiteral(" · ") +
                                          tr("%n word(s) at the end are not read", nullptr, length.words)
                                    : count);
  changeRole(m_length, length.isOver() ? "warning" : "hint");
}

void PromptSheet::refuse(QWidget* field, const QString& sentence) {
  m_problem->setText(QStringLiteral("▲ ") + sentence);
  field->setFocus();
}

void PromptSheet::accept() {
  m_problem->clear();
  const QString text = m_text->toPlainText().simplified();
  if (m_rows.size() == 1 && text.isEmpty()) {
    return refuse(m_text, tr("The prompt is empty. Type one, or cancel and remove the row."));
  }
  PictureValues values;
  if (const auto problem = readLines({m_size, m_steps, m_guidance, m_images, m_seed}, values)) {
    return refuse(problem->line, problem->sentence);
  }
  const QString scheduler = m_scheduler->currentData().toString();
  const bool keepsScheduler = m_scheduler->currentIndex() < 0;
  const QString model = m_model->currentText().trimmed();
  const bool keepsModel = model.isEmpty() && m_rows.size() > 1 && !m_model->lineEdit()->isModified();
  // A field of several rows that nobody touched leaves each of them as it is.
  const auto isMeant = [this](const QLineEdit* field) { return m_rows.size() == 1 || field->isModified(); };
  const QString negative = m_negative->text();
  m_list.change(m_rows, PromptListModel::tr("Edit %n prompt(s)", nullptr, static_cast<int>(m_rows.size())), [&](Entry& entry) {
    if (m_rows.size() == 1) {
      entry.prompt = text.toStdString();
    }
    if (isMeant(m_negative)) {
      entry.negativePrompt = negative.isEmpty() ? std::nullopt : std::optional(negative.toStdString());
    }
    if (isMeant(m_size)) {
      entry.width = values.size ? std::optional(values.size->width()) : std::nullopt;
      entry.height = values.size ? std::optional(values.size->height()) : std::nullopt;
    }
    if (isMeant(m_seed)) {
      entry.seed = values.seed;
    }
    if (isMeant(m_steps)) {
      entry.steps = values.steps;
    }
    if (isMeant(m_guidance)) {
      entry.guidanceScale = values.guidance;
    }
    if (isMeant(m_images)) {
      entry.images = values.images;
    }
    if (!keepsScheduler) {
      entry.scheduler = scheduler.isEmpty() ? std::nullopt : std::optional(scheduler.toStdString());
    }
    if (!keepsModel) {
      entry.model = model.isEmpty() ? std::nullopt : std::optional(model.toStdString());
    }
  });
  close();
}

void PromptSheet::keyPressEvent(QKeyEvent* event) {
  const bool isEnter = event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter;
  if (isEnter) {
    accept();
    event->accept();
    return;
  }
  Overlay::keyPressEvent(event);
}

bool PromptSheet::eventFilter(QObject* watched, QEvent* event) {
  if (watched == m_text && event->type() == QEvent::KeyPress) {
    const auto* key = static_cast<QKeyEvent*>(event);
    if ((key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter) && !(key->modifiers() & Qt::ShiftModifier)) {
      accept();
      return true;
    }
  }
  return Overlay::eventFilter(watched, event);
}

}  // namespace polyptych::ui
