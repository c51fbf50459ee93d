#pragma once

#include <QLabel>
#include <QPushButton>
#include <QThreadPool>
#include <QWidget>

#include "core/base/result.h"
#include "ui/prompts/prompt_lengths.h"
#include "ui/prompts/prompt_list_model.h"
#include "ui/prompts/prompt_models.h"

namespace polyptych::ui {

class Actions;
class PromptField;
class PromptView;

/// The upper half of the left side: the list of prompts, and below it the field where more are typed or pasted.
class PromptPanel : public QWidget {
  Q_OBJECT
 public:
  PromptPanel(PromptLengths::OpenTokenizer openTokenizer, PromptModels::Check checkModel, QWidget* parent = nullptr);
  ~PromptPanel() override;

  PromptListModel& list() { return m_list; }
  PromptLengths& lengths() { return m_lengths; }
  PromptModels& models() { return m_models; }
  PromptView& view() { return *m_view; }
  PromptField& field() { return *m_field; }

  /// Rows of the list and what stands in the field: what Generate would make.
  qint64 promptCount() const;
  qint64 pictureCount(int imagesPerPrompt) const;
  /// What stands in the field and not in the list.
  PromptListModel::Entries typedEntries() const;
  /// What stands in the field would take the place of the list: samples that nobody has touched are only there so that something
  /// is.
  bool doSamplesYield() const;
  /// Puts what stands in open fields into the list.
  void commit();
  void takeFocus();
  void addActions(Actions& actions);
  /// At the end of the list, or in place of it; samples that nobody has touched make room.
  void take(PromptListModel::Entries entries, bool replaces);

 Q_SIGNALS:
  /// What promptCount() and pictureCount() say.
  void changed();
  void openWanted();
  void saveWanted();
  /// The focused editor for these rows.
  void editWanted(const QList<int>& rows);

 private:
  bool areSamples() const;
  int add(int row, PromptListModel::Entries entries);
  void addLines(int row, const QStringList& lines);
  void acceptField();
  void updateCount();
  void showMenu(const QPoint& at, bool isOfRows);
  QList<int> rows() const;
  void remove();
  void moveBy(int distance);
  void toggle();
  void copy() const;
  void paste();
  void retranslate();

  PromptListModel m_list;
  PromptLengths m_lengths;
  PromptModels m_models;
  Actions* m_actions = nullptr;
  QLabel* m_title;
  QLabel* m_count;
  QPushButton* m_more;
  PromptView* m_view;
  PromptField* m_field;
};

/// Three prompts to begin with, in the program's language.
PromptListModel::Entries samplePrompts();

}  // namespace polyptych::ui
