#pragma once

#include <QTreeView>

namespace polyptych::ui {

/// The table of the queue: whoever selects all of it means all rows, not only those that were read.
class QueueTable : public QTreeView {
  Q_OBJECT
 public:
  using QTreeView::QTreeView;

  void selectAll() override {
    QTreeView::selectAll();
    Q_EMIT allSelected();
  }

 Q_SIGNALS:
  void allSelected();
};

}  // namespace polyptych::ui
