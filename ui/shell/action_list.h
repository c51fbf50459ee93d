#pragma once

#include <QLineEdit>
#include <QListView>

#include "ui/shell/overlay.h"

class QLabel;

namespace polyptych::ui {

class Actions;
class ActionListModel;

/// Everything that can be done now, to be found by typing a few letters of it.
class ActionList : public Overlay {
  Q_OBJECT
 public:
  ActionList(Actions& actions, QWidget* window, const Preferences& preferences);

  void open();

 protected:
  QSize cardSize() const override;
  QWidget* first() const override { return m_query; }
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void run(const QModelIndex& index);

  Actions& m_actions;
  ActionListModel* m_model;
  QLineEdit* m_query;
  QListView* m_list;
  QLabel* m_nothing;
};

}  // namespace polyptych::ui
