#pragma once

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <functional>

#include "ui/prompts/prompt_lengths.h"
#include "ui/prompts/prompt_list_model.h"
#include "ui/shell/overlay.h"

namespace polyptych::ui {

/// What rows without a value of their own get, as the form shows it.
struct SharedValues {
  QString negative, size, seed, steps, guidance, images, scheduler, model;
  QStringList models;  ///< to choose from
};

/// The focused editor: one prompt whole, with its tokens counted and what the model does not read marked; and what of it, or of
/// several, differs from the settings that all share. Empty fields say: as all.
class PromptSheet : public Overlay {
  Q_OBJECT
 public:
  /// `list` and `lengths` outlive it.
  PromptSheet(PromptListModel& list, const PromptLengths& lengths, QWidget* window, const Preferences& preferences);

  void edit(const QList<int>& rows, const SharedValues& shared);

 protected:
  QSize cardSize() const override;
  QWidget* first() const override;
  void keyPressEvent(QKeyEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  struct Field;
  class Marker;
  using Entry = prompt::PromptEntry;

  void accept();
  void showLength();
  void refuse(QWidget* field, const QString& sentence);
  void fill(const SharedValues& shared);

  PromptListModel& m_list;
  const PromptLengths& m_lengths;
  QList<int> m_rows;
  Marker* m_marker;
  QLabel* m_title;
  QPlainTextEdit* m_text;
  QLabel* m_length;
  QLabel* m_labels[8] = {};
  QLineEdit* m_negative;
  QLineEdit* m_size;
  QLineEdit* m_seed;
  QLineEdit* m_steps;
  QLineEdit* m_guidance;
  QLineEdit* m_images;
  QComboBox* m_scheduler;
  QComboBox* m_model;
  QLabel* m_problem;
  QPushButton* m_accept;
  QPushButton* m_cancel;
};

}  // namespace polyptych::ui
