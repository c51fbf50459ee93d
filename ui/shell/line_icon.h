#pragma once

#include <QIcon>
#include <QString>

namespace polyptych::ui {

/// The line icon ":/icons/<name>.svg" in the colour of the theme: secondary text, text while it is under the pointer or pressed,
/// faint while it is disabled. Drawn anew for every theme and scale.
QIcon lineIcon(const QString& name);

}  // namespace polyptych::ui
