#pragma once

#include <QObject>
#include <QStringList>

#include "ui/message_bar.h"
#include "ui/presets.h"
#include "ui/prompts/import_sheet.h"
#include "ui/prompts/prompt_files.h"
#include "ui/prompts/prompt_sheet.h"
#include "ui/run_form.h"

namespace polyptych::ui {

class Actions;

/// What stands around the form: files of prompts, the focused editor, presets.
class PromptTools : public QObject {
  Q_OBJECT
 public:
  /// All outlive it.
  PromptTools(RunForm& form, MessageBar& messages, Actions& actions, QWidget& window, const Preferences& preferences,
              bool isStored);

  /// Lists that are dropped on the window.
  void open(const QStringList& paths);

 private:
  void chooseList();
  void chooseFile();
  void take(const QString& name, const PromptListModel::Entries& entries, bool replaces);
  void edit(const QList<int>& rows);
  void showPresets();

  RunForm& m_form;
  MessageBar& m_messages;
  Actions& m_actions;
  PromptFiles m_files;
  PromptSheet* m_sheet;
  ImportSheet* m_import;
  Presets m_presets;
  PresetSheet* m_presetSheet;
};

}  // namespace polyptych::ui
