#pragma once

#include <QCheckBox>
#include <QComboBox>
#include <QGridLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QThreadPool>
#include <vector>

#include "core/prompt/prompt_table.h"
#include "ui/prompts/prompt_list_model.h"
#include "ui/shell/overlay.h"

namespace polyptych::ui {

/// Asks what the columns of a table mean, over a preview of its first rows.
class ImportSheet : public Overlay {
  Q_OBJECT
 public:
  ImportSheet(QWidget* window, const Preferences& preferences);
  ~ImportSheet() override;

  void ask(const QString& name, prompt::CsvTable table);

 Q_SIGNALS:
  void chosen(const QString& name, const polyptych::ui::PromptListModel::Entries& entries, bool replaces);

 protected:
  QSize cardSize() const override;
  QWidget* first() const override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void showPreview();
  void updateCount();
  void accept(bool replaces);
  void retranslate();

  QString m_name;
  prompt::CsvTable m_table;
  std::vector<QComboBox*> m_columns;
  QLabel* m_title;
  QLabel* m_hint;
  QScrollArea* m_scroll;
  QCheckBox* m_heading;
  QLabel* m_problem;
  QPushButton* m_add;
  QPushButton* m_replace;
  QPushButton* m_cancel;
  bool m_isReading = false;
  QThreadPool m_threads;
};

}  // namespace polyptych::ui
