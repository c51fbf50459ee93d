#pragma once

#include <QStyledItemDelegate>

namespace polyptych::ui {

/// A tile: the picture alone; in work its preview and a thin bar; failed, a mark and the reason's first words.
class GalleryDelegate : public QStyledItemDelegate {
  Q_OBJECT
 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

}  // namespace polyptych::ui
