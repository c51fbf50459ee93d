#include "ui/shell/closing.h"

#include <QGuiApplication>
#include <QHBoxLayout>
#include <QVBoxLayout>
#include <algorithm>
#include <chrono>
#include <utility>

#include "ui/shell/page.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

using backend::Command;

/// A backend that does not answer keeps nobody's window open.
constexpr std::chrono::seconds kPatience{5};
constexpr ClosingChoice kChoices[] = {ClosingChoice::GoOn, ClosingChoice::FinishCurrent, ClosingChoice::Stop};

Command commandOf(Command::Kind kind) {
  Command command;
  command.kind = kind;
  return command;
}

}  // namespace

ClosingSheet::ClosingSheet(QWidget* window, const Preferences& preferences) : Overlay(window, preferences) {
  setObjectName(QStringLiteral("closingSheet"));
  m_title = makeLabel("title", card());
  m_sentence = makeLabel("secondary", card());
  m_sentence->setWordWrap(true);
  auto* layout = new QVBoxLayout(card());
  layout->setContentsMargins(Metrics::kWide, Metrics::kWide, Metrics::kWide, Metrics::kWide);
  layout->setSpacing(Metrics::kGap);
  layout->addWidget(m_title);
  layout->addWidget(m_sentence);
  layout->addSpacing(Metrics::kTight);
  for (std::size_t i = 0; i < m_choices.size(); ++i) {
    auto* button = new QPushButton(card());
    button->setObjectName(QStringLiteral("closing%1").arg(i));
    button->setProperty("role", QStringLiteral("choice"));
    m_names[i] = makeLabel("", button);
    m_explanations[i] = makeLabel("secondary", button);
    auto* inside = new QVBoxLayout(button);
    inside->setContentsMargins(Metrics::kPad, Metrics::kGap, Metrics::kPad, Metrics::kGap);
    inside->setSpacing(Metrics::kTight / 2);
    for (QLabel* label : {m_names[i], m_explanations[i]}) {
      label->setAttribute(Qt::WA_TransparentForMouseEvents);
      inside->addWidget(label);
    }
    m_choices[i] = button;
    layout->addWidget(button);
    connect(button, &QPushButton::clicked, this, [this, i] { Q_EMIT chosen(kChoices[i]); });
  }
  m_remembers = new QCheckBox(card());
  m_remembers->setObjectName(QStringLiteral("rememberClosing"));
  m_cancel = new QPushButton(card());
  m_cancel->setObjectName(QStringLiteral("keepOpen"));
  auto* foot = new QHBoxLayout;
  foot->addWidget(m_remembers);
  foot->addStretch();
  foot->addWidget(m_cancel);
  layout->addSpacing(Metrics::kTight);
  layout->addLayout(foot);
  connect(m_cancel, &QPushButton::clicked, this, &Overlay::close);
  retranslated(this, [this] { setTexts(); });
}

void ClosingSheet::setPictures(qint64 pictures) {
  m_pictures = pictures;
  setTexts();
}

void ClosingSheet::setTexts() {
  m_title->setText(tr("Close the window?"));
  m_sentence->setText(tr("%n picture(s) are not made yet.", nullptr, static_cast<int>(m_pictures)));
  const QString choices[] = {tr("Go on without the window"), tr("Finish what is being made"), tr("Stop now")};
  const QString explanations[] = {tr("The pictures are made in the background."),
                                  tr("The pictures in work are finished in the background; the others wait in the queue."),
                                  tr("Nothing is lost: what was being made begins anew when you go on.")};
  for (std::size_t i = 0; i < m_choices.size(); ++i) {
    m_choices[i]->setAccessibleName(choices[i]);
    m_choices[i]->setAccessibleDescription(explanations[i]);
    m_names[i]->setText(choices[i]);
    m_explanations[i]->setText(explanations[i]);
  }
  int height = 0;
  for (const QPushButton* choice : m_choices) {
    height = std::max(height, choice->layout()->sizeHint().height());
  }
  for (QPushButton* choice : m_choices) {
    choice->setFixedHeight(height);
  }
  m_remembers->setText(tr("Do this every time"));
  m_cancel->setText(tr("Keep it open"));
}

QSize ClosingSheet::cardSize() const { return {Metrics::kSheetWidth, card()->layout()->sizeHint().height()}; }

Closing::Closing(QWidget& window, backend::Backend& backend, Preferences& preferences)
    : QObject(&window), m_window(window), m_backend(backend), m_preferences(preferences) {
  m_sheet = new ClosingSheet(&window, preferences);
  connect(m_sheet, &ClosingSheet::chosen, this, [this](ClosingChoice choice) {
    if (m_sheet->isToBeRemembered()) {
      m_preferences.change([choice](PreferenceValues& values) { values.closing = choice; });
    }
    begin(choice);
  });
  connect(&backend, &backend::Backend::commandDone, this, [this](const backend::CommandResult& result) {
    if (m_asked == 0 || result.commandId != m_asked) {
      return;
    }
    if (!m_steps.empty() && m_steps.back().kind == Command::Kind::Undo) {
      m_steps.back().undoId = result.undoId;
      if (result.undoId == 0) {
        m_steps.pop_back();  // there was nothing to take out of the work
      }
    }
    next();
  });
  connect(&backend, &backend::Backend::lost, this, [this] {
    if (m_asked != 0) {
      finish();
    }
  });
  m_patience.setSingleShot(true);
  connect(&m_patience, &QTimer::timeout, this, &Closing::finish);
}

bool Closing::mayClose(qint64 pictures) {
  // A desktop that shuts down does not wait for an answer; the backend finds its work again.
  if (m_isReady || pictures == 0 || qGuiApp->isSavingSession()) {
    return true;
  }
  const ClosingChoice choice = m_preferences.values().closing;
  if (choice == ClosingChoice::GoOn) {
    return true;
  }
  if (m_asked != 0) {
    return false;
  }
  if (choice == ClosingChoice::Ask) {
    m_sheet->setPictures(pictures);
    m_sheet->open();
  } else {
    begin(choice);
  }
  return false;
}

void Closing::begin(ClosingChoice choice) {
  m_sheet->setEnabled(false);
  switch (choice) {
    case ClosingChoice::Ask:
    case ClosingChoice::GoOn:
      finish();
      return;
    case ClosingChoice::FinishCurrent:
      m_steps = {commandOf(Command::Kind::PauseQueue)};
      break;
    case ClosingChoice::Stop:
      // What was in work is taken out and, with the queue paused, waits again.
      m_steps = {commandOf(Command::Kind::Undo), commandOf(Command::Kind::CancelInWork), commandOf(Command::Kind::PauseQueue)};
      break;
  }
  m_patience.start(kPatience);
  next();
}

void Closing::next() {
  if (m_steps.empty()) {
    finish();
    return;
  }
  Command command = std::move(m_steps.back());
  m_steps.pop_back();
  m_asked = m_backend.control(std::move(command));
}

void Closing::finish() {
  m_isReady = true;
  m_window.close();
}

}  // namespace polyptych::ui
