#include "ui/queue/requeue_sheet.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QVBoxLayout>

#include "core/domain/scheduler_name.h"
#include "ui/elided.h"
#include "ui/picture_lines.h"
#include "ui/shell/labelled_field.h"
#include "ui/shell/page.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {

void RequeueEdits::apply(domain::GenerationRequest& request, quint64 number) const {
  request.width = width.value_or(request.width);
  request.height = height.value_or(request.height);
  request.steps = steps.value_or(request.steps);
  request.guidanceScale = guidance.value_or(request.guidanceScale);
  request.scheduler = scheduler.value_or(request.scheduler);
  request.prompt = prompt.value_or(request.prompt);
  if (negative) {
    request.negativePrompt = negative;
  }
  if (seed) {
    request.seed = *seed + number;
  }
}

RequeueSheet::RequeueSheet(QWidget* window, const Preferences& preferences) : Overlay(window, preferences) {
  m_title = makeLabel("title", card());
  const auto line = [this](const char* name) {
    auto* field = new QLineEdit(card());
    field->setObjectName(QLatin1String(name));
    return field;
  };
  // Fields are made in the order in which Tab goes through them.
  m_prompt = line("requeuePrompt");
  m_negative = line("requeueNegative");
  m_size = line("requeueSize");
  m_steps = line("requeueSteps");
  m_guidance = line("requeueGuidance");
  m_scheduler = new ElidedComboBox(card());
  m_scheduler->setObjectName(QStringLiteral("requeueScheduler"));
  m_scheduler->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_scheduler->addItem(QString());
  for (const auto& choice : domain::schedulerCatalogue()) {
    m_scheduler->addItem(QString::fromStdString(choice.name));
  }
  m_seed = line("requeueSeed");
  m_problem = makeLabel("warning", card());
  m_problem->setObjectName(QStringLiteral("requeueProblem"));
  m_problem->setWordWrap(true);
  m_cancel = new QPushButton(card());
  m_accept = new QPushButton(card());
  m_accept->setObjectName(QStringLiteral("requeueAccept"));
  m_accept->setProperty("role", QStringLiteral("primary"));
  int number = 0;
  const auto labelled = [&](QWidget* field) { return labelledField(m_labels[number++], field, card()); };
  auto* grid = new QGridLayout;
  grid->setHorizontalSpacing(Metrics::kGap);
  grid->setVerticalSpacing(Metrics::kGap);
  m_promptBox = labelled(m_prompt);
  grid->addWidget(m_promptBox, 0, 0, 1, 6);
  grid->addWidget(labelled(m_negative), 1, 0, 1, 6);
  grid->addWidget(labelled(m_size), 2, 0, 1, 2);
  grid->addWidget(labelled(m_steps), 2, 2, 1, 2);
  grid->addWidget(labelled(m_guidance), 2, 4, 1, 2);
  grid->addWidget(labelled(m_scheduler), 3, 0, 1, 3);
  grid->addWidget(labelled(m_seed), 3, 3, 1, 3);
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
  all->addLayout(grid);
  all->addLayout(buttons);
  connect(m_accept, &QPushButton::clicked, this, &RequeueSheet::accept);
  connect(m_cancel, &QPushButton::clicked, this, &RequeueSheet::close);
  retranslated(this, [this] {
    const QString names[] = {tr("Prompt"),   tr("Negative prompt"), tr("Size"), tr("Steps"),
                             tr("Guidance"), tr("Scheduler"),       tr("Seed")};
    for (int i = 0; i < 7; ++i) {
      m_labels[i]->setText(names[i]);
      m_labels[i]->buddy()->setAccessibleName(names[i]);
    }
    for (QLineEdit* field : {m_prompt, m_negative, m_size, m_steps, m_guidance, m_seed}) {
      field->setPlaceholderText(tr("As before"));
    }
    m_scheduler->setItemText(0, tr("As before"));
    m_accept->setText(tr("Put into the queue"));
    m_cancel->setText(tr("Cancel"));
  });
}

QSize RequeueSheet::cardSize() const { return {Metrics::kSheetWidth, heightOf(Metrics::kSheetWidth)}; }

void RequeueSheet::ask(int jobs, const QString& prompt) {
  m_title->setText(tr("Make %n job(s) again, changed", nullptr, jobs));
  m_before = prompt;
  m_promptBox->setVisible(!prompt.isEmpty());
  m_prompt->setText(prompt);
  m_prompt->setCursorPosition(0);
  for (QLineEdit* field : {m_negative, m_size, m_steps, m_guidance, m_seed}) {
    field->clear();
  }
  m_scheduler->setCurrentIndex(0);
  m_problem->clear();
  open();
}

void RequeueSheet::accept() {
  m_problem->clear();
  RequeueEdits edits;
  PictureValues values;
  if (const auto problem = readLines({m_size, m_steps, m_guidance, nullptr, m_seed}, values)) {
    m_problem->setText(QStringLiteral("▲ ") + problem->sentence);
    problem->line->setFocus();
    return;
  }
  if (values.size) {
    edits.width = values.size->width();
    edits.height = values.size->height();
  }
  edits.steps = values.steps;
  edits.guidance = values.guidance;
  edits.seed = values.seed;
  if (const QString text = m_prompt->text().simplified(); !m_promptBox->isHidden() && !text.isEmpty() && text != m_before) {
    edits.prompt = text.toStdString();
  }
  if (!m_negative->text().isEmpty()) {
    edits.negative = m_negative->text().toStdString();
  }
  if (m_scheduler->currentIndex() > 0) {
    edits.scheduler = m_scheduler->currentText().toStdString();
  }
  close();
  Q_EMIT accepted(edits);
}

void RequeueSheet::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
    accept();
    event->accept();
    return;
  }
  Overlay::keyPressEvent(event);
}

}  // namespace polyptych::ui
