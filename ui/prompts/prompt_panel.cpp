#include "ui/prompts/prompt_panel.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLocale>
#include <QMenu>
#include <QMimeData>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/prompts/prompt_field.h"
#include "ui/prompts/prompt_view.h"
#include "ui/shell/actions.h"
#include "ui/shell/line_icon.h"
#include "ui/shell/page.h"
#include "ui/shell/pop_up.h"
#include "ui/shell/retranslate.h"
#include "ui/theme.h"

namespace polyptych::ui {
namespace {

PromptListModel::Entries entriesOf(const QStringList& lines) {
  PromptListModel::Entries entries;
  entries.reserve(static_cast<std::size_t>(lines.size()));
  for (const QString& line : lines) {
    entries.emplace_back().prompt = line.toStdString();
  }
  return entries;
}

}  // namespace

PromptListModel::Entries samplePrompts() {
  return entriesOf({PromptPanel::tr("a red sailing boat on the sea at sunset"),
                    PromptPanel::tr("a yellow house in the snow at night"), PromptPanel::tr("a green balloon over a meadow")});
}

PromptPanel::PromptPanel(PromptLengths::OpenTokenizer openTokenizer, PromptModels::Check checkModel, QWidget* parent)
    : QWidget(parent), m_lengths(m_list, std::move(openTokenizer)), m_models(m_list, std::move(checkModel)) {
  m_title = makeLabel("heading", this);
  m_count = makeLabel("heading", this);
  m_count->setObjectName(QStringLiteral("promptCount"));
  m_more = new QPushButton(lineIcon(QStringLiteral("dots")), QString(), this);
  m_more->setProperty("role", QStringLiteral("icon"));
  m_more->setObjectName(QStringLiteral("promptMenu"));
  m_view = new PromptView(m_list, m_lengths, m_models, this);
  m_field = new PromptField(this);
  m_field->setObjectName(QStringLiteral("prompts"));
  m_title->setBuddy(m_field);

  auto* top = new QHBoxLayout;
  top->setContentsMargins(Metrics::kPad, Metrics::kPad, Metrics::kGap, Metrics::kTight);
  top->setSpacing(Metrics::kGap);
  top->addWidget(m_title);
  top->addStretch();
  top->addWidget(m_count);
  top->addWidget(m_more);
  auto* foot = new QHBoxLayout;
  foot->setContentsMargins(Metrics::kPad, Metrics::kGap, Metrics::kPad, Metrics::kPad);
  foot->addWidget(m_field);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(0, 0, 0, 0);
  all->setSpacing(0);
  all->addLayout(top);
  all->addWidget(m_view, 1);
  all->addLayout(foot);

  connect(m_field, &PromptField::accepted, this, &PromptPanel::acceptField);
  connect(m_field, &PromptField::linesPasted, this, [this](const QStringList& lines) {
    acceptField();
    addLines(m_list.rowCount(), lines);
  });
  connect(m_field, &PromptField::undoWanted, this,
          [this](bool isRedo) { isRedo ? m_list.undoStack().redo() : m_list.undoStack().undo(); });
  connect(m_field, &PromptField::leftUp, this, [this] {
    if (const int last = m_list.rowCount() - 1; last >= 0) {
      m_view->setFocus();
      m_view->select(last, last);
    }
  });
  connect(m_field, &PromptField::textChanged, this, &PromptPanel::updateCount);
  connect(m_view, &PromptView::leftDown, this, [this] { m_field->setFocus(); });
  connect(m_view, &PromptView::linesPasted, this, &PromptPanel::addLines);
  connect(m_view, &PromptView::linesDropped, this, &PromptPanel::addLines);
  connect(m_view, &QWidget::customContextMenuRequested, this,
          [this](const QPoint& at) { showMenu(m_view->viewport()->mapToGlobal(at), true); });
  connect(m_more, &QPushButton::clicked, this, [this] { showMenu(m_more->mapToGlobal(m_more->rect().bottomLeft()), false); });
  connect(&m_list, &PromptListModel::edited, this, &PromptPanel::updateCount);
  retranslated(this, [this] { retranslate(); });
}

PromptPanel::~PromptPanel() = default;

void PromptPanel::retranslate() {
  m_title->setText(tr("Prompts"));
  m_field->setAccessibleName(tr("New prompt"));
  m_field->setPlaceholderText(tr("Type a prompt, or paste a list"));
  m_view->setAccessibleName(tr("Prompts"));
  m_more->setAccessibleName(tr("More about prompts"));
  m_more->setToolTip(tr("More about prompts"));
  updateCount();
}

bool PromptPanel::areSamples() const {
  return m_list.rowCount() > 0 && !m_list.undoStack().canUndo() && m_list.entries() == samplePrompts();
}

bool PromptPanel::doSamplesYield() const { return !promptsOf(m_field->toPlainText()).isEmpty() && areSamples(); }

qint64 PromptPanel::promptCount() const {
  return (doSamplesYield() ? 0 : m_list.enabledCount()) + static_cast<qint64>(promptsOf(m_field->toPlainText()).size());
}

qint64 PromptPanel::pictureCount(int imagesPerPrompt) const {
  return (doSamplesYield() ? 0 : m_list.pictureCount(imagesPerPrompt)) +
         static_cast<qint64>(promptsOf(m_field->toPlainText()).size()) * imagesPerPrompt;
}

PromptListModel::Entries PromptPanel::typedEntries() const { return entriesOf(promptsOf(m_field->toPlainText())); }

void PromptPanel::updateCount() {
  const qint64 all = m_list.rowCount();
  const qint64 on = m_list.enabledCount();
  const QLocale locale;
  m_count->setText(all == 0    ? QString()
                   : on == all ? locale.toString(all)
                               : QStringLiteral("%1 / %2").arg(locale.toString(on), locale.toString(all)));
  Q_EMIT changed();
}

void PromptPanel::commit() {
  m_view->commit();
  acceptField();
}

void PromptPanel::takeFocus() { m_field->setFocus(); }

void PromptPanel::acceptField() {
  const QStringList lines = promptsOf(m_field->toPlainText());
  m_field->clear();
  if (!lines.isEmpty()) {
    add(m_list.rowCount(), entriesOf(lines));
    m_view->clearSelection();
    m_view->scrollTo(m_list.index(m_list.rowCount() - 1));
  }
}

/// @return the first of the new rows
int PromptPanel::add(int row, PromptListModel::Entries entries) {
  if (areSamples()) {
    m_list.replaceAll(std::move(entries));
    return 0;
  }
  m_list.insert(row, std::move(entries));
  return row;
}

void PromptPanel::addLines(int row, const QStringList& lines) {
  if (!lines.isEmpty()) {
    const int first = add(row, entriesOf(lines));
    m_view->select(first, first + static_cast<int>(lines.size()) - 1);
  }
}

void PromptPanel::take(PromptListModel::Entries entries, bool replaces) {
  if (replaces) {
    m_list.replaceAll(std::move(entries));
    return;
  }
  const auto count = static_cast<int>(entries.size());
  const int first = add(m_list.rowCount(), std::move(entries));
  m_view->select(first, first + count - 1);
}

QList<int> PromptPanel::rows() const { return m_view->selectedRows(); }

void PromptPanel::remove() {
  const QList<int> selected = rows();
  if (selected.isEmpty()) {
    return;
  }
  m_list.remove(selected);
  if (m_list.rowCount() == 0) {
    m_field->setFocus();
  } else {
    const int next = std::min(selected.front(), m_list.rowCount() - 1);
    m_view->select(next, next);
  }
}

void PromptPanel::moveBy(int distance) {
  const QList<int> selected = rows();
  if (selected.isEmpty()) {
    return;
  }
  const int before = distance < 0 ? selected.front() - 1 : selected.back() + 2;
  if (before >= 0 && before <= m_list.rowCount()) {
    const int first = m_list.move(selected, before);
    m_view->select(first, first + static_cast<int>(selected.size()) - 1);
  }
}

/// All become what most of them are not.
void PromptPanel::toggle() {
  const QList<int> selected = rows();
  const bool turnsOn = std::ranges::any_of(selected, [this](int row) { return !m_list.at(row).isEnabled; });
  m_list.change(selected,
                turnsOn ? PromptListModel::tr("Turn %n prompt(s) on", nullptr, static_cast<int>(selected.size()))
                        : PromptListModel::tr("Turn %n prompt(s) off", nullptr, static_cast<int>(selected.size())),
                [turnsOn](prompt::PromptEntry& entry) { entry.isEnabled = turnsOn; });
}

void PromptPanel::copy() const {
  QStringList lines;
  for (const int row : rows()) {
    lines << QString::fromStdString(m_list.at(row).prompt);
  }
  if (!lines.isEmpty()) {
    QGuiApplication::clipboard()->setText(lines.join(u'\n'));
  }
}

void PromptPanel::paste() {
  const QList<int> selected = rows();
  addLines(selected.isEmpty() ? m_list.rowCount() : selected.back() + 1, promptsOf(QGuiApplication::clipboard()->text()));
}

void PromptPanel::addActions(Actions& actions) {
  m_actions = &actions;
  const auto add = [&](const char* id, const char* text, const QList<QKeySequence>& keys, std::function<void()> run,
                       QWidget* context) {
    actions.add(QLatin1String(id), text, ActionCategory::Prompts, keys, std::move(run), context);
  };
  // Keys of the list work in the list; letters and Delete belong to whoever writes.
  add(
      "prompts.edit", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Edit the prompt in its row"), {Qt::Key_F2},
      [this] { m_view->editRow(m_view->currentIndex().row()); }, m_view);
  add(
      "prompts.open", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Open a prompt list"), {Qt::CTRL | Qt::Key_O},
      [this] { Q_EMIT openWanted(); }, nullptr);
  add(
      "prompts.save", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Save the prompt list"), {Qt::CTRL | Qt::Key_S},
      [this] { Q_EMIT saveWanted(); }, nullptr);
  add(
      "prompts.settings", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Settings and length of the prompts"),
      {Qt::CTRL | Qt::Key_I},
      [this] {
        m_view->commit();
        if (rows().isEmpty() && m_list.rowCount() > 0) {
          m_view->select(m_list.rowCount() - 1, m_list.rowCount() - 1);
        }
        if (!rows().isEmpty()) {
          Q_EMIT editWanted(rows());
        }
      },
      this);
  add(
      "prompts.toggle", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Turn the prompts on or off"), {Qt::Key_Space},
      [this] { toggle(); }, m_view);
  add(
      "prompts.duplicate", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Duplicate the prompts"), {Qt::CTRL | Qt::Key_D},
      [this] {
        const QList<int> selected = rows();
        if (const int first = m_list.duplicate(selected); first >= 0) {
          m_view->select(first, first + static_cast<int>(selected.size()) - 1);
        }
      },
      m_view);
  add(
      "prompts.moveUp", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Move the prompts up"), {Qt::ALT | Qt::Key_Up},
      [this] { moveBy(-1); }, m_view);
  add(
      "prompts.moveDown", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Move the prompts down"), {Qt::ALT | Qt::Key_Down},
      [this] { moveBy(1); }, m_view);
  add(
      "prompts.cut", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Cut the prompts"), {QKeySequence::Cut},
      [this] {
        copy();
        remove();
      },
      m_view);
  add(
      "prompts.copy", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Copy the prompts"), {QKeySequence::Copy}, [this] { copy(); },
      m_view);
  add(
      "prompts.paste", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Paste prompts"), {QKeySequence::Paste}, [this] { paste(); },
      m_view);
  add(
      "prompts.remove", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Remove the prompts"), {Qt::Key_Delete, Qt::Key_Backspace},
      [this] { remove(); }, m_view);
  add(
      "prompts.clear", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Remove all prompts"), {},
      [this] {
        m_list.replaceAll({});
        m_field->setFocus();
      },
      nullptr);
  add(
      "prompts.samples", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Add sample prompts"), {},
      [this] { take(samplePrompts(), false); }, nullptr);
  add(
      "prompts.undo", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Undo a change of the prompts"), {Qt::CTRL | Qt::Key_Z},
      [this] { m_list.undoStack().undo(); }, this);
  add(
      "prompts.redo", QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Redo a change of the prompts"),
      {Qt::CTRL | Qt::SHIFT | Qt::Key_Z, Qt::CTRL | Qt::Key_Y}, [this] { m_list.undoStack().redo(); }, this);
}

void PromptPanel::showMenu(const QPoint& at, bool isOfRows) {
  auto* menu = new QMenu(this);
  const auto add = [&](const char* id, bool isEnabled = true) { m_actions->addTo(*menu, QLatin1String(id), isEnabled); };
  const bool hasRows = !rows().isEmpty();
  if (isOfRows) {
    for (const char* id : {"prompts.edit", "prompts.settings", "prompts.toggle", "prompts.duplicate"}) {
      add(id, hasRows);
    }
    menu->addSeparator();
    for (const char* id : {"prompts.cut", "prompts.copy"}) {
      add(id, hasRows);
    }
    add("prompts.paste", QGuiApplication::clipboard()->mimeData()->hasText());
    add("prompts.remove", hasRows);
    menu->addSeparator();
    for (const char* id : {"prompts.moveUp", "prompts.moveDown"}) {
      add(id, hasRows);
    }
  } else {
    add("prompts.open");
    add("prompts.save", m_list.rowCount() > 0);
    add("prompts.samples");
    add("prompts.clear", m_list.rowCount() > 0);
    menu->addSeparator();
    add("prompts.settings", hasRows);
  }
  menu->addSeparator();
  add("prompts.undo", m_list.undoStack().canUndo());
  add("prompts.redo", m_list.undoStack().canRedo());
  popUp(menu, at);
}

}  // namespace polyptych::ui
