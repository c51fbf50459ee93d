#pragma once

#include <QModelIndex>
#include <QRect>

class QPainter;

namespace polyptych::ui {

/// A tile: the picture alone, with its stars if it has some; a reject faded; in work its preview and a thin bar; failed, a mark
/// and the reason's first words.
void paintTile(QPainter& painter, const QRect& cell, const QModelIndex& index, bool isSelected, bool isCurrent);

}  // namespace polyptych::ui
