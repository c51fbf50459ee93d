#pragma once

#include <QWidget>
#include <vector>

namespace polyptych::ui {

/// Moves the keyboard to the next widget that takes it: one part of a window after the other, in the order of the widgets inside
/// each; widgets that were made later have their place too. @return false: there is none
bool focusNext(const std::vector<QWidget*>& parts, bool isNext);

/// The first widget of a part that Tab can reach now. @return false: there is none
bool focusFirstOf(QWidget* part);

}  // namespace polyptych::ui
