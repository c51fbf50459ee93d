#include "ui/prompts/prompt_tools.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QLocale>
#include <QMenu>

#include "ui/error_text.h"
#include "ui/shell/actions.h"
#include "ui/shell/pop_up.h"

namespace polyptych::ui {

PromptTools::PromptTools(RunForm& form, MessageBar& messages, Actions& actions, QWidget& window, const Preferences& preferences,
                         bool isStored)
    : QObject(&window), m_form(form), m_messages(messages), m_actions(actions), m_presets(isStored) {
  m_sheet = new PromptSheet(form.prompts().list(), form.prompts().lengths(), &window, preferences);
  m_import = new ImportSheet(&window, preferences);
  m_presetSheet = new PresetSheet(&window, preferences);
  form.prompts().addActions(actions);
  actions.add(QStringLiteral("presets.save"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Save the settings as a preset"),
              ActionCategory::Prompts, {}, [this] { m_presetSheet->ask(m_presets.names()); });
  actions.add(QStringLiteral("presets.choose"), QT_TRANSLATE_NOOP("polyptych::ui::Actions", "Choose a preset"),
              ActionCategory::Prompts, {Qt::ALT | Qt::Key_S}, [this] { showPresets(); });
  connect(&form.prompts(), &PromptPanel::openWanted, this, &PromptTools::chooseList);
  connect(&form.prompts(), &PromptPanel::saveWanted, this, &PromptTools::chooseFile);
  connect(&form.prompts(), &PromptPanel::editWanted, this, &PromptTools::edit);
  connect(&m_files, &PromptFiles::entriesRead, this,
          [this](const QString& name, const PromptListModel::Entries& entries) { take(name, entries, false); });
  connect(&m_files, &PromptFiles::tableRead, m_import, &ImportSheet::ask);
  connect(&m_files, &PromptFiles::saved, this, [this](const QString& path, qint64 prompts) {
    m_messages.show(MessageBar::Kind::Notice,
                    tr("%n prompt(s) saved in %1.", nullptr, static_cast<int>(prompts)).arg(QFileInfo(path).fileName()));
  });
  const auto tell = [this](const base::Error& error) {
    m_messages.show(MessageBar::Kind::Trouble,
                    ErrorText{QString::fromStdString(error.message), QString::fromStdString(error.detail)});
  };
  connect(&m_files, &PromptFiles::failed, this, tell);
  connect(&form, &RunForm::failed, this, tell);
  connect(m_import, &ImportSheet::chosen, this, &PromptTools::take);
  connect(form.settings().presetsButton(), &QPushButton::clicked, this, &PromptTools::showPresets);
  connect(m_presetSheet, &PresetSheet::named, this, [this](const QString& name) {
    m_presets.set(name, m_form.settings().values());
    m_messages.show(MessageBar::Kind::Notice, tr("The settings are saved as “%1”.").arg(name));
  });
}

void PromptTools::open(const QStringList& paths) {
  for (const QString& path : paths) {
    m_files.open(path);
  }
}

void PromptTools::chooseList() {
  auto* dialog = new QFileDialog(m_form.window(), tr("Open a prompt list"), {},
                                 tr("Prompt lists (*.txt *.csv *.tsv *.jsonl *.json);;All files (*)"));
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setFileMode(QFileDialog::ExistingFiles);
  connect(dialog, &QFileDialog::filesSelected, this, &PromptTools::open);
  dialog->open();
}

void PromptTools::chooseFile() {
  m_form.prompts().commit();
  auto* dialog = new QFileDialog(m_form.window(), tr("Save the prompt list"), QStringLiteral("prompts.jsonl"),
                                 tr("With what differs (*.jsonl);;Prompts alone (*.txt)"));
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setAcceptMode(QFileDialog::AcceptSave);
  dialog->setDefaultSuffix(QStringLiteral("jsonl"));
  connect(dialog, &QFileDialog::fileSelected, this,
          [this](const QString& path) { m_files.save(path, m_form.prompts().list().entries()); });
  dialog->open();
}

void PromptTools::take(const QString& name, const PromptListModel::Entries& entries, bool replaces) {
  PromptPanel& prompts = m_form.prompts();
  prompts.take(entries, replaces);
  m_messages.show(MessageBar::Kind::Notice,
                  tr("%n prompt(s) added from %1.", nullptr, static_cast<int>(entries.size())).arg(name),
                  {tr("Undo"), [&prompts] { prompts.list().undoStack().undo(); }});
}

void PromptTools::edit(const QList<int>& rows) {
  const RunSettings& settings = m_form.settings();
  const QVariantMap values = settings.values();
  SharedValues shared;
  shared.negative = settings.negative();
  shared.size = values.value(QStringLiteral("size")).toString();
  shared.seed = values.value(QStringLiteral("seed")).toString();
  shared.steps = QString::number(settings.steps());
  shared.guidance = QLocale().toString(settings.guidance(), 'g', 6);
  shared.images = QString::number(settings.imagesPerPrompt());
  shared.scheduler = settings.scheduler();
  shared.model = values.value(QStringLiteral("model")).toString();
  shared.models = settings.modelNames();
  m_sheet->edit(rows, shared);
}

void PromptTools::showPresets() {
  QPushButton* button = m_form.settings().presetsButton();
  auto* menu = new QMenu(button);
  const QStringList names = m_presets.names();
  for (const QString& name : names) {
    connect(menu->addAction(name), &QAction::triggered, this, [this, name] {
      RunSettings& settings = m_form.settings();
      const QVariantMap before = settings.values();
      settings.setValues(m_presets.values(name));
      m_messages.show(MessageBar::Kind::Notice, tr("The settings are those of “%1”.").arg(name),
                      {tr("Undo"), [&settings, before] { settings.setValues(before); }});
    });
  }
  if (names.isEmpty()) {
    menu->addAction(tr("No preset yet"))->setEnabled(false);
  }
  menu->addSeparator();
  connect(menu->addAction(m_actions.text(QStringLiteral("presets.save"))), &QAction::triggered, this,
          [this] { m_actions.trigger(QStringLiteral("presets.save")); });
  if (!names.isEmpty()) {
    QMenu* removal = menu->addMenu(tr("Remove a preset"));
    for (const QString& name : names) {
      connect(removal->addAction(name), &QAction::triggered, this, [this, name] {
        const QVariantMap values = m_presets.values(name);
        m_presets.remove(name);
        m_messages.show(MessageBar::Kind::Notice, tr("The preset “%1” is removed.").arg(name),
                        {tr("Undo"), [this, name, values] { m_presets.set(name, values); }});
      });
    }
  }
  popUp(menu, button->mapToGlobal(button->rect().bottomLeft()));
}

}  // namespace polyptych::ui
