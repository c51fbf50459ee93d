#pragma once

class QLabel;
class QWidget;

namespace polyptych::ui {

/// A field below its label, which leads to it.
/// @param label the new one, without text
/// @return both, in a widget of `parent`
QWidget* labelledField(QLabel*& label, QWidget* field, QWidget* parent);

}  // namespace polyptych::ui
