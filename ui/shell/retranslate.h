#pragma once

#include <QWidget>
#include <functional>

namespace polyptych::ui {

/// Calls `setTexts` now, and again whenever the language of the program changes, as long as `widget` lives. What it calls may ask
/// tr() for every text: the new language is installed by then.
void retranslated(QWidget* widget, std::function<void()> setTexts);

}  // namespace polyptych::ui
